"""`envkit-pack.json`: what an archive of an environment is; the first member of each archive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile

NAME = "envkit-pack.json"
FORMAT = 1
_TEXTS = ("manager", "version", "implementation", "platform", "abi", "base")


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveDescription:
    """What is needed to use an archive's environment elsewhere.

    manager: what built it. facts: those of its key (see `Plan.facts`), which are fitted to the
    machine where it is unpacked. indexed: whether the machine's indexes are among what decides.
    members: how many files and links follow in the archive. version, implementation, platform, abi:
    of its Python. base: the digest of the interpreter that came along, empty when that is part of
    the environment itself, as conda's is. conda: the `channels` and `specs` of `conda.yaml`, which
    another machine may resolve in another way.
    """

    manager: str
    facts: Mapping[str, Any]
    indexed: bool
    members: int
    version: str
    implementation: str
    platform: str
    abi: str
    base: str
    conda: Mapping[str, Any] = field(default_factory=dict)

    def dumps(self) -> bytes:
        """Return the file's content; equal descriptions give equal bytes."""
        content = {"format": FORMAT, **asdict(self)}
        return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def loads(text: bytes, archive: Path) -> ArchiveDescription:
    """Read the file's content. Raises `InvalidFile`, which names the archive."""
    try:
        content = json.loads(text)
        version = content.pop("format")
        if version != FORMAT:
            raise InvalidFile(
                archive, NAME, "is of a format that this envkit does not know", "Pack it again."
            )
        description = ArchiveDescription(**content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidFile(archive, NAME, "does not describe an environment") from error
    if not _is_valid(description):
        raise InvalidFile(archive, NAME, "does not describe an environment")
    return description


def _is_valid(description: ArchiveDescription) -> bool:
    return (
        all(isinstance(getattr(description, name), str) for name in _TEXTS)
        and isinstance(description.facts, dict)
        and isinstance(description.conda, dict)
        and type(description.members) is int
    )
