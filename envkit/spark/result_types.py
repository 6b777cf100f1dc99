"""The types that predictions become in Spark, and how an answer becomes one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.schema import TensorSpec
from envkit.models.signature import ModelSignature

Columns = Mapping[Any, Sequence[Any]]
"""An answer by its columns, all of one length."""

_ALIASES = {"integer": "int", "bigint": "long", "bool": "boolean", "real": "float"}
_PRIMITIVE = ("int", "long", "float", "double", "string", "boolean")
_OF_SIGNATURE = {"integer": "int", "datetime": "string", "binary": "string"}
_BITS = {"int": 31, "long": 63}


@dataclass(frozen=True, slots=True)
class Array:
    """An array of a primitive type, or of such arrays."""

    element: str | Array


@dataclass(frozen=True, slots=True)
class Struct:
    """Several values, by name."""

    fields: tuple[tuple[str, str | Array], ...]


Kind = str | Array | Struct


def chosen(given: Any, signature: ModelSignature | None) -> Kind:
    """Read a type of Spark, or a DDL text; without one, take what the signature promises, else `double`.

    Raises `InvalidArgument` for what predictions cannot become.
    """
    if given is None:
        return _promised(signature)
    text = given if isinstance(given, str) else given.simpleString()
    found = _parsed(text.strip())
    if found is None:
        known = ", ".join(_PRIMITIVE)
        raise InvalidArgument(
            f"result_type {text!r} is none that predictions can become: {known}, an array of one of these, or a struct "
            "(`name type, …`) of all that."
        )
    return found


def ddl(kind: Kind) -> str:
    """Give the type as Spark reads it."""
    if isinstance(kind, str):
        return kind
    if isinstance(kind, Array):
        return f"array<{ddl(kind.element)}>"
    return ", ".join(f"`{name}` {ddl(each)}" for name, each in kind.fields)


def converted(columns: Columns, kind: Kind) -> Any:
    """Give a list of values of the type, or for a struct its lists by name. Raises `ValueError` when nothing fits."""
    if isinstance(kind, Struct):
        return {name: _field(columns, name, each) for name, each in kind.fields}
    if isinstance(kind, Array):
        return _arrays(columns, kind)
    fitting = (values for values in columns.values() if _FITS[kind](values))
    leftmost = next(fitting, None)
    if leftmost is None:
        raise ValueError(f"no column of the prediction can become {kind}: {_described(columns)}")
    return _as(leftmost, kind)


def _field(columns: Columns, name: str, kind: str | Array) -> Any:
    if name not in columns:
        raise ValueError(f"the prediction has no column {name!r}: {_described(columns)}")
    return converted({name: columns[name]}, kind)


def _arrays(columns: Columns, kind: Array) -> list[Any]:
    values = next(iter(columns.values()), ())
    if len(columns) == 1 and any(isinstance(each, list) for each in values):
        return [None if each is None else _elements(each, kind) for each in values]
    if isinstance(kind.element, Array):
        raise ValueError(  # noqa: TRY004 - of the answer
            f"the prediction has no column of arrays: {_described(columns)}"
        )
    element = kind.element
    fitting = [_as(each, element) for each in columns.values() if _FITS[element](each)]
    if not fitting:
        raise ValueError(f"no column of the prediction can become {element}: {_described(columns)}")
    return [list(row) for row in zip(*fitting, strict=True)]


def _elements(values: Sequence[Any], kind: Array) -> list[Any]:
    if isinstance(kind.element, Array):
        return [None if each is None else _elements(each, kind.element) for each in values]
    if not _FITS[kind.element](values):
        raise ValueError(
            f"an array of the prediction cannot become {ddl(kind)}: {str(values)[:80]}"
        )
    return _as(values, kind.element)


def _are(values: Sequence[Any], test: Callable[[Any], bool]) -> bool:
    return all(each is None or test(each) for each in values)


def _whole(bits: int) -> Callable[[Sequence[Any]], bool]:
    limit = 2**bits
    return lambda values: _are(
        values,
        lambda each: (
            isinstance(each, int) and not isinstance(each, bool) and -limit <= each < limit
        ),
    )


def _numbers(values: Sequence[Any]) -> bool:
    return _are(values, lambda each: isinstance(each, int | float) and not isinstance(each, bool))


_FITS: Mapping[str, Callable[[Sequence[Any]], bool]] = {
    "int": _whole(_BITS["int"]),
    "long": _whole(_BITS["long"]),
    "float": _numbers,
    "double": _numbers,
    "string": lambda values: True,  # noqa: ARG005 - all has a text
    "boolean": lambda values: _are(values, lambda each: isinstance(each, bool)),
}


def _as(values: Sequence[Any], kind: str) -> list[Any]:
    convert: Callable[[Any], Any] = {"float": float, "double": float, "string": str}.get(
        kind, lambda each: each
    )
    return [None if each is None else convert(each) for each in values]


def _described(columns: Columns) -> str:
    said = []
    for name, values in list(columns.items())[:8]:
        first = next((each for each in values if each is not None), None)
        said.append(
            f"{name!r} has {'nothing' if first is None else type(first).__name__ + ' ' + repr(first)[:30]}"
        )
    return "; ".join(said) or "it has no columns"


def _promised(signature: ModelSignature | None) -> Kind:
    if signature is not None and signature.outputs:
        outputs = list(signature.outputs)
    else:
        outputs = []
    if not outputs:
        return "double"
    if len(outputs) == 1:
        return _of_spec(outputs[0])
    return Struct(
        tuple((str(each.name or place), _of_spec(each)) for place, each in enumerate(outputs))
    )


def _of_spec(spec: Any) -> str | Array:
    if not isinstance(spec, TensorSpec):
        return _of_type(spec.to_dict())
    kind: str | Array = _of_dtype(spec.dtype)
    for _ in spec.shape[1:]:
        kind = Array(kind)
    return kind


def _of_type(told: Mapping[str, Any]) -> str | Array:
    if told.get("type") == "array":
        return Array(_of_type(told["items"]))
    name = str(told.get("type"))
    found = _OF_SIGNATURE.get(name, name)
    if found in _PRIMITIVE:
        return found
    return "string"


def _of_dtype(dtype: str) -> str:
    found = re.match(r"[a-z]+", dtype)
    kind = found[0] if found else ""
    if kind in ("int", "uint"):
        if dtype in ("int8", "int16", "int32", "uint8", "uint16"):
            return "int"
        return "long"
    return {
        "float": "float" if dtype in ("float16", "float32") else "double",
        "bool": "boolean",
    }.get(kind, "string")


def _parsed(text: str) -> Kind | None:
    plain = _ALIASES.get(text.lower(), text.lower())
    if plain in _PRIMITIVE:
        return plain
    if (inner := _between(text, "array")) is not None:
        element = _parsed(inner)
        if isinstance(element, str | Array):
            return Array(element)
        return None
    inner = _between(text, "struct")
    fields = [_parsed_field(each) for each in _split(text if inner is None else inner)]
    found = [each for each in fields if each is not None]
    if found and len(found) == len(fields):
        return Struct(tuple(found))
    return None


def _between(text: str, word: str) -> str | None:
    found = re.fullmatch(rf"{word}\s*<(.*)>", text, re.IGNORECASE | re.DOTALL)
    if found:
        return found[1].strip()
    return None


def _split(text: str) -> list[str]:
    """Split at commas that are in no angle brackets."""
    parts, depth = [""], 0
    for each in text:
        depth += {"<": 1, ">": -1}.get(each, 0)
        if each == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += each
    return [each.strip() for each in parts]


def _parsed_field(text: str) -> tuple[str, str | Array] | None:
    found = re.fullmatch(
        r"(?:`([^`]+)`|(\w+))\s*(?::|\s)\s*(.+?)(?:\s+not\s+null)?", text, re.IGNORECASE | re.DOTALL
    )
    kind = _parsed(found[3].strip()) if found else None
    if found and isinstance(kind, str | Array):
        return (found[1] or found[2], kind)
    return None
