"""A model that no rule reports, with files laid over it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from envkit.models import digests
from envkit.models.directory import ModelDirectory
from envkit.validating.examination import examine
from envkit.validating.finding import Finding
from envkit.validating.options import StageOptions
from envkit.validating.rules import all_rules
from tests.builders.files import write_files
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

Sound = Callable[..., Path]
"""Writes the sound model into the folder of a test, with files laid over it."""


def package(name: str, version: str) -> Mapping[str, Any]:
    """Give a package of a lock, with a wheel."""
    file = f"{name}-{version}-py3-none-any.whl"
    return {
        "name": name,
        "version": version,
        "wheels": [{"url": f"https://files.example/{file}", "hashes": {"sha256": "a" * 64}}],
    }


def seen(name: str, version: str, role: str, **more: Any) -> dict[str, Any]:
    """Give the evidence of a distribution."""
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
    """Give what a capture of the model would record."""
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


def sound_model(
    path: Path, files: Mapping[str, str | bytes | None] | None = None, **more: Any
) -> Path:
    """Make the sound model, lay files over it (None takes one away), and give its path."""
    write_files(path, FILES)
    lock = lock_text(
        packages=[package("acme", "1.0"), package("other", "2.0")], requires_python="==3.12.*"
    )
    write_files(path, {"pylock.toml": lock})
    write_files(path, {"envkit.json": json.dumps(evidence(path, **more))})
    write_files(path, files or {})
    return path


def findings_of(model: Path, code: str, **options: Any) -> list[Finding]:
    """Give what one rule reports about a model, examined with these options."""
    rule = next(rule for rule in all_rules() if rule.code == code)
    examination = examine(model, StageOptions(**options))
    return list(rule.findings(*examination.evidence(rule.stage)))


def run_python(model: Path, program: str) -> None:
    """Run a program in a model's folder."""
    subprocess.run([sys.executable, "-c", program], cwd=model, check=True)
