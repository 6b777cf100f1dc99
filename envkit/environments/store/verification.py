"""Check a stored environment in full: every file against the digest in the records of what was installed.

The records are RECORD files of distributions and, of conda's packages, `conda-meta`. 1 GB takes
some seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envkit.environments.store import manifest, ready_marker
from envkit.installed import records


def problems(place: Path) -> Iterator[str]:
    """Yield all that is wrong with an environment of the store, a sentence each."""
    try:
        found = ready_marker.read(place)
        key = found["key"]
    except FileNotFoundError:
        yield "its build or its removal did not end"
        return
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        yield "its marker is damaged"
        return
    if why := ready_marker.why_unfit(found, place, key):
        yield why
    yield from _files(place)


def _files(place: Path) -> Iterator[str]:
    try:
        changed = dict(manifest.changes(place))
        added = list(manifest.added(place))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        yield "the list of its files is damaged"
        changed, added = {}, []
    for path, digests in records.digests(place):
        if path in changed and changed[path] != "was changed":
            continue
        if what := records.unlike(place / path, digests):
            changed[path] = what
    changed |= dict.fromkeys(added, "was added")
    yield from (f"{path} {what}" for path, what in sorted(changed.items()))
