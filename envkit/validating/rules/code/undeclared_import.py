"""Rule `undeclared-import`: everything that code and artifacts import is declared.

What is imported is read from the model's code and artifacts; the distribution that has a module is
known from the evidence of the capture, from what is installed beside envkit, or from a table, and
else guessed by its name.
"""

from __future__ import annotations

from collections.abc import Iterator

from envkit.formats import requirements_txt
from envkit.validating.files.declared import declared
from envkit.validating.files.edits import Edit, added, versions
from envkit.validating.files.facts import ModelFacts
from envkit.validating.files.imports import Used
from envkit.validating.finding import Finding, Severity

CODE = "ENV201"
NAME = "undeclared-import"
SEVERITY = Severity.ERROR


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each module once, where it is first imported; a guess is a warning."""
    names = declared(facts)
    told: set[str] = set()
    if facts.imports.survey:
        unreached = facts.imports.survey.unreached
    else:
        unreached = set()
    for each in sorted(facts.imports.used, key=lambda each: each.mention.file in unreached):
        top = each.mention.module.partition(".")[0]
        if (
            each.mention.guarded
            or top in told
            or each.providers & names
            or _stands_in(each, facts, names)
        ):
            continue
        told.add(top)
        is_reached = each.mention.file not in unreached
        if is_reached:
            where = ""
        else:
            where = ", by code to which no import leads,"
        likely = " or ".join(
            sorted(each.providers, key=lambda name: (len(name), name))[: 3 if each.sure else 1]
        )
        yield Finding(
            rule=CODE,
            severity=SEVERITY if each.sure and is_reached else Severity.WARNING,
            file=each.mention.file,
            line=each.mention.line,
            problem=f"{each.mention.module} is {_verb(each)}{where} and no declared package is known to have it",
            remedy=f"require {likely}, or put the module into the model's code; `envkit capture` finds both",
        )


def _verb(each: Used) -> str:
    if each.mention.by_code:
        return "imported"
    return "needed to load the model,"


def _stands_in(each: Used, facts: ModelFacts, names: frozenset[str]) -> bool:
    """Whether it is imported only in the absence of something that is there."""
    return bool(each.mention.instead_of) and all(
        facts.imports.is_standard(name) or facts.imports.providers(name)[0] & names
        for name in each.mention.instead_of
    )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Require what is surely meant, in the version that `MLmodel` or the evidence records for it."""
    known, names = versions(facts), declared(facts)
    if facts.imports.survey:
        unreached = facts.imports.survey.unreached
    else:
        unreached = set()
    told = {each.problem.partition(" ")[0] for each in check(facts)}
    meant = {
        next(iter(each.providers))
        for each in facts.imports.used
        if each.sure
        and each.mention.file not in unreached
        and len(each.providers) == 1
        and each.mention.module in told
        and not each.providers & names
    }
    lines = [f"{name}=={known[name]}" for name in sorted(meant) if name in known]
    if lines and facts.has(requirements_txt.FILE_NAME):
        yield added(facts, requirements_txt.FILE_NAME, lines)
