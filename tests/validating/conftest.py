"""A model in which nothing is wrong, and what is laid over it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from envkit.models import digests
from envkit.models.directory import ModelDirectory
from envkit.validating.examination import examine
from envkit.validating.finding import Finding
from envkit.validating.options import StageOptions
from envkit.validating.rules import all_rules
from tests.builders import package_index
from tests.builders.locks import lock_text

FILES = {
    "MLmodel": """flavors:
  python_function:
    code: code
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: loader
    python_version: 3.12.7
""",
    "code/loader.py": "import acme\n\n\ndef _load_pyfunc(path):\n    return acme\n",
    "requirements.txt": "acme==1.0\n-c constraints.txt\n",
    "constraints.txt": "other==2.0\n",
    "conda.yaml": """channels:
- conda-forge
dependencies:
- python=3.12.7
- pip
- pip:
  - acme==1.0
  - -c constraints.txt
name: model
""",
    "python_env.yaml": "python: 3.12.7\ndependencies:\n- -r requirements.txt\n",
    "environment_variables.txt": "",
}
DAY = "1767225600"  # 2026-01-01, so that the tests mean the same in later years

Sound = Callable[..., Path]


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of tiny wheels; see `stages.make_index`."""
    from tests.validating import stages

    folder = tmp_path_factory.mktemp("index")
    stages.make_index(folder)
    return folder


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, index: Path) -> Iterator[Mapping[str, str]]:
    """Variables that name that index, and a store and a cache that the tests share."""
    from tests.validating import stages

    folder = tmp_path_factory.mktemp("machine")
    with package_index.serve_folder(index) as host, stages.fake_osv() as osv:
        yield {
            "UV_DEFAULT_INDEX": f"http://{host}/simple",
            "UV_CACHE_DIR": str(folder / "cache"),
            "ENVKIT_HOME": str(folder / "store"),
            "PIP_AUDIT_VULNERABILITY_SERVICE": "osv",
            "PIP_AUDIT_OSV_URL": osv,
        }


@pytest.fixture
def running(
    tmp_path: Path, index: Path, machine: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Make a model that runs, with files laid over it, on a machine that knows its index."""
    from tests.validating import stages

    for name, value in machine.items():
        monkeypatch.setenv(name, value)
    return lambda files=None, name="model": stages.make(tmp_path / name, index, files)


@pytest.fixture(autouse=True)
def fixed_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", DAY)


def package(name: str, version: str) -> Mapping[str, Any]:
    file = f"{name}-{version}-py3-none-any.whl"
    return {
        "name": name,
        "version": version,
        "wheels": [{"url": f"https://files.example/{file}", "hashes": {"sha256": "a" * 64}}],
    }


def seen(name: str, version: str, role: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "role": role,
        "requirement": f"{name}=={version}",
        "origin": None,
        "implied_by": [] if role == "requirement" else ["acme"],
        "reasons": [{"phase": "load", "module": name, "by": "code/loader.py", "line": 1}],
        **more,
    }


def evidence(model: Path, **more: Any) -> dict[str, Any]:
    files = {
        name: digest.as_json()
        for name, digest in digests.of_model(ModelDirectory.open(model)).items()
    }
    return {
        "schema_version": 1,
        "interpreter": {
            "implementation": "cpython",
            "version": "3.12.7",
            "platform": "linux-x86_64",
        },
        "distributions": [seen("acme", "1.0", "requirement"), seen("other", "2.0", "constraint")],
        "optional": [],
        "environment_variables": [],
        "files": files,
        **more,
    }


def make(path: Path, files: Mapping[str, str | bytes | None] | None = None, **more: Any) -> Path:
    """Make the sound model, lay files over it (None takes one away), and give its path."""
    path.mkdir(parents=True)
    write(path, FILES)
    lock = lock_text(
        packages=[package("acme", "1.0"), package("other", "2.0")], requires_python="==3.12.*"
    )
    write(path, {"pylock.toml": lock})
    write(path, {"envkit.json": json.dumps(evidence(path, **more))})
    write(path, files or {})
    return path


def write(path: Path, files: Mapping[str, str | bytes | None]) -> None:
    for name, content in files.items():
        target = path / name
        if content is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def sound(tmp_path: Path) -> Sound:
    """Make a sound model, with files laid over it."""
    return lambda files=None, name="model", **more: make(tmp_path / name, files, **more)


def findings_of(model: Path, code: str, **options: Any) -> list[Finding]:
    """What one rule reports about a model, examined with these options."""
    rule = next(rule for rule in all_rules() if rule.code == code)
    examination = examine(model, StageOptions(**options))
    return list(rule.findings(*examination.evidence(rule.stage)))


def run_python(model: Path, program: str) -> None:
    """Run a program in a model's folder."""
    subprocess.run([sys.executable, "-c", program], cwd=model, check=True)
