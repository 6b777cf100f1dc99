"""Where programs and libraries of Linux look for their libraries.

Read with pyelftools, changed in place.

https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from envkit.errors import ToolNotFound

MAGIC = b"\x7fELF"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dynamic:
    """needed: names of libraries. paths: offset in the file and text of each RPATH and RUNPATH."""

    needed: tuple[str, ...]
    paths: Mapping[int, str]

    @property
    def has_absolute_paths(self) -> bool:
        """Whether any of the paths names a place on this machine."""
        folders = (folder for path in self.paths.values() for folder in path.split(":"))
        return any(folder.startswith("/") for folder in folders)


def read(content: bytes) -> Dynamic:
    """Read the dynamic section of an ELF file; empty for a static one.

    Raises `ToolNotFound` without pyelftools.
    """
    try:
        from elftools.elf.dynamic import DynamicSection
        from elftools.elf.elffile import ELFFile
    except ImportError:
        raise ToolNotFound(
            "pyelftools", "Install envkit's extra: `pip install 'envkit[pack]'`."
        ) from None
    needed, paths = [], {}
    elf = ELFFile(io.BytesIO(content))
    for section in elf.iter_sections():
        if not isinstance(section, DynamicSection):
            continue
        texts = elf.get_section(section["sh_link"])["sh_offset"]
        for tag in section.iter_tags():
            offset = texts + tag.entry.d_val
            if tag.entry.d_tag == "DT_NEEDED":
                needed.append(_text(content, offset))
            elif tag.entry.d_tag in {"DT_RPATH", "DT_RUNPATH"}:
                paths[offset] = _text(content, offset)
    return Dynamic(needed=tuple(needed), paths=paths)


def _text(content: bytes, offset: int) -> str:
    return content[offset : content.index(b"\0", offset)].decode("utf-8", "surrogateescape")


def with_path(content: bytes, dynamic: Dynamic, path: str) -> bytes | None:
    """Return the file with `path` in place of every RPATH and RUNPATH; None where it does not fit.

    The rest of the old text stays: a linker may have let another name end with it.
    """
    new = path.encode() + b"\0"
    changed = bytearray(content)
    for offset, old in dynamic.paths.items():
        if len(new) > len(old.encode("utf-8", "surrogateescape")) + 1:
            return None
        changed[offset : offset + len(new)] = new
    return bytes(changed)


def is_elf(path: Path) -> bool:
    """Whether a file is a program or library of this kind. Raises `OSError`."""
    with path.open("rb") as stream:
        return stream.read(4) == MAGIC
