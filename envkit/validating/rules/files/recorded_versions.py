"""Rule `recorded-version-differs`: what is required is what the model was saved with.

`MLmodel` records the versions of the libraries that wrote the artifacts; others may not read them,
or read them wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envkit.formats import mlmodel
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV105"
NAME = "recorded-version-differs"
SEVERITY = Severity.WARNING


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each requirement or constraint that pins another version than `MLmodel` records."""
    recorded: dict[str, str] = {
        canonicalize_name(name): version for name, version in facts.recorded_versions.items()
    }
    for line in facts.requirements.lines:
        version = recorded.get(line.name or "")
        if version is not None and line.version is not None and not _same(version, line.version):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=f"`{line.shown}`, but {mlmodel.FILE_NAME} was saved with {line.name} {version}",
                remedy=f"require `{line.name}=={version}`, or save the model again with the other version",
            )


def _same(one: str, other: str) -> bool:
    try:
        return Version(one).public == Version(other).public
    except InvalidVersion:
        return one == other
