"""Rule `malformed-file`: every file that describes the model and its environment can be read as what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.formats import mlmodel
from envkit.validating.files.edits import Edit
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Finding, Severity

CODE = "ENV102"
NAME = "malformed-file"
SEVERITY = Severity.ERROR
REMEDY = "correct the file, or write it anew with `envkit capture`"

_OF_OTHERS = (", so envkit cannot run the model", "save the model with its python_function flavor")
_OF_R = (
    ": a model of R, and no file says which R and which of its packages it needs",
    "run it with `envkit predict` or `envkit serve` where R has its packages: envkit records those of Python alone",
)


def check(facts: ModelFacts) -> Iterator[Finding]:
    """Report each file that cannot be read, with the key or line that breaks its format."""
    for each in facts.broken:
        line = re.fullmatch(r"line (\d+)", each.field)
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=each.file,
            line=int(line[1]) if line else 0,
            field="" if line else each.field,
            problem=each.problem,
            remedy=each.hint.rstrip(".") or REMEDY,
        )
    if facts.mlmodel is not None and facts.mlmodel.python_function is None:
        others = ", ".join(facts.mlmodel.flavors) or "none"
        because, remedy = _OF_R if facts.mlmodel.runs_in_r else _OF_OTHERS
        yield Finding(
            rule=CODE,
            severity=SEVERITY,
            file=mlmodel.FILE_NAME,
            field="flavors.python_function",
            problem=f"is missing (flavors: {others}){because}",
            remedy=remedy,
        )


def fix(facts: ModelFacts) -> Iterator[Edit]:
    """Quote a version of Python that YAML reads as a number (`3.10` is 3.1), and name variables without values."""
    wrong = {each.file: each.field for each in facts.broken}
    for file, key in ((facts.python_env_name, "python"), (mlmodel.FILE_NAME, "python_version")):
        if wrong.get(file, "").rpartition(".")[2] == key:
            yield (
                file,
                re.sub(
                    rf"^(\s*{key}:[ \t]*)(\d+\.\d+)([ \t]*(?:#.*)?\r?)$",
                    r"\1'\2'\3",
                    facts.text(file),
                    flags=re.MULTILINE,
                ),
            )
