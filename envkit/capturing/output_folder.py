"""The folder that a capture writes to: the model's own, or another one with a copy of the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from envkit.errors import InvalidArgument
from envkit.formats import (
    conda_yaml,
    environment_variables_txt,
    envkit_json,
    file_set,
    pylock_toml,
    python_env_yaml,
    requirements_txt,
)
from envkit.models.bare_artifact import captured_artifact
from envkit.models.directory import ModelDirectory

OTHER_FOLDER = "Name a folder for the files and a copy of the model with `--output-path DIR`."

WRITTEN = (
    requirements_txt.FILE_NAME,
    requirements_txt.CONSTRAINTS_FILE_NAME,
    conda_yaml.FILE_NAME,
    python_env_yaml.FILE_NAME,
    environment_variables_txt.FILE_NAME,
    pylock_toml.FILE_NAME,
)
"""Files of a capture that others may have written too; `envkit.json` is envkit's alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputFolder:
    """Where to write. copies: files of the model to copy there, by their name in it."""

    path: Path
    copies: Mapping[str, Path] = field(default_factory=dict)

    def write(self, files: Mapping[str, file_set.Content | None]) -> None:
        """Write all files or none; a folder that was created for them is removed if that fails."""
        is_new = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file_set.write_files(self.path, {**self.copies, **files})
        except OSError as error:
            problem = error.strerror or error
            raise InvalidArgument(f"{self.path} cannot be written to: {problem}.") from error
        finally:
            if is_new:
                with suppress(OSError):  # it is not empty: all went well
                    self.path.rmdir()


def choose(model: ModelDirectory, output_path: str | Path | None) -> OutputFolder:
    """Decide where to write. Only in a directory with `MLmodel` may files of others be replaced.

    Raises `InvalidArgument` for a folder that is a file, or has files that no capture wrote.
    """
    if output_path is None:
        folder = model.path
    else:
        folder = Path(output_path).expanduser().resolve()
    if folder == model.path:
        if model.artifact is not None:
            _check_replaceable(folder, model.artifact)
        return OutputFolder(path=folder)
    if folder.exists() and not folder.is_dir():
        raise InvalidArgument(f"{folder} is a file. {OTHER_FOLDER}")
    if folder.is_relative_to(model.path) and model.artifact is None:
        raise InvalidArgument(f"{folder} is inside the model. Name a folder outside of it.")
    is_used = folder.exists() and any(folder.iterdir())
    has_capture = (folder / envkit_json.FILE_NAME).is_file()
    if is_used and not has_capture:
        raise InvalidArgument(
            f"{folder} is not empty and has no earlier capture. Name another folder."
        )
    return OutputFolder(path=folder, copies=dict(_copies(model)))


def _check_replaceable(folder: Path, artifact: str) -> None:
    """Raise if the folder of a bare artifact has files that no capture of it wrote."""
    present = [name for name in WRITTEN if (folder / name).exists()]
    if present and captured_artifact(folder) != artifact:
        raise InvalidArgument(
            f"{folder} has files that no capture of {artifact} wrote ({', '.join(present)}) and "
            f"that would be replaced. {OTHER_FOLDER}"
        )


def _copies(model: ModelDirectory) -> Iterator[tuple[str, Path]]:
    for place in model.own_places:
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(model.path).as_posix(), file
