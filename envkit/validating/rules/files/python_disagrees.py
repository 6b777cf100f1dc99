"""Rule `python-disagrees`: all files name the same Python."""

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion

from envkit.formats import pylock_toml
from envkit.validating.files.edits import Edits, with_python
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule


@rule("ENV104", "python-disagrees", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each file whose Python differs from that of the file that is read first."""
    if not facts.pythons:
        return
    first, expected = facts.pythons[0]
    for location, version in facts.pythons[1:]:
        if not _same(version, expected):
            yield Fault(
                problem=(
                    f"{first.file} names Python {expected}, but {location.file} names {version}"
                ),
                remedy=(
                    "name the Python that the model was made with in all files; `envkit capture` "
                    "does"
                ),
                location=location,
            )
    locked = facts.lock.requires_python if facts.lock else None
    if locked and not _admits(locked, expected):
        yield Fault(
            problem=f"the lock is for Python {locked}, but the model needs {expected}",
            remedy="lock again with `envkit lock`",
            location=Location(pylock_toml.FILE_NAME, field="requires-python"),
        )


def fix(facts: ModelFacts) -> Edits:
    """Name the Python of the capture; without one, that of the file that is read first."""
    if facts.evidence is not None:
        yield from with_python(facts, facts.evidence.python)
    elif facts.python is not None:
        yield from with_python(facts, facts.python)


def _same(one: str, other: str) -> bool:
    """Whether two versions can be the same, one being less exact than the other."""
    return all(left == right for left, right in zip(one.split("."), other.split("."), strict=False))


def _admits(specifier: SpecifierSet, python: str) -> bool:
    try:
        return specifier.contains(python, prereleases=True)
    # another rule reports it
    except InvalidVersion:
        return True
