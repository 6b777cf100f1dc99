from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import pytest

from envkit.errors import ModelNotFound
from envkit.models.directory import ModelDirectory


def artifact(folder: Path, name: str = "model.pkl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(pickle.dumps([1]))
    return folder / name


def test_a_file_and_the_folder_that_contains_only_it_are_the_same_model(tmp_path: Path) -> None:
    path = artifact(tmp_path / "model")
    (path.parent / "notes.txt").write_text("seen", encoding="utf-8")

    by_file, by_folder = ModelDirectory.open(path), ModelDirectory.open(path.parent)

    assert by_file == by_folder
    assert (by_file.path, by_file.artifact, by_file.name) == (path.parent, "model.pkl", "model.pkl")
    assert by_file.own_places == (path, path.parent / "code")


def test_an_example_and_code_next_to_an_artifact_belong_to_it(tmp_path: Path) -> None:
    path = artifact(tmp_path)
    (tmp_path / "input_example.json").write_text("[1]", encoding="utf-8")
    (tmp_path / "code").mkdir()

    model = ModelDirectory.open(path)

    assert model.example_path == tmp_path / "input_example.json"
    assert model.code_path == tmp_path / "code"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("model.json", b'{"learner": {}}'),
        ("model.txt", b"tree\nversion=v4\n"),
        ("model", pickle.dumps([1])),
        ("model.pkl.gz", b"\x1f\x8b"),
        ("model.onnx", b"\x08"),
        ("MODEL.JOBLIB", b"x"),
    ],
)
def test_artifacts_are_recognised_by_name_or_content(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")

    assert ModelDirectory.open(tmp_path).artifact == name


def test_a_torch_archive_is_recognised_by_its_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "weights.bin", "w") as archive:
        archive.writestr("archive/data.pkl", b"")

    assert ModelDirectory.open(tmp_path / "weights.bin").artifact == "weights.bin"


@pytest.mark.parametrize("name", ["data.csv", "config.json", "table.csv.gz", "readme.txt"])
def test_other_files_are_not_models(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"{}")

    with pytest.raises(ModelNotFound, match="neither the name nor the content"):
        ModelDirectory.open(tmp_path / name)
    with pytest.raises(ModelNotFound, match="no MLmodel file and no artifact"):
        ModelDirectory.open(tmp_path)


def test_one_of_several_artifacts_must_be_named_unless_it_was_captured(tmp_path: Path) -> None:
    path = artifact(tmp_path)
    artifact(tmp_path, "other.joblib")

    with pytest.raises(
        ModelNotFound, match=r"several artifacts \(model.pkl, other.joblib\); name one of them"
    ):
        ModelDirectory.open(tmp_path)
    assert ModelDirectory.open(path).artifact == "model.pkl"

    (tmp_path / "envkit.json").write_text(
        json.dumps({"schema_version": 1, "artifact": "other.joblib"})
    )
    assert ModelDirectory.open(tmp_path).artifact == "other.joblib"
