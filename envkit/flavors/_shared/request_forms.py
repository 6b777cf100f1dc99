"""The signatures of models that answer requests in OpenAI's form, as MLflow writes them."""

from __future__ import annotations

from typing import Any

from envkit.models.data_types import Array, DataType, Object, Property
from envkit.models.schema import ColSpec, Schema
from envkit.models.signature import ModelSignature
from envkit.pyfunc import chats

CHAT, COMPLETIONS, EMBEDDINGS = "llm/v1/chat", "llm/v1/completions", "llm/v1/embeddings"
_TEXT, _LONG, _DOUBLE, _TRUTH = DataType.string, DataType.long, DataType.double, DataType.boolean


def signature(form: str) -> ModelSignature:
    """Give what a request of that form holds, and its answer."""
    if form == CHAT:
        return chats.signature()
    if form == COMPLETIONS:
        return _completions()
    return _embeddings()


def _completions() -> ModelSignature:
    options: dict[str, Any] = {
        "temperature": _DOUBLE,
        "max_tokens": _LONG,
        "stop": Array(_TEXT),
        "n": _LONG,
        "stream": _TRUTH,
    }
    choice = _object(index=_LONG, text=_TEXT, finish_reason=_TEXT)
    usage = _object(prompt_tokens=_LONG, completion_tokens=_LONG, total_tokens=_LONG)
    return ModelSignature(
        Schema(
            [
                *_columns(prompt=_TEXT),
                *(ColSpec(kind, name=name, required=False) for name, kind in options.items()),
            ]
        ),
        Schema(
            _columns(
                id=_TEXT,
                object=_TEXT,
                created=_LONG,
                model=_TEXT,
                choices=Array(choice),
                usage=usage,
            )
        ),
    )


def _embeddings() -> ModelSignature:
    found = _object(index=_LONG, object=_TEXT, embedding=Array(_DOUBLE))
    usage = _object(prompt_tokens=_LONG, total_tokens=_LONG)
    return ModelSignature(
        Schema(_columns(input=_TEXT)),
        Schema(_columns(object=_TEXT, data=Array(found), usage=usage)),
    )


def _object(**properties: Any) -> Object:
    return Object([Property(name, kind) for name, kind in properties.items()])


def _columns(**columns: Any) -> list[ColSpec]:
    return [ColSpec(kind, name=name) for name, kind in columns.items()]
