"""A project's settings: `[tool.envkit]` of `pyproject.toml`, or the keys of an `envkit.toml`.

The nearest file upward from the working directory counts; in one folder, `envkit.toml` comes first.
Folders that hold an `MLmodel` are skipped, so that a model cannot turn off what checks it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile
from envkit.formats import mlmodel
from envkit.formats.document import Document
from envkit.formats.text import read_text
from envkit.validating.finding import Severity

FILE_NAME = "envkit.toml"
PROJECT_FILE_NAME = "pyproject.toml"
KEYS = (
    "profile",
    "select",
    "ignore",
    "severity",
    "fail-on",
    "once",
    "baseline",
    "jobs",
    "scan",
    "target",
    "rtol",
    "atol",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectSettings:
    """The settings; None or empty where the file says nothing.

    baseline: absolute. profile: a name, or an absolute path. once: rules of which a report says
    once what several models lack.
    """

    profile: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    fail_on: Severity | None = None
    once: tuple[str, ...] | None = None
    baseline: Path | None = None
    jobs: int | None = None
    scanners: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    rtol: float | None = None
    atol: float | None = None


def find(start: Path) -> ProjectSettings:
    """Read the nearest settings upward from a folder. Raises `InvalidFile` for malformed ones."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / mlmodel.FILE_NAME).exists():
            continue
        if (folder / FILE_NAME).is_file():
            return read(folder / FILE_NAME)
        project = folder / PROJECT_FILE_NAME
        if project.is_file() and (table := _tool_table(project)) is not None:
            return _parse(Document(table, project, "tool.envkit"))
    return ProjectSettings()


def read(path: Path) -> ProjectSettings:
    """Read the settings in a file. Raises `InvalidFile` when it is missing or malformed."""
    if path.name == PROJECT_FILE_NAME:
        return _parse(Document(_tool_table(path) or {}, path, "tool.envkit"))
    return _parse(Document(_load_toml(path), path))


def _tool_table(path: Path) -> Mapping[str, Any] | None:
    """The table `[tool.envkit]` of a `pyproject.toml`; None without one."""
    tool = Document(_load_toml(path), path).optional_mapping("tool")
    envkit = tool.optional_mapping("envkit") if tool else None
    return envkit.content if envkit else None


def _load_toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidFile(path, "", f"is not valid TOML: {error}") from error


def _parse(document: Document) -> ProjectSettings:
    path = document.path
    for key in sorted(document.content):
        if key not in KEYS:
            hint = f"The settings are {', '.join(KEYS)}."
            raise InvalidFile(path, document.key(key), "is not a setting", hint)
    baseline = document.optional_text("baseline")
    return ProjectSettings(
        profile=_profile(document),
        select=document.texts("select"),
        ignore=document.texts("ignore"),
        severities=_severities(document),
        fail_on=_severity(document, "fail-on"),
        once=document.texts("once") if "once" in document.content else None,
        baseline=None if baseline is None else path.resolve().parent / baseline,
        jobs=_jobs(document),
        scanners=document.texts("scan"),
        targets=document.texts("target"),
        rtol=_tolerance(document, "rtol"),
        atol=_tolerance(document, "atol"),
    )


def _profile(document: Document) -> str | None:
    """The name, or the path, which is relative to the file."""
    name = document.optional_text("profile")
    if name is None or (Path(name).name == name and not name.endswith(".toml")):
        return name
    return str(document.path.resolve().parent / name)


def _severities(document: Document) -> dict[str, Severity]:
    table = document.optional_mapping("severity")
    severities = {}
    if table is not None:
        for name in table.content:
            severity = _severity(table, name)
            if severity is not None:
                severities[name] = severity
    return severities


def _severity(document: Document, key: str) -> Severity | None:
    word = document.optional_text(key)
    if word is None:
        return None
    try:
        return Severity(word)
    except ValueError:
        problem = f"expected {', '.join(Severity)}, found '{word}'"
        raise InvalidFile(document.path, document.key(key), problem) from None


def _jobs(document: Document) -> int | None:
    jobs = document.content.get("jobs")
    if jobs is None:
        return None
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 0:
        raise InvalidFile(document.path, document.key("jobs"), "expected a whole number from 0")
    return jobs


def _tolerance(document: Document, key: str) -> float | None:
    number = document.content.get(key)
    if number is None:
        return None
    # True is an int
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not 0 <= number < float("inf"):
        raise InvalidFile(document.path, document.key(key), "expected a number from 0")
    return float(number)
