"""Every task of MLflow's transformers flavor that the installed transformers has."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pandas as pd

from tests.flavors.case import Case

from . import pipelines
from .pipelines import bert, generator, sounds, writer

TEXTS = ["a good day", "a bad thing"]
MADE_NEW = ("id", "created")  # of answers in OpenAI's form


def cases() -> list[Case]:
    return [*of_texts(), *of_generators(), *of_requests(), *of_other_things(), *of_parts()]


def few() -> dict[str, Any]:
    """Return options for a few ordinary words; a new dict each time, because MLflow changes it."""
    return {
        "model_config": {
            "max_new_tokens": 3,
            "do_sample": False,
            "suppress_tokens": [0, 1, 2, 3, 4],
        }
    }


def of_texts() -> Iterator[Case]:
    pair = {"text": "a good day", "text_pair": "a bad thing"}
    asked = {"question": ["what is it"], "context": ["it is a good day ."]}
    labels = {
        "sequences": "a good day",
        "candidate_labels": ["good", "bad"],
        "hypothesis_template": "it is {} .",
    }
    table = pd.DataFrame(
        {"query": ["how many"], "table": ['{"thing": ["1", "2"], "day": ["good", "bad"]}']}
    )
    yield Case(name="text-classification", make=partial(bert, "text-classification"), example=TEXTS)
    yield Case(name="text pairs", make=partial(bert, "text-classification"), example=[pair])
    yield Case(
        name="fill-mask", make=partial(bert, "fill-mask"), example=["a [MASK] day", "a good [MASK]"]
    )
    yield Case(
        name="token-classification", make=partial(bert, "token-classification"), example=TEXTS
    )
    yield Case(
        name="feature-extraction", make=partial(bert, "feature-extraction"), example=TEXTS[:1]
    )
    yield Case(
        name="zero-shot-classification",
        make=partial(bert, "zero-shot-classification"),
        example=labels,
    )
    if pipelines.known("question-answering"):
        made = partial(bert, "question-answering")
        yield Case(name="question-answering", make=made, example=pd.DataFrame(asked))
    yield Case(name="table-question-answering", make=pipelines.tables, example=table)


def of_generators() -> Iterator[Case]:
    yield Case(name="text-generation", make=generator, example=TEXTS, options=few())
    template = {**few(), "prompt_template": "what is {prompt}"}
    yield Case(name="prompt_template", make=generator, example=TEXTS[:1], options=template)
    for task in ("summarization", "translation_en_to_fr", "text2text-generation"):
        if pipelines.known(task.partition("_")[0]):
            yield Case(name=task, make=partial(writer, task), example=TEXTS, options=few())


def of_requests() -> Iterator[Case]:
    messages = [{"role": "user", "content": "what is it"}]
    chat: dict[str, Any] = {"messages": messages, "max_tokens": 3}
    yield Case(
        name="llm/v1/chat",
        make=partial(generator, pipelines.TEMPLATE),
        example=chat,
        options={**few(), "task": "llm/v1/chat"},
        volatile=MADE_NEW,
    )
    prompt = {"prompt": "a good day", "max_tokens": 3}
    options = {**few(), "task": "llm/v1/completions"}
    yield Case(
        name="llm/v1/completions",
        make=generator,
        example=prompt,
        options=options,
        volatile=MADE_NEW,
    )
    task = {"task": "llm/v1/embeddings"}
    yield Case(
        name="llm/v1/embeddings",
        make=partial(bert, "feature-extraction"),
        example={"input": TEXTS},
        options=task,
    )


def of_other_things() -> Iterator[Case]:
    audio, speech = "audio-classification", "automatic-speech-recognition"
    yield Case(name="image-classification", make=pipelines.pictures, example=[pipelines.image()])
    yield Case(name=audio, make=partial(sounds, audio), example=pipelines.sound())
    yield Case(name=speech, make=partial(sounds, speech), example=pipelines.sound())
    words = {"model_config": {"return_timestamps": "word"}}
    yield Case(
        name="words of speech",
        make=partial(sounds, speech),
        example=pipelines.sound(),
        options=words,
    )


def of_parts() -> Iterator[Case]:
    task = {"task": "text-classification"}
    yield Case(name="parts", make=pipelines.parts, example=TEXTS, options=task)
    by_mlflow = pipelines.known("question-answering")  # which fails with transformers 5
    yield Case(
        name="checkpoint",
        make=pipelines.checkpoint,
        example=TEXTS,
        options=task,
        saved_by_mlflow=by_mlflow,
    )
