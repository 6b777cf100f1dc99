"""A scoring request, parsed: its content becomes what the model predicts on.

The data get the form and the types that the signature promises the model, as `mlflow.pyfunc` gives
them (MLflow 3.17), except that no value is changed to fit.
"""

from __future__ import annotations

from typing import Any, Callable, Mapping

from .. import wire
from ..enforcement.inputs import enforce
from ..enforcement.parameters import enforce_params
from ..signature import Signature
from . import csv_request, json_request, parquet_request
from .model_input import ModelInput, ReadRaw, RequestReader
from .text import read_file

TYPED = "typed"  # content type of a pair of data and parameters, as `wire` writes it
TABLES: dict[str, Callable[[bytes, Signature, ReadRaw | None], Any]] = {
    "csv": csv_request.parse,
    "parquet": parquet_request.parse,
}


def parse_file(
    source: Mapping[str, Any],
    signature: Signature,
    *,
    raw: ReadRaw | None,
    params: Mapping[str, Any] | None = None,
    reader: RequestReader | None = None,
) -> ModelInput:
    """Parse a request in a file: `source` has its `path` and `content_type`.

    params: override those of the request. The rest is as for `parse`, also what it raises.
    """
    content = read_file(source["path"])
    model_input = parse(content, source["content_type"], signature, raw=raw, reader=reader)
    if params is None:
        return model_input
    overridden = {**(model_input.params or {}), **params}
    return model_input._replace(params=enforce_params(overridden, signature))


def parse(
    content: bytes,
    content_type: str,
    signature: Signature,
    *,
    raw: ReadRaw | None,
    reader: RequestReader | None = None,
) -> ModelInput:
    """Parse a request.

    content_type: "json", "csv", "parquet" or `TYPED`. raw: makes the model's input of JSON values,
    where type hints define it. reader: the model, if it reads requests itself.

    Raises `InvalidInput`.
    """
    if reader is not None:
        return reader.read(content, content_type, signature)
    if content_type == TYPED:
        data, params = wire.loads(content)
        if raw is None:
            data = enforce(data, signature)
        return ModelInput(data, enforce_params(params, signature))
    if content_type in TABLES:
        # the signature of a chat has names, and its types
        read_raw = None if signature.columns_by_name else raw
        data = TABLES[content_type](content, signature, read_raw)
        return ModelInput(data, enforce_params(None, signature))
    return json_request.parse(content, signature, raw=raw)
