"""The rows of a CSV request, read without any library."""

from __future__ import annotations

import csv
import io
from typing import Any, Mapping

from ..enforcement.json_values import read_text
from ..signature import InvalidInput, Signature

ANY = {"type": "any"}


def read_rows(text: str) -> tuple[list[str], list[list[str]]]:
    """Give the names in the header line, and the rows, all as long. Raises `InvalidInput`."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text), strict=True) if row]
    except csv.Error as error:
        raise InvalidInput(f"it is not valid CSV: {error}") from error
    if not rows:
        raise InvalidInput("it is not valid CSV: it has no header line")
    names, *rows = rows
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise InvalidInput(
                f"it is not valid CSV: row {number} has {len(row)} values for {len(names)} columns"
            )
    return names, rows


def list_of_hint(text: str, signature: Signature) -> list[Any]:
    """Give the values of the first column, or the rows as objects, if a type hint has objects.

    signature: the one column, without a name, that the hint stands for. Raises `InvalidInput`.
    """
    names, rows = read_rows(text)
    spec = signature.inputs[0].spec if signature.inputs else ANY
    if spec["type"] not in ("object", "map"):
        return [_cell(row[0], spec) for row in rows]
    objects = []
    for row in rows:
        cells: dict[str, Any] = {}
        for name, cell in zip(names, row):  # noqa: B905 - Python 3.8
            cells[name] = _cell(cell, _spec_of(name, spec))
        objects.append(cells)
    return objects


def _spec_of(name: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the type of a property of an object, or of the values of a map."""
    found = spec["properties"].get(name) if spec["type"] == "object" else spec["values"]
    return found or ANY


def _cell(text: str, spec: Mapping[str, Any]) -> Any:
    """Read a cell; an empty one is a missing value, unless a text is required."""
    kind = str(spec["type"])
    if not text and (kind != "string" or not spec.get("required", True)):
        return None
    if kind == "any":
        value = read_text(text, "double")
        return read_text(text, "boolean") if isinstance(value, str) else value
    value = read_text(text, kind)
    if kind in ("float", "double") and isinstance(value, int):
        return float(value)
    return value
