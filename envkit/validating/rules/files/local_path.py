"""Rule `local-path`: nothing is installed from this machine, except wheels inside the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from envkit.formats import pylock_toml
from envkit.formats.requirement_lines import is_url
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Finding, Severity

CODE = "ENV123"
NAME = "local-path"
SEVERITY = Severity.ERROR
REMEDY = "put a wheel of it into the model's `wheels/` and require `./wheels/<file>`; `envkit capture` does"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each path that leads out of the model, or to what is not there or is no wheel."""
    for line in facts.lines:
        if problem := _problem(line, facts):
            if line.requirement.editable:
                shown = f"-e {line.shown}"
            else:
                shown = line.shown
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=f"`{shown}` {problem}",
                remedy=REMEDY,
            )
    for file, option in {
        (file, option) for each in facts.all_requirements for file, option in each.options
    }:
        value = option.value or ""
        if option.name == "--find-links" and (
            value.startswith("file:") or (not is_url(value) and facts.leads_out(value))
        ):
            problem = f"`{option.name}` names a folder of this machine"
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=file,
                line=option.line,
                problem=problem,
                remedy=REMEDY,
            )
    for package in facts.lock.packages if facts.lock else ():
        yield from _locked(package, facts)


def _problem(line: Line, facts: ModelFacts) -> str:
    url = line.url or ""
    if url.partition("+")[2].startswith("file:") or url.startswith("file:"):
        return "is a file of this machine"
    path = line.requirement.path
    if path is None:
        return ""
    if line.requirement.editable:
        return "is installed in development mode, from a folder"
    if Path(path).is_absolute() or path.startswith("~") or facts.leads_out(path):
        return "lies outside the model"
    if not (facts.path / path).is_file():
        if not (facts.path / path).exists():
            return "is not there"
        return "is a folder, which must be built first"
    return ""


def _locked(package: Mapping[str, Any], facts: ModelFacts) -> Iterator[Finding]:
    files = [
        *package.get("wheels", ()),
        *(package[key] for key in ("sdist", "archive", "directory") if key in package),
    ]
    for file in files:
        path, url = str(file.get("path", "")), str(file.get("url", ""))
        if url.startswith("file:") or (
            path and (facts.leads_out(path) or not (facts.path / path).exists())
        ):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=pylock_toml.FILE_NAME,
                field=f"packages.{package['name']}",
                problem=f"`{path or url}` is not a file of the model",
                remedy=REMEDY,
            )
