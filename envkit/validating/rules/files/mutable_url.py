"""Rule `mutable-url`: the content of a direct URL cannot change: it names a commit or a hash.

A branch moves, a tag can be moved, and a file on a server can be replaced.
"""

import re

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule

_VCS = re.compile(r"(git|hg|svn|bzr)\+")
_COMMIT = re.compile(r"^[^#]*@([0-9a-f]{40}|[0-9a-f]{64})(#|$)")
_HASH = re.compile(r"#(.*&)?(sha256|sha384|sha512)=[0-9a-f]{64,}")


@rule("ENV124", "mutable-url", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each URL whose content can change."""
    for line in facts.lines:
        url = line.url
        if url is None or "file:" in url or line.requirement.hashes:
            continue
        pin, remedy = _HASH, "add its hash: `…#sha256=<64 hexadecimal digits>`"
        if _VCS.match(url):
            pin, remedy = _COMMIT, "name the commit: `…@<40 hexadecimal digits>`"
        if not pin.search(url):
            yield Fault(
                problem=f"`{line.shown}` is not pinned, so its content can change",
                remedy=remedy,
                location=line.location,
            )
