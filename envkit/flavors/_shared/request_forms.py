"""The signatures of models that answer requests in OpenAI's form, as MLflow writes them."""

from __future__ import annotations

from collections.abc import Mapping

from envkit.models.data_types import Array, DataType, Object, Property, Type
from envkit.models.schema import ColSpec, Schema
from envkit.models.signature import ModelSignature
from envkit.pyfunc import chats

CHAT, COMPLETIONS, EMBEDDINGS = "llm/v1/chat", "llm/v1/completions", "llm/v1/embeddings"
_TEXT = DataType.string
_LONG = DataType.long
_DOUBLE = DataType.double
_BOOLEAN = DataType.boolean


def signature(form: str) -> ModelSignature:
    """Return the signature of a form: its request as input, its answer as output."""
    if form == CHAT:
        return chats.signature()
    if form == COMPLETIONS:
        return _completions()
    return _embeddings()


def _completions() -> ModelSignature:
    choice = _object({"index": _LONG, "text": _TEXT, "finish_reason": _TEXT})
    usage = _object({"prompt_tokens": _LONG, "completion_tokens": _LONG, "total_tokens": _LONG})
    request = [
        ColSpec(_TEXT, name="prompt"),
        ColSpec(_DOUBLE, name="temperature", required=False),
        ColSpec(_LONG, name="max_tokens", required=False),
        ColSpec(Array(_TEXT), name="stop", required=False),
        ColSpec(_LONG, name="n", required=False),
        ColSpec(_BOOLEAN, name="stream", required=False),
    ]
    answer: dict[str, Type] = {
        "id": _TEXT,
        "object": _TEXT,
        "created": _LONG,
        "model": _TEXT,
        "choices": Array(choice),
        "usage": usage,
    }
    return ModelSignature(Schema(request), _columns(answer))


def _embeddings() -> ModelSignature:
    embedding = _object({"index": _LONG, "object": _TEXT, "embedding": Array(_DOUBLE)})
    usage = _object({"prompt_tokens": _LONG, "total_tokens": _LONG})
    return ModelSignature(
        _columns({"input": _TEXT}),
        _columns({"object": _TEXT, "data": Array(embedding), "usage": usage}),
    )


def _object(properties: Mapping[str, Type]) -> Object:
    return Object([Property(name, kind) for name, kind in properties.items()])


def _columns(columns: Mapping[str, Type]) -> Schema:
    return Schema([ColSpec(kind, name=name) for name, kind in columns.items()])
