"""Lock the conda part of a model's environment: solve its `conda.yaml` and write `pixi.lock`."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envkit.child import variables
from envkit.environments.conda import request
from envkit.environments.conda.embedded import Embedded
from envkit.environments.installers.installer import Workshop
from envkit.environments.store.store import Store
from envkit.errors import InvalidInput
from envkit.formats import pixi_lock
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.uris.required_files import ENVIRONMENT

_REMOTE_HINT = "Name a file that gets the lock: `--output-path FILE`."


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaLock:
    """A lock that was written.

    packages: each with `name`, `version`, `build`, `url` and `sha256`.
    """

    path: Path
    packages: tuple[Mapping[str, str], ...]


def lock_conda(model_uri: str | Path, output_path: str | Path | None = None) -> CondaLock:
    """Write the conda packages that fit the model's `conda.yaml` today, with their digests.

    They are those for this platform. The lock goes to `output_path`, default `pixi.lock` in the
    model; it is written whole or not at all. `pylock.toml` locks the pip section.

    Raises `ModelNotFound`, `InvalidFile`, `BuildFailed` for what cannot be solved, `ToolNotFound`
    without py-rattler.
    """
    hint = "" if output_path is not None else _REMOTE_HINT
    model = ModelDirectory.open(model_uri, ENVIRONMENT, hint=hint)
    if output_path is not None:
        target = Path(output_path)
    else:
        target = model.path / pixi_lock.FILE_NAME
    solver = Embedded()
    spec = read_spec(model, for_conda=True)
    conda_request = request.of(spec, os.environ, solver.settings(os.environ))
    store = Store.open()
    store.create()
    with tempfile.TemporaryDirectory(prefix="envkit-") as folder:
        place = Path(folder).resolve() / "place"
        place.mkdir()
        workshop = Workshop(
            place=place,
            cache=store.cache("conda"),
            variables=variables.for_installer(os.environ),
            secrets=conda_request.secrets,
        )
        written = place / pixi_lock.FILE_NAME
        packages = solver.lock(conda_request, workshop, written)
        _write_whole(written.read_bytes(), target)
    return CondaLock(path=target, packages=tuple(packages))


def _write_whole(content: bytes, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)
