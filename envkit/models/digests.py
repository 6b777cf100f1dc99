"""Digests of what a model consists of, so that a change after its capture can be told."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.formats import (
    conda_yaml,
    environment_variables_txt,
    envkit_json,
    mlmodel,
    pylock_toml,
    python_env_yaml,
    requirements_txt,
)
from envkit.models.directory import ModelDirectory

ENVIRONMENT_FILES = frozenset(
    {
        conda_yaml.FILE_NAME,
        envkit_json.FILE_NAME,
        environment_variables_txt.FILE_NAME,
        pylock_toml.FILE_NAME,
        python_env_yaml.FILE_NAME,
        requirements_txt.CONSTRAINTS_FILE_NAME,
        requirements_txt.FILE_NAME,
    }
)
WHEELS = "wheels"
_WRITTEN_BY_CAPTURE = frozenset({"env", "code"})  # of the flavor `python_function`


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """One file. size: in bytes, that of the canonical content for `MLmodel`."""

    size: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {"size": self.size, "sha256": self.sha256}


def of_model(model: ModelDirectory) -> dict[str, Digest]:
    """Give the digest of each file of a model but those that describe its environment, by relative path, sorted.

    Of `MLmodel` it is that of its content without the keys that a capture may write. Links that
    lead out are left out.
    """
    files = {name: of_file(model.path / name) for name in file_names(model)}
    if model.artifact is not None:
        return files
    return {**files, mlmodel.FILE_NAME: of_mlmodel(model.mlmodel.content)}


def file_names(model: ModelDirectory) -> Iterator[str]:
    """Yield the files that count, but `MLmodel`, relative to the model, sorted within each folder."""
    for place in model.own_places:
        if place.is_file():
            yield place.relative_to(model.path).as_posix()
        else:
            yield from _in_folder(place, model.path)


def _in_folder(place: Path, model: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(place):
        top = Path(folder) == model
        folders[:] = sorted(
            each for each in folders if each != "__pycache__" and not (top and each == WHEELS)
        )
        for name in sorted(names):
            path = Path(folder, name)
            described = top and (name in ENVIRONMENT_FILES or name == mlmodel.FILE_NAME)
            if not described and path.is_file() and path.resolve().is_relative_to(model):
                yield path.relative_to(model).as_posix()


def of_file(path: Path) -> Digest:
    """Give the digest of a file. Raises `OSError`."""
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    return Digest(size=path.stat().st_size, sha256=found)


def of_mlmodel(content: Mapping[str, Any]) -> Digest:
    """Give the digest of what `MLmodel` says, however it is laid out."""
    flavors = content.get("flavors")
    if isinstance(flavors, Mapping) and isinstance(flavors.get("python_function"), Mapping):
        kept = {
            key: value
            for key, value in flavors["python_function"].items()
            if key not in _WRITTEN_BY_CAPTURE
        }
        content = {**content, "flavors": {**flavors, "python_function": kept}}
    canonical = json.dumps(
        content, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str
    ).encode()
    return Digest(size=len(canonical), sha256=hashlib.sha256(canonical).hexdigest())
