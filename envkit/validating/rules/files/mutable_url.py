"""Rule `mutable-url`: what a direct URL leads to cannot change: it names a commit, or comes with a hash.

A branch moves, a tag can be moved, and a file on a server can be replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV124"
NAME = "mutable-url"
SEVERITY = Severity.ERROR
_COMMIT = re.compile(r"@([0-9a-f]{40}|[0-9a-f]{64})$")
_HASH = re.compile(r"[#&](sha256|sha384|sha512)=[0-9a-f]{64,}")


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each URL whose content can change."""
    for line in facts.lines:
        url = line.url
        if url is None or "file:" in url:
            continue
        bare, _, fragment = url.partition("#")
        if re.match(r"(git|hg|svn|bzr)\+", bare):
            known, remedy = _COMMIT.search(bare), "name the commit: `…@<40 hexadecimal digits>`"
        else:
            known, remedy = (
                _HASH.search(f"#{fragment}"),
                "add its hash: `…#sha256=<64 hexadecimal digits>`",
            )
        if not known and not line.requirement.hashes:
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=f"`{line.shown}` can lead to something else tomorrow",
                remedy=remedy,
            )
