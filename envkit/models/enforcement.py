"""Data and parameters in the form that a signature promises, as the model gets them wherever it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envkit.errors import InputMismatch
from envkit.inside.data.enforcement import inputs, parameters
from envkit.inside.data.signature import InvalidInput, Signature
from envkit.models.inference import spark
from envkit.models.schema import Schema
from envkit.models.signature import ModelSignature

ROWS_OF_SPARK = 10  # as many as MLflow looks at: more would mean to compute the frame


def enforce(data: Any, signature: ModelSignature | Schema | None) -> Any:
    """Give data as the model gets them: a data frame of the signature's columns, or its arrays.

    Columns come in the signature's order, others are left out with a warning in the log; types are
    widened where that is safe for every value. Without inputs in the signature the data stay as
    they are; the data given are never changed. Of a data frame of Spark the first rows are checked,
    and the columns chosen; it stays one of Spark.

    Raises `InputMismatch` for a column that is missing, a type that is not safely converted,
    another shape.
    """
    expected = _inputs(signature)
    try:
        if spark.is_frame(data):
            return _enforced_in_spark(data, expected)
        return inputs.enforce(data, expected)
    except InvalidInput as error:
        raise InputMismatch(str(error)) from error


def enforce_params(
    params: Mapping[str, Any] | None, signature: ModelSignature | None
) -> dict[str, Any]:
    """Give the parameters that the signature knows, with their defaults where none are given.

    Raises `InputMismatch` for a value of another type.
    """
    try:
        return (
            parameters.enforce_params(params, Signature(signature.to_dict() if signature else None))
            or {}
        )
    except InvalidInput as error:
        raise InputMismatch(str(error)) from error


def validate_schema(data: Any, expected_schema: Schema) -> None:
    """Check that data fit a schema. Raises `InputMismatch`."""
    enforce(data, expected_schema)


def _enforced_in_spark(frame: Any, signature: Signature) -> Any:
    if not signature.inputs:
        return frame
    checked = inputs.enforce(frame.limit(ROWS_OF_SPARK).toPandas(), signature)
    if hasattr(checked, "columns"):
        return frame.select(*map(str, checked.columns))
    return frame


def _inputs(signature: ModelSignature | Schema | None) -> Signature:
    if isinstance(signature, Schema):
        return Signature({"inputs": signature.to_dict()})
    return Signature(signature.to_dict() if signature is not None else None)
