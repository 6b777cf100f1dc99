"""The OpenAPI description of a server, from its model's signature and example.

https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from envkit.errors import InvalidArgument, InvalidInput
from envkit.models.data_types import Array, DataType, Map, Object, SparkMLVector
from envkit.models.directory import ModelDirectory
from envkit.models.param_schema import ParamSchema
from envkit.models.schema import ColSpec, Schema, TensorSpec
from envkit.models.signature import ModelSignature

JsonSchema = dict[str, Any]

# The request that MLflow saves next to an example.
SERVING_EXAMPLE = "serving_input_example.json"

# A larger example says no more about how to ask.
MAX_EXAMPLE_BYTES = 100_000

# NaN and what is missing are null in JSON.
_NUMBER: JsonSchema = {"type": ["number", "null"]}
_BASIC: Mapping[str, JsonSchema] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer", "format": "int32"},
    "long": {"type": "integer", "format": "int64"},
    "float": _NUMBER,
    "double": _NUMBER,
    "string": {"type": "string"},
    "binary": {"type": "string", "contentEncoding": "base64"},
    "datetime": {"type": "string", "format": "date-time"},
}


def document(model: ModelDirectory) -> dict[str, Any]:
    """Describe the server of a model as an OpenAPI 3.1 document."""
    signature = _signature(model)
    json_content: dict[str, Any] = {"schema": _request(signature)}
    example = _example(model)
    if example is not None:
        json_content["examples"] = {"model": {"summary": "The model's example", "value": example}}
    content = {
        "application/json": json_content,
        "text/csv": {"schema": {"type": "string"}},
        "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
    }
    prediction = {
        "summary": "Predict",
        "operationId": "predict",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _json_response("The prediction", _answer(signature)),
            "default": _json_response("An error", {"$ref": "#/components/schemas/Error"}),
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": model.name, "version": version("envkit")},
        "paths": {
            "/invocations": {"post": prediction},
            "/ping": {"get": _probe("ping", "Whether the model is loaded", "503")},
            "/readyz": {"get": _probe("ready", "Whether the model is loaded", "503")},
            "/livez": {"get": _probe("live", "Whether the server runs")},
        },
        "components": {"schemas": {"Error": _error()}},
    }


def _signature(model: ModelDirectory) -> ModelSignature | None:
    if model.mlmodel.signature is None:
        return None
    try:
        return ModelSignature.from_dict(dict(model.mlmodel.signature))
    except (InvalidArgument, RecursionError):
        return None  # the workers enforce what they can read of it


def _request(signature: ModelSignature | None) -> JsonSchema:
    """Give the schema of a JSON request: exactly one form of the data, and parameters."""
    forms: dict[str, JsonSchema] = {
        "instances": {},
        "inputs": {},
        "dataframe_split": {},
        "dataframe_records": {},
    }
    if signature is not None and signature.inputs is not None:
        forms = _forms(signature.inputs)
    params = {"type": "object"}
    if signature is not None and signature.params is not None:
        params = _params(signature.params)
    alternatives = []
    for key, schema in forms.items():
        alternatives.append(
            {
                "type": "object",
                "title": key,
                "properties": {key: schema, "params": params},
                "required": [key],
            }
        )
    if signature is None or signature.inputs is None:
        alternatives.append({"type": "object", "title": "chat", "required": ["messages"]})
    return {"anyOf": alternatives}


def _forms(inputs: Schema) -> dict[str, JsonSchema]:
    specs = list(inputs)
    if inputs.is_tensor_spec():
        tensors = [spec for spec in specs if isinstance(spec, TensorSpec)]
        if not inputs.has_input_names():
            tensor = _tensor(tensors[0])
            return {"inputs": tensor, "instances": tensor}
        named = {str(spec.name): _tensor(spec) for spec in tensors}
        whole = {"type": "object", "properties": named, "required": list(named)}
        return {"inputs": whole, "instances": {"type": "array", "items": {"type": "object"}}}
    columns = [spec for spec in specs if isinstance(spec, ColSpec)]
    if not inputs.has_input_names():
        return {"inputs": {}, "instances": {}, "dataframe_split": {"type": "object"}}
    return _forms_of_columns(columns)


def _forms_of_columns(columns: list[ColSpec]) -> dict[str, JsonSchema]:
    record: JsonSchema = {"type": "object", "properties": {}, "required": []}
    lists: JsonSchema = {"type": "object", "properties": {}, "required": []}
    for column in columns:
        name = str(column.name)
        cell = _optional(column.type, required=column.required)
        record["properties"][name] = cell
        lists["properties"][name] = {"anyOf": [{"type": "array", "items": cell}, cell]}
        if column.required:
            record["required"].append(name)
            lists["required"].append(name)
    records = {"type": "array", "items": record}
    split = {
        "type": "object",
        "properties": {
            "columns": {"type": "array", "items": {"enum": list(record["properties"])}},
            "index": {"type": "array"},
            "data": {"type": "array", "items": {"type": "array"}},
        },
        "required": ["columns", "data"],
    }
    return {
        "dataframe_split": split,
        "dataframe_records": records,
        "inputs": {"anyOf": [lists, records]},
        "instances": records,
    }


def _optional(kind: Any, *, required: bool) -> JsonSchema:
    schema = _schema(kind)
    if required:
        return schema
    return {"anyOf": [schema, {"type": "null"}]}


def _schema(kind: Any) -> JsonSchema:
    """Give the schema of a type's JSON values; an empty one accepts everything."""
    if isinstance(kind, DataType):
        return dict(_BASIC[kind.name])
    if isinstance(kind, Array):
        return {"type": "array", "items": _schema(kind.dtype)}
    if isinstance(kind, SparkMLVector):
        return {"type": "array", "items": dict(_NUMBER)}
    if isinstance(kind, Map):
        return {"type": "object", "additionalProperties": _schema(kind.value_type)}
    if isinstance(kind, Object):
        schema: JsonSchema = {"type": "object", "properties": {}, "required": []}
        for member in kind.properties:
            schema["properties"][member.name] = _optional(member.dtype, required=member.required)
            if member.required:
                schema["required"].append(member.name)
        return schema
    return {}


