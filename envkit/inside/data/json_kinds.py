"""How error messages refer to a value's kind: in JSON's words where it has one."""

from __future__ import annotations

from typing import Any

NAMES = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def kind_of(value: Any) -> str:
    """Name the kind of a value, with its article."""
    return NAMES.get(type(value), f"a {type(value).__name__}")
