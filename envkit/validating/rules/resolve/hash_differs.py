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
Offered: TypeAlias = Mapping[tuple[str, str], Mapping[str, str]]


@rule("ENV304", "hash-differs", Severity.ERROR)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report each file of the lock, and each `--hash`, that no index offers."""
    offered = _offered(resolved)
    for package in facts.locked_packages:
        key = (package.name, str(package.version))
        hashes = offered.get(key, {})
        for file, expected in files_of(package).items():
            actual = hashes.get(file, "")
            if actual and expected and actual != expected:
                yield Fault(
                    problem=(
                        f"{file} is locked with sha256 {expected[:16]}…, the index has "
                        f"{actual[:16]}…"
                    ),
                    remedy=REMEDY,
                    location=Location(
                        pylock_toml.FILE_NAME, facts.line_of(pylock_toml.FILE_NAME, file)
                    ),
                )
    for line in facts.requirements.lines:
        files = offered.get((line.name or "", line.version or ""), {})
        expected_hashes = _sha256_hashes(line)
        if files and expected_hashes and expected_hashes.isdisjoint(files.values()):
            yield Fault(
                problem=(
                    f"no file of {line.name} {line.version} on the index has a hash of its line"
                ),
                remedy=REMEDY,
                location=line.location,
            )


def _offered(resolved: Resolved) -> Offered:
    """The SHA-256 of each file that the indexes offer, by name and version of the package."""
    offered: dict[tuple[str, str], dict[str, str]] = {}
    for resolution in resolved.resolutions:
        for package in resolution.packages:
            key = (package.name, str(package.version))
            offered.setdefault(key, {}).update(files_of(package))
    return offered


def _sha256_hashes(line: Line) -> set[str]:
    pairs = [digest.partition(":") for digest in line.requirement.hashes]
    return {value for algorithm, _, value in pairs if algorithm == "sha256"}
