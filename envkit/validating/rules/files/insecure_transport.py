"""Rule `insecure-transport`: packages come over connections that nobody can change."""

import re

from envkit.formats.credentials import without_credentials
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Severity
from envkit.validating.rule import rule

REMEDY = (
    "use `https://` and drop `--trusted-host`; for a private authority, give its certificate to "
    "the installer"
)
_UNENCRYPTED = re.compile(
    r"(?:^|\+)(?:http|git|ftp|svn)://(?:[^/@]*@)?(?!localhost\b|127\.|\[::1\])", re.IGNORECASE
)


@rule("ENV125", "insecure-transport", Severity.WARNING)
def check(facts: ModelFacts) -> Faults:
    """Report each unencrypted URL, and each host whose certificate is not checked."""
    for line in facts.lines:
        if line.url is not None and _UNENCRYPTED.search(line.url):
            yield Fault(
                problem=f"`{line.shown}` is downloaded unencrypted",
                remedy=REMEDY,
                location=line.location,
            )
    for location, option in facts.installer_options:
        if option.name == "--trusted-host" or _UNENCRYPTED.search(option.value or ""):
            shown = without_credentials(str(option))
            yield Fault(
                problem=f"`{shown}` lets anyone on the network change what is installed",
                remedy=REMEDY,
                location=location,
            )
