"""Files of environment variables, as `docker run --env-file` and `uv run --env-file` read them.

A line is `NAME=VALUE`, or `NAME` for the value that the caller has. Empty lines and lines that
begin with `#` are ignored, and so is an `export` before the name. A value is taken as it is,
without the quotation marks around it if there are any: no escapes, no `${…}`, no comment after it.
No message contains a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from envkit.errors import InvalidFile
from envkit.formats.text import read_text

MAX_BYTES = 1_000_000
_LINE = re.compile(r"(?:export\s+)?(?P<name>[^\s=\"'#]+)\s*(?:=\s*(?P<value>.*))?", re.DOTALL)
Assignment = tuple[str, str | None]


def read(path: Path) -> tuple[Assignment, ...]:
    """Read the names of a file with their values, None for the caller's. Raises `InvalidFile`."""
    return tuple(parse(read_text(path, max_bytes=MAX_BYTES), path))


def parse(text: str, path: Path) -> Iterator[Assignment]:
    """Parse a text; `path` is for messages.

    Raises `InvalidFile` with the number of a malformed line.
    """
    for number, line in enumerate(re.split(r"\r?\n", text), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        assignment = _LINE.fullmatch(line)
        if assignment is None or "\0" in line:
            raise InvalidFile(path, f"line {number}", "is neither NAME=VALUE nor NAME")
        yield assignment["name"], _unquoted(assignment["value"])


def resolved(assignments: Iterable[Assignment], environ: Mapping[str, str]) -> dict[str, str]:
    """Give each name its value, the last one if there are several, or the caller's from `environ`.

    Raises `KeyError` with a name that `environ` does not have.
    """
    values: dict[str, str] = {}
    for name, value in assignments:
        values[name] = environ[name] if value is None else value
    return values


def _unquoted(value: str | None) -> str | None:
    if value is None or len(value) < 2:
        return value
    if value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value
