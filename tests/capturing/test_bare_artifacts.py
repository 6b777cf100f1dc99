"""Captures of bare artifacts: a model that is one file."""

from __future__ import annotations

import json
import os
import pickle
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from envkit.capturing import capture as capturing
from envkit.capturing.capture import capture
from envkit.capturing.outcome import Capture
from envkit.cli.main import main
from envkit.errors import InvalidArgument, ModelRaised
from envkit.locking.lock import Unlocked
from envkit.models.capture_warnings import WarningKind
from envkit.models.dependencies import read_model_dependencies
from envkit.models.evidence.why import why
from tests.builders.models import write_mlmodel, write_model
from tests.builders.sites import Site

ESTIMATOR = (
    "class Estimator:\n    def predict(self, data):\n        import late\n        return data\n"
)


@pytest.fixture
def artifact(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pickle of an estimator of the distribution `forest`, which needs `late` to predict."""
    site.install("forest", files={"forest.py": ESTIMATOR})
    site.install("late", files={"late.py": ""})
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    monkeypatch.setattr(
        capturing, "lock", lambda *_, **__: Unlocked(reasons=("no network in tests",))
    )
    path = tmp_path / "bare" / "model.pkl"
    path.parent.mkdir()
    path.write_bytes(b"\x80\x02cforest\nEstimator\n)\x81.")
    return path


def kinds(captured: Capture) -> set[WarningKind]:
    return {each.kind for each in captured.warnings} - {WarningKind.NO_LOCK}


@pytest.mark.parametrize("static", [True, False])
def test_a_bare_artifact_gets_an_environment(artifact: Path, static: bool) -> None:
    captured = capture(artifact, static=static)

    assert captured.requirements == ("forest==1.0",)
    assert kinds(captured) == {WarningKind.NO_PREDICTION}
    assert not (artifact.parent / "MLmodel").exists()
    for model in (artifact, artifact.parent):
        assert read_model_dependencies(model)[0] == "forest==1.0\n-c constraints.txt\n"
        assert why(model, "forest").role == "requirement"
    assert json.loads((artifact.parent / "envkit.json").read_text())["artifact"] == "model.pkl"
    assert capture(artifact.parent, static=static).written == captured.written


@pytest.mark.parametrize(
    ("name", "content", "asked", "expected"),
    [
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0{}", False, ("numpy==1.0", "safetensors==1.0")),
        ("model.pt", b"\x80\x02ctorch.nn\nLinear\n)\x81.", False, ("torch==1.0",)),
        ("model.pt", b"\x80\x02ctorch.nn\nLinear\n)\x81.", True, ("numpy==1.0", "torch==1.0")),
    ],
)
def test_a_static_capture_requires_what_loads_a_bare_artifact_and_predicts_with_it(
    tmp_path: Path,
    site: Site,
    artifact: Path,
    name: str,
    content: bytes,
    asked: bool,
    expected: tuple[str, ...],
) -> None:
    for library in ("numpy", "safetensors", "torch"):
        site.install(library, files={f"{library}/__init__.py": "", f"{library}/nn.py": ""})
    path = tmp_path / "other" / name
    path.parent.mkdir()
    path.write_bytes(content)
    if asked:
        (path.parent / "input_example.json").write_text("[[1.0]]", encoding="utf-8")

    assert capture(path, static=True).requirements == expected


def test_a_bare_artifact_with_an_example_predicts(artifact: Path) -> None:
    (artifact.parent / "input_example.json").write_text("[1, 2]", encoding="utf-8")

    captured = capture(artifact)

    assert captured.requirements == ("forest==1.0", "late==1.0")
    assert captured.prediction == [1, 2]
    assert kinds(captured) == set()


def test_the_library_that_decompresses_an_artifact_is_required(artifact: Path, site: Site) -> None:
    reading = "try:\n    import lz4\nexcept ImportError:\n    lz4 = None\n"
    site.install("lz4", files={"lz4.py": "import base64, zlib\n"})
    site.install(
        "joblib",
        files={"joblib.py": f"{reading}import forest\ndef load(path): return forest.Estimator()\n"},
    )
    packed = artifact.rename(artifact.with_name("model.joblib"))

    assert "lz4==1.0" not in capture(packed, write=False).requirements
    packed.write_bytes(b"\x04\x22\x4d\x18")
    assert "lz4==1.0" in capture(packed, write=False).requirements


def test_an_artifact_that_cannot_predict_has_a_warning(artifact: Path) -> None:
    artifact.write_bytes(pickle.dumps({"weights": [1]}))
    (artifact.parent / "input_example.json").write_text('{"inputs": [1, 2]}', encoding="utf-8")

    with pytest.raises(ModelRaised, match="no `predict` and cannot be called"):
        capture(artifact)


def test_files_of_the_project_around_an_artifact_are_not_replaced(
    artifact: Path, tmp_path: Path
) -> None:
    (artifact.parent / "requirements.txt").write_text("mine\n", encoding="utf-8")

    refused = CliRunner().invoke(main, ["capture", str(artifact), "--static"])
    written = CliRunner().invoke(
        main, ["capture", str(artifact), "--static", "--output", str(tmp_path / "new" / "env")]
    )

    assert refused.exit_code == 2
    assert "requirements.txt" in refused.stderr
    assert "--output-path DIR" in refused.stderr
    assert written.exit_code == 0, written.stderr
    assert (artifact.parent / "requirements.txt").read_text() == "mine\n"
    assert sorted(each.name for each in artifact.parent.iterdir()) == [
        "model.pkl",
        "requirements.txt",
    ]
    assert (tmp_path / "new" / "env" / "model.pkl").read_bytes() == artifact.read_bytes()
    assert "forest==1.0" in (tmp_path / "new" / "env" / "requirements.txt").read_text()
    assert (
        capture(artifact, static=True, output_path=tmp_path / "new" / "env").model
        == tmp_path / "new" / "env"
    )


def test_a_second_artifact_does_not_replace_the_files_of_the_first(artifact: Path) -> None:
    capture(artifact, static=True)
    other = artifact.with_name("other.pkl")
    other.write_bytes(artifact.read_bytes())

    with pytest.raises(InvalidArgument, match=r"no capture of other.pkl wrote"):
        capture(other, static=True)


@pytest.mark.parametrize("spoil", ["file", "other files", "inside"])
def test_an_invalid_output_folder_is_refused(artifact: Path, tmp_path: Path, spoil: str) -> None:
    model = write_mlmodel(tmp_path / "with MLmodel", "json")
    target = {"file": tmp_path / "file", "other files": artifact.parent, "inside": model / "sub"}[
        spoil
    ]
    (tmp_path / "file").touch()

    with pytest.raises(InvalidArgument):
        capture(model, static=True, output_path=target)
    assert not (model / "sub").exists()


def test_a_model_directory_is_copied_to_the_output_folder(tmp_path: Path, artifact: Path) -> None:
    model = write_model(tmp_path / "directory", "import forest\n", loader_module="mine")

    captured = capture(model, static=True, output_path=tmp_path / "out")

    assert captured.requirements == ("forest==1.0",)
    assert sorted(each.name for each in model.iterdir()) == ["MLmodel", "code"]
    assert (tmp_path / "out" / "code" / "mine.py").is_file()
    assert (tmp_path / "out" / "MLmodel").is_file()


def test_an_environment_next_to_the_artifact_is_not_part_of_the_model(
    artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = Site(artifact.parent / ".venv" / "lib" / "python3.11" / "site-packages")
    inside.install("forest", "2.0", files={"forest.py": ESTIMATOR})
    monkeypatch.setenv("PYTHONPATH", str(inside.folder))

    assert capture(artifact, static=True, write=False).requirements == ("forest==2.0",)
    assert capture(artifact, write=False).requirements == ("forest==2.0",)


def test_a_class_in_a_file_next_to_the_artifact_is_outside_the_model(
    artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (artifact.parent / "training.py").write_text(ESTIMATOR, encoding="utf-8")
    artifact.write_bytes(b"\x80\x02ctraining\nEstimator\n)\x81.")

    captured = capture(artifact, code_paths=[artifact.parent], include_code=True)

    assert captured.requirements == ("late==1.0",)  # its code was read
    assert "code/training.py" in captured.written
    assert capture(artifact, write=False).requirements == (
        "late==1.0",
    )  # now it is found without the option


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_an_artifact_may_be_a_link(artifact: Path, tmp_path: Path) -> None:
    link = tmp_path / "snapshots" / "model.pkl"
    link.parent.mkdir()
    link.symlink_to(artifact)

    assert capture(link, python=sys.executable, write=False).requirements == ("forest==1.0",)
