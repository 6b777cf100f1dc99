"""Rule `hash-differs`: the files that the indexes offer are those that were locked.

An installer refuses a file with another hash. It means that the index has another file under the
same name: it was replaced, comes from another index, or was put there by somebody.
"""

from collections.abc import Mapping
from typing import TypeAlias

from envkit.formats import pylock_toml
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.resolve import Resolved, files_of

REMEDY = "find out which file is right before you lock again (`envkit lock`)"
Hashes: TypeAlias = dict[str, str]
"""SHA-256 by name of a file."""


@rule("ENV304", "hash-differs", Severity.ERROR)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report each file of the lock, and each `--hash`, that no index offers."""
    offered = _offered(resolved)
    for package in facts.locked_packages:
        actual_hashes = offered.get(f"{package.name}=={package.version}", {})
        for file, expected in files_of(package).items():
            actual = actual_hashes.get(file, "")
            if actual and expected and actual != expected:
                yield _changed_file(file, expected, actual, facts)
    for line in facts.requirements.lines:
        actual_hashes = offered.get(f"{line.name}=={line.version}", {})
        expected_hashes = _sha256_hashes(line)
        if not actual_hashes or not expected_hashes:
            continue
        if expected_hashes.isdisjoint(actual_hashes.values()):
            pin = f"{line.name} {line.version}"
            yield Fault(
                problem=f"no file of {pin} on the index has a hash of its line",
                remedy=REMEDY,
                location=line.location,
            )


def _changed_file(file: str, expected: str, actual: str, facts: ModelFacts) -> Fault:
    lock = pylock_toml.FILE_NAME
    return Fault(
        problem=f"{file} is locked with sha256 {expected[:16]}…, the index has {actual[:16]}…",
        remedy=REMEDY,
        location=Location(lock, facts.line_of(lock, file)),
    )


def _offered(resolved: Resolved) -> Mapping[str, Hashes]:
    """The files that the indexes offer, by `name==version` of the package."""
    offered: dict[str, Hashes] = {}
    for resolution in resolved.resolutions:
        for package in resolution.packages:
            pin = f"{package.name}=={package.version}"
            offered.setdefault(pin, {}).update(files_of(package))
    return offered


def _sha256_hashes(line: Line) -> set[str]:
    hashes = set()
    for text in line.requirement.hashes:
        algorithm, _, digest = text.partition(":")
        if algorithm == "sha256":
            hashes.add(digest)
    return hashes
