"""A model directory or a bare artifact: the content of `MLmodel`, and the files that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument, InvalidFile, ModelNotFound, PathOutsideModel
from envkit.formats import mlmodel
from envkit.formats.mlmodel import MLModel, PythonFunction
from envkit.models import bare_artifact
from envkit.models.named_paths import FLAVOR as _FLAVOR
from envkit.models.named_paths import named_paths
from envkit.models.uris import naming
from envkit.models.uris.required_files import Need

R_FILE, R_LOADER = "crate.bin", "_envkit.loaders.crate"
_NESTED_TYPES_SINCE = (2, 9)  # releases of MLflow
_EXAMPLE_FILES = ("input_example.json", "serving_input_example.json")
_R_HINT = (
    "This is an R model: `envkit predict` and `envkit serve` run it with the installed R, "
    "whose packages envkit neither records nor rebuilds."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelDirectory:
    """A model in a directory.

    path: absolute, symbolic links resolved. mlmodel: the content of `MLmodel`, or for a bare
    artifact what it would hold. artifact: file name of a bare artifact, None if there is an
    `MLmodel`.
    """

    path: Path
    mlmodel: MLModel
    artifact: str | None = None

    @classmethod
    def open(cls, uri: str | Path, need: Need | None = None, *, hint: str = "") -> ModelDirectory:
        """Open a directory, a bare artifact or an archive of a directory, by its path or URI.

        Args:
            uri: Path or URI of the model.
            need: Files to fetch of a remote model; all of them by default.
            hint: Set if the model will be written to, which a remote model or an archive cannot
                be: what the user can do instead.

        Raises:
            ModelNotFound: If there is no model.
            InvalidArgument: If the URI is malformed, or the model cannot be written to.
            ToolNotFound: If a library that reads this kind of URI is not installed.
            InvalidFile: If `MLmodel` is malformed, or an archive is damaged or hostile.
            PathOutsideModel: If a field of `MLmodel` leads out of the directory.
        """
        path = _local_path(uri, need, hint)
        artifact = _bare_artifact(path)
        folder = path.resolve() if path.is_dir() else path.parent.resolve()
        if artifact is not None:
            content = bare_artifact.mlmodel_of(folder, artifact)
            return cls(path=folder, mlmodel=content, artifact=artifact)
        model = cls(path=folder, mlmodel=mlmodel.read(folder / mlmodel.FILE_NAME))
        for field, value in model.named_paths():
            model._inside(field, value)
        return model

    @property
    def python_function(self) -> PythonFunction:
        """The flavor that envkit runs; `InvalidFile` if the model does not have it."""
        flavor = self.mlmodel.python_function
        if flavor is None:
            others = ", ".join(self.mlmodel.flavors) or "none"
            hint = self.hint_of_r or "envkit runs models of that flavor."
            raise InvalidFile(self.mlmodel_path, _FLAVOR, f"is missing (flavors: {others})", hint)
        return flavor

    @property
    def hint_of_r(self) -> str:
        """Why most commands do not work for an R model; empty for other models."""
        if self.mlmodel.runs_in_r:
            return _R_HINT
        return ""

    @property
    def own_places(self) -> tuple[Path, ...]:
        """The files and folders of the model: its directory, or those of a bare artifact."""
        if self.artifact is None:
            return (self.path,)
        return bare_artifact.own_places(self.path, self.artifact, self.example_path)

    @property
    def name(self) -> str:
        """The name of the directory, or of the artifact."""
        return self.artifact or self.path.name

    @property
    def mlmodel_path(self) -> Path:
        """The file `MLmodel`."""
        return self.path / mlmodel.FILE_NAME

    @property
    def code_path(self) -> Path | None:
        """The folder of the model's own modules, or None."""
        return self._optional("code", self.python_function.code)

    @property
    def data_path(self) -> Path | None:
        """What the loader gets instead of the model directory, or None."""
        return self._optional("data", self.python_function.data)

    @property
    def conda_env_path(self) -> Path:
        """Where `conda.yaml` is or would be."""
        flavor = self.mlmodel.python_function
        name = flavor.conda_env if flavor else None
        return self._inside("env", name or "conda.yaml")

    @property
    def python_env_path(self) -> Path:
        """Where `python_env.yaml` is or would be."""
        flavor = self.mlmodel.python_function
        name = flavor.python_env if flavor else None
        return self._inside("env", name or "python_env.yaml")

    @property
    def example_path(self) -> Path | None:
        """The file of the input example, or None.

        A file under MLflow's name counts even if `MLmodel` does not name it. Raises `InvalidFile`
        if `MLmodel` names a file that does not exist.
        """
        example = self.mlmodel.example
        if example is None:
            return next(filter(None, map(self.file, _EXAMPLE_FILES)), None)
        field = "saved_input_example_info.artifact_path"
        path = self._inside(field, example.path)
        if not path.exists():
            raise InvalidFile(self.mlmodel_path, field, f"there is no file {example.path}")
        return path

    def file(self, name: str) -> Path | None:
        """Return the path of a file of the model, or None if it does not exist.

        Raises `PathOutsideModel` if it is a symbolic link that leads out of the model.
        """
        path = self._inside(name, name)
        if path.is_file():
            return path
        return None

    def request(self) -> dict[str, Any]:
        """Return what the program that loads the model in another interpreter needs, as JSON."""
        signature = self.mlmodel.signature
        request: dict[str, Any] = {
            "model": str(self.path),
            "python_function": self._loader(),
            "flavors": dict(self.mlmodel.flavors),
            "signature": None if signature is None else self._with_age(signature),
            "example": self._example(),
            "metadata": self._texts_of_metadata(),
        }
        if self.mlmodel.is_signature_from_type_hint:
            request["is_signature_from_type_hint"] = True
        if self.mlmodel.is_input_from_example:
            request["type_hint_from_example"] = True
        return request

    def _with_age(self, signature: Mapping[str, Any]) -> dict[str, Any]:
        """Return the signature; before MLflow 2.9 its columns of texts may hold lists."""
        version = self.mlmodel.mlflow_version
        if version is not None and _release(version) < _NESTED_TYPES_SINCE:
            return {**signature, "has_nested_texts": True}
        return dict(signature)

    def _loader(self) -> dict[str, Any]:
        if not self.mlmodel.runs_in_r:
            return dict(self.python_function.fields)
        name = self.mlmodel.flavors[mlmodel.R_FLAVOR].get("model", R_FILE)
        if not isinstance(name, str) or self.file(name) is None:
            field = f"flavors.{mlmodel.R_FLAVOR}.model"
            raise InvalidFile(self.mlmodel_path, field, f"there is no file {name}")
        return {"loader_module": R_LOADER, "data": name}

    def _example(self) -> dict[str, Any] | None:
        path = self.example_path
        if path is None:
            return None
        example = self.mlmodel.example
        fields = example.fields if example else {}
        return {**fields, "path": str(path)}

    def _texts_of_metadata(self) -> dict[str, str]:
        metadata = self.mlmodel.content.get("metadata")
        if not isinstance(metadata, dict):
            return {}
        return {name: value for name, value in metadata.items() if isinstance(value, str)}

    def named_paths(self) -> Iterator[tuple[str, str]]:
        """Yield each field of `MLmodel` that names a path, with the path."""
        return named_paths(self.mlmodel)

    def _optional(self, field: str, value: str | None) -> Path | None:
        if value is None:
            return None
        return self._inside(f"{_FLAVOR}.{field}", value)

    def _inside(self, field: str, value: str) -> Path:
        """Return the path that a field names, symbolic links resolved, if it is in the model."""
        try:
            path = (self.path / value).resolve()
        # A circle of links, or a NUL character.
        except (OSError, RuntimeError, ValueError) as error:
            problem = f"{value!r} is not a path ({error})"
            raise InvalidFile(self.mlmodel_path, field, problem) from error
        if Path(value).is_absolute() or not path.is_relative_to(self.path):
            raise PathOutsideModel(self.path if field == value else self.mlmodel_path, field, value)
        return path


