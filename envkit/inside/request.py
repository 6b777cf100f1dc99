"""Names for the JSON objects that a request consists of (`__main__` documents them)."""

from __future__ import annotations

from typing import Any, Mapping

Request = Mapping[str, Any]
"""The request of the program."""

Flavor = Mapping[str, Any]
"""A section of `flavors` in the MLmodel file: of a library, or `python_function`."""
