"""Where the files of a capture go: into the model, or with a copy of it into another folder."""

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

NAMES = (
    requirements_txt.FILE_NAME,
    requirements_txt.CONSTRAINTS_FILE_NAME,
    conda_yaml.FILE_NAME,
    python_env_yaml.FILE_NAME,
    environment_variables_txt.FILE_NAME,
    pylock_toml.FILE_NAME,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """The folder that is written to. copies: files of the model that go there too, by their name in it."""

    folder: Path
    copies: Mapping[str, Path] = field(default_factory=dict)

    def write(self, files: Mapping[str, file_set.Content | None]) -> None:
        """Write all or nothing; a folder that was made for it is removed when that fails."""
        made = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file_set.write_files(self.folder, {**self.copies, **files})
        except OSError as error:
            raise InvalidArgument(
                f"{self.folder} cannot be written to: {error.strerror or error}."
            ) from error
        finally:
            if made:
                with suppress(OSError):  # it is not empty: all went well
                    self.folder.rmdir()


def choose(model: ModelDirectory, output_path: str | Path | None) -> Output:
    """Decide where to write. Nothing that another hand wrote there is replaced, except in a directory with `MLmodel`.

    Raises `InvalidArgument` when the folder is none, or holds what is not of an earlier capture.
    """
    if output_path is None:
        folder = model.path
    else:
        folder = Path(output_path).expanduser().resolve()
    if folder == model.path:
        if model.artifact is not None:
            _refuse_foreign(folder, model.artifact)
        return Output(folder=folder)
    if folder.exists() and not folder.is_dir():
        raise InvalidArgument(f"{folder} is a file; name a folder for the model and its files.")
    if folder.is_relative_to(model.path) and model.artifact is None:
        raise InvalidArgument(f"{folder} lies in the model itself; name a folder outside.")
    if folder.exists() and any(folder.iterdir()) and not (folder / envkit_json.FILE_NAME).is_file():
        raise InvalidArgument(
            f"{folder} is not empty, and holds no earlier capture; name another folder."
        )
    return Output(folder=folder, copies=dict(_copies(model)))


def _refuse_foreign(folder: Path, artifact: str) -> None:
    there = [name for name in NAMES if (folder / name).exists()]
    if there and captured_artifact(folder) != artifact:
        raise InvalidArgument(
            f"{folder} has files that no capture of {artifact} wrote ({', '.join(there)}); they would be replaced.\n"
            "Name a folder that gets the files and a copy of the model: `--output-path DIR`."
        )


def _copies(model: ModelDirectory) -> Iterator[tuple[str, Path]]:
    for place in model.own_places:
        for file in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(model.path).as_posix(), file
