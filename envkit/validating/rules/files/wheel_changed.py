"""Rule `wheel-changed`: the wheels in the model are those that were locked and captured."""

from collections.abc import Iterator

from envkit.formats import envkit_json, pylock, pylock_toml
from envkit.models import digests
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule


@rule("ENV128", "wheel-changed", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each wheel whose SHA-256 differs from a recorded one."""
    actual: dict[str, str] = {}
    for record, path, expected in dict.fromkeys(_recorded(facts)):
        name = path.removeprefix("./")
        if not facts.has(name):
            continue
        if name not in actual:
            actual[name] = digests.of_file(facts.path / name).sha256
        if actual[name] != expected.lower():
            yield Fault(
                problem=f"its SHA-256 is not the one in {record}",
                remedy="restore the file, or capture the model again",
                location=Location(name),
            )


def _recorded(facts: ModelFacts) -> Iterator[tuple[str, str, str]]:
    """Yield the file that records a wheel, the path of the wheel, and its SHA-256."""
    for package in facts.locked_packages:
        for file in pylock.files_of(package):
            digest = file.hashes.get("sha256")
            if digest and file.path is not None:
                yield pylock_toml.FILE_NAME, file.path, digest
    for distribution in facts.captured_distributions:
        wheel = distribution.wheel
        if wheel:
            yield envkit_json.FILE_NAME, str(wheel["path"]), str(wheel["sha256"])