def _local_path(uri: str | Path, need: Need | None, hint: str) -> Path:
    """Return the folder or file of a model, fetched or unpacked if necessary."""
    text = str(uri)
    if not text or "\0" in text:
        raise InvalidArgument(f"{text!r} is not the path of a model.")
    if naming.scheme_of(uri) == naming.LOCAL and not naming.archive_suffix(uri):
        return naming.local_path(uri)
    # Importing it takes 7 ms, and most models are local folders.
    from envkit.models.uris import fetch

    if not fetch.is_elsewhere(uri):
        return naming.local_path(uri)
    if hint:
        raise InvalidArgument(
            f"{naming.shown(uri)} is not a local folder, so nothing can be written to it. {hint}"
        )
    if need is None:
        return fetch.fetched(uri)
    return fetch.fetched(uri, need)


def _bare_artifact(path: Path) -> str | None:
    """Return the name of the artifact that is the model, or None if there is an `MLmodel`."""
    try:
        if not path.exists():
            raise ModelNotFound(str(path), "there is no such directory")
        if path.is_dir():
            if (path / mlmodel.FILE_NAME).exists():
                return None
            return bare_artifact.artifact_in(path)
    # The name is too long, or the folder may not be read.
    except OSError as error:
        raise ModelNotFound(str(path), error.strerror or str(error)) from error
    if path.name == mlmodel.FILE_NAME:
        raise ModelNotFound(str(path), "this is a file; name the directory that contains it")
    bare_artifact.check(path)
    return path.name


def _release(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version; importing a parser would take longer."""
    numbers = [part for part in version.split(".")[:2] if part.isdecimal()]
    return tuple(map(int, numbers)) or _NESTED_TYPES_SINCE
