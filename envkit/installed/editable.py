"""Where development installs have their code: `.pth` files, setuptools' finders, `.egg-link`s."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envkit.installed.metadata import finder_mapping


def targets(site: str, record: bytes) -> Iterator[str]:
    """Yield the paths outside that a distribution adds to the search path (PEP 660).

    record: the text of its RECORD, which lists the files that do so.
    """
    yield from _pth_targets(site, record)
    yield from _finder_targets(site, record)


def egg_links(site: str) -> Iterator[tuple[Path, Path]]:
    """Yield the folders that `.egg-link` files of old setuptools name, each with its metadata."""
    for link in Path(site).glob("*.egg-link"):
        lines = _lines(link)
        folder = Path(lines[0] if lines else "")
        for info in folder.glob("*.egg-info"):
            yield folder, info


def _pth_targets(site: str, record: bytes) -> Iterator[str]:
    """The folders that `.pth` files name."""
    for name in _top_files(record, ".pth"):
        for line in _lines(Path(site, name)):
            if line and not line.startswith(("#", "import ", "import\t")):
                yield str(Path(site, line))


def _finder_targets(site: str, record: bytes) -> Iterator[str]:
    """What setuptools' editable finders (`__editable___name_finder.py`) map modules to."""
    for name in _top_files(record, "_finder.py"):
        path = Path(site, name)
        for line in _lines(path):
            if line.startswith("MAPPING"):
                text = line.partition("=")[2].strip()
                yield from map(str, finder_mapping(text, path).values())


def _top_files(record: bytes, suffix: str) -> Iterator[str]:
    """The files directly in the site folder that a RECORD lists."""
    if suffix.encode() not in record:
        return
    for line in record.decode("utf-8", "surrogateescape").splitlines():
        name = line.partition(",")[0]
        if name.endswith(suffix) and "/" not in name:
            yield name


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines()]
