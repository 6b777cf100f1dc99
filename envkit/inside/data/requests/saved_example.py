"""The input example that was saved with a model: what it predicts on when it is traced."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Mapping

from ..enforcement.inputs import convert
from ..enforcement.parameters import enforce_params
from ..signature import InvalidInput, Signature
from . import json_request
from .json_arrays import arrays_from_json
from .json_frames import frame_from_records, frame_from_split
from .model_input import ModelInput, ReadRaw
from .text import parse_json, read_file

SPARSE_MATRICES = {
    "sparse_matrix_csc": "csc_matrix",
    "sparse_matrix_csr": "csr_matrix",
}


def load(example: Mapping[str, Any], signature: Signature, *, raw: ReadRaw | None) -> ModelInput:
    """Load the saved example; the saved request where the example itself is missing.

    example: `saved_input_example_info` of the `MLmodel` file, with the `path` of the example. raw:
    makes the model's input of JSON values. Raises `InvalidInput`.
    """
    path = example["path"]
    if not os.path.exists(path):
        name = example.get("serving_input_path") or "serving_input_example.json"
        request = read_file(os.path.join(os.path.dirname(path), name))
        return json_request.parse(request, signature, raw=raw)
    value = parse_json(read_file(path))
    params: Any = None
    if example.get("params") and isinstance(value, dict):
        params = value.get("params")
        value = value.get("inputs")
    if raw is None:
        data = convert(example_data(value, example, signature), signature)
    elif example.get("type") == "dataframe":
        data = example_data(value, example, signature)
    else:
        data = raw(_without_request(value, example))
    return ModelInput(data, enforce_params(params, signature))


def example_data(value: Any, example: Mapping[str, Any], signature: Signature) -> Any:
    """Make the data of an example: of its own type, arrays with the signature's element types.

    Raises `InvalidInput`.
    """
    kind = example.get("type")
    if kind == "dataframe":
        if isinstance(value, dict):
            return frame_from_split(value, signature)
        return frame_from_records(value, signature)
    if kind == "ndarray":
        return arrays_from_json(_without_request(value, example), signature)
    if kind in SPARSE_MATRICES:
        matrix = getattr(import_module("scipy.sparse"), SPARSE_MATRICES[kind])
        parts = (value["data"], value["indices"], value["indptr"])
        return matrix(parts, shape=tuple(value["shape"]))
    if kind not in (None, "json_object"):
        raise InvalidInput(f"the saved example has the unknown type {kind!r}")
    return value


def _without_request(value: Any, example: Mapping[str, Any]) -> Any:
    """Take arrays out of a request for TensorFlow Serving, as MLflow before 2.15 saved them."""
    if example.get("format") == "tf-serving" and isinstance(value, dict):
        return value.get("inputs", value)
    return value
