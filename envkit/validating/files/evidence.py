"""`envkit.json` as rules and comparisons need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envkit.models.digests import Digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A distribution of the evidence. role: `requirement`, `constraint` or `optional`. origin: None for an index."""

    name: str
    version: str
    role: str
    requirement: str
    origin: Mapping[str, Any] | None
    modules: frozenset[str]
    wheel: Mapping[str, Any] | None
    used: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The evidence. method: `trace` or `static`. required: variables that the model cannot do without.

    recorded: variables that its user must know. files: digests of the model's files when it was
    captured, None where an earlier envkit recorded none.
    """

    python: str
    platform: str
    method: str
    distributions: tuple[Seen, ...]
    required: tuple[str, ...]
    recorded: tuple[str, ...]
    files: Mapping[str, Digest] | None
    content: Mapping[str, Any]

    @property
    def installed(self) -> tuple[Seen, ...]:
        """Those that belong into the environment."""
        return tuple(
            each for each in self.distributions if each.role in ("requirement", "constraint")
        )

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Evidence:
        """Read the content of the file. Raises `KeyError`, `TypeError` or `AttributeError` for what is not that."""
        variables = content.get("environment_variables", [])
        files = content.get("files")
        return cls(
            python=str(content["interpreter"]["version"]),
            platform=str(content["interpreter"].get("platform", "")),
            method=str(content.get("method", "trace")),
            distributions=tuple(
                map(_seen, (*content["distributions"], *content.get("optional", ())))
            ),
            required=tuple(
                _text(each["name"])
                for each in variables
                if each["need"] == "required" and each["recorded"]
            ),
            recorded=tuple(_text(each["name"]) for each in variables if each["recorded"]),
            files=None if files is None else {name: _digest(each) for name, each in files.items()},
            content=content,
        )


def _seen(entry: Mapping[str, Any]) -> Seen:
    modules = frozenset(str(each["module"]) for each in entry["reasons"] if "module" in each)
    return Seen(
        name=_text(entry["name"]),
        version=_text(entry["version"]),
        role=_text(entry["role"]),
        requirement=_text(entry["requirement"]),
        origin=_mapping(entry["origin"]),
        modules=modules,
        wheel=_mapping(entry.get("wheel")),
        used=bool(entry["reasons"]) or bool(entry["implied_by"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("expected text")
    return value


def _mapping(value: object) -> Mapping[str, Any] | None:
    if value is not None and not isinstance(value, Mapping):
        raise TypeError("expected an object")
    return value


def _digest(entry: Mapping[str, Any]) -> Digest:
    return Digest(size=int(entry["size"]), sha256=str(entry["sha256"]))
