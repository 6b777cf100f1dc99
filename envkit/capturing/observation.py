"""What is seen of a model: one run of it, and its code read in addition to that or instead."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from envkit.analysis.source_file import SourceFiles
from envkit.capturing import (
    linked_libraries,
    model_files,
    named_engines,
    static_inference,
    unseen_uses,
)
from envkit.capturing.places import Places
from envkit.capturing.requirements import Selection, select
from envkit.capturing.static_inference import StaticInference
from envkit.capturing.trace import Trace
from envkit.capturing.tracing import TraceSettings, describe_interpreter, trace_model
from envkit.errors import CaptureFailed
from envkit.installed.distributions import InstalledDistributions
from envkit.interpreters.facts import InterpreterFacts
from envkit.models.capture_warnings import CaptureWarning
from envkit.models.directory import ModelDirectory


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What running or reading the model showed.

    Attributes:
        trace: The run; without a run, what the model's files mention.
        places: Where the files of the trace lie.
        selection: What the environment must hold.
        installed: What the interpreter has.
        static: What reading the model's files found.
        sources: The source files that were read.
        failure: What ended the run early.
        warnings: What this observation could not see.
    """

    trace: Trace
    places: Places
    selection: Selection
    installed: InstalledDistributions
    static: StaticInference
    sources: SourceFiles
    failure: CaptureFailed | None = None
    warnings: tuple[CaptureWarning, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Observer:
    """How to look at one model.

    Attributes:
        model: The model.
        settings: How to run it.
        static: Whether to read its files only.
        include_static: Whether to require what code imports that the example did not reach.
        sources: The source files that were read.
    """

    model: ModelDirectory
    settings: TraceSettings
    static: bool = False
    include_static: bool = False
    sources: SourceFiles = field(default_factory=SourceFiles)

    def observe(self) -> Observation:
        """Trace the model and read its code, or only read it."""
        if self.static:
            return self._read()
        return self._run(self.settings)

    def observe_without_mlflow(self) -> Observation:
        """Trace the model with only what the runner supplies of MLflow."""
        return self._run(replace(self.settings, without_mlflow=True))

    def predict(self) -> Any:
        """Run the model once more and return its prediction."""
        with model_files.kept(self.model.own_places):
            return trace_model(self.model, self.settings, self._interpreter).trace.prediction

    def _read(self) -> Observation:
        trace, static = static_inference.infer_everything(
            self.model, self.settings.python, self.sources
        )
        installed = self._installed(trace)
        places = self._places(trace, installed)
        engines = self._configured_words()
        return Observation(
            trace=trace,
            places=places,
            selection=select(trace, installed, places, self.sources, engines),
            installed=installed,
            static=static,
            sources=self.sources,
        )

    @cached_property
    def _interpreter(self) -> InterpreterFacts:
        """Described once, by a process that ends before the model's first one starts."""
        return describe_interpreter(self.settings)

    def _run(self, settings: TraceSettings) -> Observation:
        interpreter = self._interpreter
        with model_files.kept(self.model.own_places):
            run = trace_model(self.model, settings, interpreter)
        installed = self._installed(run.trace)
        places = self._places(run.trace, installed)
        trace = unseen_uses.with_lz4(run.trace, self.model)
        trace = unseen_uses.with_process_imports(trace, self.model, installed, places)
        trace = unseen_uses.with_builtin_names(trace, places, self.sources)
        trace = linked_libraries.with_linked_libraries(trace, places)
        engines = self._configured_words()
        selection = select(trace, installed, places, self.sources, engines)
        static = static_inference.infer_unreached(
            trace,
            selection,
            self.model,
            installed,
            places,
            self.sources,
            include=self.include_static,
        )
        if settings.without_mlflow:
            static = static.without_supplied_modules()
        if static.included:
            included = static.add_to(trace, self.model)
            selection = select(included, installed, places, self.sources, engines)
        return Observation(
            trace=trace,
            places=places,
            selection=selection,
            installed=installed,
            static=static,
            sources=self.sources,
            failure=run.failure,
        )

    def _configured_words(self) -> frozenset[str]:
        python_function = self.model.mlmodel.flavors.get("python_function") or {}
        return named_engines.words_of_configuration(python_function.get("config"))

    def _installed(self, trace: Trace) -> InstalledDistributions:
        """What the interpreter has, without the folders that are only searched for the trace."""
        code_paths = self.settings.code_paths
        search_path = trace.interpreter.sys_path
        return InstalledDistributions(
            [folder for folder in search_path if Path(folder) not in code_paths]
        )

    def _places(self, trace: Trace, installed: InstalledDistributions) -> Places:
        return Places(trace, installed, self.model.path, self.model.own_places)
