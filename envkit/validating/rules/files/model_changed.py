"""Rule `model-changed`: the model's files are those that were captured.

The evidence holds the size and SHA-256 of each; of `MLmodel`, that of what it says. What was proven
by the capture holds for these files only.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import mlmodel
from envkit.models import digests
from envkit.models.digests import Digest
from envkit.validating.files.facts import ModelFacts, of_content
from envkit.validating.finding import Finding, Severity

CODE = "ENV108"
NAME = "model-changed"
SEVERITY = Severity.ERROR
REMEDY = "capture the model again, or restore the file"


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each file that is not as it was when the model was captured."""
    if facts.evidence is None:
        return
    recorded = facts.evidence.files
    if recorded is None:
        yield from _example(facts)
        return
    for name, digest in recorded.items():
        if problem := _problem(facts, name, digest):
            yield Finding(rule=CODE, severity=SEVERITY, file=name, problem=problem, remedy=REMEDY)
    here = digests.file_names(facts.directory) if facts.directory else ()
    for name in (*here, *facts.elsewhere):
        if name not in recorded:
            problem = "is not one of the files that were captured"
            yield Finding(
                rule=CODE, severity=Severity.NOTE, file=name, problem=problem, remedy=REMEDY
            )


def _problem(facts: ModelFacts, name: str, recorded: Digest) -> str:
    if name == mlmodel.FILE_NAME:
        if facts.bare is not None:
            return "was there when the model was captured, and is gone"
        changed = (
            facts.mlmodel is not None and digests.of_mlmodel(facts.mlmodel.content) != recorded
        )
        if changed:
            return "says something else than when the model was captured"
        return ""
    if name in facts.elsewhere:
        if facts.elsewhere[name] in (None, recorded.size):
            return ""
        return "is not what it was when the model was captured"
    if not facts.has(name):
        return "was there when the model was captured, and is gone"
    path = facts.path / name
    if path.stat().st_size != recorded.size or digests.of_file(path) != recorded:
        return "is not what it was when the model was captured"
    return ""


def _example(facts: ModelFacts) -> Iterator[Finding]:
    """What a capture that recorded no digests has: that of the example."""
    prediction = of_content(facts.evidence.content.get("prediction") if facts.evidence else None)
    name, digest = str(prediction.get("input", "")), prediction.get("input_sha256")
    if name and digest and facts.has(name) and digests.of_file(facts.path / name).sha256 != digest:
        problem = "is not the example that was predicted when the model was captured"
        yield Finding(rule=CODE, severity=SEVERITY, file=name, problem=problem, remedy=REMEDY)
