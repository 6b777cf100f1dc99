r"""`requirements.txt` and `constraints.txt`, read as pip reads them.

https://pip.pypa.io/en/stable/reference/requirements-file-format/

The grammar is pip's own (its module `req_file`), written anew: pip offers it to nobody, and `pip-requirements-parser`,
a copy of an older pip's, neither keeps to a folder, nor notices cycles, nor knows `--config-settings`.

Reading has two steps: `parse` gives what one text says, line by line; `read` and `follow` also go where its `-r`
and `-c` lead.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from envkit.errors import InvalidFile
from envkit.formats.text import read_text

if TYPE_CHECKING:
    from optparse import OptionParser, Values

FILE_NAME = "requirements.txt"
CONSTRAINTS_FILE_NAME = "constraints.txt"

_COMMENT = re.compile(r"(^|\s+)#.*$")
_PLACEHOLDER = re.compile(r"\$\{([A-Z0-9_]+)\}")
_NAMED = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\[[^\]]*\])?\s*(?=$|[<>=!~(;@])")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)")
_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|file:)")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar|tar\.gz|tgz|tar\.bz2|tbz|tar\.xz|txz|tlz|tar\.lz|tar\.lzma)$", re.IGNORECASE)
_STRONG_HASHES = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """One requirement or constraint.

    text: as written, without options and comment. hashes: `sha256:…`. options: for this requirement alone, as
    `--config-settings=k=v`. file, line: where it begins; line counts from 1.
    """

    text: str
    hashes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    editable: bool = False
    file: Path = Path(FILE_NAME)
    line: int = 0

    def __str__(self) -> str:
        """Give it as one line of a requirements file."""
        first = f"-e {self.text}" if self.editable else self.text
        return " ".join([first, *map(_quoted, self.options), *(f"--hash={each}" for each in self.hashes)])

    @property
    def name(self) -> str | None:
        """The normalized name (PEP 503); None for a path, or a URL without `#egg=`."""
        return name_of(self.text)

    @property
    def path(self) -> str | None:
        """The path that it names in place of a name, extras and marker left out; None for a name or a URL."""
        bare = re.sub(r"\s*\[[\w\s,.-]*\]$", "", re.split(r"\s;|;\s", self.text, maxsplit=1)[0].strip())
        if _SCHEME.match(bare):
            return None
        is_path = self.editable or bare.startswith(".") or "/" in bare.partition("@")[0] or bool(_ARCHIVE.search(bare))
        return bare if is_path and not _direct(self.text) else None

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the environment variables that pip would put in the place of `${NAME}`."""
        return tuple(_PLACEHOLDER.findall(self.text))

    @property
    def plausible(self) -> bool:
        """Whether the text has the shape of a requirement: a name, a URL, a path, or a placeholder for one."""
        known = self.name is not None or self.path is not None or self.placeholders
        return bool(known) or _SCHEME.match(self.text) is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """An option that holds for everything installed, by its long name: `--index-url`, with a value or none."""

    name: str
    value: str | None = None
    file: Path = Path(FILE_NAME)
    line: int = 0

    def __str__(self) -> str:
        """Give it as one line of a requirements file."""
        return self.name if self.value is None else f"{self.name} {_quoted(self.value)}"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementsFile:
    """A requirements file with all that it refers to, in pip's order."""

    requirements: tuple[Requirement, ...] = ()
    constraints: tuple[Requirement, ...] = ()
    options: tuple[Option, ...] = ()


Entry = Requirement | Option | Reference


def read(path: Path, *, root: Path | None = None) -> RequirementsFile:
    """Read a file and those it refers to. With `root`, none of these may lie outside that folder.

    `${NAME}` stays as it is. Paths of `--find-links` that exist beside a nested file become relative to the first
    file's folder; paths of requirements are, as for pip, relative to where the installer is started.

    Raises `InvalidFile`, naming file and line, for what pip would refuse, a URL after `-r`, a file that refers to
    itself, one outside `root`, one that is missing or no text.
    """
    return follow(read_text(path, declared=True), path, root=root)


def follow(text: str, path: Path, *, root: Path | None = None) -> RequirementsFile:
    """As `read`, for a text that stands, or could stand, in the file `path`; relative references start beside it."""
    found = _Reader(first=path, root=root).entries(text, path, constraint=False, chain=())
    requirements: list[Requirement] = []
    constraints: list[Requirement] = []
    options: list[Option] = []
    for entry, constraint in found:
        if isinstance(entry, Option):
            options.append(entry)
        else:
            (constraints if constraint else requirements).append(entry)
    return RequirementsFile(requirements=tuple(requirements), constraints=tuple(constraints), options=tuple(options))


def parse(text: str, path: Path = Path(FILE_NAME)) -> tuple[Entry, ...]:
    """Give what a text says, in its order, without reading what it refers to.

    Raises `InvalidFile` for an unknown option, a value that is missing, a hash that is none, quotes that do not end.
    """
    return tuple(_Lines(path).entries(text))


def dumps(
    requirements: Iterable[str | Requirement],
    *,
    constraints_file: str | None = None,
    options: Iterable[str | Option] = (),
) -> str:
    """Give the text of a file: options, then requirements sorted by name, then `-c` with `constraints_file`.

    What is there twice is written once. Every line, also the last, ends with a line feed.
    """
    lines = dict.fromkeys(map(str, options))
    lines |= dict.fromkeys(sorted(map(str, requirements), key=_order))
    if constraints_file is not None:
        lines[str(Reference(target=constraints_file, constraint=True))] = None
    return "".join(f"{line}\n" for line in lines)


