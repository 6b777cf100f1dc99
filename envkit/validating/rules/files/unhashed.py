"""Rule `unhashed`: the files to install are known by their hashes.

Without hashes an index may give other files under the same version. A `pylock.toml` holds them, or
`--hash` in `requirements.txt`; where some lines have hashes, pip wants them on all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from envkit.formats import pylock_toml
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.requirement_files import Line
from envkit.validating.finding import Finding, Severity

CODE = "ENV121"
NAME = "unhashed"
SEVERITY = Severity.WARNING
REMEDY = "`envkit lock --generate-hashes` writes them"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report requirements without hashes, once for the whole file where none has any."""
    lines = [each for each in facts.requirements.lines if not each.constraint]
    without = [each for each in lines if not each.requirement.hashes and not _is_known(each)]
    if without and any(each.requirement.hashes for each in lines):
        for line in without:
            problem = f"`{line.shown}` has no hash and others have: pip then refuses all"
            yield Finding(
                rule=CODE,
                severity=Severity.ERROR,
                file=line.file,
                line=line.line,
                problem=problem,
                remedy=REMEDY,
            )
    elif without and not os.path.lexists(facts.path / pylock_toml.FILE_NAME):
        problem = f"there is no {pylock_toml.FILE_NAME}, and {len(without)} of {len(lines)} requirements have no hash"
        yield Finding(
            rule=CODE, severity=SEVERITY, file=without[0].file, problem=problem, remedy=REMEDY
        )


def _is_known(line: Line) -> bool:
    """Whether its URL holds the hash, or it is a commit."""
    return line.url is not None and (
        "sha256=" in line.url or line.url.startswith(("git+", "hg+", "svn+", "bzr+"))
    )
