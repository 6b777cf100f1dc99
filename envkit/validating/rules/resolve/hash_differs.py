"""Rule `hash-differs`: the files that the indexes offer are those that were locked.

An installer refuses a file with another hash. It means that the index has another file under the
same name: it was replaced, comes from another index, or somebody put it there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from envkit.formats import pylock_toml
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity
from envkit.validating.stages.resolve import Resolution, files_of

CODE = "ENV304"
NAME = "hash-differs"
SEVERITY = Severity.ERROR
REMEDY = "find out which file is right before you lock again (`envkit lock`)"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each file of the lock, and each `--hash`, that no index offers so."""
    offered = _offered(facts.resolutions)
    yield from _of_lock(facts, offered)
    for line in facts.requirements.lines:
        files = offered.get((line.name or "", line.version or ""))
        digests = {
            each.rpartition(":")[2]
            for each in line.requirement.hashes
            if each.startswith("sha256:")
        }
        if files and digests and not digests & set(files.values()):
            problem = f"no file of {line.name} {line.version} on the index has a hash that is given for it"
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=line.file,
                line=line.line,
                problem=problem,
                remedy=REMEDY,
            )


def _offered(resolutions: tuple[Resolution, ...]) -> Mapping[tuple[str, str], Mapping[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = {}
    for each in resolutions:
        for package in each.packages:
            key = (str(package["name"]), str(package.get("version", "")))
            found.setdefault(key, {}).update(files_of(package))
    return found


def _of_lock(
    facts: ModelFacts, offered: Mapping[tuple[str, str], Mapping[str, str]]
) -> Iterator[Finding]:
    for package in facts.lock.packages if facts.lock else ():
        theirs = offered.get((str(package["name"]), str(package.get("version", ""))), {})
        for name, digest in files_of(package).items():
            if digest and theirs.get(name, digest) not in (digest, ""):
                problem = f"{name} is locked with sha256 {digest[:16]}…, the index has {theirs[name][:16]}…"
                yield Finding(
                    rule=CODE,
                    severity=SEVERITY,
                    file=pylock_toml.FILE_NAME,
                    line=facts.line_of(pylock_toml.FILE_NAME, name),
                    problem=problem,
                    remedy=REMEDY,
                )
