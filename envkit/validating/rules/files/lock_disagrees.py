"""Rule `lock-disagrees`: `pylock.toml` satisfies every requirement and constraint."""

from collections.abc import Sequence

from envkit.formats import pylock_toml
from envkit.formats.pylock import Package
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.markers import holds_for
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

REMEDY = "lock again with `envkit lock`"
FULL_COMMIT = 40  # hexadecimal digits


@rule("ENV107", "lock-disagrees", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each line that the lock does not satisfy, and what the lock holds beyond them."""
    if facts.lock is None:
        return
    for line in facts.requirements.lines:
        if problem := _problem(line, facts):
            yield Fault(
                problem=problem,
                remedy=REMEDY,
                location=line.location,
            )
    # a lock for other machines may hold more than the capture saw
    if facts.captured and facts.lock.environments is None:
        yield from _surplus(facts)


def _surplus(facts: ModelFacts) -> Faults:
    known = facts.captured.keys() | {line.name for line in facts.lines}
    for name, packages in sorted(facts.locked.items()):
        markers = [package.marker for package in packages if package.marker is not None]
        if name in known or markers:
            continue
        yield Fault(
            problem=(
                f"{pylock_toml.FILE_NAME} holds {name}, which no file requires and the capture did "
                "not record"
            ),
            remedy=REMEDY,
            location=Location(pylock_toml.FILE_NAME),
            severity=Severity.WARNING,
        )


def _problem(line: Line, facts: ModelFacts) -> str:
    if line.name is None or not holds_for(line.marker, facts.python):
        return ""
    packages = facts.locked.get(line.name, [])
    if not packages:
        # a constraint alone installs nothing
        if line.constraint and line.name not in facts.captured:
            return ""
        return f"`{line.shown}` is not in {pylock_toml.FILE_NAME}"
    if line.url is not None:
        return _commit_problem(line, line.url, packages)
    versions = [str(package.version) for package in packages if package.version is not None]
    admitted = list(line.specifier.filter(versions, prereleases=True))
    if admitted or not versions:
        return ""
    locked = ", ".join(versions)
    return f"`{line.shown}`, but {pylock_toml.FILE_NAME} holds {locked}"


def _commit_problem(line: Line, url: str, packages: Sequence[Package]) -> str:
    if not url.startswith(("git+", "hg+")):
        return ""
    required = url.partition("#")[0].rpartition("@")[2]
    locked = [package.vcs.commit_id for package in packages if package.vcs is not None]
    # a branch or tag cannot be compared
    if not locked or required in locked or len(required) < FULL_COMMIT:
        return ""
    return (
        f"{line.name} is required at commit {required[:12]}, "
        f"but {pylock_toml.FILE_NAME} holds {locked[0][:12]}"
    )
