r"""The lines of a requirements file, read as pip reads them.

https://pip.pypa.io/en/stable/reference/requirements-file-format/

The grammar is that of pip's module `req_file`, written again: pip has no public interface for it,
and `pip-requirements-parser`, a copy of an older one, does not know `--config-settings`, does not
notice cycles and reads files outside the folder.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from envkit.errors import InvalidFile
from envkit.formats.requirement import FILE_NAME, Requirement, is_url

__all__ = [
    "FILE_NAME",
    "Entry",
    "Option",
    "Reference",
    "Requirement",
    "is_url",
    "parse",
    "parse_each",
]

if TYPE_CHECKING:
    from optparse import OptionParser

_COMMENT = re.compile(r"(^|(?<!\s)\s+)#.*$")
_HASH = re.compile(r"--hash=([A-Za-z0-9:]+)")
_HASHES = re.compile(r"(?:--hash=[A-Za-z0-9:]+\s*)+")
_STRONG_HASHES = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An option for the whole installation.

    name: the long one, `--index-url`. value: None where the option takes none.
    """

    name: str
    value: str | None = None
    file: Path = Path(FILE_NAME)
    line: int = 0

    def __str__(self) -> str:
        """Give it as one line of a requirements file."""
        if self.value is None:
            return self.name
        return f"{self.name} {_quoted(self.value)}"

    def with_absolute_folder(self, directory: Path) -> Option:
        """Make the folder of `--find-links` a `file:` URL: installers refuse paths with spaces."""
        if self.name != "--find-links" or not self.value or "://" in self.value:
            return self
        return replace(self, value=(directory / self.value).as_uri())

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

    Raises `InvalidFile` for an unknown option, a missing value, a malformed hash, quotes that do
    not end.
    """
    entries: list[Entry] = []
    for entry in parse_each(text, path):
        if isinstance(entry, InvalidFile):
            raise entry
        entries.append(entry)
    return tuple(entries)


def parse_each(text: str, path: Path) -> Iterator[Entry | InvalidFile]:
    """Yield what a text says; for a line that cannot be parsed, the error in its place."""
    for number, line in _logical_lines(text):
        line = _COMMENT.sub("", line).strip()
        if not line:
            continue
        try:
            entries = _Line(path, number).entries(line)
        except InvalidFile as error:
            yield error
        else:
            yield from entries


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers; as in pip, a backslash joins before comments are dropped."""
    begun: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not begun:
            first = number
        is_comment = re.match(r"\s*#", line) is not None
        if line.endswith("\\") and not is_comment:
            begun.append(line.strip("\\"))
            continue
        # so that a comment after a continued line is still recognized
        begun.append(f" {line}" if is_comment else line)
        yield first, "".join(begun)
        begun = []
    if begun:
        yield first, "".join(begun)


def _quoted(value: str) -> str:
    """Quote a value for `shlex`, which splits what follows the first option of a line."""
    is_plain = re.fullmatch(r"[^\s\"'\\]+", value) is not None and not value.startswith("#")
    if is_plain:
        return value
    return shlex.quote(value)


@dataclass(frozen=True, slots=True)
class _Syntax:
    """An option of a requirements file. others: its other spellings."""

    name: str
    others: tuple[str, ...] = ()
    takes_value: bool = True


_GLOBAL_OPTIONS = (
    _Syntax("--index-url", ("-i", "--pypi-url")),
    _Syntax("--extra-index-url"),
    _Syntax("--no-index", takes_value=False),
    _Syntax("--find-links", ("-f",)),
    _Syntax("--no-binary"),
    _Syntax("--only-binary"),
    _Syntax("--prefer-binary", takes_value=False),
    _Syntax("--require-hashes", takes_value=False),
    _Syntax("--pre", takes_value=False),
    # the next three are of pip 26
    _Syntax("--no-require-hashes", takes_value=False),
    _Syntax("--all-releases"),
    _Syntax("--only-final"),
    _Syntax("--trusted-host"),
    _Syntax("--use-feature"),
)
_LINE_OPTIONS = (
    _Syntax("--requirement", ("-r",)),
    _Syntax("--constraint", ("-c",)),
    _Syntax("--editable", ("-e",)),
    _Syntax("--hash"),
    _Syntax("--global-option"),
    _Syntax("--config-settings", ("-C",)),
)
_REQUIREMENT_OPTIONS = ("--global-option", "--config-settings")


