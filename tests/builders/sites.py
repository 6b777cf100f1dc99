"""Site folders: real metadata, a few bytes of code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.builders.files import write_files
from tests.builders.wheels import record_line


@dataclass(frozen=True)
class Site:
    """A `site-packages` folder."""

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
        content = {
            **(files or {}),
            f"{info}/METADATA": "\n".join(lines) + "\n",
            f"{info}/INSTALLER": "test\n",
        }
        if direct_url is not None:
            content[f"{info}/direct_url.json"] = json.dumps(direct_url)
        record = [record_line(path, text.encode()) for path, text in content.items()]
        content[f"{info}/RECORD"] = "".join(record) + f"{info}/RECORD,,\n"
        write_files(self.folder, content)
        return self.folder / info

    def file(self, path: str) -> str:
        """Give the absolute path of a file in it."""
        return str(self.folder / path)


def make_site(environment: Path) -> Site:
    """Make the empty `site-packages` of an environment."""
    folder = environment / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    return Site(folder)
