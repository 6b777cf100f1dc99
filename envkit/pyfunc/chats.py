"""The signature and the default example of every chat model.

They are those of MLflow's chat models, so that its server and clients accept envkit's and vice
versa.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envkit.inside.author.chat import ChatMessage, ChatParams
from envkit.inside.loaders.pyfunc.code_model import is_chat
from envkit.models.data_types import AnyType, Array, DataType, Map, Object, Property, Type
from envkit.models.schema import ColSpec, Schema
from envkit.models.signature import ModelSignature

__all__ = ["EXAMPLE", "example", "is_chat", "signature"]

EXAMPLE = {
    "messages": [{"role": "user", "content": "Hello!"}],
    "temperature": 1.0,
    "max_tokens": 10,
    "stop": ["\n"],
    "n": 1,
    "stream": False,
}
_TEXT = DataType.string
_LONG = DataType.long
_DOUBLE = DataType.double
_BOOLEAN = DataType.boolean


def signature() -> ModelSignature:
    """Return the signature of a chat: a request as input, a completion as output."""
    return ModelSignature(_request(), _completion())


def example(data: Any) -> dict[str, Any]:
    """Return an example as a request: of None, messages or a request, and perhaps parameters."""
    if data is None:
        return EXAMPLE
    params = None
    if isinstance(data, tuple) and len(data) == 2:
        data, params = data
    request = {"messages": data} if isinstance(data, list) else dict(data)
    # `keys` is a method of the class, which names its fields.
    options = {name: request[name] for name in request if name in ChatParams.keys()}  # noqa: SIM118
    return {"messages": _messages(request.get("messages", [])), **options, **(params or {})}


def _messages(messages: list[Any]) -> list[dict[str, Any]]:
    """Return messages as JSON objects of the known fields."""
    objects = [message if isinstance(message, dict) else message.to_dict() for message in messages]
    return [ChatMessage.from_dict(message).to_dict() for message in objects]


def _object(required: Mapping[str, Type], optional: Mapping[str, Type] | None = None) -> Object:
    properties = [Property(name, kind) for name, kind in required.items()]
    for name, kind in (optional or {}).items():
        properties.append(Property(name, kind, required=False))
    return Object(properties)


def _columns(required: Mapping[str, Type], optional: Mapping[str, Type]) -> Schema:
    columns = [ColSpec(kind, name=name) for name, kind in required.items()]
    for name, kind in optional.items():
        columns.append(ColSpec(kind, name=name, required=False))
    return Schema(columns)


def _message() -> Object:
    function = _object({"name": _TEXT, "arguments": _TEXT})
    tool_call = _object({"id": _TEXT, "function": function, "type": _TEXT})
    return _object(
        {"role": _TEXT},
        {
            "content": _TEXT,
            "name": _TEXT,
            "refusal": _TEXT,
            "tool_calls": Array(tool_call),
            "tool_call_id": _TEXT,
        },
    )


def _tool() -> Object:
    items = _object({"type": _TEXT})
    parameter = _object(
        {"type": _TEXT},
        {"description": _TEXT, "enum": Array(_TEXT), "items": items},
    )
    parameters = _object(
        {"properties": Map(parameter)},
        {"type": _TEXT, "required": Array(_TEXT), "additionalProperties": _BOOLEAN},
    )
    function = _object(
        {"name": _TEXT, "parameters": parameters},
        {"description": _TEXT, "strict": _BOOLEAN},
    )
    return _object({"type": _TEXT}, {"function": function})


def _request() -> Schema:
    return _columns(
        {"messages": Array(_message())},
        {
            "temperature": _DOUBLE,
            "max_tokens": _LONG,
            "stop": Array(_TEXT),
            "n": _LONG,
            "stream": _BOOLEAN,
            "top_p": _DOUBLE,
            "top_k": _LONG,
            "frequency_penalty": _DOUBLE,
            "presence_penalty": _DOUBLE,
            "tools": Array(_tool()),
            "custom_inputs": Map(AnyType()),
        },
    )


def _completion() -> Schema:
    choice = _object({"index": _LONG, "message": _message(), "finish_reason": _TEXT})
    usage = _object({"prompt_tokens": _LONG, "completion_tokens": _LONG, "total_tokens": _LONG})
    return _columns(
        {
            "id": _TEXT,
            "object": _TEXT,
            "created": _LONG,
            "model": _TEXT,
            "choices": Array(choice),
        },
        {"usage": usage, "custom_outputs": Map(AnyType())},
    )
