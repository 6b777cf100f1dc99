"""A model's signature: what it takes, what it gives, which parameters it has."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.data_types import AnyType
from envkit.models.inference import type_hints
from envkit.models.inference.params import schema_of_params
from envkit.models.inference.schemas import infer_schema
from envkit.models.param_schema import ParamSchema
from envkit.models.schema import ColSpec, Schema


@dataclass(slots=True, repr=False)
class ModelSignature:
    """Inputs, outputs and parameters, of which at least one is given.

    inputs, outputs: a `Schema`, or a dataclass whose fields become columns. from_type_hint,
    from_example: told in `MLmodel` beside the signature; whether it was made from the type hints of
    `predict`, and whether those said that the input example decides.
    """

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None
    from_type_hint: bool = False
    from_example: bool = False

    def __post_init__(self) -> None:
        self.inputs = _schema(self.inputs, "inputs")
        self.outputs = _schema(self.outputs, "outputs")
        if self.params is not None and not isinstance(self.params, ParamSchema):
            raise InvalidArgument(f"params of a signature are a ParamSchema, not {self.params!r}.")
        if self.inputs is None and self.outputs is None and self.params is None:
            raise InvalidArgument("A signature has inputs, outputs or params; none is given.")

    def __repr__(self) -> str:
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return "".join(f"{name}: \n  {part!r}\n" for name, part in parts.items())

    def to_dict(self) -> dict[str, Any]:
        """Give the parts as JSON texts, as `MLmodel` holds them; None where one is absent."""
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return {name: part.to_json() if part else None for name, part in parts.items()}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ModelSignature:
        """Read what `to_dict` gives; `params` may be absent, as before MLflow 2.6. Raises `InvalidArgument`."""
        inputs, outputs, params = (value.get(name) for name in ("inputs", "outputs", "params"))
        return cls(
            Schema.from_json(inputs) if inputs else None,
            Schema.from_json(outputs) if outputs else None,
            ParamSchema.from_json(params) if params else None,
        )


def infer_signature(
    model_input: Any = None, model_output: Any = None, params: Mapping[str, Any] | None = None
) -> ModelSignature:
    """Infer a signature from what the model takes and gives, of which at least one is given.

    model_input, model_output: a pandas DataFrame or Series, an array, arrays by name, a sparse
    matrix, a data frame of Spark, a dict, a list of dicts or of values, one value, a dataclass, a
    model of pydantic, or a type hint such as `list[str]`. params: the parameters with their
    defaults.

    Unlike MLflow's it never puts a type that accepts everything where it does not know one.
    Raises `InvalidArgument` that says what has no type.
    """
    return ModelSignature(
        None if model_input is None else infer_schema(model_input),
        None if model_output is None else infer_schema(model_output),
        schema_of_params(params) if params else None,
    )


def infer_signature_from_type_hints(
    predict: Callable[..., Any], params: Mapping[str, Any] | None = None
) -> ModelSignature | None:
    """Infer a signature from the type hints of a function or method; None when they say nothing of the input.

    The input is hinted as `list[X]`, a value a row; of an X that a signature does not know a
    warning says that it is not checked. An output without a usable hint accepts everything. Raises
    `InvalidArgument` for a list or dict that does not say of what.
    """
    taken, given = type_hints.hints_of(predict)
    try:
        if taken is not None:
            inputs = type_hints.schema_of_input_hint(taken)
        else:
            inputs = None
    except type_hints.UnknownType as error:
        warnings.warn(
            f"The type hint of the input says nothing of the signature: {error}", stacklevel=3
        )
        return None
    if inputs is None:
        return None
    try:
        if given is not None:
            outputs = type_hints.schema_of_hint(given)
        else:
            outputs = None
    except (
        InvalidArgument
    ):  # the output is told for information, and hints may say more than a signature can
        outputs = None
    known = schema_of_params(params) if params else None
    return ModelSignature(
        inputs, outputs or Schema([ColSpec(AnyType())]), known, from_type_hint=True
    )


def _schema(given: Any, what: str) -> Schema | None:
    if given is None or isinstance(given, Schema):
        return given
    if is_dataclass(given):
        return type_hints.schema_of_dataclass(given)
    raise InvalidArgument(f"{what} of a signature are a Schema or a dataclass, not {given!r}.")
