"""Change a saved model: its signature, and its requirements.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.models.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as ParsedRequirement
from packaging.utils import canonicalize_name

from envkit.errors import InvalidArgument, InvalidFile
from envkit.formats import conda_yaml, mlmodel, pylock_toml, requirements_txt
from envkit.formats.file_set import write_files
from envkit.formats.text import read_text
from envkit.models.directory import ModelDirectory
from envkit.models.model import Model
from envkit.models.signature import ModelSignature
from envkit.models.uris import naming

OPERATIONS = ("add", "remove")


def set_signature(model_uri: str | Path, signature: ModelSignature) -> None:
    """Set the signature of a saved model. Corresponds to `mlflow.models.set_signature`.

    Args:
        model_uri: The model directory.
        signature: A signature of envkit or MLflow.

    Raises:
        InvalidArgument: If the model is not on this machine, or `signature` is not a signature.
        ModelNotFound: If there is no model.
    """
    directory = _local(model_uri)
    given: Any = signature
    if not isinstance(given, ModelSignature):
        if not hasattr(given, "to_dict"):
            raise InvalidArgument(f"signature must be a ModelSignature, not {given!r}.")
        signature = ModelSignature.from_dict(given.to_dict())
    model = Model.of(directory)
    model.signature = signature
    model.save(directory.path)


def update_model_requirements(
    model_uri: str | Path, operation: str, requirement_list: Sequence[str]
) -> None:
    """Add requirements to a saved model, or remove some, in `requirements.txt` and `conda.yaml`.

    Corresponds to `mlflow.models.update_model_requirements`. A requirement that is added replaces
    that of the same distribution; one that is removed is named without its version. A lock
    describes other requirements then and is removed; `envkit lock` writes a new one.

    Args:
        model_uri: The model directory.
        operation: `add` or `remove`.
        requirement_list: Requirements (PEP 508).

    Raises:
        InvalidArgument: If the operation is another one, a requirement is malformed, or the model
            is not on this machine.
        InvalidFile: If the model has neither of the two files.
    """
    if operation not in OPERATIONS:
        raise InvalidArgument(f"operation must be add or remove, not {operation!r}.")
    changes = _parsed(requirement_list)
    directory = _local(model_uri)
    texts: dict[str, str | None] = {}
    requirements = directory.file(requirements_txt.FILE_NAME)
    if requirements is not None:
        lines = _logical_lines(read_text(requirements))
        texts[requirements.name] = _joined(_updated(lines, operation, changes))
    conda = directory.conda_env_path
    if conda.is_file():
        env = conda_yaml.read(conda)
        # A pip section that refers to the file has its lines already.
        if requirements is None or not _refers(env.pip or (), requirements.name):
            pip = tuple(_updated(list(env.pip or ()), operation, changes))
            texts[conda.name] = conda_yaml.dumps(replace(env, pip=pip))
    if not texts:
        raise InvalidFile(
            directory.path / requirements_txt.FILE_NAME,
            "",
            "there is no such file, and no conda.yaml",
            "`envkit capture` writes both.",
        )
    if directory.file(pylock_toml.FILE_NAME) is not None:
        texts[pylock_toml.FILE_NAME] = None
    write_files(directory.path, texts)


def _local(model_uri: str | Path) -> ModelDirectory:
    if naming.scheme_of(model_uri) != naming.LOCAL:
        raise InvalidArgument(
            f"{model_uri} is not a local folder; download it with `envkit download`, "
            "change the copy and log that."
        )
    directory = ModelDirectory.open(model_uri)
    if not directory.mlmodel_path.is_file():
        raise InvalidArgument(f"{model_uri} has no {mlmodel.FILE_NAME}.")
    return directory


def _parsed(lines: Iterable[str]) -> dict[str, str]:
    """Return the requirements by their normalized names."""
    if isinstance(lines, str):
        raise InvalidArgument(f"requirement_list must be a list; write [{lines!r}].")
    changes: dict[str, str] = {}
    for line in lines:
        try:
            changes[canonicalize_name(ParsedRequirement(line).name)] = line.strip()
        except InvalidRequirement as error:
            raise InvalidArgument(f"{line!r} is not a valid requirement: {error}.") from error
    return changes


def _logical_lines(text: str) -> list[str]:
    """Return the lines, those that end with a backslash together with the next."""
    lines: list[str] = []
    is_continued = False
    for line in text.splitlines():
        if is_continued:
            lines[-1] += f"\n{line}"
        else:
            lines.append(line)
        is_continued = line.endswith("\\")
    return lines


def _updated(lines: list[str], operation: str, changes: dict[str, str]) -> list[str]:
    """Return lines without those of the changed distributions, then those that are added."""
    kept = [line for line in lines if _name_of(line) not in changes]
    if operation == "add":
        kept += changes.values()
    return kept


def _name_of(line: str) -> str:
    """Return the normalized name of a line's distribution; empty for an option or a path."""
    text = line.replace("\\\n", " ").partition(" --")[0].partition(" #")[0].strip()
    try:
        return canonicalize_name(ParsedRequirement(text).name)
    except InvalidRequirement:
        return ""


def _refers(lines: Iterable[str], name: str) -> bool:
    return any(line.split() == ["-r", name] for line in lines)


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
