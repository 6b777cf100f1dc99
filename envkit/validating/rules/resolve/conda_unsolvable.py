"""Rule `conda-unsolvable`: the conda packages of `conda.yaml` can be had for each target.

Solved by py-rattler (extra `conda`) with the channels of the file and the configuration of this
machine.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV307"
NAME = "conda-unsolvable"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report what the solver said; a note where there is no solver."""
    for each in facts.resolutions:
        if each.conda:
            yield Finding(
                rule=CODE,
                severity=SEVERITY,
                file=facts.conda_name,
                field="dependencies",
                problem=f"for {each.place.label}: {each.conda.rstrip('.')}",
                remedy="change the conda packages or the channels, or take another target",
            )
    if any(each.conda_unasked for each in facts.resolutions):
        problem = "whether conda's packages can be had was not asked: py-rattler is not installed"
        remedy = "install it with `pip install 'envkit[conda]'`"
        yield Finding(
            rule=CODE, severity=Severity.NOTE, file=facts.conda_name, problem=problem, remedy=remedy
        )
