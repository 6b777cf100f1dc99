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
    names = set(facts.not_fetched)
    if facts.directory is not None:
        names.update(digests.file_names(facts.directory))
    for name in sorted(names):
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
        # a server may not say the size
        size = facts.not_fetched[name]
        return CHANGED if size is not None and size != recorded.size else ""
    if not facts.has(name):
        return GONE
    path = facts.path / name
    # the size is cheaper than the hash
    if path.stat().st_size != recorded.size:
        return CHANGED
    return CHANGED if digests.of_file(path) != recorded else ""


def _mlmodel_problem(facts: ModelFacts, recorded: Digest) -> str:
    if facts.bare is not None:
        return GONE
    if facts.mlmodel is None or digests.of_mlmodel(facts.mlmodel.content) == recorded:
        return ""
    return CHANGED


def _example(facts: ModelFacts, evidence: Evidence) -> Faults:
    """An earlier envkit recorded the digest of the example only."""
    prediction = as_object(evidence.content.get("prediction"))
    name = str(prediction.get("input", ""))
    recorded = prediction.get("input_sha256")
    if not name or not recorded or not facts.has(name):
        return
    actual = digests.of_file(facts.path / name)
    if actual.sha256 != recorded:
        yield Fault(
            problem="is not the example of the capture",
            remedy=REMEDY,
            location=Location(name),
        )
