"""A model directory: its `MLmodel`, and the files that this names, none of which may lie outside; or a bare file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envkit.errors import InvalidArgument, InvalidFile, ModelNotFound, PathOutsideModel
from envkit.formats import mlmodel
from envkit.formats.mlmodel import MLModel, PythonFunction
from envkit.models import bare
from envkit.models.named_paths import FLAVOR as _FLAVOR
from envkit.models.named_paths import named_paths
from envkit.models.uris import naming

if TYPE_CHECKING:
    from envkit.models.uris.required_files import Need

_EXAMPLES = ("input_example.json", "serving_input_example.json")
R_FILE, R_LOADER = "crate.bin", "_envkit.loaders.crate"
_OF_R = (
    "It is a model of R: `envkit predict` and `envkit serve` run it with the R of this machine, whose packages envkit "
    "neither records nor rebuilds."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelDirectory:
    """A model in a directory.

    path: absolute, symbolic links resolved. mlmodel: what its `MLmodel` says, or would say of a
    bare artifact. artifact: the name of that, None where there is an `MLmodel`.
    """

    path: Path
    mlmodel: MLModel
    artifact: str | None = None

    @classmethod
    def open(cls, uri: str | Path, need: Need | None = None, *, hint: str = "") -> ModelDirectory:
        """Read the model that a path or URI names: a directory, a bare artifact, or an archive of a directory.

        need: which files are fetched of a model elsewhere, default all. hint: given when the model
        is to be written into, which one elsewhere cannot be: what can be done in place of that.

        Raises `ModelNotFound` when there is none, `InvalidArgument` for what is no URI of a model
        or cannot be written into, `ToolNotFound` for a kind of URI whose library is missing,
        `InvalidFile` for a malformed `MLmodel` or a hostile archive, `PathOutsideModel` when a
        field of `MLmodel` leads out of the directory.
        """
        path = _path_of(uri, need, hint)
        artifact = _bare_artifact(path)
        if path.is_dir():
            folder = path.resolve()
        else:
            folder = path.parent.resolve()
        if artifact:
            described = bare.described(folder, artifact)
        else:
            described = mlmodel.read(folder / mlmodel.FILE_NAME)
        model = cls(path=folder, mlmodel=described, artifact=artifact)
        for field, value in model.named_paths() if artifact is None else ():
            model._inside(field, value)
        return model

    @property
    def python_function(self) -> PythonFunction:
        """The flavor that envkit runs. Raises `InvalidFile` when the model has none."""
        flavor = self.mlmodel.python_function
        if flavor is None:
            others = ", ".join(self.mlmodel.flavors) or "none"
            hint = self.hint_of_r or "envkit runs models of that flavor."
            raise InvalidFile(self.mlmodel_path, _FLAVOR, f"is missing (flavors: {others})", hint)
        return flavor

    @property
    def hint_of_r(self) -> str:
        """What to tell whoever wants of a model of R what envkit has for Python's alone; empty for other models."""
        if self.mlmodel.runs_in_r:
            return _OF_R
        return ""

    @property
    def own_places(self) -> tuple[Path, ...]:
        """The files and folders that are the model: its directory, or those of a bare artifact."""
        if self.artifact is None:
            return (self.path,)
        return tuple(bare.own_places(self.path, self.artifact, self.example_path))

    @property
    def name(self) -> str:
        """What to call it: the name of the directory, or of the artifact."""
        return self.artifact or self.path.name

    @property
    def mlmodel_path(self) -> Path:
        """The file `MLmodel`."""
        return self.path / mlmodel.FILE_NAME

    @property
    def code_path(self) -> Path | None:
        """The folder with the model's modules; None when it brings none."""
        return self._optional("code", self.python_function.code)

    @property
    def data_path(self) -> Path | None:
        """What the loader is given in place of the model directory; None when it is given the directory."""
        return self._optional("data", self.python_function.data)

    @property
    def conda_env_path(self) -> Path:
        """Where `conda.yaml` is or would be."""
        flavor = self.mlmodel.python_function
        return self._inside(
            "env", flavor.conda_env if flavor and flavor.conda_env else "conda.yaml"
        )

    @property
    def python_env_path(self) -> Path:
        """Where `python_env.yaml` is or would be."""
        flavor = self.mlmodel.python_function
        return self._inside(
            "env", flavor.python_env if flavor and flavor.python_env else "python_env.yaml"
        )

    @property
    def example_path(self) -> Path | None:
        """The input example's file; None when the model has none.

        A file that `MLmodel` does not name counts when it has the name that MLflow gives it. Raises
        `InvalidFile` when `MLmodel` names one that is not there.
        """
        example = self.mlmodel.example
        if example is None:
            return next(filter(None, map(self.file, _EXAMPLES)), None)
        path = self._inside("saved_input_example_info.artifact_path", example.path)
        if not path.exists():
            raise InvalidFile(
                self.mlmodel_path,
                "saved_input_example_info.artifact_path",
                f"there is no file {example.path}",
            )
        return path

    def file(self, name: str) -> Path | None:
        """Give the path of a file of the model; None when it is not there.

        Raises `PathOutsideModel` when it is a symbolic link that leads out of the model.
        """
        path = self._inside(name, name)
        if path.is_file():
            return path
        return None

    def request(self) -> dict[str, Any]:
        """Give what the program that loads the model in another interpreter must know, as JSON values."""
        path = self.example_path
        info = self.mlmodel.example
        said = self.mlmodel.content.get("metadata")
        metadata = said if isinstance(said, dict) else {}
        return {
            "model": str(self.path),
            "python_function": self._loaded_by(),
            "flavors": dict(self.mlmodel.flavors),
            "signature": dict(self.mlmodel.signature)
            if self.mlmodel.signature is not None
            else None,
            "example": {**(info.fields if info else {}), "path": str(path)}
            if path is not None
            else None,
            "metadata": {name: value for name, value in metadata.items() if isinstance(value, str)},
        }

    def _loaded_by(self) -> dict[str, Any]:
        if not self.mlmodel.runs_in_r:
            return dict(self.python_function.fields)
        name = self.mlmodel.flavors[mlmodel.R_FLAVOR].get("model", R_FILE)
        if not isinstance(name, str) or self.file(name) is None:
            raise InvalidFile(
                self.mlmodel_path, f"flavors.{mlmodel.R_FLAVOR}.model", f"there is no file {name}"
            )
        return {"loader_module": R_LOADER, "data": name}

    def named_paths(self) -> Iterator[tuple[str, str]]:
        """Yield each field of `MLmodel` that names a path, with its value."""
        return named_paths(self.mlmodel)

    def _optional(self, field: str, value: str | None) -> Path | None:
        if value is None:
            return None
        return self._inside(f"{_FLAVOR}.{field}", value)

    def _inside(self, field: str, value: str) -> Path:
        """Give the path that a field names, symbolic links resolved. Raises `PathOutsideModel`."""
        try:
            path = (self.path / value).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a circle of links, a NUL character
            raise InvalidFile(
                self.mlmodel_path, field, f"{value!r} is not a path ({error})"
            ) from error
        if Path(value).is_absolute() or not path.is_relative_to(self.path):
            raise PathOutsideModel(self.path if field == value else self.mlmodel_path, field, value)
        return path


