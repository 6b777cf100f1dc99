"""An installed Python: what its program file decides, so it may be remembered for that file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

OLDEST = (3, 8)  # the version that `envkit/inside` needs
_UNUSUAL_ABI = re.compile(r"cpython-\d+[td]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """One installed Python, without any environment around it.

    executable: its real path, never inside a virtual environment. version: full, `3.11.7`.
    platform: as `sysconfig.get_platform()` has it. abi: `SOABI`, which distinguishes a
    free-threaded or debug build from a plain one of the same version.
    """

    executable: Path
    version: str
    implementation: str
    platform: str
    abi: str

    @classmethod
    def from_report(cls, report: Mapping[str, Any]) -> Self:
        """Read what `describe_python` reported. Raises `KeyError` or `TypeError`."""
        return cls(
            executable=Path(report["base_executable"]),
            version=report["version"],
            implementation=report["implementation"],
            platform=report["platform"],
            abi=report["abi"],
        )

    @property
    def minor(self) -> str:
        """`3.11` of `3.11.7`."""
        return minor_of(self.version)

    @property
    def is_usual(self) -> bool:
        """Whether it is CPython, and neither free-threaded nor a debug build."""
        return self.implementation == "cpython" and not _UNUSUAL_ABI.match(self.abi)

    def is_version(self, wanted: str) -> bool:
        """Whether it is of that version; `3.11` stands for all of its patch versions."""
        return f"{self.version}.".startswith(f"{wanted}.")


def minor_of(version: str) -> str:
    """Shorten `3.11.7` to `3.11`."""
    return ".".join(version.split(".")[:2])


def numbers_of(version: str) -> tuple[int, ...]:
    """Make a version comparable: `(3, 11, 7)`."""
    return tuple(int(number) for number in re.findall(r"\d+", version))
