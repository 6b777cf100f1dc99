"""Why a distribution is in a model's environment, from the evidence that its capture wrote."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile, InvalidInput
from envkit.formats import envkit_json
from envkit.models.directory import ModelDirectory
from envkit.models.uris.required_files import EVIDENCE

_NAMED_AT_MOST = 3
_RUNNER = "_envkit"  # how the evidence names envkit's own code, which acts for the model


@dataclass(frozen=True, kw_only=True, slots=True)
class Why:
    """Why one distribution is there.

    role: `requirement` (the model itself needs it), `constraint` (the metadata of one implies it)
    or `optional` (used where it is there, not installed). requirement: its line. implied_by: the
    shortest way of names from a requirement down to it, through the metadata of each; empty for a
    requirement. reasons: who imported it, as in `envkit.json`.
    """

    name: str
    version: str
    role: str
    requirement: str
    implied_by: tuple[str, ...]
    reasons: tuple[Mapping[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "name": self.name,
            "version": self.version,
            "role": self.role,
            "requirement": self.requirement,
            "implied_by": list(self.implied_by),
            "reasons": [dict(each) for each in self.reasons],
        }


def why(model_uri: str | Path, package: str) -> Why:
    """Say why a distribution is in a model's environment, by its name or an imported module.

    Raises `ModelNotFound`, `InvalidFile` when the model was not captured, `InvalidInput` when it
    has no such package.
    """
    model = ModelDirectory.open(model_uri, EVIDENCE)
    path = model.file(envkit_json.FILE_NAME)
    if path is None:
        raise InvalidFile(
            model.path / envkit_json.FILE_NAME,
            "",
            "there is no such file",
            "`envkit capture` writes it.",
        )
    evidence = envkit_json.read(path)
    try:
        known = {
            str(each["name"]): each for each in (*evidence["optional"], *evidence["distributions"])
        }
        found = _find(known, package)
        if found is None:
            raise InvalidInput(_unknown(known, package, model.path))
        return _why(found, known)
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidFile(path, "distributions", "is not what `envkit capture` writes") from error


def in_words(reason: Mapping[str, Any]) -> str:
    """One reason of the evidence: `model.py:3 imports numpy`."""
    if reason["by"] == "artifact":
        return f"the saved model names {reason['module']}"
    if str(reason["by"]).startswith(_RUNNER):
        if reason["phase"] == "input":
            return "the input is made with it"
        return "the model is loaded with it"
    verbs = {
        "module": "imports",
        "data_file": "reads",
        "program": "starts",
        "library": "loads",
        "metadata": "asks for",
    }
    verbs["builtin"] = "uses a builtin of"
    used = next(f"{verb} {reason[key]}" for key, verb in verbs.items() if key in reason)
    return f"{reason['by']}:{reason['line']} {used}"


def _why(found: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Why:
    return Why(
        name=found["name"],
        version=found["version"],
        role=found["role"],
        requirement=found["requirement"],
        implied_by=_way(found["name"], known) if found["role"] == "constraint" else (),
        reasons=tuple(found["reasons"]),
    )


def _way(name: str, known: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Find the shortest path from a requirement to `name`, breadth first, ties by name."""
    waiting: list[tuple[str, ...]] = [(name,)]
    seen = {name}
    for way in waiting:
        if known[way[0]]["role"] == "requirement":
            return way
        for parent in known[way[0]].get("implied_by", ()):
            if parent in known and parent not in seen:
                seen.add(parent)
                waiting.append((parent, *way))
    return ()


def _find(known: Mapping[str, Mapping[str, Any]], package: str) -> Mapping[str, Any] | None:
    name = re.sub(r"[-_.]+", "-", package).lower()
    return known.get(name) or next(_giving(known.values(), package), None)


def _giving(
    distributions: Iterator[Mapping[str, Any]] | Any, module: str
) -> Iterator[Mapping[str, Any]]:
    for each in distributions:
        if any(f"{reason.get('module')}.".startswith(f"{module}.") for reason in each["reasons"]):
            yield each


def _unknown(known: Mapping[str, object], package: str, model: Path) -> str:
    near: Sequence[str] = difflib.get_close_matches(package.lower(), known, n=_NAMED_AT_MOST)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"{package} is not in the environment of {model} ({len(known)} distributions).{meant}"
