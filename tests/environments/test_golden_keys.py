"""Keys of the store stay what they are: another key rebuilds every environment of the users.

`tests/cases/store_keys.json` holds model directories as texts, and the key of each. A change that
must change keys raises `FORMAT` of the plan, and then these.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from envkit.environments import cache_key, plan
from envkit.environments.env_type import EnvType
from envkit.interpreters.interpreter import Interpreter
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec

CASES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "cases" / "store_keys.json").read_text(encoding="utf-8")
)
PYTHON = Interpreter(
    executable=Path("/usr/bin/python3.11"),
    version="3.11.7",
    implementation="cpython",
    platform="linux-x86_64",
    abi="cpython-311-x86_64-linux-gnu",
)


@pytest.mark.parametrize("name", CASES)
def test_the_key_of_a_model_is_the_recorded_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    monkeypatch.setattr(cache_key, "libc", lambda: ["glibc 2.36"])
    for file, text in case["files"].items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    spec = read_spec(ModelDirectory.open(tmp_path))

    planned = plan.of(
        spec, overrides=case.get("overrides", ()), allow_source=case.get("allow_source", False)
    )

    assert (
        planned.key(EnvType(case.get("manager", "uv")), PYTHON, case.get("indexes", ()))
        == case["key"]
    )
