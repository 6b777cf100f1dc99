"""Stands in for `mlflow.spacy`: a spaCy pipeline; MLflow runs those that classify texts.

Needs: spacy, pandas.
Takes: a data frame with one column of texts.
Returns: a data frame with the categories of each text in the column `predictions`.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from ..request import Flavor, Request
from .native import NativeModel


class Pipeline(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow ignores them, too
        """Predict."""
        count = len(data.columns)
        if count != 1:
            raise ValueError(f"a spaCy pipeline takes one column of texts, not {count} columns")
        categories = data.iloc[:, 0].apply(lambda text: self.model(text).cats)
        return import_module("pandas").DataFrame({"predictions": categories})


def load(path: str, request: Request) -> Pipeline:  # noqa: ARG001 - as the other loaders
    """Load the pipeline."""
    return Pipeline(load_native(request["model"], request["flavors"]["spacy"]))


def load_native(folder: str, flavor: Flavor) -> Any:
    """Load the pipeline of a model directory."""
    return import_module("spacy").load(os.path.join(folder, flavor.get("data", "model.spacy")))
