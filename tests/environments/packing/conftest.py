"""A small model with a package that has a script, and a Python that does not run envkit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envkit.interpreters import locations
from tests.builders.models import loader_code, write_model
from tests.builders.wheels import write_wheel

VERSION = "3.10.13"


@pytest.fixture
def python_folder() -> Path:
    """The folder of an interpreter of this machine, in which it can be hidden."""
    folder = locations.pyenv_versions(os.environ) / VERSION
    if not folder.exists():
        pytest.skip(f"Python {VERSION} is not on this machine")
    return folder


@pytest.fixture
def packable(tmp_path: Path, python_folder: Path) -> Path:
    """A model whose answer tells where its packages and its Python lie."""
    model = tmp_path / "the model"
    (model / "wheels").mkdir(parents=True)
    content = (
        "import sys\nVERSION = '1.0'\ndef main():\n"
        "    print('alpha in', sys.prefix, *sys.argv[1:])\n"
    )
    write_wheel(
        model / "wheels",
        "alpha",
        "1.0",
        ["beta>=1"],
        content,
        entry_points="[console_scripts]\nalpha = alpha:main\n",
    )
    write_wheel(model / "wheels", "beta", "1.0")
    requirements = "--no-index\n--find-links wheels\nalpha==1.0\nbeta==1.0\n"
    predict = "return [alpha.VERSION, sys.prefix, sys.base_prefix]"
    code = loader_code(predict, top="import sys, alpha, beta")
    return write_model(model, code, requirements=requirements, python=VERSION, env={})
