"""Rule `wheel-changed`: the wheels in the model are those that were locked and captured."""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import envkit_json, pylock_toml
from envkit.models import digests
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV128"
NAME = "wheel-changed"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each wheel whose SHA-256 is another than the one recorded."""
    actual: dict[str, str] = {}
    for recorder, path, wanted in dict.fromkeys(_recorded(facts)):
        name = path.removeprefix("./")
        if facts.has(name):
            found = actual.setdefault(name, "") or digests.of_file(facts.path / name).sha256
            actual[name] = found
            if found != wanted.lower():
                problem = f"its SHA-256 is not the one in {recorder}"
                remedy = "restore the file, or capture the model again"
                yield Finding(
                    rule=CODE, severity=SEVERITY, file=name, problem=problem, remedy=remedy
                )


def _recorded(facts: ModelFacts) -> Iterator[tuple[str, str, str]]:
    for package in facts.lock.packages if facts.lock else ():
        for file in (
            *package.get("wheels", ()),
            package.get("archive", {}),
            package.get("sdist", {}),
        ):
            if file.get("path") and "sha256" in file.get("hashes", {}):
                yield pylock_toml.FILE_NAME, str(file["path"]), str(file["hashes"]["sha256"])
    for each in facts.evidence.distributions if facts.evidence else ():
        if each.wheel:
            yield envkit_json.FILE_NAME, str(each.wheel["path"]), str(each.wheel["sha256"])
