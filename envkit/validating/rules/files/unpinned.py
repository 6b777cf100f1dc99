"""Rule `unpinned`: every requirement admits one version only.

A requirement that admits several installs something else tomorrow. A constraint that pins it is as
good.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.edits import Edit, requirement_changed, versions
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Finding, Severity

CODE = "ENV120"
NAME = "unpinned"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each requirement that could install something else tomorrow."""
    lines = facts.requirements.lines
    pinned = {line.name for line in lines if line.constraint and _admits_one(line)}
    for line in lines:
        if filled := [name for name in line.requirement.placeholders if line.url is None]:
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=f"`{line.shown}` is whatever the environment variable {filled[0]} says where it is installed",
                remedy="write the package and its version out",
            )
        elif line.name is not None and not _admits_one(line) and line.name not in pinned:
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=f"`{line.shown}` admits more than one version",
                remedy=f"pin it: `{line.name}==<version>`",
            )
    yield from _conda(facts)


def _admits_one(line: Line) -> bool:
    return (
        line.version is not None
        or line.url is not None
        or line.requirement.path is not None
        or line.parsed is None
    )


def _conda(facts: ModelFacts) -> Iterator[Finding]:
    for spec in facts.conda.packages if facts.conda else ():
        if not _is_exact(spec):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=facts.conda_name,
                line=facts.line_of(facts.conda_name, spec),
                problem=f"the conda package `{spec}` admits more than one version",
                remedy="pin it: `name=<version>`, with the whole version",
            )


def _is_exact(spec: str) -> bool:
    """conda's `=1.26.4` admits 1.26.4.1 too, which nobody releases: three parts are taken for exact."""
    name, separator, version = spec.partition("=")
    if (
        not separator
        or name.rstrip().endswith(("<", ">", "!", "~"))
        or any(mark in version for mark in "*|,<>")
    ):
        return False
    return version.startswith("=") or version.partition("=")[0].count(".") > 1 or "=" in version


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Pin to the version that the model itself tells, where the requirement admits it."""
    known = versions(facts)
    for line in facts.lines:
        version = known.get(line.name or "")
        if line.parsed is None or version is None or _admits_one(line) or line.constraint:
            continue
        if line.specifier.contains(version, prereleases=True):
            if line.parsed.extras:
                extras = f"[{','.join(sorted(line.parsed.extras))}]"
            else:
                extras = ""
            marker = f" ; {line.marker}" if line.marker else ""
            yield from requirement_changed(
                facts, line, f"{line.parsed.name}{extras}=={version}{marker}"
            )
