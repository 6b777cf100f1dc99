"""What an interpreter says of itself: version, platform, where it imports from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class InterpreterFacts:
    """What an interpreter says of itself and of its environment.

    version: full, `3.11.7`; platform: `sysconfig.get_platform()`; markers: the PEP 508 marker
    environment; tools: versions of pip, setuptools and wheel there, None where they are not
    installed.
    """

    executable: str
    version: str
    implementation: str
    platform: str
    stdlib: tuple[str, ...]
    sys_path: tuple[str, ...]
    markers: Mapping[str, str]
    tools: Mapping[str, str | None]

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> InterpreterFacts:
        """Read the event `interpreter` of a journal."""
        return cls(
            executable=event["executable"],
            version=event["version"],
            implementation=event["implementation"],
            platform=event["platform"],
            stdlib=tuple(event["stdlib"]),
            sys_path=tuple(event["sys_path"]),
            markers=event["markers"],
            tools=event["packages"],
        )
