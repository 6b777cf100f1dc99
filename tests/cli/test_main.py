from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from envkit import errors
from envkit.cli import main as program


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "envkit", *words],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_help_lists_every_command_without_importing_one() -> None:
    code = "import sys; from envkit.cli.main import main; main(['--help'], standalone_mode=False)"
    shown = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{code}; print(sorted(m for m in sys.modules if m.startswith('envkit.')))",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    for name, sentence in program.COMMANDS.items():
        assert name in shown
        assert sentence in " ".join(shown.split())  # long ones are wrapped
    assert (
        shown.splitlines()[-1]
        == "['envkit.cli', 'envkit.cli.main', 'envkit.cli.options', 'envkit.errors']"
    )


@pytest.mark.parametrize("name", program.COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(program.main, [name, "--help"])

    assert result.exit_code == 0
    assert re.search(r"MODEL|A B|COMMAND", result.output)


@pytest.mark.parametrize("words", [("-q", "diff"), ("diff", "-q"), ("--quiet", "diff", "-v")])
def test_quiet_stands_before_the_command_or_after_it(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "a.txt").write_text("acme==1\n")
    result = CliRunner().invoke(
        program.main, [*words, str(tmp_path / "a.txt"), str(tmp_path / "a.txt")]
    )

    assert (result.exit_code, result.output) == (0, "")


def test_importing_envkit_imports_nothing_third_party() -> None:
    code = (
        "import sys; before = set(sys.modules); "
        "import envkit; print(sorted(set(sys.modules) - before))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert shown.strip() == "['__future__', 'envkit']"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2),
        (("no-such-command",), 2),
        (("predict",), 2),
        (("predict", "a", "-m", "b"), 2),
        (("predict", "a", "--env-manager", "docker"), 2),
        (("predict", "a", "--env", "NOVALUE"), 2),
        (("deps", "no/such/model"), 3),
        (("capture", "no/such/model"), 3),
    ],
)
def test_wrong_usage_and_missing_models_have_the_exit_codes_of_the_design(
    words: tuple[str, ...], code: int
) -> None:
    ended = run(*words)

    assert ended.returncode == code
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidArgument("x"), 2),
        (errors.ModelNotFound("there", "nothing is there"), 3),
        (errors.InvalidFile("MLmodel", "flavors", "expected a mapping"), 3),
        (errors.PathOutsideModel("MLmodel", "code", "../x"), 3),
        (errors.ModelRaised("load", "ValueError", "bad", "Traceback …"), 4),
        (errors.ModelDied("predict", -11, "was killed by SIGSEGV"), 4),
        (errors.ModelTimedOut("predict", 3), 4),
        (errors.IncompleteCapture(("no prediction was made",)), 4),
        (errors.BuildFailed("install", "no wheel"), 5),
        (errors.PredictionFailed("predict", "bad"), 6),
        (errors.InterpreterNotFound("3.7.1", ("PATH",)), 7),
        (errors.ToolNotFound("uv", "Install it."), 7),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_failure_ends_with_its_sentence_and_its_exit_code(
    error: BaseException, code: int
) -> None:
    @click.group(cls=program.LazyGroup)
    def group() -> None: ...

    group.get_command = lambda *_: click.Command("fail", callback=fail)  # type: ignore[method-assign]

    def fail() -> None:
        raise error

    result = CliRunner().invoke(group, ["fail"])

    assert result.exit_code == code
    assert result.stdout == ""
    assert (str(error) or "Interrupted") in result.stderr


@pytest.mark.parametrize(
    "each", [errors.InvalidFile("a", "b", "c"), errors.InterpreterNotFound("3.8", ("PATH",))]
)
def test_errors_survive_pickling(each: errors.EnvkitError) -> None:
    import pickle

    assert str(pickle.loads(pickle.dumps(each))) == str(each)


@pytest.mark.parametrize(("redirection", "code"), [(">/dev/full", 1), (">&-", 0)])
def test_an_output_that_takes_nothing_is_no_traceback(
    tmp_path: Path, redirection: str, code: int
) -> None:
    tmp_path.joinpath("MLmodel").write_text("flavors: {}\n", encoding="utf-8")
    tmp_path.joinpath("requirements.txt").write_text("six==1.17.0\n", encoding="utf-8")
    ended = subprocess.run(
        f"{sys.executable} -m envkit deps {tmp_path} {redirection}",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == code
    assert ended.stderr.count("\n") == code
    assert "Traceback" not in ended.stderr


def test_nothing_is_printed_into_a_closed_pipe(tmp_path: Path) -> None:
    ended = subprocess.run(
        f"{sys.executable} -m envkit --help | true",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Traceback" not in ended.stderr


def test_a_closed_standard_input_is_a_usage_error(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m envkit predict "$1" <&-', sys.executable, tmp_path],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "Standard input is closed" in done.stderr
