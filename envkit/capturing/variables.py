"""Which environment variables the model needs to be told of. Names only; values are never known here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from envkit.capturing.places import Places
from envkit.capturing.trace import Trace, VariableRead

SECRET = re.compile(
    r"\w*(API_KEY|API_TOKEN|ACCESS_KEY|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH_TOKEN)\w*|\w+_TOKEN"
    r"|DATABRICKS_(HOST|USERNAME|INSECURE|CLIENT_ID)|_DATABRICKS_WORKSPACE_(HOST|ID)"
)
"""Names that are worth telling even where only a library reads them; MLflow records a subset of these."""

OF_THE_SYSTEM = re.compile(
    r"PYTHON\w*|LANG|LANGUAGE|LC_\w+|HOME|PATH|PWD|USER|LOGNAME|SHELL|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES"
    r"|TMPDIR|TEMP|TMP|TZ|DISPLAY|XDG_\w+|VIRTUAL_ENV|CONDA_\w+|LD_\w+|DYLD_\w+"
    r"|OMP_\w+|MKL_\w+|OPENBLAS_\w+|NUMEXPR_\w+|BLIS_\w+|VECLIB_\w+|GOTO_\w+|KMP_\w+"
)
"""Names that belong to the machine and to numeric libraries, whoever reads them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An environment variable that was read.

    readers: `model`, `python`, or names of distributions. recorded: whether whoever runs the model must know it.
    """

    name: str
    is_set: bool
    readers: tuple[str, ...]
    recorded: bool


def classify(trace: Trace, places: Places) -> tuple[Variable, ...]:
    """Sort the variables by name and decide which of them the model's user must know."""
    reads: dict[str, list[VariableRead]] = {}
    for read in trace.variables:
        reads.setdefault(read.name, []).append(read)
    return tuple(_variable(name, reads[name], places) for name in sorted(reads))


def _variable(name: str, reads: Iterable[VariableRead], places: Places) -> Variable:
    readers = tuple(sorted({places.reader(read) for read in reads}))
    is_set = any(read.is_set for read in reads)
    by_model = "model" in readers and not OF_THE_SYSTEM.fullmatch(name)
    return Variable(
        name=name, is_set=is_set, readers=readers, recorded=by_model or bool(SECRET.fullmatch(name.upper()))
    )
