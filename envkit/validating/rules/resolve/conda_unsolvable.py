"""Rule `conda-unsolvable`: the conda packages of `conda.yaml` are available for each target.

Solved by py-rattler (extra `conda`) with the channels of the file and the local configuration.
"""

from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.resolve import Resolved


@rule("ENV307", "conda-unsolvable", Severity.ERROR)
def check(facts: ModelFacts, resolved: Resolved) -> Faults:
    """Report what the solver says; a note where there is no solver."""
    for resolution in resolved.resolutions:
        if resolution.conda_problem:
            yield Fault(
                problem=f"for {resolution.machine.label}: {resolution.conda_problem.rstrip('.')}",
                remedy="change the conda packages or the channels, or use another target",
                location=Location(facts.conda_name, field="dependencies"),
            )
    if any(resolution.conda_no_answer for resolution in resolved.resolutions):
        yield Fault(
            problem="the conda packages were not resolved: py-rattler is not installed",
            remedy="install it with `pip install 'envkit[conda]'`",
            location=Location(facts.conda_name),
            severity=Severity.NOTE,
        )
