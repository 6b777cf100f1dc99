"""A bare artifact: a model that is one file, such as a pickle, in a folder without `MLmodel`.

envkit treats it as a model directory whose `MLmodel` only names the file. The folder may hold an
input example and `code/` under the names that MLflow uses.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from envkit.errors import InvalidInput, ModelNotFound
from envkit.formats import conda_yaml, envkit_json, mlmodel, python_env_yaml
from envkit.formats.document import Document
from envkit.formats.mlmodel import MLModel
from envkit.inside.artifact_formats import SUFFIXES, format_of

LOADER = "_envkit.loaders.artifact"
CODE = "code"
_MOST_NAMED = 5


def is_artifact(path: Path) -> bool:
    """Return whether a file is a whole model of a known format, by its name or its content."""
    return format_of(str(path)) is not None


def artifact_in(folder: Path) -> str:
    """Return the name of the artifact in a folder without `MLmodel`: the captured or the only one.

    Raises `ModelNotFound` if there is none, or more than one.
    """
    names = sorted(path.name for path in folder.iterdir() if _may_be_artifact(path))
    captured = captured_artifact(folder)
    if captured in names:
        return captured
    if not names:
        raise ModelNotFound(
            str(folder),
            "the directory has no MLmodel file and no artifact (.pkl, .joblib, .onnx, …)",
        )
    if len(names) > 1:
        shown = ", ".join(names[:_MOST_NAMED])
        if len(names) > _MOST_NAMED:
            shown += ", …"
        raise ModelNotFound(
            str(folder),
            f"the directory has no MLmodel file and several artifacts ({shown}); name one of them",
        )
    return names[0]


def captured_artifact(folder: Path) -> str:
    """Return the name of the artifact that a folder's `envkit.json` is about, or an empty text."""
    path = folder / envkit_json.FILE_NAME
    if not path.is_file():
        return ""
    try:
        return str(envkit_json.read(path).get("artifact") or "")
    except InvalidInput:
        return ""


def check(path: Path) -> None:
    """Raise `ModelNotFound` unless the file is an artifact."""
    if not is_artifact(path):
        suffixes = ", ".join(sorted(SUFFIXES))
        raise ModelNotFound(
            str(path),
            "neither the name nor the content of this file is that of a model "
            f"(an MLmodel file, {suffixes})",
        )


def mlmodel_of(folder: Path, artifact: str) -> MLModel:
    """Return what an `MLmodel` of the artifact would hold."""
    env = {"conda": conda_yaml.FILE_NAME, "virtualenv": python_env_yaml.FILE_NAME}
    flavor: dict[str, Any] = {"loader_module": LOADER, "data": artifact, "env": env}
    if (folder / CODE).is_dir():
        flavor["code"] = CODE
    content = {"flavors": {"python_function": flavor}}
    return mlmodel.of(Document(content, folder / mlmodel.FILE_NAME))


def own_places(folder: Path, artifact: str, example: Path | None) -> tuple[Path, ...]:
    """Return the files and folders of the model; the others in the folder may be of a project."""
    places = (folder / artifact, folder / CODE)
    if example is None:
        return places
    return (*places, example)


def _may_be_artifact(path: Path) -> bool:
    return not path.name.startswith(".") and path.is_file() and is_artifact(path)
