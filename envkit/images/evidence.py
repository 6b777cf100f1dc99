"""What a capture recorded that decides what goes into an image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from envkit.formats import envkit_json
from envkit.images.layers.bytecode import module_of
from envkit.models.directory import ModelDirectory


@dataclass(frozen=True, kw_only=True, slots=True)
class CapturedFacts:
    """The evidence of a capture; nothing for a model that was not captured.

    modules: names that loading and predicting imported, None when not recorded. debian_packages:
    that own the native libraries and programs which the model used.
    """

    modules: frozenset[str] | None = None
    debian_packages: tuple[str, ...] = ()

    @classmethod
    def read(cls, model: ModelDirectory) -> Self:
        """Read the evidence. Raises `InvalidFile` when it is malformed."""
        path = model.file(envkit_json.FILE_NAME)
        if path is None:
            return cls()
        evidence = envkit_json.read(path)
        modules = evidence.get("modules")
        return cls(
            modules=frozenset(map(str, modules)) if isinstance(modules, list) else None,
            debian_packages=tuple(sorted(_packages(evidence))),
        )

    def uses(self, file: str) -> bool:
        """Whether the model imported the module of a file, so that it needs its libraries."""
        return self.modules is not None and module_of(file) in self.modules


def _packages(evidence: Mapping[str, Any]) -> set[str]:
    entries = [*(evidence.get("libraries") or ()), *(evidence.get("processes") or ())]
    names = {entry.get("debian_package") for entry in entries if isinstance(entry, dict)}
    return {str(name) for name in names if name}
