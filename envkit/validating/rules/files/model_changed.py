"""Rule `model-changed`: the model's files are those that were captured.

The evidence holds the size and SHA-256 of each file; for `MLmodel`, those of its content. The
capture proves something about these files only.
"""

from envkit.formats import mlmodel
from envkit.models import digests
from envkit.models.digests import Digest
from envkit.validating.files.evidence import Evidence
from envkit.validating.files.facts import ModelFacts, as_object
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule

REMEDY = "capture the model again, or restore the file"
CHANGED = "was changed after the capture"
GONE = "was removed after the capture"


@rule("ENV108", "model-changed", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each file that was changed, removed or added after the capture."""
    if facts.evidence is None:
        return
    recorded = facts.evidence.files
    if recorded is None:
        yield from _example(facts, facts.evidence)
        return
    for name, digest in recorded.items():
        if problem := _problem(facts, name, digest):
            yield Fault(
                problem=problem,
                remedy=REMEDY,
                location=Location(name),
            )
    present = list(digests.file_names(facts.directory)) if facts.directory else []
    for name in (*present, *facts.not_fetched):
        if name not in recorded:
            yield Fault(
                problem="was added after the capture",
                remedy=REMEDY,
                location=Location(name),
                severity=Severity.NOTE,
            )


def _problem(facts: ModelFacts, name: str, recorded: Digest) -> str:
    if name == mlmodel.FILE_NAME:
        return _mlmodel_problem(facts, recorded)
    if name in facts.not_fetched:
        return "" if facts.not_fetched[name] in (None, recorded.size) else CHANGED
    if not facts.has(name):
        return GONE
    path = facts.path / name
    # the size is cheaper than the hash
    if path.stat().st_size != recorded.size or digests.of_file(path) != recorded:
        return CHANGED
    return ""


def _mlmodel_problem(facts: ModelFacts, recorded: Digest) -> str:
    if facts.bare is not None:
        return GONE
    if facts.mlmodel is None or digests.of_mlmodel(facts.mlmodel.content) == recorded:
        return ""
    return CHANGED


def _example(facts: ModelFacts, evidence: Evidence) -> Faults:
    """An earlier envkit recorded the digest of the example only."""
    prediction = as_object(evidence.content.get("prediction"))
    name, digest = str(prediction.get("input", "")), prediction.get("input_sha256")
    if not name or not digest or not facts.has(name):
        return
    if digests.of_file(facts.path / name).sha256 != digest:
        yield Fault(
            problem="is not the example of the capture",
            remedy=REMEDY,
            location=Location(name),
        )
