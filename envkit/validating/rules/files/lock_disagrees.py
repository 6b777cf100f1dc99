"""Rule `lock-disagrees`: `pylock.toml` holds every requirement and constraint, in a version that they admit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from packaging.utils import canonicalize_name

from envkit.formats import pylock_toml
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.markers import holds_for
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Finding, Severity

CODE = "ENV107"
NAME = "lock-disagrees"
SEVERITY = Severity.ERROR
REMEDY = "lock again with `envkit lock`"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each line that the lock does not satisfy."""
    if facts.lock is None:
        return
    locked: dict[str, list[Mapping[str, Any]]] = {}
    for package in facts.lock.packages:
        locked.setdefault(canonicalize_name(str(package["name"])), []).append(package)
    seen: set[str] = {
        canonicalize_name(each.name)
        for each in (facts.evidence.installed if facts.evidence else ())
    }
    for line in facts.requirements.lines:
        found = locked.get(line.name or "", [])
        problem = _problem(line, found, facts.python, seen)
        if problem:
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=problem,
                remedy=REMEDY,
            )
    yield from _surplus(facts, locked, seen)


def _surplus(
    facts: ModelFacts, locked: Mapping[str, list[Mapping[str, Any]]], seen: set[str]
) -> Iterator[Finding]:
    """What would be installed and nothing asks for; a lock for other machines may hold more than was seen."""
    if not seen or facts.lock is None or "environments" in facts.lock.content:
        return
    known = seen | {line.name for line in facts.lines}
    for name, packages in sorted(locked.items()):
        if name not in known and not any("marker" in each for each in packages):
            problem = f"{pylock_toml.FILE_NAME} holds {name}, which no file requires and the capture did not see"
            yield Finding(
                rule=CODE,
                severity=Severity.WARNING,
                file=pylock_toml.FILE_NAME,
                problem=problem,
                remedy=REMEDY,
            )


def _problem(
    line: Line, packages: list[Mapping[str, Any]], python: str | None, seen: set[str]
) -> str:
    if line.name is None or not holds_for(line.marker, python):
        return ""
    if not packages:
        if line.constraint and line.name not in seen:
            return ""
        return f"`{line.shown}` is not in {pylock_toml.FILE_NAME}"
    if line.url is not None:
        return _commit(line, packages)
    versions = [str(each["version"]) for each in packages if each.get("version")]
    if not versions or any(line.specifier.contains(each, prereleases=True) for each in versions):
        return ""
    return f"`{line.shown}`, but {pylock_toml.FILE_NAME} holds {', '.join(versions)}"


def _commit(line: Line, packages: list[Mapping[str, Any]]) -> str:
    commits = [str(each["vcs"]["commit-id"]) for each in packages if "vcs" in each]
    wanted = (line.url or "").partition("#")[0].rpartition("@")[2]
    if (
        not commits
        or not (line.url or "").startswith(("git+", "hg+"))
        or wanted in commits
        or len(wanted) < 40
    ):
        return ""
    return f"{line.name} is required at commit {wanted[:12]}, {pylock_toml.FILE_NAME} holds {commits[0][:12]}"
