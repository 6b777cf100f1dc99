"""Which environment variables the model needs to be told of. Names only; values are never known here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from envkit.analysis.environment_variables import OF_THE_SYSTEM, guarded_lines
from envkit.capturing.places import Places
from envkit.capturing.trace import Trace, VariableRead

SECRET = re.compile(
    r"\w*(API_KEY|API_TOKEN|ACCESS_KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH_TOKEN)\w*|\w+_TOKEN"
    r"|DATABRICKS_(HOST|USERNAME|INSECURE|CLIENT_ID)|_DATABRICKS_WORKSPACE_(HOST|ID)"
)
"""Names that are worth telling even where only a library reads them; MLflow records a subset of these."""

LOOKS_SECRET = re.compile(
    r"(.*_)?(TOKENS?|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|CREDENTIALS?|AUTH|DSN|COOKIE|SIGNATURE|SALT|APIKEY"
    r"|(API|ACCESS|PRIVATE|SECRET|ENCRYPTION|SIGNING|AUTH|ACCOUNT|MASTER|SSH|LICENSE)_?KEYS?|CONNECTION_STRING)(_.*|\d*)"
)
"""Names whose value should not be shown. The working directory is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An environment variable that was read.

    readers: `model`, `python`, or names of distributions. required: the model cannot do without it,
    as far as its code tells. secret: it looks like one by its name. recorded: whether whoever runs
    the model must know it.
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
class Wishes:
    """What the user says of variables: patterns of names that are recorded when they are read, and that never are."""

    include: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    def of(self, name: str) -> bool | None:
        """Whether to record it, None where nothing is said. What is to be ignored wins."""
        if any(fnmatchcase(name, pattern) for pattern in self.ignore):
            return False
        if any(fnmatchcase(name, pattern) for pattern in self.include):
            return True
        return None


def classify(trace: Trace, places: Places, wishes: Wishes | None = None) -> tuple[Variable, ...]:
    """Sort the variables by name and decide which of them the model's user must know."""
    reads: dict[str, list[VariableRead]] = {}
    for read in trace.variables:
        reads.setdefault(read.name, []).append(read)
    return tuple(_variable(name, reads[name], places, wishes or Wishes()) for name in sorted(reads))


def _variable(name: str, reads: Sequence[VariableRead], places: Places, wishes: Wishes) -> Variable:
    readers = tuple(sorted({places.reader(read) for read in reads}))
    wish = wishes.of(name)
    by_model = "model" in readers and not OF_THE_SYSTEM.fullmatch(name)
    return Variable(
        name=name,
        is_set=any(read.is_set for read in reads),
        readers=readers,
        required=any(_is_required(read) for read in reads),
        secret=name not in ("PWD", "OLDPWD") and LOOKS_SECRET.fullmatch(name.upper()) is not None,
        recorded=by_model or bool(SECRET.fullmatch(name.upper())) if wish is None else wish,
    )


def _is_required(read: VariableRead) -> bool:
    """Whether the reader cannot do without: absence would raise, and no code around it sees to that."""
    if not read.needed or not read.is_set:  # it was not set, and all went well
        return False
    if read.reader_file is None or not read.line:
        return True
    return not any(
        first <= read.line <= last for first, last in guarded_lines(read.reader_file, read.name)
    )
