r"""The lines of a requirements file, read as pip reads them.

https://pip.pypa.io/en/stable/reference/requirements-file-format/

The grammar is pip's own (its module `req_file`), written anew: pip offers it to nobody, and
`pip-requirements-parser`, a copy of an older pip's, neither keeps to a folder, nor notices cycles,
nor knows `--config-settings`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from envkit.errors import InvalidFile
from envkit.formats.requirement import FILE_NAME, Requirement, is_url

__all__ = ["FILE_NAME", "Entry", "Option", "Reference", "Requirement", "is_url", "parse"]

if TYPE_CHECKING:
    from optparse import OptionParser, Values

_COMMENT = re.compile(r"(^|\s+)#.*$")
_HASH = re.compile(r"--hash=([A-Za-z0-9:]+)")
_HASHES = re.compile(r"(?:--hash=[A-Za-z0-9:]+\s*)+")
_STRONG_HASHES = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An option that holds for everything installed, by its long name: `--index-url`, with a value or none."""

    name: str
    value: str | None = None
    file: Path = Path(FILE_NAME)
    line: int = 0

    def __str__(self) -> str:
        """Give it as one line of a requirements file."""
        if self.value is None:
            return self.name
        return f"{self.name} {_quoted(self.value)}"

    @property
    def unquoted(self) -> str:
        """Name and value without the quotes that a requirements file needs."""
        return f"{self.name} {self.value or ''}".strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A `-r` or `-c`; target: as written, relative to the folder of `file`."""

    target: str
    constraint: bool
    file: Path = Path(FILE_NAME)
    line: int = 0

    def __str__(self) -> str:
        """Give it as one line of a requirements file."""
        return f"{'-c' if self.constraint else '-r'} {_quoted(self.target)}"


Entry = Requirement | Option | Reference


def parse(text: str, path: Path = Path(FILE_NAME)) -> tuple[Entry, ...]:
    """Give what a text says, in its order, without reading what it refers to.

    Raises `InvalidFile` for an unknown option, a value that is missing, a hash that is none, quotes
    that do not end.
    """
    return tuple(_Lines(path).entries(text))


def _quoted(value: str) -> str:
    """Quote a value for `shlex`, which splits what follows the first option of a line."""
    plain = re.fullmatch(r"[^\s\"'\\]+", value) is not None and not value.startswith("#")
    if plain:
        return value
    return shlex.quote(value)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join what a backslash continues, then drop comments and what is empty; as pip, in this order."""
    begun: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), start=1):
        first = first if begun else number
        is_comment = re.match(r"\s*#", line) is not None
        if line.endswith("\\") and not is_comment:
            begun.append(line.strip("\\"))
            continue
        # so that a comment after a continued line is still seen
        begun.append(f" {line}" if is_comment else line)
        yield first, "".join(begun)
        begun = []
    if begun:
        yield first, "".join(begun)


_GLOBAL = (  # long name, other spellings, takes a value
    ("--index-url", ("-i", "--pypi-url"), True),
    ("--extra-index-url", (), True),
    ("--no-index", (), False),
    ("--find-links", ("-f",), True),
    ("--no-binary", (), True),
    ("--only-binary", (), True),
    ("--prefer-binary", (), False),
    ("--require-hashes", (), False),
    ("--pre", (), False),
    ("--no-require-hashes", (), False),  # pip 26, as the next two
    ("--all-releases", (), True),
    ("--only-final", (), True),
    ("--trusted-host", (), True),
    ("--use-feature", (), True),
)
_OF_LINES = (
    ("--requirement", ("-r",), True),
    ("--constraint", ("-c",), True),
    ("--editable", ("-e",), True),
    ("--hash", (), True),
    ("--global-option", (), True),
    ("--config-settings", ("-C",), True),
)
_OF_ONE = ("--global-option", "--config-settings")


