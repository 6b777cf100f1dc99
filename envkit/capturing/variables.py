"""Which environment variables the user of a model must know; only names, never values."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from envkit.analysis.environment_variables import OF_THE_SYSTEM
from envkit.analysis.source_file import SourceFiles
from envkit.capturing.places import Places
from envkit.capturing.trace import Trace, VariableRead

SECRET = re.compile(
    r"\w*(API_KEY|API_TOKEN|ACCESS_KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH_TOKEN)\w*|\w+_TOKEN"
    r"|DATABRICKS_(HOST|USERNAME|INSECURE|CLIENT_ID)|_DATABRICKS_WORKSPACE_(HOST|ID)"
)
"""Names to record even when only a library reads them. MLflow records a subset of these."""

LOOKS_SECRET = re.compile(
    r"(.*_)?(TOKENS?|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|CREDENTIALS?|AUTH|DSN|COOKIE"
    r"|SIGNATURE|SALT|APIKEY"
    r"|(API|ACCESS|PRIVATE|SECRET|ENCRYPTION|SIGNING|AUTH|ACCOUNT|MASTER|SSH|LICENSE)_?KEYS?"
    r"|CONNECTION_STRING)(_.*|\d*)"
)
"""Names whose value should not be shown."""

OF_THE_MACHINE = re.compile(
    r"((HTTPS?|FTP|ALL|NO)_PROXY|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|SSL_CERT_(FILE|DIR))"
    r"|HOST|HOSTNAME|SHLVL|OLDPWD|EDITOR|VISUAL|PAGER|BROWSER|MAIL|DBUS_\w+|SSH_\w+"
    r"|WAYLAND_DISPLAY|TERM_\w+|WINDOWID|CI|GITHUB_\w+|PYTEST_\w+|PIP_\w+|UV_\w+|ENVKIT_\w+"
    r"|\w*TELEMETRY\w*|DO_NOT_TRACK"
)
"""Names that say where and how a library runs, not what it computes."""

WORKING_DIRECTORY = ("PWD", "OLDPWD")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An environment variable that was read.

    Attributes:
        name: The name.
        is_set: Whether it was set.
        readers: `model`, `python`, or names of distributions.
        required: Whether the model cannot do without it, as far as its code shows.
        secret: Whether the name looks like that of a secret.
        recorded: Whether the user of the model must know it.
    """

    name: str
    is_set: bool
    readers: tuple[str, ...]
    required: bool
    secret: bool
    recorded: bool

    def as_json(self) -> dict[str, object]:
        """As a JSON object."""
        return {
            "name": self.name,
            "set": self.is_set,
            "need": "required" if self.required else "optional",
            "secret": self.secret,
            "readers": list(self.readers),
            "recorded": self.recorded,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class VariablePatterns:
    """Patterns (`MY_*`) of names that are always recorded when they are read, or never."""

    include: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def decide(self, name: str) -> bool | None:
        """Whether to record a name; None when no pattern matches. `ignore` comes first."""
        if any(fnmatchcase(name, pattern) for pattern in self.ignore):
            return False
        if any(fnmatchcase(name, pattern) for pattern in self.include):
            return True
        return None


def classify(
    trace: Trace,
    places: Places,
    sources: SourceFiles,
    patterns: VariablePatterns,
) -> tuple[Variable, ...]:
    """Describe each variable that was read, sorted by name."""
    reads: dict[str, list[VariableRead]] = defaultdict(list)
    for read in trace.variables:
        reads[read.name].append(read)
    return tuple(_variable(name, reads[name], places, sources, patterns) for name in sorted(reads))


def _variable(
    name: str,
    reads: Sequence[VariableRead],
    places: Places,
    sources: SourceFiles,
    patterns: VariablePatterns,
) -> Variable:
    readers = sorted({places.reader(read.by) for read in reads})
    recorded = patterns.decide(name)
    if recorded is None:
        recorded = _is_worth_recording(name, readers) or any(
            _changes_a_library(read, places) for read in reads
        )
    return Variable(
        name=name,
        is_set=any(read.is_set for read in reads),
        readers=tuple(readers),
        required=any(_is_required(read, sources) for read in reads),
        secret=_looks_secret(name),
        recorded=recorded,
    )


def _looks_secret(name: str) -> bool:
    if name in WORKING_DIRECTORY:
        return False
    return LOOKS_SECRET.fullmatch(name.upper()) is not None


def _is_worth_recording(name: str, readers: Sequence[str]) -> bool:
    if "model" in readers and not OF_THE_SYSTEM.fullmatch(name):
        return True
    return bool(SECRET.fullmatch(name.upper()))


def _changes_a_library(read: VariableRead, places: Places) -> bool:
    """Whether a library found the variable set: it may choose another backend without it."""
    if not read.is_set or read.by.is_runner:
        return False
    if OF_THE_SYSTEM.fullmatch(read.name) or OF_THE_MACHINE.fullmatch(read.name.upper()):
        return False
    return places.reader(read.by) not in ("model", "python")


def _is_required(read: VariableRead, sources: SourceFiles) -> bool:
    """Whether the reader would raise without the variable, and no code around it handles that."""
    if not read.needed:
        return False
    if not read.is_set:  # all went well without it
        return False
    if read.by.file is None or not read.by.line:
        return True
    source = sources.file(read.by.file)
    return not source.handles_absence(read.name, read.by.line)
