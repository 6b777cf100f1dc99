"""Which values mean that there is no value."""

from __future__ import annotations

from typing import Any

PANDAS_CLASSES = ("NAType", "NaTType")


def is_missing(value: Any) -> bool:
    """Whether a value is None, NaN, or pandas' NA or NaT."""
    if value is None:
        return True
    if isinstance(value, float) and value != value:  # NaN; no library is needed to find it
        return True
    return type(value).__name__ in PANDAS_CLASSES
