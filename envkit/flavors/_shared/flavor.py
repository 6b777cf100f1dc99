"""What the modules of all flavors do alike: a library's model saved, loaded, logged, and its least requirements."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading
from envkit.models.model import Model
from envkit.models.model_info import ModelInfo
from envkit.models.signature import ModelSignature
from envkit.pyfunc import saving
from envkit.pyfunc.saving import Saved

EXTRA_FILES = "extra_files"


class Options(saving.Options, total=False):
    """The parameters that every `save_model` of a library's models takes.

    extra_files: files that go along, into the model's `extra_files/`.
    """

    extra_files: Sequence[str | Path] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Flavor:
    """One library and its models.

    name: as `MLmodel` has it. loader: the module that loads it, of `envkit.inside.loaders`.
    library: the module to import. distribution: what is to be installed, default that name.
    version_key: under which its version is kept. also: other distributions that every model needs.
    parameter: the name of `save_model`'s first one.
    """

    name: str
    loader: ModuleType
    library: str
    distribution: str = ""
    version_key: str
    also: tuple[str, ...] = ()
    parameter: str = "model"

    def imported(self) -> Any:
        """Import the library. Raises `ToolNotFound` when it is not installed."""
        return loading.library(self.library, self.distribution or None)

    def save(
        self,
        path: str | Path,
        put: Callable[[Path], Any],
        options: Mapping[str, Any],
        *,
        data: str,
        fields: Mapping[str, Any] | None = None,
        python_function: Mapping[str, Any] | None = None,
        predicts: bool = True,
        signature: ModelSignature | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Save a model: `put` writes it to the path that it is given, that of `data` in the model directory.

        fields: of the flavor's section, beside its version. python_function: fields of that flavor,
        default `data`. predicts: whether it has that flavor. options: those of `Options`.
        signature: used when nobody gave any. metadata: added to what the author says. Raises what
        `envkit.pyfunc.saving.save` raises.
        """
        version = str(self.imported().__version__)
        given = dict(options)
        extra = _checked(given.pop(EXTRA_FILES, None))

        def write(folder: Path) -> Saved:
            put(folder / data)
            section = {self.version_key: version, **({"data": data} if fields is None else fields)}
            files = _copied(extra, folder)
            return Saved(
                loader_module=f"mlflow.{self.name}" if predicts else None,
                python_function={"data": data} if python_function is None else python_function,
                flavors={self.name: {**section, **({EXTRA_FILES: files} if files else {})}},
                signature=signature,
                metadata=metadata or {},
            )

        saving.save(path, write, **given)

    def load_model(
        self, model_uri: str | Path, dst_path: str | Path | None = None, **options: Any
    ) -> Any:
        """Load the library's own model, also of a directory that MLflow saved.

        dst_path: folder for the files that are fetched. options: the library's own, of its function
        that loads. Raises `ModelNotFound`, `InvalidFile` without this flavor, and whatever the
        library raises.
        """
        model, section = loading.opened(model_uri, self.name, dst_path)
        return self.loader.load_native(str(model.path), section, **options)

    def load_pyfunc(self, path: str | Path) -> Any:
        """Load the model as one that predicts: it has `predict(data, params=None)`."""
        return loading.load_pyfunc(path, self.loader.load)

    def log_model(self, *given: Any, **arguments: Any) -> ModelInfo:
        """Log a model to MLflow's tracking server: the model, `artifact_path` or `name`, then as `save_model`.

        Also `registered_model_name`, `await_registration_for` in seconds. Raises `ToolNotFound`
        without `mlflow-skinny`, and whatever `save_model` raises.
        """
        if len(given) > 2:
            raise InvalidArgument(
                "log_model takes the model and artifact_path by their places, all else by name."
            )
        arguments.update(zip((self.parameter, "artifact_path"), given, strict=False))
        where = [arguments.pop(name, None) for name in ("artifact_path", "name")]
        module = import_module(f"envkit.flavors.{self.name}")
        return Model.log(where[0] or where[1] or "model", module, **arguments)

    def get_default_pip_requirements(self, *more: str) -> list[str]:
        """Give the requirements that every model of this flavor has at least, as installed here."""
        return saving.default_requirements(self.distribution or self.library, *self.also, *more)

    def get_default_conda_env(self, *more: str) -> dict[str, Any]:
        """Give the conda environment that every model of this flavor needs at least."""
        return saving.conda_environment(self.get_default_pip_requirements(*more))


def divided(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide keywords into those of every `save_model`, and the library's own."""
    known = {*Options.__annotations__, *saving.Options.__annotations__}
    common = {name: value for name, value in options.items() if name in known}
    return common, {name: value for name, value in options.items() if name not in known}


def qualified_name(model: Any) -> str:
    """Give the name of a model's class as `MLmodel` has it, with its module."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


def _checked(given: Sequence[str | Path] | None) -> list[Path]:
    if isinstance(given, str | Path):
        raise InvalidArgument(
            f"extra_files is a list of files: write extra_files=[{str(given)!r}]."
        )
    files = [
        Path(str(each).removeprefix("file://")).expanduser().absolute() for each in given or ()
    ]
    for each in files:
        if not each.is_file():
            raise InvalidArgument(f"extra_files: there is no file {each}.")
    return files


def _copied(files: Iterable[Path], folder: Path) -> list[dict[str, str]]:
    found = []
    for each in files:
        (folder / EXTRA_FILES).mkdir(exist_ok=True)
        shutil.copy2(each, folder / EXTRA_FILES / each.name)
        found.append({"path": f"{EXTRA_FILES}/{each.name}"})
    return found
