"""What is imported before there is anything to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

SHOW = "import sys; before = set(sys.modules); {}; print(*(set(sys.modules) - before))"


def new_modules(statement: str) -> set[str]:
    """The top-level names of what a statement imports in a fresh interpreter."""
    argv = [sys.executable, "-c", SHOW.format(statement)]
    shown = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return {name.partition(".")[0] for name in shown.split()}


@pytest.mark.parametrize(
    "statement", ["import envkit", "import envkit; dir(envkit)", "import envkit.errors"]
)
def test_importing_envkit_imports_nothing_third_party(statement: str) -> None:
    assert new_modules(statement) - set(sys.stdlib_module_names) == {"envkit"}