class _Lines:
    """The lines of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self, text: str) -> Iterator[Entry]:
        for number, line in _logical_lines(text):
            bare = _COMMENT.sub("", line).strip()
            if bare:
                yield from self._entries_of_line(bare, number)

    def _entries_of_line(self, line: str, number: int) -> Iterator[Entry]:
        """What counts when several things share a line is pip's choice: a requirement, `-e`, `-r`, `-c`, the rest."""
        text, given = self._split(line, number)
        options = tuple(f"{name}={_quoted(value)}" for name, value in given if name in _OF_ONE)
        if text:
            hashes = tuple(self._hash(value, number) for name, value in given if name == "--hash")
            yield Requirement(
                text=text, hashes=hashes, options=options, file=self.path, line=number
            )
            return
        first = dict(reversed(given))
        if "--editable" in first:
            yield Requirement(
                text=first["--editable"],
                options=options,
                editable=True,
                file=self.path,
                line=number,
            )
        elif "--requirement" in first:
            yield Reference(
                target=first["--requirement"], constraint=False, file=self.path, line=number
            )
        elif "--constraint" in first:
            yield Reference(
                target=first["--constraint"], constraint=True, file=self.path, line=number
            )
        else:
            yield from self._options(given, number)

    def _options(self, given: list[tuple[str, str]], number: int) -> Iterator[Option]:
        with_value = {name: takes_value for name, _, takes_value in _GLOBAL}
        for place, (name, value) in enumerate(given):
            # then the last one on the line counts
            once = name == "--index-url" or not with_value.get(name)
            again = once and any(later == name for later, _ in given[place + 1 :])
            if name in with_value and not again:
                yield Option(
                    name=name,
                    value=value if with_value[name] else None,
                    file=self.path,
                    line=number,
                )

    def _split(self, line: str, number: int) -> tuple[str, list[tuple[str, str]]]:
        """Give what stands before the first option, and the options with their values, by their long names."""
        words = line.split(" ")  # not at tabs, as pip
        begin = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
        text = " ".join(words[:begin]).strip()
        if text.endswith("\\"):
            self._refuse(number, "ends in a backslash that continues nothing")
        if begin == len(words):
            return text, []
        rest = " ".join(words[begin:])
        if _HASHES.fullmatch(rest):  # a lock has thousands, and optparse takes a second for them
            return text, [("--hash", each) for each in _HASH.findall(rest)]
        try:
            values, _ = self._parser.parse_args(shlex.split(rest), self._no_values())
        except ValueError as error:
            self._refuse(number, f"cannot be read: {error}")
        given: list[tuple[str, str]] = values.given
        return text, given

    @cached_property
    def _parser(self) -> OptionParser:
        return _option_parser()

    def _no_values(self) -> Values:
        values = self._parser.get_default_values()
        values.given = []
        return values

    def _hash(self, value: str, number: int) -> str:
        algorithm, _, digest = value.partition(":")
        if algorithm not in _STRONG_HASHES or not digest:
            self._refuse(number, f"'{value}' is no hash of the kind sha256:…, sha384:… or sha512:…")
        return value

    def _refuse(self, number: int, problem: str) -> NoReturn:
        raise InvalidFile(self.path, f"line {number}", problem)


def _option_parser() -> OptionParser:
    """Make the parser that pip uses, so that abbreviations, `-rx` and `--requirement=x` mean what they mean there."""
    import optparse  # 5 ms that a file without options does not cost

    def record(option: optparse.Option, _: str, value: str | None, parser: OptionParser) -> None:
        given: list[tuple[str, str]] = parser.values.given  # type: ignore[union-attr]
        given.append((str(option.dest), value or ""))

    class Parser(optparse.OptionParser):
        def error(self, msg: str) -> NoReturn:
            raise ValueError(msg)

    parser = Parser(add_help_option=False)
    for name, others, takes_value in (*_GLOBAL, *_OF_LINES):
        kind = "string" if takes_value else None
        parser.add_option(name, *others, action="callback", callback=record, dest=name, type=kind)
    return parser
