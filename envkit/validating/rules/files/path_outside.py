"""Rule `path-outside`: nothing of the model lies outside its directory.

A field of `MLmodel` or a symbolic link that leads out names something that is not there on another
machine, or something of that machine that is none of the model's business.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from envkit.formats import mlmodel
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV110"
NAME = "path-outside"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each field and each link that leads out."""
    for field, value in facts.named_paths:
        if facts.leads_out(value):
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=mlmodel.FILE_NAME,
                field=field,
                problem=f"'{value}' leads out of the model directory",
                remedy="copy what it names into the model, and name it relative to the model",
            )
    for name in _links(facts.path) if facts.bare is None else ():
        if facts.leads_out(name):
            problem = "is a symbolic link that leads out of the model directory"
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=name,
                problem=problem,
                remedy="put the file itself there",
            )


def _links(model: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(model):
        for name in sorted((*folders, *names)):
            path = Path(folder, name)
            if path.is_symlink():
                yield path.relative_to(model).as_posix()
