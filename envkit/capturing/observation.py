"""What is seen of a model: one run of it, and its code read beside that or instead of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envkit.capturing import builtin_names, without_mlflow
from envkit.capturing import static as findings
from envkit.capturing.places import Places
from envkit.capturing.requirements import Selection, select
from envkit.capturing.static import Static
from envkit.capturing.trace import Trace
from envkit.capturing.tracing import Limits, trace_model
from envkit.errors import CaptureFailed
from envkit.installed.distributions import InstalledDistributions
from envkit.models.capture_warnings import CaptureWarning
from envkit.models.directory import ModelDirectory


@dataclass(frozen=True, slots=True)
class Observed:
    """What running or reading the model told, and what ended the run before its time."""

    trace: Trace
    places: Places
    selection: Selection
    installed: InstalledDistributions
    static: Static
    failure: CaptureFailed | None
    notes: tuple[CaptureWarning, ...] = ()


def observe(
    model: ModelDirectory, python: str | Path | None, limits: Limits, *, static: bool, include: bool
) -> Observed:
    """Trace the model and read its code, or read alone."""
    failure, read = None, None
    if static:
        traced, read = findings.instead(model, python)
    else:
        run = trace_model(model, python, limits)
        traced, failure = findings.with_compression(run.trace, model), run.failure
    installed = InstalledDistributions(_but(traced.interpreter.sys_path, limits.code_paths))
    places = Places(traced, installed, model.path, model.own_places)
    traced = builtin_names.with_uses(findings.with_unseen(traced, model, installed, places), places)
    selection = select(traced, installed, places)
    if read is None:
        read = findings.beside(traced, selection, model, installed, places, include=include)
        if limits.without_mlflow:
            read = without_mlflow.without_supplied(read)
        if read.included:
            selection = select(read.add_to(traced, model), installed, places)
    return Observed(traced, places, selection, installed, read, failure)


def slimmed(
    seen: Observed,
    model: ModelDirectory,
    python: str | Path | None,
    limits: Limits,
    include: bool,
    tell: Callable[[str], None],
) -> Observed:
    """Try the model without MLflow, and give what that needs; else why it cannot do without."""
    if (
        seen.failure is not None
        or seen.static.method != "trace"
        or not without_mlflow.needs_mlflow(seen.selection)
    ):
        return seen
    tell("Tracing once more, without MLflow.")

    def again() -> Trace:
        return trace_model(model, python, limits).trace

    lean = observe(
        model, python, replace(limits, without_mlflow=True), static=False, include=include
    )
    why = without_mlflow.why_kept(
        seen.trace, lean.trace, lean.failure, lean.selection, seen.places, again
    )
    if why is None:
        return lean
    return replace(seen, notes=(without_mlflow.kept(why),))


def _but(search_path: Sequence[str], code_paths: Sequence[Path]) -> list[str]:
    """The search path without folders of code: what metadata lies there describes nothing that is installed."""
    return [each for each in search_path if Path(each) not in code_paths]
