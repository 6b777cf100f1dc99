"""What uv and pip print while they work, as states of a step.

uv announces what is larger than 1 MB (`Downloading numpy (15.8MiB)`, ` Downloaded numpy`), then
`Prepared 10 packages in 2.10s`; pip tells every file (`Downloading numpy-2.1.0-….whl (16.3 MB)`),
then `Installing collected packages: …`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from envkit.child.progress import Advance, State

_SIZE = r"\((?P<number>[\d.]+)\s*(?P<unit>[kKMGT]?i?)[bB]\)"
_ANNOUNCED = re.compile(rf"\s*Downloading (?P<name>\S+).*? {_SIZE}")
_ARRIVED = re.compile(r"\s*Downloaded (?P<name>\S+)")
_PREPARED = re.compile(r"Prepared (?P<count>\d+) packages?")
_INSTALLED = re.compile(r"Installed (?P<count>\d+) packages? in (?P<time>\S+)")
_INSTALLING = re.compile(r"Installing collected packages: (?P<names>.*)")
_UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "t": 1000**4}
_BINARY = {"ki": 1024, "mi": 1024**2, "gi": 1024**3, "ti": 1024**4}


class Listener:
    """Takes an installer's lines and tells what they mean for the step."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance
        self._sizes: dict[str, int] = {}
        self._done = 0
        self._rules: list[tuple[re.Pattern[str], Callable[[re.Match[str]], State]]] = [
            (_ANNOUNCED, self._announced),
            (_ARRIVED, self._arrived),
            (_PREPARED, lambda found: State(what=f"Installing {_packages(int(found['count']))}")),
            (
                _INSTALLING,
                lambda found: State(what=f"Installing {_packages(found['names'].count(',') + 1)}"),
            ),
            (
                _INSTALLED,
                lambda found: State(
                    line=f"Installed {_packages(int(found['count']))} in {found['time']}"
                ),
            ),
        ]

    def __call__(self, line: str) -> None:
        """Take a line."""
        for pattern, state in self._rules:
            if found := pattern.match(line):
                self._advance(state(found))
                return

    def _announced(self, found: re.Match[str]) -> State:
        unit = found["unit"].lower()
        size = int(float(found["number"]) * {**_UNITS, **_BINARY}[unit])
        name = found["name"].rpartition("/")[2]
        # pip, one after the other: those before it are here
        if name.endswith((".whl", ".gz", ".zip")):
            self._done = sum(self._sizes.values())
        self._sizes[name] = size
        shown = f"Downloading {name} ({found['number']} {found['unit']}B)"
        return State(
            what=f"Downloading {name}", done=self._done, total=sum(self._sizes.values()), line=shown
        )

    def _arrived(self, found: re.Match[str]) -> State:
        self._done += self._sizes.get(found["name"], 0)
        return State(what="Downloading", done=self._done, total=sum(self._sizes.values()))


def _packages(count: int) -> str:
    if count == 1:
        return "1 package"
    return f"{count} packages"
