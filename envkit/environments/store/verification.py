"""Check a stored environment in full: every file against the digest in the records of its package.

The records are RECORD files of distributions and, of conda packages, `conda-meta`. 1 GB takes some
seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envkit.environments.store import manifest, ready_marker, virtual_environment
from envkit.installed import records


def problems(place: Path) -> Iterator[str]:
    """Yield all that is wrong with an environment of the store, a sentence each."""
    try:
        content = ready_marker.read(place)
        key = content["key"]
    except FileNotFoundError:
        yield "its build or its removal did not end"
        return
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        yield "its marker is damaged"
        return
    why = ready_marker.why_invalid(content, place, key)
    if why:
        yield why
    yield from virtual_environment.problems(place)
    yield from _file_problems(place)


def _file_problems(place: Path) -> Iterator[str]:
    try:
        changed = dict(manifest.changes(place))
        added = list(manifest.added(place))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        yield "the list of its files is damaged"
        changed, added = {}, []
    for path, digests in records.digests(place):
        # a missing file has no digest
        if changed.get(path, manifest.CHANGED) != manifest.CHANGED:
            continue
        difference = records.unlike(place / path, digests)
        if difference:
            changed[path] = difference
    changed |= dict.fromkeys(added, manifest.ADDED)
    for path, change in sorted(changed.items()):
        yield f"{path} {change}"
