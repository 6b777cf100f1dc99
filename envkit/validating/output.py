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
    def parse(cls, word: str) -> Output:
        """Read `FORMAT` or `FORMAT=FILE`. Raises `InvalidArgument`."""
        form, separator, file = word.partition("=")
        _check(form)
        if separator and not file:
            raise InvalidArgument(f"'{word}' names no file.")
        return cls(form=form, file=Path(file) if file else None)


def outputs(words: Sequence[str]) -> tuple[Output, ...]:
    """Read several. Raises `InvalidArgument` when two would go to the same place."""
    parsed = tuple(map(Output.parse, words))
    files = [output.file for output in parsed]
    for file in files:
        if files.count(file) > 1:
            place = file or "standard output"
            raise InvalidArgument(
                f"Two reports would go to {place}; write `FORMAT=FILE` for one of them."
            )
    return parsed


def render(report: Report, form: str) -> str:
    """Give a report in one of `FORMATS`. Raises `InvalidArgument`."""
    _check(form)
    module = importlib.import_module(f"envkit.validating.reports.{form}")
    text: str = module.render(report)
    return text


def write(report: Report, output: Output) -> None:
    """Write a report to its file, making its folder. Raises `InvalidInput` if that fails."""
    if output.file is None:
        return
    content = render(report, output.form).encode("utf-8", "backslashreplace")
    try:
        output.file.parent.mkdir(parents=True, exist_ok=True)
        output.file.write_bytes(content)
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInput(f"Cannot write the report {output.file}: {reason}.") from error


def _check(form: str) -> None:
    if form not in FORMATS:
        raise InvalidArgument(
            f"'{form}' is not a report format; the formats are {', '.join(FORMATS)}."
        )
