"""The files that a model needs beside itself, brought into its folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envkit.errors import InvalidArgument

FOLDER = "artifacts"
FETCHED = ".fetched"  # removed when all are in their places


def put(artifacts: Mapping[str, str | Path], folder: Path) -> dict[str, dict[str, str]]:
    """Copy each below `artifacts/`, and give what `MLmodel` says of them: `{name: {"path", "uri"}}`.

    Each lies there by its last name, or below a folder of its own where two have the same. Raises
    `InvalidArgument` for what is not there.
    """
    found: dict[str, dict[str, str]] = {}
    for name, uri in artifacts.items():
        source = _local(name, uri, folder)
        target = folder / FOLDER / source.name
        if target.exists():
            target = folder / FOLDER / f"{len(found)}" / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        found[name] = {"path": target.relative_to(folder).as_posix(), "uri": str(uri)}
    shutil.rmtree(folder / FETCHED, ignore_errors=True)
    return found


def _local(name: str, uri: str | Path, folder: Path) -> Path:
    """The file on this machine, fetched if need be."""
    parts = urlsplit(str(uri))
    if isinstance(uri, Path) or len(parts.scheme) < 2:  # none, or a drive
        path = Path(uri).expanduser()
    elif parts.scheme == "file" and parts.netloc in ("", "localhost"):
        path = Path(unquote(parts.path))
    else:
        path = _fetched(name, str(uri), folder)
    if not path.exists():
        raise InvalidArgument(f"artifacts: there is no file or folder {uri} ({name}).")
    if path.name in ("", ".", ".."):
        return path.resolve()
    return path


def _fetched(name: str, uri: str, folder: Path) -> Path:
    from envkit.models.uris.fetch import download_artifact  # it costs what a path does not need

    target = folder / FETCHED / name.replace("/", "_")
    target.mkdir(parents=True)
    return download_artifact(uri, target)
