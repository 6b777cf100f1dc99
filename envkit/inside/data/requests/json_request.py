"""A JSON request: an object with one of `FORMATS`, and optionally `params`; or a chat request."""

from __future__ import annotations

from typing import Any

from ..enforcement.inputs import convert
from ..enforcement.parameters import enforce_params
from ..json_kinds import kind_of
from ..signature import InvalidInput, Signature
from .json_arrays import arrays_from_instances, arrays_from_json
from .json_frames import frame_from_records, frame_from_split
from .model_input import ModelInput, ReadRaw
from .text import parse_json

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")
CHAT_FORMATS = (
    "messages",
    "prompt",
    "input",
)  # the whole request is the model's input
ONE_FORMAT = "one of " + ", ".join(f"`{name}`" for name in FORMATS)
OTHER_KEYS = (
    "params",
    "signature_name",
)  # the latter is TensorFlow Serving's, and ignored


def parse(content: bytes, signature: Signature, *, raw: ReadRaw | None) -> ModelInput:
    """Parse a request; raw: makes the model's input of `inputs`. Raises `InvalidInput`."""
    request = parse_object(content)
    if any(name in request for name in CHAT_FORMATS):
        return _parse_chat(request, signature, raw)
    name, value, params = split_request(request, signature)
    return ModelInput(_data(name, value, signature, raw), params)


def parse_object(content: bytes) -> dict[str, Any]:
    """Parse the object that a request is. Raises `InvalidInput`."""
    request = parse_json(content)
    if not isinstance(request, dict):
        kind = kind_of(request)
        raise InvalidInput(f"it must be a JSON object with exactly {ONE_FORMAT}, not {kind}")
    return request


def split_request(request: dict[str, Any], signature: Signature) -> tuple[str, Any, Any]:
    """Give the key of `FORMATS` that a request has, its value, and the parameters.

    Raises `InvalidInput`.
    """
    names = [name for name in FORMATS if name in request]
    if len(names) != 1:
        keys = ", ".join(f"`{name}`" for name in (names or request)) or "nothing"
        raise InvalidInput(f"it must have exactly {ONE_FORMAT}; it has {keys}")
    (name,) = names
    unknown = sorted(set(request) - {name, *OTHER_KEYS})
    if unknown:
        raise InvalidInput(
            f"`{unknown[0]}` is unknown; besides {ONE_FORMAT} a request may have `params`"
        )
    return name, request[name], enforce_params(request.get("params"), signature)


def _parse_chat(request: dict[str, Any], signature: Signature, raw: ReadRaw | None) -> ModelInput:
    """Take everything but the signature's parameters for the input."""
    names = {spec["name"] for spec in signature.params}
    params = {name: value for name, value in request.items() if name in names}
    data = {name: value for name, value in request.items() if name not in names}
    data = convert(data, signature) if raw is None else _raw(data, signature, raw)
    return ModelInput(data, enforce_params(params, signature), is_chat=True)


def _data(
    name: str,
    value: Any,
    signature: Signature,
    raw: ReadRaw | None,
) -> Any:
    """Convert the value of one of `FORMATS`."""
    if raw is not None:
        if name != "inputs":
            raise InvalidInput(
                f"this model takes only `inputs`, not `{name}`: its type hints define its input"
            )
        return _raw(value, signature, raw)
    if name == "dataframe_split":
        data = frame_from_split(value, signature)
    elif name == "dataframe_records":
        data = frame_from_records(value, signature)
    elif name == "instances":
        data = arrays_from_instances(value, signature)
    else:
        data = arrays_from_json(value, signature)
    return convert(data, signature)


def _raw(value: Any, signature: Signature, raw: ReadRaw) -> Any:
    """Make the input of JSON values without the signature, which type hints stand for.

    Only the signature of a chat has names, and is checked.
    """
    if signature.columns_by_name:
        convert(value, signature)
    return raw(value)
