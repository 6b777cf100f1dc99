"""Input examples: `input_example.json`, and the same as a request to a scoring server.

https://mlflow.org/docs/latest/ml/model/signatures/#input-examples
"""

from __future__ import annotations

import decimal
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, InvalidFile
from envkit.inside.data.enforcement.inputs import convert
from envkit.inside.data.json_encoding import NotEncodable
from envkit.inside.data.json_encoding import encode as json_value
from envkit.inside.data.requests.saved_example import example_data
from envkit.inside.data.signature import InvalidInput, Signature
from envkit.models.directory import ModelDirectory
from envkit.models.inference.pandas_types import check_names
from envkit.models.inference.params import schema_of_params
from envkit.models.inference.values import is_array

FILE_NAME = "input_example.json"
SERVING_FILE_NAME = "serving_input_example.json"
_CHAT_KEYS = frozenset({"messages", "prompt", "input"})


@dataclass(frozen=True, kw_only=True, slots=True)
class SavedExample:
    """An encoded example.

    data, params: what the model is called with. files: the texts to write, by file name. info:
    `saved_input_example_info` of `MLmodel`.
    """

    data: Any
    params: dict[str, Any] | None
    files: Mapping[str, str]
    info: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Encoded:
    """The data of an example as JSON.

    saved: value of `input_example.json`. info: its type in `MLmodel`. request: value in a request
    to a scoring server. request_key: key of that value; None if it is the request itself.
    """

    saved: Any
    info: dict[str, Any]
    request: Any
    request_key: str | None = "inputs"


def encode(example: Any) -> SavedExample:
    """Encode an example, or a pair of an example and a dict of parameters.

    Bytes become base64 texts, times ISO 8601 texts, missing values null. Raises `InvalidArgument`
    for data that JSON cannot hold.
    """
    data, params = split_params(example)
    if params is not None:
        schema_of_params(params)
    try:
        encoded = _encode(data)
        encoded_params = None if params is None else json_value(params)
    except NotEncodable as error:
        raise InvalidArgument(
            f"The input example cannot be written as JSON: it {error.problem}."
        ) from error
    info = {"artifact_path": FILE_NAME, "serving_input_path": SERVING_FILE_NAME, **encoded.info}
    saved = encoded.saved
    if params is not None:
        info["params"] = "true"
        saved = {"inputs": saved, "params": encoded_params}
    files = {
        FILE_NAME: json.dumps(saved),
        SERVING_FILE_NAME: json.dumps(_request(encoded, encoded_params), indent=2),
    }
    return SavedExample(data=data, params=params, files=files, info=info)


def convert_input_example_to_serving_input(input_example: Any) -> str | None:
    """Return an input example as the text of a request to a scoring server.

    Corresponds to `mlflow.models.convert_input_example_to_serving_input`.

    Args:
        input_example: Data as for `save_model`, or a pair of data and a dict of parameters.

    Returns:
        A JSON text; None for None.

    Raises:
        InvalidArgument: If JSON cannot hold the data.
    """
    if input_example is None:
        return None
    return encode(input_example).files[SERVING_FILE_NAME]


def split_params(example: Any) -> tuple[Any, dict[str, Any] | None]:
    """Split an example into its data and its parameters, None if it has none."""
    if not isinstance(example, tuple) or len(example) != 2:
        return example, None
    data, params = example
    if not isinstance(params, dict):
        return example, None
    return data, params


def _request(encoded: _Encoded, params: Any) -> Any:
    if encoded.request_key is None:
        return encoded.request if params is None else {**encoded.request, **params}
    request = {encoded.request_key: encoded.request}
    if params is not None:
        request["params"] = params
    return request


