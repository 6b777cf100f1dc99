"""Whether a virtual environment is closed: it must not see the packages of its interpreter.

https://docs.python.org/3/library/site.html says how `pyvenv.cfg` decides that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

CONFIGURATION = "pyvenv.cfg"
_OPTION = "include-system-site-packages"


def problems(place: Path) -> Iterator[str]:
    """Yield why an environment sees other packages than its own; nothing for one of conda."""
    try:
        text = (place / CONFIGURATION).read_text(encoding="utf-8")
    except FileNotFoundError:
        # one of conda; that of a virtual environment is in the list of its files
        return
    except (OSError, ValueError):
        yield f"{CONFIGURATION} cannot be read"
        return
    for line in text.splitlines():
        name, _, value = line.partition("=")
        # as `site` reads it, where the last line of a name counts
        if name.strip().lower() == _OPTION and value.strip().lower() != "false":
            yield (
                f"it sees the packages of its interpreter ({CONFIGURATION}: "
                f"{_OPTION} = {value.strip()})"
            )
