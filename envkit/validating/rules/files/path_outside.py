"""Rule `path-outside`: nothing of the model lies outside its directory.

A field of `MLmodel` or a symbolic link that leads out names a file that other machines do not have,
or a file of theirs that does not belong to the model.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from envkit.formats import mlmodel
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule


@rule("ENV110", "path-outside", Severity.ERROR)
def check(facts: ModelFacts) -> Faults:
    """Report each field and each link that leads out."""
    for field, value in facts.named_paths:
        if facts.leads_out(value):
            yield Fault(
                problem=f"'{value}' leads out of the model directory",
                remedy="copy the file into the model, and name it relative to the model",
                location=Location(mlmodel.FILE_NAME, field=field),
            )
    if facts.bare is not None:
        return
    for name in _links(facts.path):
        if facts.leads_out(name):
            yield Fault(
                problem="is a symbolic link that leads out of the model directory",
                remedy="replace it with the file itself",
                location=Location(name),
            )


def _links(model: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(model):
        for name in sorted((*folders, *names)):
            path = Path(folder, name)
            if path.is_symlink():
                yield path.relative_to(model).as_posix()
