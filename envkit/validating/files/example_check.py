"""Compare saved examples with the signature: names, types and shapes, as JSON holds them.

Only what no reading of the JSON makes fit is a contradiction: a whole number fits a column of
floats, a missing value fits any, and forms that this module does not know are not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from envkit.errors import InvalidFile
from envkit.formats import mlmodel
from envkit.formats.text import MAX_BYTES, read_text
from envkit.models.input_example import FILE_NAME, SERVING_FILE_NAME
from envkit.validating.files.facts import ModelFacts, as_object

MAX_ROWS = 1000
_NOT_FINITE = frozenset({"nan", "inf", "-inf", "infinity", "-infinity"})
_FRAME_KEYS = ("dataframe_split", "dataframe_records")
_ARRAY_KINDS = {
    "bool": "boolean",
    "int": "long",
    "uint": "long",
    "float": "double",
    "str": "string",
}


def contradictions(facts: ModelFacts) -> Iterator[tuple[str, str]]:
    """Yield each example with what contradicts the signature: file, and a clause."""
    if facts.mlmodel is None or facts.mlmodel.signature is None:
        return
    schema = _schema(facts.mlmodel.signature.get("inputs"))
    if not schema:
        return
    for name, example in _examples(facts):
        table = _table(example)
        problems = _problems(schema, table, example)
        if problems:
            yield name, "; ".join(problems)


def _schema(text: Any) -> list[Mapping[str, Any]]:
    """The inputs of a signature; none when it is malformed, which another rule reports."""
    if not isinstance(text, str):
        return []
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(schema, list) or not all(isinstance(spec, dict) for spec in schema):
        return []
    return schema


def _examples(facts: ModelFacts) -> Iterator[tuple[str, Any]]:
    """The example as saved and as a request, each without the parameters."""
    content: mlmodel.MLModel | None = facts.mlmodel
    if content is None or content.example is None:
        return
    info = content.example
    has_params = str(info.fields.get("params", "")).lower() == "true"
    example = _load(facts, info.path or FILE_NAME)
    is_array = info.kind == "ndarray"
    if has_params or is_array:
        example = as_object(example).get("inputs")
    if info.kind in ("dataframe", "ndarray", "json_object") and example is not None:
        yield info.path, example
    request = as_object(_load(facts, info.serving_path or SERVING_FILE_NAME))
    for key in _FRAME_KEYS:
        if key in request:
            yield info.serving_path or SERVING_FILE_NAME, request[key]


def _load(facts: ModelFacts, name: str) -> Any:
    path = facts.path / name
    try:
        if not facts.has(name) or path.stat().st_size > MAX_BYTES:
            return None
        return json.loads(read_text(path))
    except (InvalidFile, OSError, ValueError, RecursionError):
        return None


def _table(example: Any) -> tuple[list[str], list[list[Any]]] | None:
    """Columns and rows of an example that is a table; None for anything else."""
    match example:
        case {"columns": [*columns], "data": [*rows]} if all(isinstance(r, list) for r in rows):
            return [str(column) for column in columns], rows[:MAX_ROWS]
        case [dict(), *_] if all(isinstance(row, dict) for row in example):
            names = list(dict.fromkeys(str(name) for row in example for name in row))
            return names, [[row.get(name) for name in names] for row in example[:MAX_ROWS]]
        case dict() if example and not any(map(_is_container, example.values())):
            return [str(name) for name in example], [list(example.values())]
    return None


def _is_container(value: Any) -> bool:
    return isinstance(value, list | dict)


def _problems(
    schema: Sequence[Mapping[str, Any]],
    table: tuple[list[str], list[list[Any]]] | None,
    example: Any,
) -> list[str]:
    if any(spec.get("type") == "tensor" for spec in schema):
        if len(schema) == 1 and "name" not in schema[0] and isinstance(example, list):
            return _tensor_problems(as_object(schema[0].get("tensor-spec")), example)
        return _missing_names(schema, list(example)) if isinstance(example, dict) else []
    if table is None:
        is_named = bool(schema) and all("name" in spec for spec in schema)
        if is_named and isinstance(example, dict) and "columns" not in example:
            return _missing_names(schema, list(map(str, example)))
        return []
    columns, rows = table
    if not all("name" in spec for spec in schema):
        if len(schema) == 1 or len(schema) == len(columns):
            return []
        return [f"the signature has {len(schema)} columns, the example {len(columns)}"]
    problems = _missing_names(schema, columns)
    specs = {str(spec["name"]): spec for spec in schema}
    for index, column in enumerate(columns):
        if column in specs and (problem := _column_problem(specs[column], index, rows)):
            problems.append(problem)
    return problems


def _missing_names(schema: Sequence[Mapping[str, Any]], columns: Sequence[Any]) -> list[str]:
    names = [str(spec["name"]) for spec in schema if "name" in spec]
    required = [str(s["name"]) for s in schema if "name" in s and s.get("required", True)]
    missing = [name for name in required if name not in columns]
    if not missing:
        return []
    shown = ", ".join(f"`{name}`" for name in missing)
    problem = f"the signature requires {shown}, which the example lacks"
    more = [f"`{column}`" for column in columns if str(column) not in names]
    if more:
        problem += f" (it has {', '.join(more)} instead)"
    return [problem]


def _column_problem(spec: Mapping[str, Any], index: int, rows: Sequence[list[Any]]) -> str:
    for row in rows:
        value = row[index] if index < len(row) else None
        if not _fits(spec, value):
            shown = json.dumps(value)
            if len(shown) > 40:
                shown = f"{shown[:37]}..."
            return f"column `{spec['name']}` is of type {spec.get('type')}, but {shown} is not"
    return ""


def _fits(spec: Mapping[str, Any], value: Any) -> bool:
    if value is None:
        return True
    match spec.get("type"):
        case "boolean":
            return isinstance(value, bool)
        case "integer" | "long":
            is_whole = isinstance(value, float) and value.is_integer()
            return (isinstance(value, int) and not isinstance(value, bool)) or is_whole
        case "float" | "double":
            if isinstance(value, str):
                return value.lower() in _NOT_FINITE
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string" | "binary":
            return isinstance(value, str)
        case "array":
            items = as_object(spec.get("items"))
            return isinstance(value, list) and all(_fits(items, item) for item in value)
        case "object":
            return isinstance(value, dict) and _properties_fit(spec, value)
        case "map":
            return isinstance(value, dict)
    return True


def _properties_fit(spec: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    for name, part in as_object(spec.get("properties")).items():
        part = as_object(part)
        if name not in value:
            if part.get("required", True):
                return False
        elif not _fits(part, value[name]):
            return False
    return True


def _tensor_problems(spec: Mapping[str, Any], example: list[Any]) -> list[str]:
    shape = spec.get("shape")
    lengths: list[int] = []
    value: Any = example
    while isinstance(value, list):
        lengths.append(len(value))
        value = value[0] if value else None
    if value is None or not isinstance(shape, list):
        return []
    fits = len(shape) == len(lengths) and all(
        expected in (-1, length) for expected, length in zip(shape, lengths, strict=True)
    )
    if not fits:
        return [f"the signature has the shape {shape}, the example {lengths}"]
    dtype = str(spec.get("dtype")).rstrip("0123456789")
    if dtype in _ARRAY_KINDS and not _fits({"type": _ARRAY_KINDS[dtype]}, value):
        return [f"the signature has the type {spec.get('dtype')}, but {json.dumps(value)} is not"]
    return []
