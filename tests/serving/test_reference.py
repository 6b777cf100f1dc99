"""Requests to MLflow's scoring server get the same answer, or a better one, and why."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

import envkit
from tests.builders.obedient_model import obedient_model
from tests.builders.request_signatures import SIGNATURES
from tests.cases import cases

MODEL = """
import json
class Model:
    def predict(self, data, params=None):
        if {raises}:
            raise ValueError("a secret")
        if {returns_data}:
            return data
        shown = json.dumps(params, sort_keys=True) if params else ""
        return ["%s:%d:%s" % (type(data).__name__, len(data), shown)]
def _load_pyfunc(path):
    return Model()
"""
CASES = [case for case in cases("invocations") if not str(case["given"]["body"]).startswith("b'")]
BETTER = {
    "030": (500, "the model takes the length of a number: the model is at fault"),
    "031": (500, "the same"),
    "033": (400, "rows with different keys are not columns of one length"),
    "037": (500, "as 030"),
    "038": (500, "as 030"),
    "039": (500, "as 030"),
    "049": (400, "params are an object"),
    "050": (400, "an unknown key may be a misspelt `params`"),
    "064": (200, "the names of media types have no case (RFC 9110, 8.3.1)"),
    "068": (415, "there is no Content-Type"),
    "090": (400, "1.5 for a long is refused, not cut to 1"),
    "132": (500, "the model failed"),
    "133": (500, "the model failed"),
    "142": (200, "bytes are base64 in every form of a request"),
}
OTHER_BODY = {"064", "142"}


# Tests of `inside` cover the other models without a server.
QUICK = {
    "no signature",
    "a:long b:double",
    "a:long with params t:double=0.5 stop:string[]",
    "model that raises",
}
PARAMETERS = [
    pytest.param(
        case,
        id=case["id"][-3:],
        marks=[] if case["given"]["model"] in QUICK else [pytest.mark.slow],
    )
    for case in CASES
]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Servers by the name of the model that they serve; each is started when it is first needed."""
    with ExitStack() as stack:
        yield Servers(stack, tmp_path_factory.mktemp("models"))


class Servers(dict[str, str]):
    def __init__(self, stack: ExitStack, folder: Path) -> None:
        super().__init__()
        self._stack = stack
        self._folder = folder

    def __missing__(self, name: str) -> str:
        returns_data = name in {"a:long b:double", "c:string", "d:datetime", "x:binary"}
        code = MODEL.format(raises=name == "model that raises", returns_data=returns_data)
        model = obedient_model(
            self._folder / str(len(self)), code, SIGNATURES[name], streamable=False
        )
        server = envkit.serve(model, port=0, env_manager="local", synchronous=False)
        self[name] = self._stack.enter_context(server).url
        return self[name]


def without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@pytest.mark.parametrize("case", PARAMETERS)
def test_a_request_is_answered_as_by_the_reference(
    servers: dict[str, str], client: httpx.Client, case: dict[str, Any]
) -> None:
    given, number = case["given"], case["id"][-3:]
    body = given["body"] if isinstance(given["body"], str) else json.dumps(given["body"])
    headers = {} if given["content_type"] is None else {"Content-Type": given["content_type"]}
    answer = client.post(
        f"{servers[given['model']]}/invocations", content=body.encode(), headers=headers
    )
    status, _ = BETTER.get(number, (case["expect"]["status"], ""))

    assert answer.status_code == status, answer.text
    if status != 200:
        assert {"error_code", "message", "sqlstate", "error_class"} == set(answer.json())
    elif number not in OTHER_BODY:
        assert answer.json() == without_nan(case["expect"]["body"])
