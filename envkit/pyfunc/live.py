"""`LivePyFuncModel`: a model that is loaded in its own environment and predicts from here."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from envkit.child import variables as variables_of
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.reproduction import prepare_model
from envkit.environments.store.in_use import occupied
from envkit.environments.workers import Workplace
from envkit.errors import InvalidArgument, PredictionFailed, ToolNotFound
from envkit.inside.data import wire
from envkit.inside.data.json_encoding import NotEncodable
from envkit.models.directory import ModelDirectory
from envkit.pyfunc.configuration import request
from envkit.pyfunc.live_process import LiveProcess
from envkit.pyfunc.loaded import PyFuncModel


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveOptions:
    """How a live model runs.

    choice: its environment. timeout: seconds for one prediction, None for any time. variables:
    environment variables for its process. report: gets the notes of the build.
    """

    choice: EnvironmentChoice
    timeout: float | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    report: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None and not self.timeout > 0:
            raise InvalidArgument(f"timeout must be above 0, not {self.timeout}.")
        variables_of.check(self.variables)


class LivePyFuncModel(PyFuncModel):
    """A model in a process of its own, in its own environment.

    `load_model(…, env_manager="uv")` returns one. Close it, or use it in a `with` statement; it
    also ends when nothing refers to it any more and when this process ends. Threads may share it:
    predictions are made one after the other. A process that dies or exceeds its timeout raises
    `PredictionFailed`; the next prediction starts a new one.
    """

    def __init__(self, directory: ModelDirectory, config: Any, process: LiveProcess) -> None:
        super().__init__(directory, None, config)
        self._process = process
        self._finalizer = weakref.finalize(self, process.end)

    @classmethod
    def start(cls, directory: ModelDirectory, config: Any, options: LiveOptions) -> Self:
        """Build the environment of a model and load the model in it; `load_model` calls this.

        Args:
            directory: The model directory.
            config: Configuration of the model, or None.
            options: Environment, timeout and variables.

        Raises:
            BuildFailed: If the environment cannot be built.
            PredictionFailed: If the model cannot be loaded.
        """
        environment = prepare_model(directory, options.choice, options.report)
        held = ExitStack()
        try:
            descriptors = held.enter_context(occupied(environment))
            workplace = Workplace(
                environment=environment,
                request=request(directory, config),
                variables=options.variables,
                descriptors=descriptors,
            )
            process = LiveProcess(workplace, held, options.timeout)
            process.start()
        except BaseException:
            held.close()
            raise
        return cls(directory, config, process)

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict in the model's environment.

        Args:
            data: Data as for `PyFuncModel.predict`.
            params: Parameters by name.

        Returns:
            The predictions in the types that the model returned.

        Raises:
            InputMismatch: If the data or parameters do not fit the signature.
            PredictionFailed: If the model raises, exceeds the timeout, or its process dies.
            InvalidArgument: If the model is closed, or the data have a type that cannot be sent.
        """
        return _decode(self._process.ask("predict", _encode(data, params)))

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Predict piece by piece.

        Other predictions wait until the iterator is exhausted or closed.

        Args:
            data: Data as for `predict`.
            params: Parameters by name.

        Returns:
            An iterator over the pieces.

        Raises:
            InvalidArgument: If the model was not saved as `streamable`.
            PredictionFailed: As `predict`, while iterating.
        """
        if not self._process.streamable:
            raise InvalidArgument(f"{self._directory.name} is not streamable; use predict.")
        return _decode_pieces(self._process.stream(_encode(data, params)))

    def close(self) -> None:
        """End the process and everything that it started; a second call does nothing."""
        self._finalizer()

    @property
    def closed(self) -> bool:
        """Whether the model has been closed."""
        return self._process.closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _encode(data: Any, params: Mapping[str, Any] | None) -> bytes:
    try:
        return wire.dumps((data, None if params is None else dict(params)))
    except NotEncodable as error:
        raise InvalidArgument(f"The data cannot be sent to the model: {error}.") from error


def _decode_pieces(pieces: Generator[bytes]) -> Iterator[Any]:
    """Yield the values of a stream; closing this iterator ends the stream."""
    with closing(pieces):
        yield from map(_decode, pieces)


def _decode(content: bytes) -> Any:
    try:
        return wire.loads(content)
    except wire.Malformed as error:
        raise PredictionFailed("output", f"its answer is malformed: {error}") from error
    except ImportError as error:
        raise ToolNotFound(
            str(error.name), "Install it here: the model answered with a type of that library."
        ) from error
