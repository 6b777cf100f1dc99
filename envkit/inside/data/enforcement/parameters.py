"""The parameters of a prediction with the types and the defaults of the signature."""

from __future__ import annotations

import datetime
import logging
from typing import Any, Mapping

from ..missing_values import PANDAS_CLASSES
from ..signature import InvalidInput, Signature
from .json_values import convert_values
from .nested_values import convert_nested

ACCEPTED: dict[str, Any] = {
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "string": (str,),
    "datetime": (str, datetime.date),
}


def enforce_params(params: Any, signature: Signature) -> dict[str, Any] | None:
    """Give the parameters of the signature, with their defaults where the caller sets none.

    Others do not reach the model, as with MLflow; that is logged as a warning. None when neither
    the signature nor the caller has any. Raises `InvalidInput` for a value of another type.
    """
    if params is not None and not isinstance(params, Mapping):
        raise InvalidInput("`params` must be an object")
    caller = {str(name): value for name, value in (params or {}).items()}
    specs = {spec["name"]: spec for spec in signature.params}
    _log_ignored(set(caller) - set(specs))
    if not specs and params is None:
        return None
    values = {}
    for name, spec in specs.items():
        value = caller.get(name, spec.get("default"))
        values[name] = convert_param(value, spec)
    return values


def convert_param(value: Any, spec: Mapping[str, Any]) -> Any:
    """Convert a value to the type of a parameter, whose JSON is `spec`. Raises `InvalidInput`."""
    is_list = spec.get("shape") is not None
    if value is None and not is_list:
        return None
    value = _python_value(value)
    label = f"`params.{spec['name']}`"
    if spec.get("type") == "object":
        return convert_nested(value, spec, convert_values, label)
    if is_list and not isinstance(value, list):
        raise InvalidInput(f"{label} must be a list of values of type {spec['type']}")
    if not is_list and isinstance(value, list):
        raise InvalidInput(f"{label} must be a single value of type {spec['type']}")
    if is_list:
        return [_converted(item, spec) for item in value]
    return _converted(value, spec)


def _log_ignored(names: set[str]) -> None:
    """Warn of parameters that do not reach the model."""
    if names:
        logging.getLogger("envkit").warning(
            "Ignored parameters that are not in the model's signature: %s",
            ", ".join(sorted(names)),
        )


def _python_value(value: Any) -> Any:
    """Convert NumPy's values to Python's own."""
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        if getattr(value, "ndim", 0) == 0:
            return value.item()
        return value.tolist()
    return value


def _converted(value: Any, spec: Mapping[str, Any]) -> Any:
    """Convert one value of a parameter."""
    value = _python_value(value)
    kind = str(spec.get("type"))
    accepted = ACCEPTED.get(kind, ())
    if value is None or not accepted:
        return value
    is_boolean_for_number = isinstance(value, bool) and bool not in accepted
    is_missing = type(value).__name__ in PANDAS_CLASSES  # NaT is a time by its class
    if not isinstance(value, accepted) or is_boolean_for_number or is_missing:
        raise _of_another_type(value, spec)
    if kind in ("float", "double"):
        return float(value)
    if kind == "datetime" and isinstance(value, str):
        return _time(value, spec)
    return value


def _time(text: str, spec: Mapping[str, Any]) -> datetime.date:
    """Read a date, or a date and time.

    One with a time zone becomes UTC without a zone, as with NumPy.
    """
    try:
        if len(text) == len("2024-01-02"):
            return datetime.date.fromisoformat(text)
        if text.endswith("Z"):  # which Python reads since 3.11
            text = text[:-1] + "+00:00"
        time = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise _of_another_type(text, spec) from error
    if time.tzinfo is None:
        return time
    return time.astimezone(datetime.timezone.utc).replace(tzinfo=None)


def _of_another_type(value: Any, spec: Mapping[str, Any]) -> InvalidInput:
    """Make the error for a value of another type."""
    return InvalidInput(f"`params.{spec['name']}` must be of type {spec['type']}, not {value!r}")
