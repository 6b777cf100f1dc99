"""A bill of materials (CycloneDX in JSON) made part of another: PEP 770's of a wheel, part of that of a model.

Each reference gets a prefix, so that two bills that name their components alike stay apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom

_TEXTS = ("version", "group", "author", "publisher", "description", "copyright", "cpe", "mime-type")
ORIGIN = "envkit:sbom"
"""The property that says, of a component, from which bill it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What is in a bill. top: the references of what its subject consists of."""

    bom: Bom
    top: tuple[str, ...]


def read(document: str, *, subject: str, prefix: str) -> Part | None:
    """Read a bill of the distribution `subject`; None for one that cannot be read.

    The subject itself is no part of it, where the bill names it among the components.
    """
    from cyclonedx.exception import CycloneDxException
    from cyclonedx.model.bom import Bom

    try:
        content = json.loads(document)
        main = (content.get("metadata") or {}).get("component")
        references = _Prefixed(prefix, own=_reference(main) if _is(main, subject) else None)
        listed = [
            *content.get("components", ()),
            *([main] if main and not _is(main, subject) else []),
        ]
        components = [references.component(each) for each in listed if not _is(each, subject)]
        edges = {each["ref"]: each.get("dependsOn", []) for each in content.get("dependencies", ())}
        if _reference(main) in edges:
            top = references.of(edges[_reference(main)])
        else:
            top = ()
        if main and not _is(main, subject):
            top = references.of([_reference(main)])
        parsed = Bom.from_json(  # type: ignore[attr-defined] # made by a decorator
            {
                "bomFormat": "CycloneDX",
                "specVersion": content["specVersion"],
                "version": 1,
                "components": [each for each in components if each is not None],
                "dependencies": list(references.edges(edges)),
            }
        )
    except (CycloneDxException, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return Part(
        bom=parsed, top=top or tuple(each["bom-ref"] for each in components if each is not None)
    )


class _Prefixed:
    """References of one bill, renamed. own: that of the subject, which is left out."""

    def __init__(self, prefix: str, own: str | None) -> None:
        self._prefix = prefix
        self._own = own
        self._known: dict[str, str] = {}

    def component(self, component: dict[str, Any]) -> dict[str, Any] | None:
        """The component under its new reference; None for one that was there already."""
        if not isinstance(component["name"], str) or any(
            not isinstance(component.get(key, ""), str) for key in _TEXTS
        ):
            raise TypeError  # the library takes it, and fails when it sorts
        old = _reference(component) or f"component-{len(self._known)}"
        if old in self._known:
            return None
        self._known[old] = f"{self._prefix}{old}"
        inner = [self.component(each) for each in component.get("components", ())]
        origin = {"name": ORIGIN, "value": self._prefix.rpartition("#")[0].partition("#")[2]}
        made = {
            **component,
            "bom-ref": self._known[old],
            "properties": [*component.get("properties", ()), origin],
            "components": [each for each in inner if each is not None],
        }
        return {key: value for key, value in made.items() if value or key != "components"}

    def of(self, references: list[str]) -> tuple[str, ...]:
        return tuple(sorted({self._known[each] for each in references if each in self._known}))

    def edges(self, edges: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
        for reference, targets in edges.items():
            if reference in self._known:
                yield {"ref": self._known[reference], "dependsOn": list(self.of(targets))}


def _reference(component: dict[str, Any] | None) -> str:
    return str((component or {}).get("bom-ref") or "")


def _is(component: dict[str, Any] | None, subject: str) -> bool:
    """Whether a component is the distribution itself, by its package URL."""
    purl = str((component or {}).get("purl", ""))
    name = re.match(r"pkg:pypi/([^@?#]+)", purl)
    return name is not None and re.sub(r"[-_.]+", "-", name[1]).lower() == subject
