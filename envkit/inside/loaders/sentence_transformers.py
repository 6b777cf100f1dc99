"""In place of `mlflow.sentence_transformers`: a model that turns texts into vectors."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from .native import Native

DATA = "model.sentence_transformer"
EMBEDDING = "llm/v1/embeddings"


class Encoder(Native):
    """What `mlflow.pyfunc` calls: takes texts, or a data frame whose first column holds them."""

    def __init__(self, model: Any, task: str | None) -> None:
        super().__init__(model)
        self._task = task

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Encode; `params` are those of `encode`. With the task of embeddings the answer is as OpenAI's."""
        answers_request = False
        if hasattr(data, "columns"):
            answers_request = bool(self._task) and data.columns[0] == "input"
            data = data.iloc[:, 0].tolist()
            if data and isinstance(data[0], list):
                data = data[0]
        elif hasattr(data, "iloc"):
            data = data.tolist()
        vectors = self.model.encode(data, **(params or {}))
        if answers_request:
            return embeddings_answer(data, vectors, self.model.tokenizer)
        return vectors


def load(path: str, request: Mapping[str, Any]) -> Encoder:  # noqa: ARG001 - as the other loaders
    """Load the model."""
    config = request["python_function"].get("config") or {}
    return Encoder(
        load_native(request["model"], request["flavors"]["sentence_transformers"]),
        config.get("task"),
    )


def load_native(folder: str, flavor: Mapping[str, Any]) -> Any:  # noqa: ARG001 - as the other loaders
    """Give the model of a model directory. Code that it brings is run: who loads a model trusts it."""
    library = import_module("sentence_transformers")
    return library.SentenceTransformer(os.path.join(folder, DATA), trust_remote_code=True)


def embeddings_answer(texts: Any, vectors: Any, tokenizer: Any) -> dict[str, Any]:
    """Give vectors in the form of OpenAI's embeddings, with the number of tokens."""
    texts = [texts] if isinstance(texts, str) else list(texts)
    tokens = sum(len(tokenizer(text)["input_ids"]) for text in texts)
    rows = [
        {
            "object": "embedding",
            "embedding": vector.tolist() if hasattr(vector, "tolist") else vector,
            "index": index,
        }
        for index, vector in enumerate(vectors)
    ]
    return {
        "object": "list",
        "data": rows,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
