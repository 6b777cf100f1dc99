"""`Flavor`: what the modules of all libraries do in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared import extra_files, loading
from envkit.models.model import Model
from envkit.models.model_info import ModelInfo
from envkit.models.signature import ModelSignature
from envkit.pyfunc import default_environment, saving
from envkit.pyfunc.saving import Saved


class Options(saving.Options, total=False):
    """The parameters of every flavor's `save_model`: those of `envkit.pyfunc`, and `extra_files`.

    extra_files: files to copy into the model's `extra_files/`.
    """

    extra_files: Sequence[str | Path] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What a flavor writes.

    data: path in the model directory that `write` gets. section: fields of the flavor's section
    next to its version, by default `data`. python_function: fields of that flavor, by default
    `data`. predicts: whether the model has that flavor. signature: used if the author gives none
    and there is no input example. metadata: the author's take precedence.
    """

    data: str
    write: Callable[[Path], Any]
    section: Mapping[str, Any] | None = None
    python_function: Mapping[str, Any] | None = None
    predicts: bool = True
    signature: ModelSignature | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Flavor:
    """One library and its models.

    name: in `MLmodel`. loader: the module of `envkit.inside.loaders` that loads it. library: the
    module to import. distribution: what installs it, by default the same name. version_key: key of
    the library's version in `MLmodel`. requires: other distributions that every model needs.
    parameter: name of the first parameter of `save_model`.
    """

    name: str
    loader: ModuleType
    library: str
    distribution: str = ""
    version_key: str
    requires: tuple[str, ...] = ()
    parameter: str = "model"

    def import_library(self) -> Any:
        """Import the library; raise `ToolNotFound` if it is not installed."""
        return loading.library(self.library, self.distribution or None)

    def save(self, path: str | Path, options: Mapping[str, Any], content: Content) -> None:
        """Save a model with the options that every flavor has."""
        version = str(self.import_library().__version__)
        options = dict(options)
        files = extra_files.check(options.pop("extra_files", None))
        data = {"data": content.data}

        def write(folder: Path) -> Saved:
            content.write(folder / content.data)
            section: dict[str, Any] = {self.version_key: version}
            section.update(data if content.section is None else content.section)
            if files:
                section["extra_files"] = extra_files.copy(files, folder)
            return Saved(
                loader_module=f"mlflow.{self.name}" if content.predicts else None,
                python_function=data
                if content.python_function is None
                else content.python_function,
                flavors={self.name: section},
                signature=content.signature,
                metadata=content.metadata,
            )

        saving.save(path, write, **options)

    def load_model(
        self, model_uri: str | Path, dst_path: str | Path | None = None, **options: Any
    ) -> Any:
        """Load the library's own model, as `load_model` of MLflow's module of the same name.

        Loading a model runs its code.

        Args:
            model_uri: Path or URI of a model that envkit or MLflow saved.
            dst_path: Existing folder for the files of a remote model.
            **options: Arguments of the library's function that loads a model.

        Returns:
            The library's model.

        Raises:
            ModelNotFound: If there is no model.
            InvalidFile: If the model does not have this flavor, or is malformed.
            ToolNotFound: If the library is not installed.
        """
        model, section = loading.open_flavor(model_uri, self.name, dst_path)
        return self.loader.load_native(str(model.path), section, **options)

    def load_pyfunc(self, path: str | Path) -> Any:
        """Load the model as one that has `predict(data, params=None)`."""
        return loading.load_pyfunc(path, self.loader.load)

    def log_model(self, *args: Any, **arguments: Any) -> ModelInfo:
        """Save a model and log it to an MLflow tracking server.

        Corresponds to `log_model` of MLflow's module of the same name.

        Args:
            *args: The model, and `artifact_path`: its name, `model` by default.
            **arguments: The same by name; `name`, as `artifact_path` is called in MLflow 3; the
                other parameters of `save_model`; and of `envkit.models.Model.log`
                `registered_model_name`, `await_registration_for` (seconds), `run_id`,
                `model_type`, `params` and `tags`.

        Returns:
            The URI and description of the logged model.

        Raises:
            ToolNotFound: If `mlflow-skinny` is not installed.
            InvalidInput: If the tracking server cannot be reached.
            InvalidArgument: If there are more than two positional arguments, and as `save_model`.
            CaptureFailed: As `save_model`.
        """
        if len(args) > 2:
            raise InvalidArgument(
                "log_model takes two positional arguments, the model and artifact_path; "
                "pass all others by name."
            )
        arguments.update(zip((self.parameter, "artifact_path"), args, strict=False))
        artifact_path = arguments.pop("artifact_path", None)
        name = arguments.pop("name", None)
        module = import_module(f"envkit.flavors.{self.name}")
        return Model.log(artifact_path or name or "model", module, **arguments)

    def get_default_pip_requirements(self, *extra: str) -> list[str]:
        """Return the requirements that every model of this flavor has at least.

        Args:
            *extra: Further distributions.

        Returns:
            PEP 508 lines, pinned to the installed versions.
        """
        library = self.distribution or self.library
        return default_environment.pinned(library, *self.requires, *extra)

    def get_default_conda_env(self, *extra: str) -> dict[str, Any]:
        """Return the conda environment that every model of this flavor needs at least.

        Args:
            *extra: Further distributions.

        Returns:
            Content of a `conda.yaml`.
        """
        return default_environment.conda_environment(self.get_default_pip_requirements(*extra))


def split_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split keywords into those of every `save_model` and the library's own."""
    names = {*Options.__annotations__, *saving.Options.__annotations__}
    common = {name: value for name, value in options.items() if name in names}
    own = {name: value for name, value in options.items() if name not in names}
    return common, own


def qualified_name(model: Any) -> str:
    """Return the name of a model's class with its module, as `MLmodel` holds it."""
    return f"{type(model).__module__}.{type(model).__qualname__}"
