"""Parameters of a prediction, checked against the signature."""

from __future__ import annotations

import datetime
import logging
from typing import Any, Mapping

from .nested import MISSING, fit
from .signature import InvalidInput, Signature
from .values import from_json

TYPES: dict[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "string": (str,),
    "datetime": (str, datetime.date),
}


def complete(params: Any, signature: Signature) -> dict[str, Any] | None:
    """Give the parameters that the signature knows, with their defaults where none are given.

    Others do not reach the model, as with MLflow; that is logged as a warning. None when there are
    none at all. Raises `InvalidInput` for a value of another type.
    """
    if params is not None and not isinstance(params, Mapping):
        raise InvalidInput("`params` must be an object")
    given = {str(name): value for name, value in (params or {}).items()}
    known = {spec["name"]: spec for spec in signature.params}
    ignored = sorted(set(given) - set(known))
    if ignored:
        what = "Left out, since the model's signature has no such parameters: %s"
        logging.getLogger("envkit").warning(what, ", ".join(ignored))
    values = {}
    for name, spec in known.items():
        values[name] = checked(given[name] if name in given else spec.get("default"), spec)
    if known or params is not None:
        return values
    return None


def checked(value: Any, spec: Mapping[str, Any]) -> Any:
    """Give a value as a parameter's type has it: `spec` is its JSON. Raises `InvalidInput` for another type."""
    many = spec.get("shape") is not None
    if value is None and not many:
        return None
    value = _plain(value)
    if spec.get("type") == "object":
        return fit(value, spec, from_json, f"`params.{spec['name']}`")
    if many != isinstance(value, list):
        raise InvalidInput(
            f"`params.{spec['name']}` must be {'a list' if many else 'one value'} of {spec['type']}"
        )
    if many:
        return [_converted(each, spec) for each in value]
    return _converted(value, spec)


def _plain(value: Any) -> Any:
    """Give Python's own values for NumPy's."""
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        if getattr(value, "ndim", 0) == 0:
            return value.item()
        return value.tolist()
    return value


def _converted(given: Any, spec: Mapping[str, Any]) -> Any:
    value = _plain(given)
    accepted = TYPES.get(str(spec.get("type")), ())
    if value is None or not accepted:
        return value
    fits = isinstance(value, accepted) and not (isinstance(value, bool) and bool not in accepted)
    if not fits or type(value).__name__ in MISSING:  # pandas' NaT is a time by its class
        raise _of_another_type(value, spec)
    if spec["type"] in ("float", "double"):
        return float(value)
    if spec["type"] == "datetime" and isinstance(value, str):
        return _time(value, spec)
    return value


def _time(text: str, spec: Mapping[str, Any]) -> datetime.date:
    """Read a date, or a date and time; one with a time zone is given in UTC, without the zone, as NumPy has it."""
    try:
        if len(text) == len("2024-01-02"):
            return datetime.date.fromisoformat(text)
        found = datetime.datetime.fromisoformat(
            text[:-1] + "+00:00" if text.endswith("Z") else text
        )
    except ValueError as error:
        raise _of_another_type(text, spec) from error
    if found.tzinfo is None:
        return found
    return found.astimezone(datetime.timezone.utc).replace(tzinfo=None)


def _of_another_type(value: Any, spec: Mapping[str, Any]) -> InvalidInput:
    return InvalidInput(
        f"`params.{spec['name']}` must be of the type {spec['type']}, not {value!r}"
    )
