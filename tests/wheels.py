"""Tiny wheels: real archives with real metadata, the same bytes each time."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


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
    """Make a pure wheel with one module of that name (`content`, default its version), and some more modules.

    sboms: bills of materials (PEP 770), by the names of their files.
    """
    stem = name.replace("-", "_")
    info = f"{stem}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files = {
        f"{stem}.py": content or f"VERSION = {version!r}\n",
        **{f"{stem}_{number}.py": f"NUMBER = {number}\n" for number in range(modules)},
        f"{info}/METADATA": metadata + "".join(f"Requires-Dist: {each}\n" for each in requires),
        **({f"{info}/entry_points.txt": entry_points} if entry_points else {}),
        **{f"{info}/sboms/{file}": text for file, text in (sboms or {}).items()},
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(_record_line(path, text.encode()) for path, text in files.items())
    target = folder / f"{stem}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return target


def _record_line(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"
