"""In place of `mlflow.spacy`: a pipeline of spaCy. MLflow runs those that classify texts."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native


class Pipeline(Native):
    """What `mlflow.pyfunc` calls: takes a data frame of one column of texts, gives the categories of each."""

    def predict(self, data: Any, params: Any = None) -> Any:  # noqa: ARG002 - MLflow has it and ignores it
        """Predict."""
        if len(data.columns) != 1:
            raise ValueError(
                f"a pipeline of spaCy takes one column of texts, not {len(data.columns)} columns"
            )
        found = data.iloc[:, 0].apply(lambda text: self.model(text).cats)
        return import_module("pandas").DataFrame({"predictions": found})


def load(path: str, request: Mapping[str, Any]) -> Pipeline:  # noqa: ARG001 - as the other loaders
    """Load the pipeline."""
    return Pipeline(load_native(request["model"], request["flavors"]["spacy"]))


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:
    """Give the pipeline of a model directory."""
    return import_module("spacy").load(os.path.join(folder, flavor.get("data", "model.spacy")))
