"""The command line, run in the process of the tests."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from envkit.cli.main import main


def run_envkit(*words: str | Path) -> Result:
    """Run `envkit` with these words."""
    return CliRunner().invoke(main, [str(word) for word in words])
