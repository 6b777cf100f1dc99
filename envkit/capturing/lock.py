"""The lock: where each distribution of the closure can be had again, and by which hash it is known.

The versions are the installed ones; uv is asked only for what the environment cannot tell, the files of those
versions and their hashes, from the indexes that it is configured with. No source distribution's code is run.
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.utils import NormalizedName

from envkit.capturing.distributions import Distribution
from envkit.capturing.local_wheels import LocalWheel
from envkit.capturing.trace import InterpreterFacts
from envkit.child import process
from envkit.errors import ToolNotFound
from envkit.formats import pylock_toml
from envkit.formats.credentials import placeholders
from envkit.formats.pylock_toml import LockedPackage

ANSWER_SECONDS = 120.0
NO_WHEELS: Mapping[NormalizedName, LocalWheel] = MappingProxyType({})
UNSATISFIABLE = re.compile(r"you require ([A-Za-z0-9][A-Za-z0-9._-]*)==")


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """Every distribution has a source with a hash or a commit; `text` is that of `pylock.toml`."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unlocked:
    """Some distributions have none, so there is no lock; `reasons` say which and why."""

    reasons: tuple[str, ...]


def lock(
    closure: Iterable[Distribution],
    interpreter: InterpreterFacts,
    wheels: Mapping[NormalizedName, LocalWheel] = NO_WHEELS,
) -> Locked | Unlocked:
    """Lock the closure as it is installed; `wheels` are those that the model takes along."""
    ordered = sorted(closure, key=lambda each: each.name)
    direct = {each.name: _direct(each, wheels.get(each.name)) for each in ordered if each.origin is not None}
    indexed = [each for each in ordered if each.origin is None]
    found, reasons = _from_indexes(indexed, interpreter)
    reasons += [f"{name} was installed from a local folder or file" for name, package in direct.items() if not package]
    if reasons:
        return Unlocked(reasons=tuple(sorted(reasons)))
    packages: dict[str, LockedPackage] = {**found, **{name: each for name, each in direct.items() if each}}
    return Locked(
        text=pylock_toml.dumps(
            packages=[packages[each.name] for each in ordered],
            requires_python=f"=={'.'.join(interpreter.version.split('.')[:2])}.*",
        )
    )


def _direct(distribution: Distribution, wheel: LocalWheel | None) -> LockedPackage | None:
    """The entry for what was installed from a URL; None where nobody else can reach it."""
    if wheel is not None:
        archive = {"path": wheel.path, "hashes": {"sha256": wheel.sha256}}
        return {"name": wheel.name, "version": wheel.version, "archive": archive}
    origin = distribution.origin
    if origin is None or origin.local:
        return None
    where = {"subdirectory": origin.subdirectory} if origin.subdirectory else {}
    entry: dict[str, Any] = {"name": distribution.name, "version": distribution.version}
    if origin.vcs and origin.commit:
        return {
            **entry,
            "vcs": {"type": origin.vcs, "url": placeholders(origin.url), "commit-id": origin.commit, **where},
        }
    if origin.digest:
        algorithm, _, digest = origin.digest.partition(":")
        return {**entry, "archive": {"url": placeholders(origin.url), "hashes": {algorithm: digest}, **where}}
    return None


def _from_indexes(
    distributions: Sequence[Distribution], interpreter: InterpreterFacts
) -> tuple[dict[str, LockedPackage], list[str]]:
    """Ask for all at once; whatever no index has is left out and the rest is asked for again."""
    wanted = {each.name: f"{each.name}=={each.version}" for each in distributions}
    reasons: list[str] = []
    while wanted:
        answer = _ask(wanted.values(), interpreter)
        if isinstance(answer, list):
            return {package["name"]: _lasting(package) for package in answer}, reasons
        answer = " ".join(answer.split())  # uv breaks lines where a terminal would end
        unknown = {name for name in UNSATISFIABLE.findall(answer) if name in wanted}
        if not unknown:
            return {}, [*reasons, f"the index could not be asked: {answer or 'no answer'}"]
        reasons += [f"no index that uv knows has a wheel of {wanted.pop(name)}" for name in sorted(unknown)]
    return {}, reasons


def _lasting(package: LockedPackage) -> LockedPackage:
    """The entry without times of upload, which an index gives at one time and not at another."""
    kept: dict[str, Any] = dict(package)
    if "wheels" in kept:
        kept["wheels"] = [{key: each[key] for key in each if key != "upload-time"} for each in kept["wheels"]]
    if "sdist" in kept:
        kept["sdist"] = {key: kept["sdist"][key] for key in kept["sdist"] if key != "upload-time"}
    return kept


def _ask(pins: Iterable[str], interpreter: InterpreterFacts) -> list[LockedPackage] | str:
    """The files of these pins, or what uv says against them."""
    with tempfile.TemporaryDirectory(prefix="envkit-lock-") as folder:
        asked, answer = Path(folder, "requirements.in"), Path(folder, "pylock.toml")
        asked.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        ended = process.run(
            _command(asked, answer, interpreter),
            environment=os.environ,
            directory=Path(folder),
            timeout=ANSWER_SECONDS,
            keep_output=True,
        )
        if not ended.succeeded:
            return ended.output or f"uv {ended.how}"
        document: Mapping[str, Any] = tomllib.loads(answer.read_text(encoding="utf-8"))
    return list(document.get("packages", ()))


def _command(asked: Path, answer: Path, interpreter: InterpreterFacts) -> list[str | Path]:
    return [
        _uv(),
        "pip",
        "compile",
        "--quiet",
        "--no-deps",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        *("--only-binary", ":all:"),
        *("--format", "pylock.toml"),
        *("--python", interpreter.executable),
        *("--output-file", answer),
        asked,
    ]


def _uv() -> str:
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        raise ToolNotFound("uv", "It comes with envkit: reinstall envkit, or `pip install uv`.") from None
