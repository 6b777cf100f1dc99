"""`PyFuncModel`: a loaded model that predicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from envkit.errors import InputMismatch, InvalidArgument
from envkit.inside import loading
from envkit.inside.data.signature import InvalidInput
from envkit.models.directory import ModelDirectory
from envkit.models.enforcement import enforce, enforce_params
from envkit.models.model import Model
from envkit.models.param_schema import ParamSchema
from envkit.models.schema import Schema
from envkit.models.signature import ModelSignature


class PyFuncModel:
    """A loaded model. Corresponds to `mlflow.pyfunc.PyFuncModel`; `load_model` returns one.

    Attributes:
        metadata: The `Model` that describes it.
        model_config: Its configuration, or None.
    """

    def __init__(self, directory: ModelDirectory, model: loading.Model | None, config: Any) -> None:
        self._directory, self._loaded = directory, model
        self.metadata = Model.of(directory)
        self.model_config = config

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.loader_module} at {self._directory.path}>"

    @property
    def loader_module(self) -> str:
        """The module that loads the model."""
        return self._directory.python_function.loader_module

    @property
    def signature(self) -> ModelSignature | None:
        """The signature, or None."""
        return self.metadata.signature

    @property
    def input_schema(self) -> Schema | None:
        """The schema of the inputs, or None."""
        return self.metadata.get_input_schema()

    @property
    def output_schema(self) -> Schema | None:
        """The schema of the outputs, or None."""
        return self.metadata.get_output_schema()

    @property
    def params_schema(self) -> ParamSchema | None:
        """The schema of the parameters, or None."""
        return self.metadata.get_params_schema()

    @property
    def input_example(self) -> Any:
        """The saved input example without its parameters, or None."""
        return self.metadata.load_input_example(self._directory.path)

    @property
    def model_id(self) -> str | None:
        """The ID of the logged model (MLflow 3), or None."""
        return self.metadata.model_id

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict.

        Args:
            data: A data frame, array, dict of arrays, sparse matrix, list or dict that fits the
                signature; `envkit.models.enforce` says what is converted.
            params: Parameters by name.

        Returns:
            What the model returns.

        Raises:
            InputMismatch: If the data or parameters do not fit the signature. What the model
                raises is not wrapped.
        """
        loaded = self._in_process
        with _as_mismatch():
            return loaded.predict(*self._inputs(data, params))

    def predict_stream(self, data: Any, params: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """Predict piece by piece.

        Args:
            data: Data as for `predict`.
            params: Parameters by name.

        Returns:
            An iterator over the pieces.

        Raises:
            InvalidArgument: If the model was not saved as `streamable`.
            InputMismatch: If the data or parameters do not fit the signature.
        """
        loaded = self._in_process
        if not loaded.streams:
            raise InvalidArgument(f"{self._directory.name} is not streamable; use predict.")
        with _as_mismatch():
            return iter(loaded.predict_stream(*self._inputs(data, params)))

    def unwrap_python_model(self) -> Any:
        """Return the author's object or function.

        Raises:
            InvalidArgument: If the model is not a Python model, or lives in another process.
        """
        python_model = getattr(self._in_process.implementation, "python_model", None)
        if python_model is None:
            raise InvalidArgument(
                f"{self._directory.name} is not a Python model: {self.loader_module} loads it."
            )
        return python_model

    def get_raw_model(self) -> Any:
        """Return the library's own object, such as an estimator.

        Raises:
            InvalidArgument: If the loader does not keep one, or the model lives in another process.
        """
        implementation = self._in_process.implementation
        get_raw_model = getattr(implementation, "get_raw_model", None)
        if get_raw_model is not None:
            return get_raw_model()
        if hasattr(implementation, "python_model"):
            return implementation.python_model
        raise InvalidArgument(f"{self.loader_module} does not provide the model that it loads.")

    @property
    def _in_process(self) -> loading.Model:
        if self._loaded is None:
            raise InvalidArgument(
                "The model lives in another process; load it without env_manager to get its object."
            )
        return self._loaded

    def _inputs(
        self, data: Any, params: Mapping[str, Any] | None
    ) -> tuple[Any, dict[str, Any] | None]:
        """Return the data and parameters as the model gets them."""
        if self._in_process.read_raw is None:
            data = enforce(data, self.signature)
        return data, enforce_params(params, self.signature) or None


@contextmanager
def _as_mismatch() -> Iterator[None]:
    """Raise `InputMismatch` for what the loader of the model refuses."""
    try:
        yield
    except InvalidInput as error:
        raise InputMismatch(str(error)) from error