def _encode(data: Any) -> _Encoded:
    if hasattr(data, "to_frame") and hasattr(data, "iloc"):
        data = data.to_frame()
    if hasattr(data, "columns") and hasattr(data, "iloc"):
        return _encode_frame(data)
    if type(data).__module__.startswith("scipy.sparse"):
        return _encode_sparse(data)
    if is_array(data):
        return _encode_plain(data, "ndarray")
    if not isinstance(data, dict):
        return _encode_plain(data, "json_object")
    arrays = [is_array(value) for value in data.values()]
    if any(arrays) and not all(arrays):
        raise InvalidArgument(
            "An input example by name must hold arrays only, or no arrays; "
            "this one mixes arrays and other values."
        )
    if any(arrays):
        return _encode_plain(data, "ndarray")
    if _CHAT_KEYS & set(data):
        value = json_value(data)
        return _Encoded(saved=value, info={"type": "json_object"}, request=value, request_key=None)
    return _encode_plain(data, "json_object")


def _encode_plain(data: Any, kind: str) -> _Encoded:
    value = json_value(data)
    return _Encoded(saved=value, info={"type": kind}, request=value)


def _encode_frame(frame: Any) -> _Encoded:
    check_names(frame.columns)
    split = frame.to_dict(orient="split")
    rows = json_value([[_number(value) for value in row] for row in split["data"]])
    value, orient = {"data": rows}, "values"
    has_names = list(frame.columns) != list(range(len(frame.columns)))
    if has_names:
        columns = list(map(_column_name, split["columns"]))
        value, orient = {"columns": columns, "data": rows}, "split"
    return _Encoded(
        saved=value,
        info={"type": "dataframe", "pandas_orient": orient},
        request=value,
        request_key="dataframe_split",
    )


def _number(value: Any) -> Any:
    """Return a decimal as the double that it is in a signature."""
    return float(value) if isinstance(value, decimal.Decimal) else value


def _column_name(name: Any) -> int | str:
    if isinstance(name, int | str):
        return name
    return str(name)


def _encode_sparse(matrix: Any) -> _Encoded:
    form = getattr(matrix, "format", "")
    if form not in ("csc", "csr"):
        raise InvalidArgument(
            f"A sparse input example must be a csc_matrix or csr_matrix, not a {form}_matrix."
        )
    parts = {name: json_value(getattr(matrix, name)) for name in ("data", "indices", "indptr")}
    return _Encoded(
        saved={**parts, "shape": list(matrix.shape)},
        info={"type": f"sparse_matrix_{form}"},
        # Requests have no form for sparse matrices.
        request=json_value(matrix),
    )


def load(
    model: ModelDirectory, info: Mapping[str, Any], signature: Mapping[str, Any] | None
) -> Any:
    """Read the example of a model without its parameters; raise `InvalidFile` if malformed."""
    path, value = _read(model, info)
    if info.get("params") and isinstance(value, dict):
        value = value.get("inputs")
    try:
        data = example_data(value, info, Signature(signature))
        if info.get("type") == "dataframe":
            return convert(data, Signature(signature))
        return data
    except (InvalidInput, KeyError, TypeError) as error:
        raise InvalidFile(path, "", str(error)) from error


def load_params(model: ModelDirectory, info: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the parameters that were saved with the example; None if there are none."""
    if not info.get("params"):
        return None
    path, value = _read(model, info)
    params = value.get("params") if isinstance(value, dict) else None
    if not isinstance(params, dict):
        raise InvalidFile(path, "params", "is missing")
    return params


def load_serving(model: ModelDirectory, info: Mapping[str, Any]) -> str | None:
    """Read the example as the text of a request; None if there is none."""
    name = info.get("serving_input_path")
    if not name:
        return None
    path = model.file(str(name))
    if path is None:
        return None
    return path.read_text(encoding="utf-8")


def _read(model: ModelDirectory, info: Mapping[str, Any]) -> tuple[Path, Any]:
    name = str(info.get("artifact_path") or FILE_NAME)
    path = model.file(name)
    if path is None:
        raise InvalidFile(model.path / name, "", "is missing")
    try:
        return path, json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidFile(path, "", f"is not valid JSON: {error}") from error
