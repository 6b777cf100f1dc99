"""Tiny wheels: real archives with real metadata, the same bytes each time."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class MakeWheel(Protocol):
    """Writes a wheel into the folder of a fixture, with the arguments of `write_wheel`."""

    def __call__(
        self,
        name: str,
        version: str,
        requires: Sequence[str] = (),
        content: str = "",
        modules: int = 0,
        entry_points: str = "",
    ) -> Path: ...


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    requires: Sequence[str] = (),
    content: str = "",
    modules: int = 0,
    entry_points: str = "",
    sboms: Mapping[str, str] | None = None,
) -> Path:
    """Write a pure wheel with one module of the same name; gives its path.

    Args:
        folder: The folder of the wheel.
        name: The distribution's name.
        version: Its version.
        requires: Its requirements.
        content: The text of the module; by default it holds the version.
        modules: The number of further modules.
        entry_points: The text of `entry_points.txt`.
        sboms: Bills of materials (PEP 770), by file name.
    """
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    files = {f"{stem}.py": content or f"VERSION = {version!r}\n"}
    for number in range(modules):
        files[f"{stem}_{number}.py"] = f"NUMBER = {number}\n"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
    files[f"{info}/METADATA"] = "\n".join(metadata) + "\n"
    if entry_points:
        files[f"{info}/entry_points.txt"] = entry_points
    for file, text in (sboms or {}).items():
        files[f"{info}/sboms/{file}"] = text
    files[f"{info}/WHEEL"] = WHEEL
    record = [record_line(path, text.encode()) for path, text in files.items()]
    files[f"{info}/RECORD"] = "".join(record) + f"{info}/RECORD,,\n"

    wheel = folder / f"{stem}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)  # without a time of its own
    return wheel


def record_line(path: str, content: bytes) -> str:
    """Give the line of `RECORD` for a file."""
    digest = hashlib.sha256(content).digest()
    text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f"{path},sha256={text},{len(content)}\n"
