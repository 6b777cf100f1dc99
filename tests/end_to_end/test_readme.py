"""What the README shows is what happens."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from envkit.cli import main as program
from tests.builders.fixture_models import FIXTURES_PYTHON, copy_fixture_model
from tests.builders.interpreters import RUNNING_MINOR
from tests.builders.programs import Envkit

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
DOCUMENTATION = README + "".join(
    page.read_text(encoding="utf-8")
    for page in (Path(__file__).resolve().parents[2] / "docs").glob("*.md")
)
VARYING = re.compile(
    r"3\.11\.\d+|/\S*/model\b|/\S*/environments/uv-\w+|\b\d+ constraints"
    r"|(?<=- pip)<=\S+|(?<=\d\.\d{6})\d+"
)


def sessions(text: str) -> Iterator[tuple[list[str], str]]:
    """Give each command of the console blocks with what follows it."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            yield shlex.split(command), output.strip()


def plain(text: str) -> list[str]:
    """Give the sorted lines of both streams, without what differs between machines.

    Another test may have built, or be building, the same environment.
    """
    lines = (
        line
        for line in text.strip().splitlines()
        if not line.startswith(("Building ", "Waiting for ", "Downloading ", "Installed "))
    )
    return sorted(VARYING.sub("…", line) for line in lines)


@pytest.mark.e2e
@pytest.mark.network
@pytest.mark.skipif(
    RUNNING_MINOR != FIXTURES_PYTHON, reason=f"the README shows Python {FIXTURES_PYTHON}"
)
def test_the_commands_of_the_readme_print_what_it_shows(
    model_python: Path, envkit: Envkit, tmp_path: Path
) -> None:
    copy_fixture_model("sklearn_pipeline", tmp_path).path.rename(tmp_path / "model")
    (tmp_path / ".venv").symlink_to(model_python.parents[1])
    shown = list(sessions(README))

    assert len(shown) == 3
    for (name, *words), output in shown:
        assert name == "envkit"
        done = envkit(*words, directory=tmp_path)
        assert plain(done.stderr + done.stdout) == plain(output)


@pytest.mark.parametrize("name", program.COMMANDS)
def test_the_readme_names_every_command_and_every_option(name: str) -> None:
    command = program.main.get_command(None, name)  # type: ignore[arg-type]

    assert command is not None
    if isinstance(command, click.Group):
        assert f"`envkit {name} " in README
        for each, inner in command.commands.items():
            assert f"`envkit {name} {each}" in DOCUMENTATION
            assert_options_are_named(inner, DOCUMENTATION)
    else:
        assert re.search(rf"`envkit {name} (KIND )?MODEL`", README)
        assert_options_are_named(command, DOCUMENTATION)


def assert_options_are_named(command: click.Command, text: str) -> None:
    for parameter in command.params:
        for option in (each for each in parameter.opts if each.startswith("--")):
            assert option in text


def test_the_readme_names_every_exit_code() -> None:
    from envkit import errors

    codes = {
        each.exit_code
        for each in vars(errors).values()
        if isinstance(each, type) and hasattr(each, "exit_code")
    }
    for code in (codes - {errors.EnvkitError.exit_code}) | {program.INTERRUPTED}:
        assert f"| {code} |" in README


def test_the_two_commands_of_the_readme_are_there() -> None:
    for script in ("scripts/demo", "scripts/test"):
        assert f"    {script} " in README
        shown = subprocess.run(
            [Path(__file__).resolve().parents[2] / script, "--help"],
            check=True,
            capture_output=True,
            text=True,
        )
        assert shown.stdout