@dataclass(frozen=True, slots=True)
class _Line:
    """One logical line of a file."""

    path: Path
    number: int

    def entries(self, line: str) -> list[Entry]:
        """Parse the line.

        Of several things in it, pip reads a requirement, else `-e`, `-r`, `-c`.
        """
        text, options = self._split(line)
        first = dict(reversed(options))
        if text:
            hashes = [self._hash(value) for name, value in options if name == "--hash"]
            return [self._requirement(text, options, hashes=tuple(hashes))]
        if "--editable" in first:
            return [self._requirement(first["--editable"], options, editable=True)]
        if "--requirement" in first:
            return [self._reference(first["--requirement"], constraint=False)]
        if "--constraint" in first:
            return [self._reference(first["--constraint"], constraint=True)]
        return self._global_options(options)

    def _requirement(
        self,
        text: str,
        options: list[tuple[str, str]],
        *,
        hashes: tuple[str, ...] = (),
        editable: bool = False,
    ) -> Requirement:
        own = [
            f"{name}={_quoted(value)}" for name, value in options if name in _REQUIREMENT_OPTIONS
        ]
        return Requirement(
            text=text,
            hashes=hashes,
            options=tuple(own),
            editable=editable,
            file=self.path,
            line=self.number,
        )

    def _reference(self, target: str, *, constraint: bool) -> Reference:
        return Reference(target=target, constraint=constraint, file=self.path, line=self.number)

    def _global_options(self, options: list[tuple[str, str]]) -> list[Entry]:
        takes_value = {syntax.name: syntax.takes_value for syntax in _GLOBAL_OPTIONS}
        entries: list[Entry] = []
        for place, (name, value) in enumerate(options):
            if name not in takes_value:
                continue
            # of an option that counts once, the last one on the line counts
            counts_once = name == "--index-url" or not takes_value[name]
            later_names = [later for later, _ in options[place + 1 :]]
            if counts_once and name in later_names:
                continue
            entries.append(
                Option(
                    name=name,
                    value=value if takes_value[name] else None,
                    file=self.path,
                    line=self.number,
                )
            )
        return entries

    def _split(self, line: str) -> tuple[str, list[tuple[str, str]]]:
        """Give what is before the first option, and the long names and values of options."""
        # not at tabs, as pip
        words = line.split(" ")
        begin = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
        text = " ".join(words[:begin]).strip()
        if text.endswith("\\"):
            self._refuse("ends in a backslash that continues nothing")
        if begin == len(words):
            return text, []
        rest = " ".join(words[begin:])
        if _HASHES.fullmatch(rest):
            # a lock has thousands of hashes, and optparse takes a second for them
            return text, [("--hash", digest) for digest in _HASH.findall(rest)]
        try:
            return text, _parsed_options(shlex.split(rest))
        except ValueError as error:
            self._refuse(f"cannot be parsed: {error}")

    def _hash(self, value: str) -> str:
        algorithm, _, digest = value.partition(":")
        if algorithm not in _STRONG_HASHES or not digest:
            self._refuse(f"'{value}' is not a hash of the form sha256:…, sha384:… or sha512:…")
        return value

    def _refuse(self, problem: str) -> NoReturn:
        raise InvalidFile(self.path, f"line {self.number}", problem)


def _parsed_options(words: list[str]) -> list[tuple[str, str]]:
    """Parse options as pip does. Raises `ValueError`."""
    parser = _option_parser()
    values = parser.get_default_values()
    values.parsed = []
    parser.parse_args(words, values)
    options: list[tuple[str, str]] = values.parsed
    return options


def _option_parser() -> OptionParser:
    """Make the parser that pip uses, so that abbreviations and `-rx` mean what they mean there.

    One for each line, because it holds the state of parsing and files may be read in threads.
    """
    # 5 ms, which a file without options does not take
    import optparse

    def record(option: optparse.Option, _: str, value: str | None, parser: OptionParser) -> None:
        options: list[tuple[str, str]] = parser.values.parsed  # type: ignore[union-attr]
        options.append((str(option.dest), value or ""))

    class Parser(optparse.OptionParser):
        def error(self, msg: str) -> NoReturn:
            raise ValueError(msg)

    parser = Parser(add_help_option=False)
    for syntax in (*_GLOBAL_OPTIONS, *_LINE_OPTIONS):
        parser.add_option(
            syntax.name,
            *syntax.others,
            action="callback",
            callback=record,
            dest=syntax.name,
            type="string" if syntax.takes_value else None,
        )
    return parser
