"""`envkit capture`: what its options do to what is written and refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from envkit.cli.main import main
from envkit.models.capture_warnings import WarningKind
from tests.builders.model_case import ModelCase

READS = "import os\nos.environ.get('MY_URL'), os.environ.get('MY_LEVEL'), os.environ.get('LANG')\n"
LOADS = (
    "class Model:\n    def predict(self, data): return 1\ndef _load_pyfunc(path): return Model()\n"
)


def capture(case: ModelCase, *words: str) -> Result:
    return CliRunner().invoke(main, ["capture", str(case.path), *words])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), ["MY_LEVEL", "MY_URL"]),
        (("--env-var", "LAN?"), ["LANG", "MY_LEVEL", "MY_URL"]),
        (("--ignore-env-var", "MY_*"), []),
        (
            ("--ignore-env-var", "MY_U*", "--env-var", "MY_*", "--env-var", "LANG"),
            ["LANG", "MY_LEVEL"],
        ),
    ],
)
def test_patterns_choose_the_variables_that_are_recorded(
    case: ModelCase, words: tuple[str, ...], expected: list[str]
) -> None:
    case.code("loader.py", READS + LOADS)

    done = capture(case, *words)

    assert done.exit_code == 0, done.stderr
    written = (case.path / "environment_variables.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in written if not line.startswith("#")] == expected


Arrange = Callable[[ModelCase], object]


def outside(case: ModelCase) -> None:
    case.site.folder.joinpath("nobodys.py").touch()
    case.code("loader.py", "import nobodys\n" + LOADS)


def unmet(case: ModelCase) -> None:
    case.site.install("soup", files={"soup.py": ""}, requires=["absent"])
    case.code("loader.py", "import soup\n" + LOADS)


def unseen(case: ModelCase) -> None:
    case.code(
        "loader.py",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-I', '-c', ''])\n" + LOADS,
    )


def not_reached(case: ModelCase) -> None:
    case.install("rare")
    case.code(
        "loader.py",
        LOADS.replace("return 1", "\n        if data is None: import rare\n        return 1"),
    )


def not_installed(case: ModelCase) -> None:
    case.code(
        "loader.py",
        LOADS.replace("return 1", "\n        if data is None: import absent\n        return 1"),
    )


def unread(case: ModelCase) -> None:
    case.code("loader.py", LOADS)
    (case.path / "model.pkl").write_bytes(b"\x80\x04 CodeType")


@pytest.mark.parametrize(
    ("arrange", "kind"),
    [
        (outside, WarningKind.OUTSIDE),
        (unmet, WarningKind.UNMET),
        (unseen, WarningKind.UNSEEN_PROCESS),
        (not_reached, WarningKind.NOT_REACHED),
        (not_installed, WarningKind.NOT_INSTALLED),
        (unread, WarningKind.UNREAD),
        (lambda case: (case.path / "input_example.json").unlink(), WarningKind.NO_PREDICTION),
    ],
)
def test_strict_refuses_each_kind_of_warning_and_writes_nothing(
    case: ModelCase, arrange: Arrange, kind: WarningKind
) -> None:
    case.example()
    arrange(case)
    told = json.loads(capture(case, "--json", "--dry-run").stdout)["degradations"]

    refused = capture(case, "--strict")

    of_kind = [each["text"] for each in told if each["kind"] == kind]
    assert of_kind, told
    assert refused.exit_code == 4
    assert all(text in refused.stderr for text in of_kind)
    assert not (case.path / "requirements.txt").exists()
