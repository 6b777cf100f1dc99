"""The signature that every model of a conversation has, and its example.

It is that of MLflow's chat models, so that its server and its clients take either for the other.
"""

from __future__ import annotations

from typing import Any

from envkit.inside.author.chat import ChatMessage, ChatParams
from envkit.inside.loaders.pyfunc.code_model import is_chat
from envkit.models.data_types import AnyType, Array, DataType, Map, Object, Property
from envkit.models.schema import ColSpec, Schema
from envkit.models.signature import ModelSignature

__all__ = ["example", "is_chat", "signature"]

_TEXT, _LONG, _DOUBLE, _TRUTH = DataType.string, DataType.long, DataType.double, DataType.boolean
EXAMPLE = {
    "messages": [{"role": "user", "content": "Hello!"}],
    "temperature": 1.0,
    "max_tokens": 10,
    "stop": ["\n"],
    "n": 1,
    "stream": False,
}


def signature() -> ModelSignature:
    """Give the signature: a request in, a completion out."""
    return ModelSignature(_inputs(), _outputs())


def example(given: Any) -> dict[str, Any]:
    """Give an example as a request: of none, a list of messages, a request, or one of these with parameters."""
    if given is None:
        return EXAMPLE
    data, more = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
    if isinstance(data, list):
        request = {"messages": data}
    else:
        request = dict(data)
    messages = [
        each if isinstance(each, dict) else each.to_dict() for each in request.pop("messages", [])
    ]
    messages = [ChatMessage.from_dict(each).to_dict() for each in messages]
    known = {name: value for name, value in request.items() if name in ChatParams.keys()}  # noqa: SIM118 - a method
    return {"messages": messages, **known, **(more or {})}


def _object(**properties: tuple[Any, bool]) -> Object:
    return Object([Property(name, kind, required) for name, (kind, required) in properties.items()])


def _message() -> Object:
    function = _object(name=(_TEXT, True), arguments=(_TEXT, True))
    call = _object(id=(_TEXT, True), function=(function, True), type=(_TEXT, True))
    return _object(
        role=(_TEXT, True),
        content=(_TEXT, False),
        name=(_TEXT, False),
        refusal=(_TEXT, False),
        tool_calls=(Array(call), False),
        tool_call_id=(_TEXT, False),
    )


def _tool() -> Object:
    items = _object(type=(_TEXT, True))
    parameter = _object(
        type=(_TEXT, True),
        description=(_TEXT, False),
        enum=(Array(_TEXT), False),
        items=(items, False),
    )
    parameters = _object(
        properties=(Map(parameter), True),
        type=(_TEXT, False),
        required=(Array(_TEXT), False),
        additionalProperties=(_TRUTH, False),
    )
    function = _object(
        name=(_TEXT, True),
        description=(_TEXT, False),
        parameters=(parameters, True),
        strict=(_TRUTH, False),
    )
    return _object(type=(_TEXT, True), function=(function, False))


def _inputs() -> Schema:
    optional: dict[str, Any] = {
        "temperature": _DOUBLE, "max_tokens": _LONG, "stop": Array(_TEXT), "n": _LONG, "stream": _TRUTH,
        "top_p": _DOUBLE, "top_k": _LONG, "frequency_penalty": _DOUBLE, "presence_penalty": _DOUBLE,
        "tools": Array(_tool()), "custom_inputs": Map(AnyType()),
    }  # fmt: skip
    columns = [ColSpec(kind, name=name, required=False) for name, kind in optional.items()]
    return Schema([ColSpec(Array(_message()), name="messages"), *columns])


def _outputs() -> Schema:
    choice = _object(index=(_LONG, True), message=(_message(), True), finish_reason=(_TEXT, True))
    usage = _object(
        prompt_tokens=(_LONG, True), completion_tokens=(_LONG, True), total_tokens=(_LONG, True)
    )
    needed: dict[str, Any] = {
        "id": _TEXT,
        "object": _TEXT,
        "created": _LONG,
        "model": _TEXT,
        "choices": Array(choice),
    }
    columns = [ColSpec(kind, name=name) for name, kind in needed.items()]
    more: dict[str, Any] = {"usage": usage, "custom_outputs": Map(AnyType())}
    return Schema(
        [*columns, *(ColSpec(kind, name=name, required=False) for name, kind in more.items())]
    )
