"""What a Python says of itself and of the environment that it sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from envkit.interpreters.interpreter import Interpreter


@dataclass(frozen=True, kw_only=True, slots=True)
class InterpreterFacts:
    """One Python with its environment. All is empty where nothing is known.

    executable: the program as it was started, which may lie in a virtual environment.
    base_executable: the real path of the installed Python below that. version: full, `3.11.7`.
    platform: `sysconfig.get_platform()`. library: the folders of the standard library;
    library_folder: that of shared libraries. stdlib: all paths of the standard library, also with
    links resolved. markers: the PEP 508 marker environment. tools: versions of pip, setuptools and
    wheel there, None where they are not installed.
    """

    executable: str = ""
    version: str = ""
    implementation: str = ""
    platform: str = ""
    abi: str = ""
    base_executable: str = ""
    prefix: str = ""
    base_prefix: str = ""
    library: tuple[str, ...] = ()
    library_folder: str = ""
    stdlib: tuple[str, ...] = ()
    sys_path: tuple[str, ...] = ()
    markers: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def from_report(cls, report: Mapping[str, Any]) -> Self:
        """Read what `describe_python` reported. Raises `KeyError` or `TypeError`."""
        return cls(
            executable=report["executable"],
            version=report["version"],
            implementation=report["implementation"],
            platform=report["platform"],
            abi=report["abi"],
            base_executable=report["base_executable"],
            prefix=report["prefix"],
            base_prefix=report["base_prefix"],
            library=tuple(report["library"]),
            library_folder=report["library_folder"],
            stdlib=tuple(report["stdlib"]),
            sys_path=tuple(report["sys_path"]),
            markers=report["markers"],
            tools=report["tools"],
        )

    @property
    def interpreter(self) -> Interpreter:
        """The installed Python below the environment."""
        return Interpreter(
            executable=Path(self.base_executable),
            version=self.version,
            implementation=self.implementation,
            platform=self.platform,
            abi=self.abi,
        )