def name_of(text: str) -> str | None:
    """Give the normalized name in a requirement (PEP 503); None for a path, or a URL without `#egg=`."""
    found = _EGG.search(text) if _SCHEME.match(text) else _NAMED.match(text)
    if found is None or (not _SCHEME.match(text) and _is_archive(text)):
        return None
    return re.sub(r"[-_.]+", "-", found.group(1)).lower()


def _is_archive(text: str) -> bool:
    return not _direct(text) and _ARCHIVE.search(text) is not None and not re.search(r"[<>=!~;(]", text)


def _direct(text: str) -> bool:
    """Whether it is `name @ place`."""
    found = _NAMED.match(text)
    return found is not None and text[found.end() :].lstrip().startswith("@")


def _order(line: str) -> tuple[str, str]:
    bare = re.sub(r"^-e\s+", "", line)
    return name_of(bare) or bare.lower(), line


def _quoted(value: str) -> str:
    """Quote a value for `shlex`, which splits what follows the first option of a line."""
    plain = re.fullmatch(r"[^\s\"'\\]+", value) is not None and not value.startswith("#")
    return value if plain else shlex.quote(value)


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
        begun.append(f" {line}" if is_comment else line)  # so that a comment after a continued line is still seen
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
    ("--all-releases", (), True),  # pip 26, as the next
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
    ("--config-settings", ("-C", "--config-setting"), True),
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
            yield Requirement(text=text, hashes=hashes, options=options, file=self.path, line=number)
            return
        first = dict(reversed(given))
        if "--editable" in first:
            yield Requirement(text=first["--editable"], options=options, editable=True, file=self.path, line=number)
        elif "--requirement" in first:
            yield Reference(target=first["--requirement"], constraint=False, file=self.path, line=number)
        elif "--constraint" in first:
            yield Reference(target=first["--constraint"], constraint=True, file=self.path, line=number)
        else:
            yield from self._options(given, number)

    def _options(self, given: list[tuple[str, str]], number: int) -> Iterator[Option]:
        with_value = {name: takes_value for name, _, takes_value in _GLOBAL}
        for name, value in given:
            if name in with_value:
                yield Option(name=name, value=value if with_value[name] else None, file=self.path, line=number)

    def _split(self, line: str, number: int) -> tuple[str, list[tuple[str, str]]]:
        """Give what stands before the first option, and the options with their values, by their long names."""
        words = line.split(" ")  # not at tabs, as pip
        begin = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
        text = " ".join(words[:begin]).strip()
        if text.endswith("\\"):
            self._refuse(number, "ends in a backslash that continues nothing")
        if begin == len(words):
            return text, []
        try:
            values, _ = self._parser.parse_args(shlex.split(" ".join(words[begin:])), self._no_values())
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


_MAX_FILES = 1000


class _Reader:
    """Follows references, within a folder."""

    def __init__(self, first: Path, root: Path | None) -> None:
        self.first = first
        self.root = root
        self.files = 0

    def entries(
        self, text: str, path: Path, *, constraint: bool, chain: tuple[Path, ...]
    ) -> Iterator[tuple[Requirement | Option, bool]]:
        """Yield requirements and options, each with whether it constrains; chain: the files that led here."""
        self.files += 1
        if self.files > _MAX_FILES:
            raise InvalidFile(self.first, "", f"refers to more than {_MAX_FILES} files")
        chain = (*chain, path.resolve())
        for entry in parse(text, path):
            if isinstance(entry, Reference):
                target = self._target(entry, chain)
                nested = read_text(target, declared=True) if target.is_file() else self._missing(entry, target)
                yield from self.entries(nested, target, constraint=entry.constraint, chain=chain)
            elif isinstance(entry, Option):
                yield self._rebased(entry), constraint
            else:
                yield entry, constraint

    def _target(self, reference: Reference, chain: tuple[Path, ...]) -> Path:
        where = f"line {reference.line}"
        if _SCHEME.match(reference.target):
            raise InvalidFile(
                reference.file,
                where,
                f"'{reference}' refers to a URL, whose content can change",
                "Save that file beside this one and refer to it.",
            )
        target = reference.file.parent / reference.target
        resolved = target.resolve()
        if self.root is not None and not resolved.is_relative_to(self.root.resolve()):
            raise InvalidFile(
                reference.file,
                where,
                f"'{reference}' leads out of {self.root}",
                "Everything that a model needs must lie inside it.",
            )
        if resolved in chain:
            circle = " → ".join(each.name for each in (*chain[chain.index(resolved) :], resolved))
            raise InvalidFile(reference.file, where, f"'{reference}' goes round in a circle: {circle}")
        return target

    def _missing(self, reference: Reference, target: Path) -> NoReturn:
        raise InvalidFile(
            reference.file, f"line {reference.line}", f"'{reference}' refers to {target}, and there is no such file"
        )

    def _rebased(self, option: Option) -> Option:
        """Make a `--find-links` of a nested file relative to the first one, where pip would look beside the former."""
        if option.name != "--find-links" or not option.value or option.file.parent == self.first.parent:
            return option
        beside = option.file.parent / option.value
        if Path(option.value).is_absolute() or not beside.exists():
            return option
        return replace(option, value=os.path.relpath(beside, self.first.parent))
