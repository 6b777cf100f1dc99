"""Whether a model can do without MLflow: it is tried, and what else of MLflow its code names is looked for."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from envkit.capturing.places import Places
from envkit.capturing.requirements import Needed, Selection
from envkit.capturing.static import Static
from envkit.capturing.trace import Trace
from envkit.errors import CaptureFailed, ModelRaised
from envkit.models import supplied_by_runner
from envkit.models.capture_warnings import CaptureWarning, WarningKind


def needs_mlflow(selection: Selection) -> bool:
    """Whether MLflow is in the environment."""
    return any(_named(selection.requirements)) or any(_named(selection.constraints))


def why_kept(
    whole: Trace,
    lean: Trace,
    failure: CaptureFailed | None,
    selection: Selection,
    places: Places,
    again: Callable[[], Trace],
) -> str | None:
    """Say why MLflow stays; None when it need not.

    whole: a trace with MLflow. lean, failure: one without it, of which `selection` is what it
    needs. again: traces it with MLflow once more, to see whether it predicts the same twice: if
    not, only the form of its answers counts.
    """
    if isinstance(failure, ModelRaised):
        return f"without it the model raised {failure.kind}: {failure.message}"
    if failure is not None:
        return f"without it: {failure}"
    used = next(_uses(whole, places), None)
    if used is not None:
        return f"the model's code uses {used}"
    if lean.prediction != whole.prediction and not _varies_alike(
        whole.prediction, lean.prediction, again
    ):
        return "without it the model predicts otherwise"
    implied = next((each for each in _named(selection.constraints) if each.implied_by), None)
    if implied is not None:
        return f"{', '.join(implied.implied_by)} requires it"
    if needs_mlflow(selection):
        return "something else imports it"
    return None


def without_supplied(read: Static) -> Static:
    """What reading the code found, without what is supplied."""
    return replace(
        read,
        found=tuple(each for each in read.found if not _is_supplied(each.module)),
        unreached=tuple(each for each in read.unreached if not _is_supplied(each.module)),
        missing=tuple(each for each in read.missing if not _is_supplied(each[1].module)),
    )


def _is_supplied(module: str) -> bool:
    return module.partition(".")[
        0
    ] == supplied_by_runner.PACKAGE and supplied_by_runner.is_supplied(module)


def kept(reason: str) -> CaptureWarning:
    """Tell that MLflow stays."""
    return CaptureWarning(
        kind=WarningKind.KEPT, subject="mlflow", detail=f"mlflow is kept: {reason}"
    )


def _varies_alike(prediction: Any, other: Any, again: Callable[[], Trace]) -> bool:
    return bool(_form(prediction) == _form(other) and again().prediction != prediction)


def _form(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _form(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_form(each) for each in value]
    return type(value)


def _named(needed: Iterable[Needed]) -> Iterator[Needed]:
    return (each for each in needed if each.distribution.name in supplied_by_runner.DISTRIBUTIONS)


def _uses(trace: Trace, places: Places) -> Iterator[str]:
    """What the model's own code names of MLflow beyond what is supplied, whether the example led there or not."""
    for file in sorted(
        {each for each in trace.files.values() if each is not None and places.is_local(each)}
    ):
        try:
            tree = ast.parse(Path(file).read_bytes())
        except (OSError, SyntaxError, ValueError):  # no source
            continue
        for node in ast.walk(tree):
            for dotted in _names(node):
                if dotted.partition(".")[
                    0
                ] == supplied_by_runner.PACKAGE and not supplied_by_runner.is_supplied(dotted):
                    yield f"{dotted} ({places.relative(file)}:{getattr(node, 'lineno', 0)})"


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Attribute):
        text = ast.unparse(node)
        if text.startswith(f"{supplied_by_runner.PACKAGE}.") and all(
            part.isidentifier() for part in text.split(".")
        ):
            yield text
