"""Merge a bill of materials (CycloneDX in JSON) into another: a wheel's (PEP 770) into a model's.

Each reference gets a prefix, so that two bills that name their components alike stay apart.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom

ORIGIN = "envkit:sbom"
"""The property of a component that names the bill it comes from."""

_TEXTS = ("version", "group", "author", "publisher", "description", "copyright", "cpe", "mime-type")
_PYPI_URL = re.compile(r"pkg:pypi/([^@?#]+)")
_Component = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """The content of a bill. top: the references of what its subject consists of."""

    bom: Bom
    top: tuple[str, ...]


def read(document: str, *, subject: str, prefix: str) -> Part | None:
    """Read a bill of the distribution `subject`; None for one that cannot be parsed.

    Where the bill names the subject itself among the components, it is left out.
    """
    from cyclonedx.exception import CycloneDxException

    try:
        return _part(json.loads(document), subject, prefix)
    except (CycloneDxException, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _part(content: Mapping[str, Any], subject: str, prefix: str) -> Part:
    from cyclonedx.model.bom import Bom

    main = (content.get("metadata") or {}).get("component")
    main_is_subject = _is_distribution(main, subject)
    listed = list(content.get("components", ()))
    if main and not main_is_subject:
        listed.append(main)

    references = _PrefixedReferences(prefix)
    components = []
    for component in listed:
        if not _is_distribution(component, subject):
            prefixed = references.add(component)
            if prefixed is not None:
                components.append(prefixed)

    edges = {entry["ref"]: entry.get("dependsOn", []) for entry in content.get("dependencies", ())}
    if main and not main_is_subject:
        top = references.prefixed([_reference(main)])
    else:
        top = references.prefixed(edges.get(_reference(main), []))
    bom = Bom.from_json(  # type: ignore[attr-defined] # made by a decorator
        {
            "bomFormat": "CycloneDX",
            "specVersion": content["specVersion"],
            "version": 1,
            "components": components,
            "dependencies": list(references.edges(edges)),
        }
    )
    return Part(bom=bom, top=top or tuple(component["bom-ref"] for component in components))


class _PrefixedReferences:
    """The references of the components of one bill, with a prefix."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._known: dict[str, str] = {}

    def add(self, component: _Component) -> dict[str, Any] | None:
        """Give the component under its new reference; None for one that was added before."""
        texts = (component.get(key, "") for key in _TEXTS)
        if not isinstance(component["name"], str) or not all(isinstance(x, str) for x in texts):
            # the library accepts it, and fails when it sorts
            raise TypeError
        old = _reference(component) or f"component-{len(self._known)}"
        if old in self._known:
            return None
        self._known[old] = f"{self._prefix}{old}"
        _, _, path = self._prefix.rpartition("#")[0].partition("#")
        prefixed = {
            **component,
            "bom-ref": self._known[old],
            "properties": [*component.get("properties", ()), {"name": ORIGIN, "value": path}],
        }
        inner = [self.add(each) for each in component.get("components", ())]
        prefixed["components"] = [each for each in inner if each is not None]
        if not prefixed["components"]:
            del prefixed["components"]
        return prefixed

    def prefixed(self, references: Iterable[str]) -> tuple[str, ...]:
        """Give the new references of components, sorted."""
        known = {self._known[old] for old in references if old in self._known}
        return tuple(sorted(known))

    def edges(self, edges: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
        """Yield who depends on whom, with new references."""
        for reference, targets in edges.items():
            if reference in self._known:
                yield {
                    "ref": self._known[reference],
                    "dependsOn": list(self.prefixed(targets)),
                }


def _reference(component: _Component | None) -> str:
    return str((component or {}).get("bom-ref") or "")


def _is_distribution(component: _Component | None, subject: str) -> bool:
    """Whether a component is the distribution itself, by its package URL."""
    url = str((component or {}).get("purl", ""))
    name = _PYPI_URL.match(url)
    return name is not None and re.sub(r"[-_.]+", "-", name[1]).lower() == subject
