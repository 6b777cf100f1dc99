"""The OpenAPI description of a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema  # type: ignore[import-untyped]
import pytest
from openapi_spec_validator import validate

import envkit
from envkit.models.directory import ModelDirectory
from envkit.serving import openapi
from tests.builders.obedient_model import Serve, obedient_model

COLUMNS = [
    {"name": "a", "type": "long", "required": True},
    {"name": "b", "type": "string", "required": False},
    {"name": "c", "type": "array", "items": {"type": "double"}, "required": True},
    {
        "name": "d",
        "type": "object",
        "properties": {"x": {"type": "datetime", "required": True}},
        "required": True,
    },
]
TENSOR = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]
TENSORS = [
    {"name": "p", "type": "tensor", "tensor-spec": {"dtype": "int32", "shape": [-1]}},
    {"name": "q", "type": "tensor", "tensor-spec": {"dtype": "bool", "shape": [-1, 1]}},
]
PARAMS = [{"name": "t", "type": "double", "default": 0.5, "shape": None}]
ROW = {"a": 1, "b": None, "c": [1.5, None], "d": {"x": "2024-01-01T00:00:00"}}


def described(folder: Path, signature: Any) -> dict[str, Any]:
    document = openapi.document(ModelDirectory.open(obedient_model(folder, signature=signature)))
    validate(document)
    return document


def schema_of(document: dict[str, Any]) -> Any:
    body = document["paths"]["/invocations"]["post"]["requestBody"]
    return body["content"]["application/json"]["schema"]


@pytest.mark.parametrize(
    ("inputs", "valid", "invalid"),
    [
        (
            COLUMNS,
            [
                {"dataframe_records": [ROW]},
                {"instances": [ROW], "params": {"t": 1}},
                {"inputs": {name: [value] for name, value in ROW.items()}},
                {"dataframe_split": {"columns": ["a", "c", "d"], "data": [[1, [1], {}]]}},
            ],
            [
                {"dataframe_records": [{**ROW, "a": "no"}]},
                {"dataframe_records": [{"a": 1}]},
                {"dataframe_split": {"columns": ["z"], "data": []}},
                {"instances": [ROW], "params": {"t": "hot"}},
                {},
            ],
        ),
        (
            TENSOR,
            [{"inputs": [[1, 2], [3, None]]}, {"instances": [[1.5, 2]]}],
            [{"inputs": [[1, 2, 3]]}, {"inputs": [1]}, {"inputs": [["a", "b"]]}],
        ),
        (TENSORS, [{"inputs": {"p": [1], "q": [[True]]}}], [{"inputs": {"p": [1]}}]),
    ],
    ids=["columns", "tensor", "tensors"],
)
def test_the_schema_accepts_what_the_signature_does(
    tmp_path: Path, inputs: Any, valid: list[Any], invalid: list[Any]
) -> None:
    document = described(tmp_path / "m", {"inputs": inputs, "params": PARAMS})
    validator = jsonschema.Draft202012Validator(schema_of(document))

    assert [request for request in valid if not validator.is_valid(request)] == []
    assert [request for request in invalid if validator.is_valid(request)] == []


def test_a_model_without_signature_is_described(tmp_path: Path) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(described(tmp_path / "m", None)))

    assert validator.is_valid({"inputs": [1]})
    assert validator.is_valid({"messages": []})


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "[NaN]", "5", ""])
def test_an_example_that_cannot_be_read_is_left_out(tmp_path: Path, text: str) -> None:
    model = obedient_model(tmp_path / "m")
    (model / openapi.SERVING_EXAMPLE).write_text(text)
    document = openapi.document(ModelDirectory.open(model))

    validate(document)
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    assert "examples" not in content["application/json"]


def test_the_server_describes_itself_with_the_models_own_example(
    serve: Serve, make_model: Any
) -> None:
    model = make_model()
    (model / openapi.SERVING_EXAMPLE).write_text(json.dumps({"inputs": ["pid"]}))
    url = serve(model)
    document = httpx.get(f"{url}/openapi.json", verify=False).json()
    validate(document)
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    example = content["application/json"]["examples"]["model"]["value"]

    assert example == {"inputs": ["pid"]}
    assert httpx.post(f"{url}/invocations", json=example, verify=False).status_code == 200
    assert httpx.get(f"{url}/docs", verify=False).status_code == 404


def test_the_page_for_people_is_there_when_wanted(obedient: Path) -> None:
    with envkit.serve(
        obedient, port=0, env_manager="local", synchronous=False, docs=True
    ) as server:
        page = httpx.get(f"{server.url}/docs", verify=False)

    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "http:" not in page.text
    assert "https:" not in page.text
