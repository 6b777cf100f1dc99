"""Rule `insecure-transport`: packages come over an encrypted connection, from hosts whose certificates are checked."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.formats.credentials import without_credentials
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV125"
NAME = "insecure-transport"
SEVERITY = Severity.WARNING
_PLAIN = re.compile(
    r"(?:^|\+)(?:http|git|ftp|svn)://(?:[^/@]*@)?(?!localhost\b|127\.|\[::1\])", re.IGNORECASE
)
REMEDY = "use `https://` and drop `--trusted-host`; give a private authority's certificate to the installer instead"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each plain URL, and each host that is trusted blindly."""
    for line in facts.lines:
        if line.url is not None and _PLAIN.search(line.url):
            problem = f"`{line.shown}` is fetched unencrypted"
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=problem,
                remedy=REMEDY,
            )
    for file, option in {
        (file, option) for each in facts.all_requirements for file, option in each.options
    }:
        if option.name == "--trusted-host" or _PLAIN.search(option.value or ""):
            problem = f"`{without_credentials(str(option))}` lets anyone on the way change what is installed"
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=file,
                line=option.line,
                problem=problem,
                remedy=REMEDY,
            )
