"""Check data and parameters against a signature, and convert them to its types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envkit.errors import InputMismatch
from envkit.inside.data.enforcement import inputs, parameters
from envkit.inside.data.signature import InvalidInput, Signature
from envkit.models.inference import spark
from envkit.models.schema import Schema
from envkit.models.signature import PANDAS, ModelSignature

# As many as MLflow checks; more would compute the frame.
SPARK_ROWS = 10


def enforce(data: Any, signature: ModelSignature | Schema | None) -> Any:
    """Return data in the form in which the model gets them.

    Corresponds to the schema enforcement of `mlflow.pyfunc.PyFuncModel.predict`. The data passed
    in are not changed. Of a Spark DataFrame the first 10 rows are checked.

    Args:
        data: Data of Python, NumPy, pandas, SciPy or Spark.
        signature: The signature, or the schema of the inputs.

    Returns:
        A data frame of the schema's columns in its order, or its arrays. Other columns are left
        out with a warning in the log `envkit`; types are widened where that is safe for every
        value. Without a schema of the inputs, the data themselves.

    Raises:
        InputMismatch: If a required column is missing, or a value or shape does not fit.
    """
    expected = _expected(signature)
    try:
        if spark.is_frame(data):
            return _enforce_in_spark(data, expected)
        return inputs.enforce(data, expected)
    except InvalidInput as error:
        raise InputMismatch(str(error)) from error


def enforce_params(
    params: Mapping[str, Any] | None, signature: ModelSignature | None
) -> dict[str, Any]:
    """Return the parameters of the signature, with the default of each that is not set.

    Args:
        params: Values by name; names that the signature does not have are left out.
        signature: The signature.

    Returns:
        A value for each parameter of the signature.

    Raises:
        InputMismatch: If a value has another type.
    """
    try:
        return parameters.enforce_params(params, _expected(signature)) or {}
    except InvalidInput as error:
        raise InputMismatch(str(error)) from error


def validate_schema(data: Any, expected_schema: Schema) -> None:
    """Check that data fit a schema. Corresponds to `mlflow.models.validate_schema`.

    Args:
        data: Data as for `enforce`.
        expected_schema: Schema of the inputs.

    Raises:
        InputMismatch: If a required column is missing, or a value or shape does not fit.
    """
    enforce(data, expected_schema)


def _enforce_in_spark(frame: Any, expected: Signature) -> Any:
    if not expected.inputs:
        return frame
    rows = inputs.enforce(frame.limit(SPARK_ROWS).toPandas(), expected)
    if not hasattr(rows, "columns"):
        return frame
    return frame.select(*map(str, rows.columns))


def _expected(signature: ModelSignature | Schema | None) -> Signature:
    if signature is None:
        return Signature(None)
    if isinstance(signature, Schema):
        return Signature({"inputs": signature.to_dict(), PANDAS: signature.pandas_dtypes()})
    return Signature(signature.to_dict())
