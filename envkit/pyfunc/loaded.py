"""`PyFuncModel`: a loaded model that predicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside import loading
from envkit.models.directory import ModelDirectory
from envkit.models.enforcement import enforce, enforce_params
from envkit.models.model import Model
from envkit.models.param_schema import ParamSchema
from envkit.models.schema import Schema
from envkit.models.signature import ModelSignature


class PyFuncModel:
    """A loaded model.

    metadata: the `Model` that describes it. model_config: what it was configured with, None
    without.
    """

    def __init__(self, directory: ModelDirectory, model: loading.Model | None, config: Any) -> None:
        self._directory, self._loaded = directory, model
        self.metadata = Model.of(directory)
        self.model_config = config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.loader_module} at {self._directory.path}>"

    @property
    def loader_module(self) -> str:
        """The module that loads it."""
        return self._directory.python_function.loader_module

    @property
    def signature(self) -> ModelSignature | None:
        """What it takes and gives; None without a signature."""
        return self.metadata.signature

    @property
    def input_schema(self) -> Schema | None:
        """What it takes."""
        return self.metadata.get_input_schema()

    @property
    def output_schema(self) -> Schema | None:
        """What it gives."""
        return self.metadata.get_output_schema()

    @property
    def params_schema(self) -> ParamSchema | None:
        """Which parameters it has."""
        return self.metadata.get_params_schema()

    @property
    def input_example(self) -> Any:
        """The example that was saved with it; None without one."""
        return self.metadata.load_input_example(self._directory.path)

    @property
    def model_id(self) -> str | None:
        """By which it was logged."""
        return self.metadata.model_id

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict. data: as the signature promises them to the model; what fits is widened where that is safe.

        Raises `InputMismatch` for other data, and whatever the model raises.
        """
        loaded = self._here
        return loaded.predict(self._fitting(data), enforce_params(params, self.signature) or None)

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Predict piece by piece. Raises `InvalidArgument` for a model that was not saved as `streamable`."""
        loaded = self._here
        if not loaded.streams:
            raise InvalidArgument(
                f"{self._directory.name} does not predict piece by piece: it is not streamable."
            )
        return iter(
            loaded.predict_stream(
                self._fitting(data), enforce_params(params, self.signature) or None
            )
        )

    def unwrap_python_model(self) -> Any:
        """Give the author's object or function. Raises `InvalidArgument` for a model of another kind."""
        found = getattr(self._here.implementation, "python_model", None)
        if found is None:
            raise InvalidArgument(
                f"{self._directory.name} is no Python model: {self.loader_module} loads it."
            )
        return found

    def get_raw_model(self) -> Any:
        """Give the library's own object, such as an estimator. Raises `InvalidArgument` when its loader has none."""
        implementation = self._here.implementation
        get = getattr(implementation, "get_raw_model", None)
        if get is not None:
            return get()
        if hasattr(implementation, "python_model"):
            return implementation.python_model
        raise InvalidArgument(f"{self.loader_module} does not give the model that it loads.")

    @property
    def _here(self) -> loading.Model:
        if self._loaded is None:
            raise InvalidArgument(
                "The model lives in a process of its own; load it without env_manager for its object."
            )
        return self._loaded

    def _fitting(self, data: Any) -> Any:
        if self._here.takes_raw_inputs:
            return data
        return enforce(data, self.signature)
