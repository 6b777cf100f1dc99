"""Write the files that run models on a target: `export` of the Python API."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import cast

from envkit.errors import BuildFailed, InvalidArgument
from envkit.exports import memory as memory_of
from envkit.exports.service import MEGABYTE, ExportedFile, Service, Target, check_names, describe

TARGETS = ("compose", "kubernetes", "systemd")
IMAGE = "{name}:latest"
FIRST_PORT = 8080
Report = Callable[[str], None]


def export(
    target: str,
    model_uris: Sequence[str | Path],
    output: str | Path,
    *,
    image: str = IMAGE,
    memory: int | None = None,
    workers: int = 1,
    report: Report | None = None,
) -> tuple[Path, ...]:
    """Write the files with which a target runs models.

    Args:
        target: `compose`, `kubernetes` or `systemd`.
        model_uris: The models; their folders' names become the services' names.
        output: The folder for the files, which are replaced.
        image: The reference of the images; `{name}` stands for the name of the service.
        memory: Megabytes that a server needs. Default: each model is measured by one prediction
            in its environment, which is built unless it is there.
        workers: Processes that load a model.
        report: Called with a line of text as things go on.

    Returns:
        The files.

    Raises:
        InvalidArgument: The target is unknown, or two services have one name.
        EnvkitError: A model cannot be read or measured, as for `predict`.
        BuildFailed: The files cannot be written.
    """
    if target not in TARGETS:
        raise InvalidArgument(f"{target!r} is not a target. Choose one of {', '.join(TARGETS)}.")
    if workers < 1 or (memory is not None and memory < 1) or not model_uris:
        raise InvalidArgument("An export needs a model, a worker and a megabyte at least.")
    tell = report or _silent
    services: list[Service] = []
    for number, uri in enumerate(model_uris):
        known = memory * MEGABYTE if memory is not None else 0
        service, model = describe(uri, image, FIRST_PORT + number, known, workers)
        if memory is None:
            measured = memory_of.needed_memory(model, workers, tell)
            service = replace(service, memory=measured)
        services.append(service)
        check_names(services)
    written = _module(target).files(services)
    return tuple(_write(Path(output), list(written)))


def _module(target: str) -> Target:
    return cast("Target", import_module(f"envkit.exports.{target}"))


def _write(folder: Path, files: Sequence[ExportedFile]) -> list[Path]:
    paths = [folder / file.name for file in files]
    partials = [path.with_name(f".{path.name}.{os.getpid()}") for path in paths]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for partial, file in zip(partials, files, strict=True):
            partial.write_text(file.text, encoding="utf-8")
        for partial, path in zip(partials, paths, strict=True):
            partial.replace(path)
    except OSError as error:
        problem = f"{error.strerror or error}."
        raise BuildFailed(f"write the export to {folder}", problem) from error
    finally:
        for partial in partials:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
    return paths


def _silent(_: str) -> None:
    """Report nothing."""
