"""Rule `python-disagrees`: all files name the same Python."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion

from envkit.formats import pylock_toml
from envkit.validating.files.edits import Edit, python_named
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV104"
NAME = "python-disagrees"
SEVERITY = Severity.ERROR
REMEDY = "name the Python that the model was made with in all files; `envkit capture` does"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each file whose Python is another than that of the file before which it is read."""
    if not facts.pythons:
        return
    first, _, wanted = facts.pythons[0]
    for file, field, version in facts.pythons[1:]:
        if not _fit(version, wanted):
            problem = f"{first} says Python {wanted}, {file} says {version}"
            yield Finding(
                rule=CODE, severity=SEVERITY, file=file, field=field, problem=problem, remedy=REMEDY
            )
    yield from _lock(facts, wanted)


def _fit(one: str, other: str) -> bool:
    """Whether two versions can be the same, one being less exact than the other."""
    return all(left == right for left, right in zip(one.split("."), other.split("."), strict=False))


def _lock(facts: ModelFacts, wanted: str) -> Iterator[Finding]:
    if facts.lock is not None:
        admitted = facts.lock.requires_python
    else:
        admitted = None
    if admitted is None:
        return
    try:
        fits = SpecifierSet(admitted).contains(wanted, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return
    if not fits:
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=pylock_toml.FILE_NAME,
            field="requires-python",
            problem=f"the lock is for Python {admitted}, the model wants {wanted}",
            remedy="lock again with `envkit lock`",
        )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Name the Python that the capture saw; without one, that of the file that is read first."""
    if facts.pythons:
        yield from python_named(
            facts, facts.evidence.python if facts.evidence else facts.pythons[0][2]
        )
