"""Where the code of development installs lies: by `.pth` files, setuptools' finders and `.egg-link` files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envkit.installed.metadata import finder_mapping


def targets(site: str, record: bytes) -> Iterator[str]:
    """Yield the folders and files outside that what a record lists puts on the search path (PEP 660)."""
    yield from _pth_targets(site, record)
    yield from _finder_targets(site, record)


def egg_links(site: str) -> Iterator[tuple[Path, Path]]:
    """Yield the folders of old setuptools' installs, each with its metadata: `name.egg-link` names the folder."""
    for link in Path(site).glob("*.egg-link"):
        folder = Path(next(iter(_lines(link)), ""))
        yield from ((folder, info) for info in folder.glob("*.egg-info"))


def _pth_targets(site: str, raw: bytes) -> Iterator[str]:
    """Folders named in the `.pth` files that a record lists."""
    for name in _top_files(raw, ".pth"):
        for line in _lines(Path(site, name)):
            if line and not line.startswith(("#", "import ", "import\t")):
                yield str(Path(site, line))


def _finder_targets(site: str, raw: bytes) -> Iterator[str]:
    """What setuptools' editable finders (`__editable___name_finder.py`) map modules to."""
    for name in _top_files(raw, "_finder.py"):
        for line in _lines(Path(site, name)):
            if line.startswith("MAPPING"):
                mapping = finder_mapping(line.partition("=")[2].strip(), Path(site, name))
                yield from (str(target) for target in mapping.values())


def _top_files(raw: bytes, suffix: str) -> Iterator[str]:
    if suffix.encode() not in raw:
        return
    for line in raw.decode("utf-8", "surrogateescape").splitlines():
        name = line.partition(",")[0]
        if name.endswith(suffix) and "/" not in name:
            yield name


def _lines(path: Path) -> list[str]:
    try:
        return [
            line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        ]
    except OSError:
        return []
