"""Workers in an environment: processes that load a model once and answer many questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from envkit.child import worker
from envkit.child.journal import Journal
from envkit.child.sandbox import Confinement
from envkit.child.variables import Variables
from envkit.child.worker import Preparation, Worker
from envkit.environments import bytecode, prediction
from envkit.environments.environment import Environment
from envkit.errors import PredictionFailed


@dataclass(frozen=True, kw_only=True, slots=True)
class Workplace:
    """Where workers of one model are started.

    request: the model's `request()`. variables: set for the model in addition to the caller's.
    descriptors: those of `occupied`, so that the environment stays while a worker lives.
    """

    environment: Environment
    request: Mapping[str, Any]
    variables: Variables = field(default_factory=dict)
    memory_bytes: int | None = None
    confinement: Confinement | None = None
    descriptors: Sequence[int] = ()

    def prepare(self) -> Preparation:
        """Collect what a worker is started with. Raises `PredictionFailed`, `InvalidArgument`."""
        variables = prediction.variables_in(self.environment, self.variables)
        return worker.prepare(
            self.environment.python,
            {**self.request, "memory_bytes": self.memory_bytes},
            environment=variables,
            isolated=self.environment.is_isolated,
            confinement=self.confinement,
            interpreter_paths=prediction.interpreter_paths(
                self.environment, variables, self.confinement
            ),
        )

    def start(self, preparation: Preparation) -> Worker:
        """Start a worker; raise `PredictionFailed` when it does not start.

        On Linux it ends at the latest with the thread that calls this.
        """
        try:
            return worker.start(preparation, inherit=self.descriptors)
        except OSError as error:
            raise PredictionFailed(
                "start", f"{self.environment.python}: {error.strerror}"
            ) from error

    def failure(self, journal: Journal) -> PredictionFailed:
        """Return the error for a worker that ended before it had loaded its model."""
        try:
            prediction.refuse_failure(journal, "", None, self.confinement)
        except PredictionFailed as error:
            return error
        return PredictionFailed("load", f"its process {journal.ended.how}")

    def keep_bytecode(self, uncompiled: object) -> None:
        """Compile what a confined worker reported, of the files that its environment records."""
        bytecode.keep(self.environment, uncompiled)
