"""An input example as it is saved with a model: `input_example.json`, and the same as a request to a scoring server.

https://mlflow.org/docs/latest/ml/model/signatures/#input-examples
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, InvalidFile
from envkit.inside.data.enforcement.inputs import convert
from envkit.inside.data.json_encoding import NotEncodable, encode
from envkit.inside.data.requests.saved_example import example_data
from envkit.inside.data.signature import InvalidInput, Signature
from envkit.models.directory import ModelDirectory
from envkit.models.inference.params import schema_of_params
from envkit.models.inference.values import is_array

FILE_NAME = "input_example.json"
SERVING_FILE_NAME = "serving_input_example.json"
_CHAT = ("messages", "prompt", "input")


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedExample:
    """An example ready to be saved.

    data, params: what the model is called with. files: name → text. info:
    `saved_input_example_info` of `MLmodel`.
    """

    data: Any
    params: dict[str, Any] | None
    files: Mapping[str, str]
    info: dict[str, Any]


def of(example: Any) -> SavedExample:
    """Encode an example: a data frame or series, an array, arrays by name, a sparse matrix, a dict, a list, one value,
    a model of pydantic; or a pair of one of these and a dict of parameters.

    Bytes become base64 texts, times ISO 8601 texts, what is missing null. Raises `InvalidArgument` for what has no
    form in JSON.
    """  # fmt: skip
    data, params = example, None
    if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], dict):
        data, params = example
        schema_of_params(params)
    try:
        value, info, form = _encoded(data)
        if form is None:
            serving = value
        else:
            serving = {form: _request_value(data, value)}
        saved: Any = value
        if params is not None:
            given = encode(params)
            info = {**info, "params": "true"}
            saved = {"inputs": value, "params": given}
            if form is None:
                serving = {**serving, **given}
            else:
                serving = {**serving, "params": given}
    except NotEncodable as error:
        raise InvalidArgument(
            f"The input example has no form in JSON: it {error.problem}."
        ) from error
    info = {"artifact_path": FILE_NAME, "serving_input_path": SERVING_FILE_NAME, **info}
    files = {FILE_NAME: json.dumps(saved), SERVING_FILE_NAME: json.dumps(serving, indent=2)}
    return SavedExample(data=data, params=params, files=files, info=info)


def _encoded(data: Any) -> tuple[Any, dict[str, Any], str | None]:
    """Give the JSON value, what `MLmodel` says of it, and the request's key for it; None for a request of a chat."""
    if hasattr(data, "to_frame") and hasattr(data, "iloc"):
        data = data.to_frame()
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        split = _split(data)
        orient = "split" if "columns" in split else "values"
        return split, {"type": "dataframe", "pandas_orient": orient}, "dataframe_split"
    if type(data).__module__.startswith("scipy.sparse"):
        return _sparse(data), {"type": f"sparse_matrix_{data.format}"}, "inputs"
    if is_array(data) or (isinstance(data, dict) and data and all(map(is_array, data.values()))):
        return encode(data), {"type": "ndarray"}, "inputs"
    if isinstance(data, dict) and any(map(is_array, data.values())):
        raise InvalidArgument("An input example by name has arrays only, or none.")
    is_chat = isinstance(data, dict) and any(each in data for each in _CHAT)
    return encode(data), {"type": "json_object"}, None if is_chat else "inputs"


def _split(frame: Any) -> dict[str, Any]:
    found = frame.to_dict(orient="split")
    data = {"data": encode(found["data"])}
    if list(frame.columns) == list(range(len(frame.columns))):
        return data
    return {
        "columns": [
            each if isinstance(each, int | str) else str(each) for each in found["columns"]
        ],
        **data,
    }


def _sparse(matrix: Any) -> dict[str, Any]:
    if getattr(matrix, "format", "") not in ("csc", "csr"):
        raise InvalidArgument("A sparse input example is a csc_matrix or csr_matrix.")
    parts = {name: encode(getattr(matrix, name)) for name in ("data", "indices", "indptr")}
    return {**parts, "shape": list(matrix.shape)}


def _request_value(data: Any, value: Any) -> Any:
    """Requests know no sparse matrices."""
    if type(data).__module__.startswith("scipy.sparse"):
        return encode(data)
    return value


def load(
    model: ModelDirectory, info: Mapping[str, Any], signature: Mapping[str, Any] | None
) -> Any:
    """Read the example of a model, without its parameters. Raises `InvalidFile`."""
    path, value = _value(model, info)
    if info.get("params") and isinstance(value, dict):
        value = value.get("inputs")
    try:
        data = example_data(value, info, Signature(signature))
        if info.get("type") == "dataframe":
            return convert(data, Signature(signature))
        return data
    except (InvalidInput, KeyError, TypeError) as error:
        raise InvalidFile(path, "", str(error)) from error


def load_params(
    model: ModelDirectory, info: Mapping[str, Any], _: Any = None
) -> dict[str, Any] | None:
    """Read the parameters that were saved with the example. Raises `InvalidFile`."""
    if not info.get("params"):
        return None
    path, value = _value(model, info)
    params = value.get("params") if isinstance(value, dict) else None
    if not isinstance(params, dict):
        raise InvalidFile(path, "params", "is missing")
    return params


def load_serving(model: ModelDirectory, info: Mapping[str, Any], _: Any = None) -> str | None:
    """Read the example as the text of a request; None when there is none. Raises `InvalidFile`."""
    name = info.get("serving_input_path")
    path = model.file(str(name)) if name else None
    if path:
        return path.read_text(encoding="utf-8")
    return None


def _value(model: ModelDirectory, info: Mapping[str, Any]) -> tuple[Path, Any]:
    name = str(info.get("artifact_path") or FILE_NAME)
    path = model.file(name)
    if path is None:
        raise InvalidFile(model.path / name, "", "is missing")
    try:
        return path, json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidFile(path, "", f"is not valid JSON: {error}") from error
