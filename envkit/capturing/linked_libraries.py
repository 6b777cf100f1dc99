"""Libraries of one distribution that a native file of another one links.

The loader opens them, by `RPATH` or because they were loaded before; Python sees neither. Without
the other distribution the import of the extension fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envkit.capturing.places import Places
from envkit.capturing.trace import CodeLocation, LibraryLoad, Trace
from envkit.formats import elf

PHASE = "load"


def with_linked_libraries(trace: Trace, places: Places) -> Trace:
    """Add a use of each loaded library by each loaded file of another owner that links it."""
    links = list(_links(trace, places))
    if not links:
        return trace
    return trace.with_uses(links)


def _links(trace: Trace, places: Places) -> Iterator[LibraryLoad]:
    sections = {path: elf.read(path) for path in sorted(set(trace.loaded))}
    by_name: dict[str, str] = {}
    for path, section in sections.items():
        # a distribution's own libraries only: those of the system are there anyway
        if places.owner(path) is None:
            continue
        by_name.setdefault(Path(path).name, path)
        if section.name:
            by_name.setdefault(section.name, path)
    for path, section in sections.items():
        user = places.owner(path)
        if user is None and not places.is_local(path):
            continue
        for name in section.needed:
            library = by_name.get(name)
            if library is not None and places.owner(library) != user:
                yield LibraryLoad(path=library, phase=PHASE, by=CodeLocation(file=path))
