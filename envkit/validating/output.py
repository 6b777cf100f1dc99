"""Where reports go: `FORMAT` to standard output, `FORMAT=FILE` to a file."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envkit.errors import InvalidArgument, InvalidInput
from envkit.validating.report import Report

FORMATS = ("text", "json", "sarif", "junit", "github", "markdown")


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """One report. file: None for standard output."""

    form: str
    file: Path | None = None

    @classmethod
    def of(cls, word: str) -> Output:
        """Read `FORMAT` or `FORMAT=FILE`. Raises `InvalidArgument`."""
        form, separator, file = word.partition("=")
        if form not in FORMATS:
            raise InvalidArgument(
                f"'{form}' is no format of reports; there are {', '.join(FORMATS)}."
            )
        if separator and not file:
            raise InvalidArgument(f"'{word}' names no file.")
        return cls(form=form, file=Path(file) if file else None)


def outputs(words: Sequence[str]) -> tuple[Output, ...]:
    """Read several; raises `InvalidArgument` when two would go to the same place."""
    found = tuple(map(Output.of, words))
    places = [each.file for each in found]
    for place in places:
        if places.count(place) > 1:
            where = place or "standard output"
            raise InvalidArgument(
                f"Two reports would go to {where}; write `FORMAT=FILE` for one of them."
            )
    return found


def render(report: Report, form: str) -> str:
    """Give a report in one of `FORMATS`."""
    if form not in FORMATS:
        raise InvalidArgument(f"'{form}' is no format of reports; there are {', '.join(FORMATS)}.")
    text: str = importlib.import_module(f"envkit.validating.reports.{form}").render(report)
    return text


def write(report: Report, output: Output) -> None:
    """Write a report to its file, making its folder. Raises `InvalidInput` when that cannot be."""
    if output.file is None:
        return
    try:
        output.file.parent.mkdir(parents=True, exist_ok=True)
        output.file.write_bytes(render(report, output.form).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise InvalidInput(
            f"Cannot write the report {output.file}: {error.strerror or error}."
        ) from error
