"""Files of environment variables, as `docker run --env-file` and `uv run --env-file` take them.

A line is `NAME=VALUE`, or `NAME` for the value that the caller has. Empty lines and lines that
begin with `#` are left out, and so is an `export` before the name. A value stands as it is, without
the quotation marks around it if there are any: no escapes, no `${…}`, no comment behind it. No
message holds a value.
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
    """Read a text; `path` is for messages. Raises `InvalidFile` with the line that is neither."""
    for number, line in enumerate(re.split(r"\r?\n", text), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        found = _LINE.fullmatch(stripped)
        if found is None or "\0" in stripped:
            raise InvalidFile(path, f"line {number}", "is neither NAME=VALUE nor NAME")
        yield found["name"], None if found["value"] is None else _unquoted(found["value"])


def resolved(assignments: Iterable[Assignment], environ: Mapping[str, str]) -> dict[str, str]:
    """Give each name its value, the last one if there are several, or the caller's out of `environ`.

    Raises `KeyError` with a name that the caller has not.
    """
    return {name: environ[name] if value is None else value for name, value in assignments}


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    if quoted:
        return value[1:-1]
    return value
