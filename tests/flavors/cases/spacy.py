"""A pipeline that classifies texts."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import spacy
from spacy.training import Example

from tests.flavors.case import Case


def cases() -> list[Case]:
    return [
        Case(
            name="textcat",
            make=pipeline,
            example=pd.DataFrame({"text": ["a good day", "a bad day"]}),
        )
    ]


def pipeline() -> Any:
    random.seed(0)
    made = spacy.blank("en")
    classifier = made.add_pipe("textcat")
    for each in ("good", "bad"):
        classifier.add_label(each)
    texts = {"a good thing": "good", "a bad thing": "bad"}
    seen = [
        Example.from_dict(
            made.make_doc(text), {"cats": {each: float(each == label) for each in ("good", "bad")}}
        )
        for text, label in texts.items()
    ]
    optimizer = made.initialize(lambda: seen)
    for _ in range(5):
        made.update(seen, sgd=optimizer)
    return made
