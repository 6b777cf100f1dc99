"""A bare artifact: a model that is one file, such as a pickle, in a folder without `MLmodel`.

envkit treats it as a model directory whose `MLmodel` says no more than which file it is. The folder
may hold an input example and `code/` under the names that MLflow gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from envkit.errors import InvalidInput, ModelNotFound
from envkit.formats import conda_yaml, envkit_json, mlmodel, python_env_yaml
from envkit.formats.document import Document
from envkit.formats.mlmodel import MLModel
from envkit.inside.artifact_formats import SUFFIXES, format_of

LOADER = "_envkit.loaders.artifact"
CODE = "code"
_NAMED_AT_MOST = 5


def is_artifact(path: Path) -> bool:
    """Whether the file is a whole model of a format that is known."""
    return format_of(str(path)) is not None


def artifact_in(folder: Path) -> str:
    """Give the name of the one artifact in a folder without `MLmodel`: the only one, or the one that was captured.

    Raises `ModelNotFound` when there is none, or more than one.
    """
    found = sorted(
        each.name for each in folder.iterdir() if not each.name.startswith(".") and _may_be(each)
    )
    captured = captured_artifact(folder)
    if captured in found:
        return captured
    if len(found) == 1:
        return found[0]
    if found:
        named = ", ".join(found[:_NAMED_AT_MOST]) + (", …" if len(found) > _NAMED_AT_MOST else "")
        raise ModelNotFound(
            str(folder),
            f"the directory has no MLmodel file, and several artifacts: name one ({named})",
        )
    raise ModelNotFound(
        str(folder), "the directory has no MLmodel file, and no artifact (.pkl, .joblib, .onnx, …)"
    )


def captured_artifact(folder: Path) -> str:
    """Give the name of the artifact that the folder's `envkit.json` is of, empty when there is none."""
    path = folder / envkit_json.FILE_NAME
    if not path.is_file():
        return ""
    try:
        return str(envkit_json.read(path).get("artifact") or "")
    except InvalidInput:
        return ""


def refuse_others(path: Path) -> None:
    """Raise `ModelNotFound` for a file that is no artifact."""
    if not is_artifact(path):
        known = ", ".join(sorted(SUFFIXES))
        raise ModelNotFound(
            str(path),
            f"this is a file that is no model by its name or its content (known are {known}, and MLmodel)",
        )


def described(folder: Path, artifact: str) -> MLModel:
    """Give what an `MLmodel` of the artifact would say."""
    env = {"conda": conda_yaml.FILE_NAME, "virtualenv": python_env_yaml.FILE_NAME}
    flavor: dict[str, Any] = {"loader_module": LOADER, "data": artifact, "env": env}
    if (folder / CODE).is_dir():
        flavor["code"] = CODE
    return mlmodel.of(
        Document({"flavors": {"python_function": flavor}}, folder / mlmodel.FILE_NAME)
    )


def own_places(folder: Path, artifact: str, example: Path | None) -> Sequence[Path]:
    """What of the folder is the model: it may lie in a project, beside the very environment that it works in."""
    return [folder / artifact, folder / CODE, *([example] if example is not None else [])]


def _may_be(path: Path) -> bool:
    return path.is_file() and is_artifact(path)