def _path_of(uri: str | Path, need: Need | None, hint: str) -> Path:
    """Give the folder or file that a model is in, fetched or unpacked when it is elsewhere."""
    text = str(uri)
    if not text or "\0" in text:
        raise InvalidArgument(f"{text!r} is not the path of a model.")
    if naming.scheme_of(uri) == naming.LOCAL and not naming.archive_suffix(uri):
        return naming.local_path(uri)
    from envkit.models.uris import fetch  # most models are folders of this machine

    if not fetch.is_elsewhere(uri):
        return naming.local_path(uri)
    if hint:
        shown = naming.shown(uri)
        raise InvalidArgument(
            f"{shown} is no folder of this machine, so nothing can be written into it. {hint}"
        )
    if need is not None:
        return fetch.fetched(uri, need)
    return fetch.fetched(uri)


def _bare_artifact(path: Path) -> str | None:
    """The name of the artifact that is the model; None for a directory with an `MLmodel`."""
    try:
        if not path.exists():
            raise ModelNotFound(str(path), "there is no such directory")
        if path.name == mlmodel.FILE_NAME and not path.is_dir():
            raise ModelNotFound(str(path), "this is a file, name the directory that it is in")
        if path.is_dir():
            if (path / mlmodel.FILE_NAME).exists():
                return None
            return bare.artifact_in(path)
    except OSError as error:  # a name that is too long, a folder that must not be entered
        raise ModelNotFound(str(path), error.strerror or str(error)) from error
    bare.refuse_others(path)
    return path.name