def _tensor(spec: TensorSpec) -> JsonSchema:
    schema = _element(spec.dtype)
    for length in reversed(spec.shape):
        schema = {"type": "array", "items": schema}
        if length >= 0:
            schema |= {"minItems": length, "maxItems": length}
    return schema


def _element(dtype: str) -> JsonSchema:
    if dtype == "bool":
        return {"type": "boolean"}
    if dtype.startswith(("int", "uint")):
        return {"type": "integer"}
    if dtype.startswith("float"):
        return dict(_NUMBER)
    if dtype.startswith(("str", "bytes")):
        return {"type": "string"}
    return {}


def _params(params: ParamSchema) -> JsonSchema:
    properties: dict[str, JsonSchema] = {}
    for spec in params.params:
        schema = _schema(spec.dtype)
        if spec.shape is not None:
            schema = {"type": "array", "items": schema}
        properties[spec.name] = schema
        default = spec.to_dict().get("default")
        if default is not None:
            schema["default"] = default
    return {"type": "object", "properties": properties}


def _answer(signature: ModelSignature | None) -> JsonSchema:
    predictions: JsonSchema = {}
    if signature is not None and signature.outputs is not None:
        specs = list(signature.outputs)
        if len(specs) == 1 and isinstance(specs[0], TensorSpec) and specs[0].name is None:
            predictions = _tensor(specs[0])
    return {"type": "object", "properties": {"predictions": predictions}}


def _example(model: ModelDirectory) -> Any:
    """Give the model's own example as a request; None when there is none that is short."""
    saved = _read(model, SERVING_EXAMPLE)
    if isinstance(saved, dict):
        return saved
    example = model.mlmodel.example
    if example is None:
        return None
    content = _read(model, example.path)
    kind = example.fields.get("type")
    if kind == "dataframe" and isinstance(content, dict):
        return {"dataframe_split": content} if "data" in content else None
    if kind == "ndarray" and isinstance(content, dict):
        return content
    return None


def _read(model: ModelDirectory, name: str) -> Any:
    try:
        path = model.file(name)
        if path is None or path.stat().st_size > MAX_EXAMPLE_BYTES:
            return None
        # Python's NaN and Infinity are not JSON.
        return json.loads(path.read_bytes(), parse_constant=lambda _: None)
    except (OSError, ValueError, RecursionError, InvalidInput):
        return None


def _json_response(description: str, schema: JsonSchema) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _probe(identifier: str, summary: str, failure: str | None = None) -> dict[str, Any]:
    responses = {"200": {"description": "Yes"}}
    if failure is not None:
        responses[failure] = {"description": "No"}
    return {"summary": summary, "operationId": identifier, "responses": responses}


def _error() -> JsonSchema:
    names = ("error_code", "message", "sqlstate", "error_class")
    return {
        "type": "object",
        "properties": {name: {"type": "string"} for name in names},
        "required": list(names),
    }
