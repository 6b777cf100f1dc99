"""Whether a model can do without MLflow: run it without, and look for what its code names of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from envkit.capturing.observation import Observation, Observer
from envkit.capturing.requirements import SelectedDistribution, Selection
from envkit.errors import ModelRaised
from envkit.models import supplied_by_runner
from envkit.models.capture_warnings import CaptureWarning, WarningKind


def drop_if_possible(
    whole: Observation,
    observer: Observer,
    report: Callable[[str], None],
) -> Observation:
    """Observe the model again without MLflow.

    Returns that observation, or `whole` with a warning that says why MLflow stays.
    """
    if whole.failure is not None or whole.static.ran_nothing:
        return whole
    if not _has_mlflow(whole.selection):
        return whole
    report("Tracing once more, without MLflow.")
    lean = observer.observe_without_mlflow()
    reason = _why_kept(whole, lean, observer)
    if reason is None:
        return lean
    kept = CaptureWarning(
        kind=WarningKind.KEPT, subject="mlflow", detail=f"mlflow is kept: {reason}"
    )
    return replace(whole, warnings=(kept,))


def _why_kept(
    whole: Observation,
    lean: Observation,
    observer: Observer,
) -> str | None:
    """Why MLflow stays; None when it does not have to."""
    if isinstance(lean.failure, ModelRaised):
        return f"without it the model raised {lean.failure.kind}: {lean.failure.message}"
    if lean.failure is not None:
        return f"without it: {lean.failure}"
    used = next(_uses(whole), None)
    if used is not None:
        return f"the model's code uses {used}"
    if not _predict_alike(whole, lean, observer):
        return "without it the model predicts otherwise"
    for mlflow in _mlflow_in(lean.selection.constraints):
        if mlflow.implied_by:
            return f"{', '.join(mlflow.implied_by)} requires it"
    if _has_mlflow(lean.selection):
        return "something else imports it"
    return None


def _has_mlflow(selection: Selection) -> bool:
    return any(_mlflow_in(selection.needed))


def _mlflow_in(selected: Iterable[SelectedDistribution]) -> Iterator[SelectedDistribution]:
    for candidate in selected:
        if candidate.distribution.name in supplied_by_runner.DISTRIBUTIONS:
            yield candidate


def _predict_alike(
    whole: Observation,
    lean: Observation,
    observer: Observer,
) -> bool:
    """Whether both predict the same; of a model that predicts at random only the form counts."""
    prediction, without = whole.trace.prediction, lean.trace.prediction
    if prediction == without:
        return True
    if _form(prediction) != _form(without):
        return False
    return bool(observer.predict() != prediction)


def _form(value: Any) -> Any:
    """A JSON value with types in the place of numbers and texts."""
    if isinstance(value, dict):
        return {key: _form(element) for key, element in value.items()}
    if isinstance(value, list):
        return [_form(element) for element in value]
    return type(value)


def _uses(observed: Observation) -> Iterator[str]:
    """What the model's own code names of MLflow that the runner does not supply, run or not."""
    places = observed.places
    files = places.local_sources(observed.trace).values()
    for file in sorted(set(files)):
        for node in observed.sources.file(file).nodes:
            for name in _dotted_names(node):
                if _is_of_mlflow(name) and not supplied_by_runner.is_supplied(name):
                    line = getattr(node, "lineno", 0)
                    yield f"{name} ({places.relative(file)}:{line})"


def _dotted_names(node: ast.AST) -> Iterator[str]:
    """What a node names: a module, a name imported from one, or an attribute of MLflow."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Attribute):
        dotted = _attribute(node)
        if dotted is not None and _is_of_mlflow(dotted):
            yield dotted


def _attribute(node: ast.expr) -> str | None:
    """`a.b.c` for that expression; None for attributes of anything but a name."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    return ".".join([node.id, *reversed(parts)])


def _is_of_mlflow(name: str) -> bool:
    return name.partition(".")[0] == supplied_by_runner.PACKAGE
