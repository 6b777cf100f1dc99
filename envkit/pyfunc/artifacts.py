"""Copy the artifacts of a model into its folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envkit.errors import InvalidArgument

FOLDER = "artifacts"
# Holds downloads until they are copied to their places.
DOWNLOADS = ".fetched"


def copy(artifacts: Mapping[str, str | Path], model: Path) -> dict[str, dict[str, str]]:
    """Copy artifacts, given as paths or URIs by name, into the model's `artifacts/`.

    Returns `{name: {"path": …, "uri": …}}` for `MLmodel`. Raises `InvalidArgument` if one does not
    exist.
    """
    fields: dict[str, dict[str, str]] = {}
    for name, uri in artifacts.items():
        source = _local(name, uri, model)
        target = model / FOLDER / source.name
        if target.exists():
            # Another artifact has the same file name.
            target = model / FOLDER / str(len(fields)) / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        fields[name] = {"path": target.relative_to(model).as_posix(), "uri": str(uri)}
    shutil.rmtree(model / DOWNLOADS, ignore_errors=True)
    return fields


def _local(name: str, uri: str | Path, model: Path) -> Path:
    """Return the local path of an artifact, downloaded if necessary."""
    parts = urlsplit(str(uri))
    # A scheme of one letter is the drive of a Windows path.
    if isinstance(uri, Path) or len(parts.scheme) < 2:
        path = Path(uri).expanduser()
    elif parts.scheme == "file" and parts.netloc in ("", "localhost"):
        path = Path(unquote(parts.path))
    else:
        path = _download(name, str(uri), model)
    if not path.exists():
        raise InvalidArgument(f"artifacts: there is no file or folder {uri} ({name}).")
    if path.name in ("", ".", ".."):
        return path.resolve()
    return path


def _download(name: str, uri: str, model: Path) -> Path:
    # Importing it takes 7 ms, and most artifacts are local.
    from envkit.models.uris.fetch import download_artifact

    folder = model / DOWNLOADS / name.replace("/", "_")
    folder.mkdir(parents=True)
    return download_artifact(uri, folder)
