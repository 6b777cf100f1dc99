"""Rule `undeclared-import`: everything that code and artifacts import is declared.

Imports are read from the model's code and artifacts. Which distribution has a module is known from
the evidence of the capture, from what is installed next to envkit, or from a table, else guessed by
its name.
"""

from collections.abc import Iterator

from envkit.formats import mlmodel, requirements_txt
from envkit.validating.files.edits import Edits, known_versions, with_more_requirements
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Fault, Faults, Location, Severity
from envkit.validating.rule import rule
from envkit.validating.stages.code import ExternalImport, ModelCode

SHOWN = 3  # distributions that have the module


@rule("ENV201", "undeclared-import", Severity.ERROR)
def check(facts: ModelFacts, code: ModelCode) -> Faults:
    """Report each module once, where it is first imported; a guess is a warning."""
    for external in _undeclared(facts, code):
        mention = external.mention
        is_reached = mention.file not in code.survey.unreached
        is_certain = external.certain and is_reached and not _is_of_example(external)
        severity = Severity.ERROR if is_certain else Severity.WARNING
        how = "is imported"
        if not mention.by_code:
            how = "is needed to load the model"
        elif not is_reached:
            how = "is imported by code to which no import leads"
        names = sorted(external.providers, key=lambda name: (len(name), name))
        shown = " or ".join(names[:SHOWN] if external.certain else names[:1])
        yield Fault(
            problem=f"{mention.module} {how}, but no declared package is known to have it",
            remedy=(
                f"require {shown}, or put the module into the model's code; `envkit capture` finds "
                "both"
            ),
            location=Location(mention.file, mention.line),
            severity=severity,
        )


def fix(facts: ModelFacts, code: ModelCode) -> Edits:
    """Require what is certain, in the version that `MLmodel` or the evidence records for it."""
    if not facts.has(requirements_txt.FILE_NAME):
        return
    versions = known_versions(facts)
    names: set[str] = set()
    for external in _undeclared(facts, code):
        is_reached = external.mention.file not in code.survey.unreached
        if external.certain and is_reached and len(external.providers) == 1:
            names |= external.providers & versions.keys()
    if names:
        lines = [f"{name}=={versions[name]}" for name in sorted(names)]
        yield with_more_requirements(facts, requirements_txt.FILE_NAME, lines)


def _undeclared(facts: ModelFacts, code: ModelCode) -> Iterator[ExternalImport]:
    """Yield the first import of each top-level module that no declared distribution has."""
    top_levels = set()
    # code that is reached counts first
    unreached = code.survey.unreached
    for external in sorted(code.external_imports, key=lambda each: each.mention.file in unreached):
        top_level = external.mention.module.partition(".")[0]
        if external.mention.guarded or top_level in top_levels:
            continue
        if external.providers & facts.expected or _has_alternative(external, facts, code):
            continue
        # the capture predicted the example without it
        if _is_of_example(external) and facts.evidence is not None:
            continue
        top_levels.add(top_level)
        yield external


def _is_of_example(external: ExternalImport) -> bool:
    """Whether an array of NumPy is the example: without NumPy, the model gets lists."""
    mention = external.mention
    return mention.file == mlmodel.FILE_NAME and mention.module == "numpy"


def _has_alternative(external: ExternalImport, facts: ModelFacts, code: ModelCode) -> bool:
    """Whether it is only imported in the absence of modules that are all available."""
    alternatives = external.mention.instead_of
    if not alternatives:
        return False
    return all(
        code.is_standard(module) or code.providers(module)[0] & facts.expected
        for module in alternatives
    )
