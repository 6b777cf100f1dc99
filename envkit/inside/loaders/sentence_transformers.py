"""Stands in for `mlflow.sentence_transformers`: a model that turns texts into vectors.

Needs: sentence_transformers.
Takes: texts, or a data frame whose first column has them.
Returns: the vectors, an array; with the task of embeddings an answer in OpenAI's form.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from ..request import Flavor, Request
from .native import NativeModel

DATA = "model.sentence_transformer"
EMBEDDING = "llm/v1/embeddings"


class Encoder(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def __init__(self, model: Any, task: str | None) -> None:
        super().__init__(model)
        self._task = task

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Encode texts; `params` are those of `encode`."""
        is_request = False
        if hasattr(data, "columns"):
            is_request = bool(self._task) and data.columns[0] == "input"
            texts = data.iloc[:, 0].tolist()
            if texts and isinstance(texts[0], list):
                texts = texts[0]
        elif hasattr(data, "iloc"):
            texts = data.tolist()
        else:
            texts = data
        vectors = self.model.encode(texts, **(params or {}))
        if is_request:
            return embeddings_answer(texts, vectors, self.model.tokenizer)
        return vectors


def load(path: str, request: Request) -> Encoder:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    config = request["python_function"].get("config") or {}
    model = load_native(request["model"], request["flavors"]["sentence_transformers"])
    return Encoder(model, config.get("task"))


def load_native(folder: str, flavor: Flavor) -> Any:  # noqa: ARG001 - as the other loaders
    """Load the model of a model directory.

    Code that it contains is run: who loads a model trusts it.
    """
    library = import_module("sentence_transformers")
    return library.SentenceTransformer(os.path.join(folder, DATA), trust_remote_code=True)


def embeddings_answer(texts: Any, vectors: Any, tokenizer: Any) -> dict[str, Any]:
    """Put vectors into the form of OpenAI's embeddings, with the number of tokens."""
    if isinstance(texts, str):
        texts = [texts]
    tokens = sum(len(tokenizer(text)["input_ids"]) for text in texts)
    data = []
    for index, vector in enumerate(vectors):
        embedding = vector.tolist() if hasattr(vector, "tolist") else vector
        data.append(
            {
                "object": "embedding",
                "embedding": embedding,
                "index": index,
            }
        )
    return {
        "object": "list",
        "data": data,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
