"""Rule `unhashed`: the files to install are pinned by hashes.

Without hashes, an index may serve other files under the same version. A `pylock.toml` holds them,
or `--hash` in `requirements.txt`; if some lines have hashes, pip requires them on all.
"""

import os

from envkit.formats import pylock_toml
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

REMEDY = "add a lock with hashes: `envkit fix --lock --yes MODEL`"
VCS = ("git+", "hg+", "svn+", "bzr+")


@rule("ENV121", "unhashed", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report requirements without hashes; one finding for the whole file if none has any."""
    lines = [line for line in facts.requirements.lines if not line.constraint]
    unhashed = [line for line in lines if not _is_hashed(line)]
    if not unhashed:
        return
    if has_some_hashes(facts):
        for line in unhashed:
            yield Fault(
                problem=f"`{line.shown}` has no hash and others have: pip then refuses all",
                remedy=REMEDY,
                location=line.location,
                severity=Severity.ERROR,
            )
    elif not os.path.lexists(facts.path / pylock_toml.FILE_NAME):
        count = f"{len(unhashed)} of {len(lines)} requirements"
        yield Fault(
            problem=f"there is no {pylock_toml.FILE_NAME}, and {count} have no hash",
            remedy=REMEDY,
            location=Location(unhashed[0].file),
        )


def has_some_hashes(facts: ModelFacts) -> bool:
    """Whether some requirements have hashes and others have none, which pip refuses."""
    lines = [line for line in facts.requirements.lines if not line.constraint]
    has_hashes = any(line.requirement.hashes for line in lines)
    return has_hashes and not all(_is_hashed(line) for line in lines)


def _is_hashed(line: Line) -> bool:
    """Whether it has a hash, or its URL has one or a commit."""
    if line.requirement.hashes:
        return True
    return line.url is not None and ("sha256=" in line.url or line.url.startswith(VCS))
