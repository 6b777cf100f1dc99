"""Parameters of a prediction, checked against the signature."""

from __future__ import annotations

import datetime
import sys
from typing import Any, Mapping

from .columns import InvalidInput
from .signature import Signature

TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "string": (str,),
    "datetime": (str, datetime.datetime),
}


def complete(params: Any, signature: Signature) -> dict[str, Any] | None:
    """Give the parameters that the signature knows, with their defaults where none are given.

    Others do not reach the model, as with MLflow; that is said on standard error. None when there are none at all.
    Raises `InvalidInput` for a value of another type.
    """
    if params is not None and not isinstance(params, Mapping):
        raise InvalidInput("`params` must be an object")
    given = dict(params or {})
    known = {spec["name"]: spec for spec in signature.params}
    ignored = sorted(set(given) - set(known))
    if ignored:
        print("Left out, since the model's signature has no such parameters:", ", ".join(ignored), file=sys.stderr)
    values = {}
    for name, spec in known.items():
        values[name] = _checked(given[name], spec) if name in given else _converted(spec.get("default"), spec)
    return values if known or params is not None else None


def _checked(value: Any, spec: Mapping[str, Any]) -> Any:
    if value is None or spec.get("type") not in TYPES:
        return value
    many = spec.get("shape") is not None
    if many != isinstance(value, list):
        raise InvalidInput(f"`params.{spec['name']}` must be {'a list' if many else 'one value'} of {spec['type']}")
    accepted = TYPES[spec["type"]]
    for each in value if many else [value]:
        if not isinstance(each, accepted) or (isinstance(each, bool) and bool not in accepted):
            raise _of_another_type(each, spec)
    try:
        return _converted(value, spec)
    except ValueError as error:  # a text that is no time
        raise _of_another_type(value, spec) from error


def _of_another_type(value: Any, spec: Mapping[str, Any]) -> InvalidInput:
    return InvalidInput(f"`params.{spec['name']}` must be of the type {spec['type']}, not {value!r}")


def _converted(value: Any, spec: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_converted(each, spec) for each in value]
    if spec.get("type") in ("float", "double") and isinstance(value, int):
        return float(value)
    if spec.get("type") == "datetime" and isinstance(value, str):
        return datetime.datetime.fromisoformat(value)
    return value
