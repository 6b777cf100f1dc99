"""Digests of a model's files, which show whether the model changed after its capture."""

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
# Keys of the flavor `python_function` that a capture may write.
_WRITTEN_BY_CAPTURE = frozenset({"env", "code"})
_VARIABLES = "env_vars"  # another key that a capture may write


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """One file. size: in bytes; of `MLmodel` that of its canonical content."""

    size: int
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """Return the digest as a JSON object."""
        return {"size": self.size, "sha256": self.sha256}


def of_model(model: ModelDirectory) -> dict[str, Digest]:
    """Return the digests of a model's files by relative path, except the files of its environment.

    The digest of `MLmodel` is that of its content without the keys that a capture may write. Links
    that lead out of the model are left out.
    """
    digests = {name: of_file(model.path / name) for name in file_names(model)}
    if model.artifact is None:
        digests[mlmodel.FILE_NAME] = of_mlmodel(model.mlmodel.content)
    return digests


def file_names(model: ModelDirectory) -> Iterator[str]:
    """Yield the relative paths of the files with a digest, except `MLmodel`, sorted by folder."""
    for place in model.own_places:
        if place.is_file():
            yield place.relative_to(model.path).as_posix()
        else:
            yield from _in_folder(place, model.path)


def _in_folder(place: Path, model: Path) -> Iterator[str]:
    for folder, subfolders, names in os.walk(place):
        is_top = Path(folder) == model
        # Sorted and shortened in place, which `os.walk` heeds.
        subfolders[:] = sorted(name for name in subfolders if not _is_skipped(name, is_top))
        for name in sorted(names):
            if is_top and (name in ENVIRONMENT_FILES or name == mlmodel.FILE_NAME):
                continue
            path = Path(folder, name)
            if path.is_file() and path.resolve().is_relative_to(model):
                yield path.relative_to(model).as_posix()


def _is_skipped(folder: str, is_top: bool) -> bool:
    return folder == "__pycache__" or (is_top and folder == WHEELS)


def of_file(path: Path) -> Digest:
    """Return the digest of a file."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return Digest(size=path.stat().st_size, sha256=sha256)


def of_mlmodel(content: Mapping[str, Any]) -> Digest:
    """Return the digest of the content of `MLmodel`, whatever its layout."""
    canonical = json.dumps(
        _without_captured_keys(content),
        sort_keys=True,
        ensure_ascii=True,
        separators=(",", ":"),
        default=str,
    ).encode()
    return Digest(size=len(canonical), sha256=hashlib.sha256(canonical).hexdigest())


def _without_captured_keys(content: Mapping[str, Any]) -> Mapping[str, Any]:
    content = {key: value for key, value in content.items() if key != _VARIABLES}
    flavors = content.get("flavors")
    if not isinstance(flavors, Mapping) or not isinstance(flavors.get("python_function"), Mapping):
        return content
    section = dict(flavors["python_function"])
    for key in _WRITTEN_BY_CAPTURE:
        section.pop(key, None)
    return {**content, "flavors": {**flavors, "python_function": section}}
