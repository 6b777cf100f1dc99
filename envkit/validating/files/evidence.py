"""`envkit.json` as rules and comparisons need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envkit.models.digests import Digest

INSTALLED = ("requirement", "constraint")


@dataclass(frozen=True, kw_only=True, slots=True)
class CapturedDistribution:
    """A distribution of the evidence.

    role: `requirement`, `constraint` or `optional`.
    origin: None for an index.
    used: whether the capture recorded why it is there.
    """

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
    """What a capture recorded.

    method: `trace` or `static`.
    required_variables: environment variables without which the model fails.
    variables: those that its user must know.
    files: digests of the model's files at the capture; None where an earlier envkit recorded none.
    """

    python: str
    platform: str
    method: str
    distributions: tuple[CapturedDistribution, ...]
    required_variables: tuple[str, ...]
    variables: tuple[str, ...]
    files: Mapping[str, Digest] | None
    content: Mapping[str, Any]

    @property
    def installed(self) -> tuple[CapturedDistribution, ...]:
        """The distributions that belong in the environment."""
        return tuple(
            distribution for distribution in self.distributions if distribution.role in INSTALLED
        )

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> Evidence:
        """Read the content of the file.

        Raises `KeyError`, `TypeError`, `AttributeError` or `ValueError` for malformed content.
        """
        interpreter = content["interpreter"]
        distributions = (*content["distributions"], *content.get("optional", ()))
        variables, required_variables = [], []
        for entry in content.get("environment_variables", ()):
            if not entry["recorded"]:
                continue
            name = _text(entry["name"])
            variables.append(name)
            if entry["need"] == "required":
                required_variables.append(name)
        files = content.get("files")
        if files is not None:
            files = {name: _digest(entry) for name, entry in files.items()}
        return cls(
            python=str(interpreter["version"]),
            platform=str(interpreter.get("platform", "")),
            method=str(content.get("method", "trace")),
            distributions=tuple(map(_distribution, distributions)),
            required_variables=tuple(required_variables),
            variables=tuple(variables),
            files=files,
            content=content,
        )


def _distribution(entry: Mapping[str, Any]) -> CapturedDistribution:
    reasons = entry["reasons"]
    modules = {str(reason["module"]) for reason in reasons if "module" in reason}
    return CapturedDistribution(
        name=_text(entry["name"]),
        version=_text(entry["version"]),
        role=_text(entry["role"]),
        requirement=_text(entry["requirement"]),
        origin=_mapping(entry["origin"]),
        modules=frozenset(modules),
        wheel=_mapping(entry.get("wheel")),
        used=bool(reasons) or bool(entry["implied_by"]),
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
