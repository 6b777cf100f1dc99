"""The Spark types of predictions: read from DDL text, or taken from a model's signature."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.schema import TensorSpec
from envkit.models.signature import ModelSignature

PRIMITIVES = ("int", "long", "float", "double", "string", "boolean")
_ALIASES = {"integer": "int", "bigint": "long", "bool": "boolean", "real": "float"}

# Types of signatures with another name, or that JSON carries as text.
_SIGNATURE_TYPES = {"integer": "int", "datetime": "string", "binary": "string"}
_DTYPES = {"int": "long", "uint": "long", "float": "double", "bool": "boolean"}

_ARRAY = re.compile(r"array\s*<(.*)>", re.IGNORECASE | re.DOTALL)
_STRUCT = re.compile(r"struct\s*<(.*)>", re.IGNORECASE | re.DOTALL)
_FIELD = re.compile(
    r"(?:`(?P<quoted>[^`]+)`|(?P<name>\w+))\s*(?::|\s)\s*(?P<type>.+?)(?:\s+not\s+null)?",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Array:
    """An array of a primitive type, or of such arrays."""

    element: str | Array


@dataclass(frozen=True, slots=True)
class Struct:
    """Named fields, in order."""

    fields: tuple[tuple[str, str | Array], ...]


ResultType = str | Array | Struct


def choose(result_type: Any, signature: ModelSignature | None) -> ResultType:
    """Read a Spark type or its DDL text; None is the type of the signature's outputs, or `double`.

    Raises `InvalidArgument` for a type that predictions cannot be converted to.
    """
    if result_type is None:
        return _of_signature(signature)
    text = result_type
    if not isinstance(result_type, str):
        text = result_type.simpleString()  # a type of PySpark
    parsed = _parse(text.strip())
    if parsed is None:
        primitives = ", ".join(PRIMITIVES)
        raise InvalidArgument(
            f"Predictions cannot be converted to the result_type {text!r}. Use one of "
            f"{primitives}, an array of one of these, or a struct (`name type, …`)."
        )
    return parsed


def ddl(kind: ResultType) -> str:
    """Give the DDL text of a type."""
    if isinstance(kind, str):
        return kind
    if isinstance(kind, Array):
        return f"array<{ddl(kind.element)}>"
    return ", ".join(f"`{name}` {ddl(field)}" for name, field in kind.fields)


def _parse(text: str) -> ResultType | None:
    name = text.lower()
    primitive = _ALIASES.get(name, name)
    if primitive in PRIMITIVES:
        return primitive
    if array := _ARRAY.fullmatch(text):
        element = _parse(array[1].strip())
        if isinstance(element, str | Array):
            return Array(element)
        return None
    if struct := _STRUCT.fullmatch(text):
        text = struct[1]
    return _parse_fields(text)


def _parse_fields(text: str) -> Struct | None:
    fields = []
    for part in _split_fields(text):
        match = _FIELD.fullmatch(part)
        if match is None:
            return None
        kind = _parse(match["type"].strip())
        if not isinstance(kind, str | Array):
            return None
        fields.append((match["quoted"] or match["name"], kind))
    return Struct(tuple(fields))


def _split_fields(text: str) -> Iterable[str]:
    """Split at the commas that are outside angle brackets."""
    parts = [""]
    depth = 0
    for character in text:
        if character == "<":
            depth += 1
        elif character == ">":
            depth -= 1
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return (part.strip() for part in parts)


def _of_signature(signature: ModelSignature | None) -> ResultType:
    if signature is None or not signature.outputs:
        return "double"
    outputs = list(signature.outputs)
    if len(outputs) == 1:
        return _of_output(outputs[0])
    fields = []
    for position, output in enumerate(outputs):
        name = str(output.name or position)
        fields.append((name, _of_output(output)))
    return Struct(tuple(fields))


def _of_output(output: Any) -> str | Array:
    if not isinstance(output, TensorSpec):
        return _of_column(output.to_dict())
    kind: str | Array = _of_dtype(output.dtype)
    for _ in output.shape[1:]:
        kind = Array(kind)
    return kind


def _of_column(column: Mapping[str, Any]) -> str | Array:
    """Give the type of a column of a signature; `string` where Spark has no such type."""
    if column.get("type") == "array":
        return Array(_of_column(column["items"]))
    name = str(column.get("type"))
    kind = _SIGNATURE_TYPES.get(name, name)
    if kind in PRIMITIVES:
        return kind
    return "string"


def _of_dtype(dtype: str) -> str:
    """Give the type of a tensor's elements, by the name of its NumPy dtype."""
    if dtype in ("int8", "int16", "int32", "uint8", "uint16"):
        return "int"
    if dtype in ("float16", "float32"):
        return "float"
    for prefix, kind in _DTYPES.items():
        if dtype.startswith(prefix):
            return kind
    return "string"
