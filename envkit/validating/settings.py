"""Settings of a project: `[tool.envkit]` of `pyproject.toml`, or the same keys at the top of `envkit.toml`.

The nearest file upward from the working directory counts; `envkit.toml` comes first where both lie
in one folder. Models have no say: folders that hold an `MLmodel` are passed over, so that a model
cannot turn off what checks it.
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
    "select",
    "ignore",
    "severity",
    "fail-on",
    "baseline",
    "jobs",
    "scan",
    "target",
    "rtol",
    "atol",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a project says of validation; None or empty where it says nothing. baseline: absolute."""

    file: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    fail_on: Severity | None = None
    baseline: Path | None = None
    jobs: int | None = None
    scan: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    rtol: float | None = None
    atol: float | None = None


def find(start: Path) -> Settings:
    """Read the nearest settings upward from a folder. Raises `InvalidFile` for malformed ones."""
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / mlmodel.FILE_NAME).exists():
            continue
        if (folder / FILE_NAME).is_file():
            return read(folder / FILE_NAME)
        project = folder / PROJECT_FILE_NAME
        if project.is_file() and (content := _table(project)) is not None:
            return _settings(content, project)
    return Settings()


def read(path: Path) -> Settings:
    """Read the settings in a file. Raises `InvalidFile` when it is missing or malformed."""
    if path.name == PROJECT_FILE_NAME:
        content = _table(path)
    else:
        content = _toml(path)
    return _settings(content or {}, path)


def severity(value: str, document: Document, key: str) -> Severity:
    """Read a severity. Raises `InvalidFile`."""
    try:
        return Severity(value)
    except ValueError:
        allowed = ", ".join(Severity)
        raise InvalidFile(
            document.path, document.key(key), f"'{value}' is none of {allowed}"
        ) from None


def _table(path: Path) -> Mapping[str, Any] | None:
    """The table of envkit in a project's file; None where there is none."""
    tool = Document(_toml(path), path).optional_mapping("tool")
    if tool is not None:
        found = tool.optional_mapping("envkit")
    else:
        found = None
    if found is None:
        return None
    return found.content


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(read_text(path).replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidFile(path, "", f"is not valid TOML: {error}") from error


def _settings(content: Mapping[str, Any], path: Path) -> Settings:
    document = Document(content, path, "tool.envkit" if path.name == PROJECT_FILE_NAME else "")
    if unknown := sorted(set(content) - set(KEYS)):
        raise InvalidFile(
            path, document.key(unknown[0]), "is not a setting", f"There are {', '.join(KEYS)}."
        )
    severities = document.optional_mapping("severity")
    fail_on, baseline = document.optional_text("fail-on"), document.optional_text("baseline")
    jobs = content.get("jobs")
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 0):
        raise InvalidFile(path, document.key("jobs"), "expected a whole number from 0")
    return Settings(
        file=path,
        select=document.texts("select"),
        ignore=document.texts("ignore"),
        severity={
            name: severity(severities.text(name), severities, name) for name in severities.content
        }
        if severities
        else {},
        fail_on=None if fail_on is None else severity(fail_on, document, "fail-on"),
        baseline=None if baseline is None else path.resolve().parent / baseline,
        jobs=jobs,
        scan=document.texts("scan"),
        target=document.texts("target"),
        rtol=_tolerance(document, "rtol"),
        atol=_tolerance(document, "atol"),
    )


def _tolerance(document: Document, key: str) -> float | None:
    found = document.content.get(key)
    if found is None:
        return None
    if (
        isinstance(found, bool)
        or not isinstance(found, int | float)
        or not 0 <= found < float("inf")
    ):
        raise InvalidFile(document.path, document.key(key), "expected a number from 0")
    return float(found)
