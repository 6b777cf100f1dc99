"""Arrays, objects and maps: values inside of values, as a signature describes them."""

from __future__ import annotations

from typing import Any, Callable, List, Mapping

from .signature import InvalidInput

VECTOR = "sparkml_vector"
NESTED = ("array", "object", "map", VECTOR)

# Gives basic values of one type, or raises: (values, type, their place for messages, whether each
# must be there).
Basic = Callable[[List[Any], str, str, bool], List[Any]]


def fit(
    value: Any, spec: Mapping[str, Any], basic: Basic, where: str, required: bool = True
) -> Any:
    """Give a value as the type `spec` (its JSON) has it, and what is in it as `basic` gives it.

    where: what messages call the value. A value that is not required may be None, and so may those
    in it. Raises `InvalidInput`.
    """
    kind = spec.get("type")
    if kind == "any" or (not required and is_missing(value)):
        if kind == "any":
            return value
        return None
    if kind == "array":
        return _array(value, spec["items"], basic, where, required)
    if kind == VECTOR:
        return _array(value, {"type": "double"}, basic, where, required)
    if kind == "object":
        return _object(value, spec["properties"], basic, where)
    if kind == "map":
        return _map(value, spec["values"], basic, where, required)
    if isinstance(value, (list, tuple, dict)) or getattr(value, "ndim", 0) > 0:
        raise InvalidInput(f"{where} must be one value of {kind}, not {_kind(value)}")
    return basic([value], str(kind), where, required)[0]


def _array(value: Any, items: Mapping[str, Any], basic: Basic, where: str, required: bool) -> Any:
    is_array = getattr(value, "ndim", 0) > 0 and hasattr(value, "dtype")
    if not is_array and not isinstance(value, (list, tuple)):
        raise InvalidInput(f"{where} must be a list, not {_kind(value)}")
    if items.get("type") == "any":
        return value
    if items.get("type") in NESTED:
        return [
            fit(each, items, basic, f"{where}[{index}]", required)
            for index, each in enumerate(value)
        ]
    if is_array and value.ndim > 1:
        raise InvalidInput(
            f"{where} must be a list of {items.get('type')}, not an array of {value.ndim} dimensions"
        )
    found = basic(list(value), str(items.get("type")), where, required)
    if is_array:
        return _as_array(found, value)
    return found


def _as_array(values: list[Any], like: Any) -> Any:
    """An array stays one, of the type of its new values."""
    from importlib import import_module

    numpy = import_module("numpy")
    kinds = {type(each) for each in values}
    if not kinds:
        return like
    return numpy.array(values, dtype=None if len(kinds) == 1 else object)


def _object(value: Any, properties: Mapping[str, Any], basic: Basic, where: str) -> dict[str, Any]:
    # a row of Spark
    if hasattr(value, "asDict"):
        value = value.asDict(True)
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} must be an object, not {_kind(value)}")
    missing = [
        name
        for name, each in properties.items()
        if each.get("required", True) and name not in value
    ]
    if missing:
        raise InvalidInput(
            f"{where} lacks `{missing[0]}`; it has {', '.join(f'`{name}`' for name in properties)}"
        )
    unknown = [name for name in value if name not in properties]
    if unknown:
        raise InvalidInput(f"{where} has `{unknown[0]}`, which the model's signature does not know")
    return {
        name: fit(
            each, properties[name], basic, f"{where}.{name}", properties[name].get("required", True)
        )
        for name, each in value.items()
    }


def _map(
    value: Any, values: Mapping[str, Any], basic: Basic, where: str, required: bool
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput(f"{where} must be an object, not {_kind(value)}")
    wrong = [name for name in value if not isinstance(name, str)]
    if wrong:
        raise InvalidInput(f"{where} takes texts as keys, not {wrong[0]!r}")
    return {
        name: fit(each, values, basic, f"{where}.{name}", required) for name, each in value.items()
    }


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: None, NaN, pandas' NA and NaT."""
    return (
        value is None
        or (isinstance(value, float) and value != value)
        or type(value).__name__ in MISSING
    )


MISSING = ("NAType", "NaTType")  # pandas' own


def _kind(value: Any) -> str:
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        type(None): "null",
        bool: "true or false",
    }
    names.update({int: "a number", float: "a number"})
    return names.get(type(value), f"a {type(value).__name__}")
