"""Site folders made by hand: real metadata, a few bytes of code."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Site:
    folder: Path

    def install(
        self,
        name: str,
        version: str = "1.0",
        files: Mapping[str, str] | None = None,
        requires: Sequence[str] = (),
        extras: Sequence[str] = (),
        direct_url: Mapping[str, object] | None = None,
    ) -> Path:
        """Write the files and the metadata as an installer does; gives the metadata folder."""
        info = f"{name.replace('-', '_')}-{version}.dist-info"
        lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        lines += [f"Provides-Extra: {extra}" for extra in extras]
        content = {**(files or {}), f"{info}/METADATA": "\n".join(lines) + "\n", f"{info}/INSTALLER": "test\n"}
        if direct_url is not None:
            content[f"{info}/direct_url.json"] = json.dumps(direct_url)
        record = []
        for path, text in content.items():
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(text.encode())}")
        record.append(f"{info}/RECORD,,")
        (self.folder / info / "RECORD").write_text("\n".join(record) + "\n", encoding="utf-8")
        return self.folder / info

    def file(self, path: str) -> str:
        return str(self.folder / path)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "env" / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    return Site(folder)
