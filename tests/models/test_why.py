"""Why a distribution is there, from `envkit.json` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from envkit.cli.main import main
from envkit.errors import InvalidFile, InvalidInput
from envkit.formats import envkit_json
from envkit.models.evidence.why import why
from tests.builders.models import write_mlmodel

MODEL_CODE = {"phase": "load", "module": "cv2.data", "by": "model.py", "line": 3}
LIBRARY = {"phase": "predict", "module": "numexpr", "by": "pandas/core.py", "line": 9}


def entry(
    name: str, role: str, implied_by: tuple[str, ...] = (), *reasons: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1.0",
        "role": role,
        "requirement": f"{name}==1.0",
        "implied_by": list(implied_by),
        "reasons": list(reasons),
    }


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_mlmodel(tmp_path, "a")
    distributions = [
        entry("opencv-python", "requirement", (), MODEL_CODE),
        entry("numpy", "constraint", ("numpy-user", "opencv-python")),
        entry("numpy-user", "constraint", ("opencv-python", "numpy")),
        entry("six", "constraint", ("numpy-user",)),
    ]
    evidence = {
        "distributions": distributions,
        "optional": [entry("numexpr", "optional", (), LIBRARY)],
    }
    (tmp_path / "envkit.json").write_text(envkit_json.dumps(evidence))
    return tmp_path


@pytest.mark.parametrize(
    ("package", "role", "implied_by"),
    [
        ("opencv-python", "requirement", ()),
        ("OpenCV_python", "requirement", ()),
        ("cv2", "requirement", ()),
        ("numpy", "constraint", ("opencv-python", "numpy")),
        ("six", "constraint", ("opencv-python", "numpy-user", "six")),
        ("numexpr", "optional", ()),
    ],
)
def test_the_role_and_the_way_down_from_a_requirement_are_told(
    model: Path, package: str, role: str, implied_by: tuple[str, ...]
) -> None:
    found = why(model, package)

    assert (found.role, found.implied_by) == (role, implied_by)


def test_an_unknown_package_is_told_with_what_may_be_meant(model: Path) -> None:
    expected = r"not in the environment .* \(5 distributions\).* Did you mean numpy"
    with pytest.raises(InvalidInput, match=expected):
        why(model, "numpyy")


def test_a_model_that_was_not_captured_is_told(model: Path) -> None:
    (model / "envkit.json").unlink()

    with pytest.raises(InvalidFile, match="`envkit capture` writes it"):
        why(model, "numpy")


def test_evidence_that_someone_broke_is_told(model: Path) -> None:
    (model / "envkit.json").write_text(
        '{"schema_version": 1, "distributions": [1], "optional": []}'
    )

    with pytest.raises(InvalidFile, match="is not what"):
        why(model, "numpy")


@pytest.mark.parametrize(
    ("package", "lines"),
    [
        ("cv2", ["opencv-python 1.0 is a requirement of the model: opencv-python==1.0"]),
        ("cv2", ["  load: model.py:3 imports cv2.data"]),
        ("six", ["  opencv-python → numpy-user → six", "  No import of it was recorded."]),
        ("numexpr", ["  predict: pandas/core.py:9 imports numexpr"]),
    ],
)
def test_the_command_prints_the_chain(model: Path, package: str, lines: list[str]) -> None:
    shown = CliRunner().invoke(main, ["why", str(model), package]).output.splitlines()

    assert set(lines) <= set(shown)


@pytest.mark.parametrize(("words", "code"), [(("nothing-there",), 3), ((), 2), (("a", "b"), 2)])
def test_the_command_fails_with_the_documented_codes(
    model: Path, words: tuple[str, ...], code: int
) -> None:
    assert CliRunner().invoke(main, ["why", "-m", str(model), *words]).exit_code == code
