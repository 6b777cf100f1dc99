"""`ModelSignature`: a model's inputs, outputs and parameters, and how they are inferred.

https://mlflow.org/docs/latest/ml/model/signatures/
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from envkit.errors import InvalidArgument
from envkit.inside.author import type_hints as hints
from envkit.models.data_types import AnyType
from envkit.models.inference import type_hints
from envkit.models.inference.params import schema_of_params
from envkit.models.inference.schemas import infer_schema
from envkit.models.param_schema import ParamSchema
from envkit.models.schema import ColSpec, Schema

PANDAS = "pandas"


@dataclass(slots=True, repr=False)
class ModelSignature:
    """The inputs, outputs and parameters of a model, at least one of the three.

    Corresponds to `mlflow.models.ModelSignature`.

    Args:
        inputs: Schema of the inputs, or a dataclass whose fields become columns.
        outputs: Schema of the outputs, or a dataclass whose fields become columns.
        params: Schema of the parameters.
        from_type_hint: Whether the signature was inferred from the type hints of `predict`;
            `is_signature_from_type_hint` in `MLmodel`.
        from_example: Whether those type hints leave the schema to the input example;
            `type_hint_from_example` in `MLmodel`.

    Raises:
        InvalidArgument: If all three are None, or one of them has another type.
    """

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None
    from_type_hint: bool = False
    from_example: bool = False

    def __post_init__(self) -> None:
        self.inputs = _checked_schema(self.inputs, "inputs")
        self.outputs = _checked_schema(self.outputs, "outputs")
        if self.params is not None and not isinstance(self.params, ParamSchema):
            raise InvalidArgument(f"params must be a ParamSchema, not {self.params!r}.")
        if self.inputs is None and self.outputs is None and self.params is None:
            raise InvalidArgument("A signature needs inputs, outputs or params.")

    def __repr__(self) -> str:
        text = ""
        for name, part in self._parts().items():
            text += f"{name}: \n  {part!r}\n"
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return the parts as `MLmodel` stores them.

        Returns:
            `inputs`, `outputs` and `params`, each a JSON text, or None if the part is absent. Also
            `pandas` if columns of the inputs record their dtype in pandas, which MLflow ignores.
        """
        texts: dict[str, Any] = {}
        for name, part in self._parts().items():
            texts[name] = part.to_json() if part else None
        if self.inputs is not None and (recorded := self.inputs.pandas_dtypes()):
            texts[PANDAS] = json.dumps(recorded)
        return texts

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ModelSignature:
        """Read what `to_dict` returns.

        Args:
            value: The parts as JSON texts; `params` may be absent, as before MLflow 2.6.

        Raises:
            InvalidArgument: If a text is not JSON or not a schema, or all parts are absent.
        """
        inputs = value.get("inputs")
        outputs = value.get("outputs")
        params = value.get("params")
        schema = Schema.from_json(inputs) if inputs else None
        if schema is not None and value.get(PANDAS):
            schema = schema.with_pandas_dtypes(_recorded(value[PANDAS]))
        return cls(
            schema,
            Schema.from_json(outputs) if outputs else None,
            ParamSchema.from_json(params) if params else None,
        )

    def _parts(self) -> dict[str, Schema | ParamSchema | None]:
        return {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}


def infer_signature(
    model_input: Any = None, model_output: Any = None, params: Mapping[str, Any] | None = None
) -> ModelSignature:
    """Infer a signature from examples of a model's input, output and parameters.

    Corresponds to `mlflow.models.infer_signature`. Unlike MLflow, envkit never falls back to a
    type that accepts everything: what has no type is an error.

    Args:
        model_input: A pandas DataFrame or Series, a NumPy array, a dict of arrays, a SciPy sparse
            matrix, a Spark DataFrame, a dict, a list of dicts or of values, one value, a
            dataclass, a pydantic model, or a type hint such as `list[str]`.
        model_output: The same kinds as `model_input`.
        params: Parameters with their default values.

    Returns:
        The signature; the part of an argument that is None is absent.

    Raises:
        InvalidArgument: If a column, value or parameter has no type in a signature; the message
            names it.

    Examples:
        >>> signature = infer_signature([{"age": 31, "name": "Ada"}], [0.5], {"temperature": 0.7})
        >>> signature.inputs
        ['age': long (required), 'name': string (required)]
        >>> signature.params
        ['temperature': double (default: 0.7)]
    """
    return ModelSignature(
        None if model_input is None else infer_schema(model_input),
        None if model_output is None else infer_schema(model_output),
        schema_of_params(params) if params else None,
    )


def infer_signature_from_type_hints(
    predict: Callable[..., Any], params: Mapping[str, Any] | None = None
) -> ModelSignature | None:
    """Infer a signature from the type hints of a `predict` function or method.

    Corresponds to what MLflow infers from type hints when it saves a Python model. The input is
    hinted as `list[X]`, one `X` per row. An output without a usable hint accepts everything.

    Args:
        predict: The function or method.
        params: Parameters with their default values.

    Returns:
        The signature, or None if the hint does not define the input; unless it is missing or a
        class of tables or arrays, a `UserWarning` says so.

    Raises:
        InvalidArgument: If the hint lacks a part, such as `list` without the type of its items.
    """
    hint = hints.type_hints(predict)
    is_table = hints.describes_table(hint.input) or hints.is_from_example(hint.input)
    if hint.input is None or is_table:
        return None
    try:
        inputs = type_hints.schema_of_input_hint(hint.input)
    except type_hints.UnknownType as error:
        warnings.warn(f"Failed to infer signature from type hint: {error}", stacklevel=3)
        return None
    return ModelSignature(
        inputs,
        _schema_of_output_hint(hint.output) or Schema([ColSpec(AnyType())]),
        schema_of_params(params) if params else None,
        from_type_hint=True,
    )


def _schema_of_output_hint(hint: Any) -> Schema | None:
    if hint is None:
        return None
    try:
        return type_hints.schema_of_hint(hint)
    except InvalidArgument:
        # Outputs are not enforced, and hints may say more than a schema can.
        return None


def _recorded(text: Any) -> list[Any]:
    """Read the dtypes of pandas that `to_dict` wrote."""
    try:
        recorded = json.loads(text)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"`{PANDAS}` of a signature is not valid JSON: {error}.") from error
    if not isinstance(recorded, list):
        raise InvalidArgument(f"`{PANDAS}` of a signature must be a list.")
    return [item if isinstance(item, dict) else None for item in recorded]


def _checked_schema(value: Any, name: str) -> Schema | None:
    if value is None or isinstance(value, Schema):
        return value
    if is_dataclass(value):
        return type_hints.schema_of_dataclass(value)
    raise InvalidArgument(f"{name} must be a Schema or a dataclass, not {value!r}.")
