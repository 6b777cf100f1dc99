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


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """What is needed to use an archive's environment elsewhere.

    manager: what built it. facts: those of its key (see `Plan.facts`), which are fitted to the
    machine where it is unpacked. indexed: whether the machine's indexes are among what decides.
    members: how many files and links follow in the archive. version, implementation, platform, abi:
    of its Python. base: the digest of the interpreter that came along, empty when that is part of
    the environment itself, as conda's is. conda: the `channels` and `specs` of `conda.yaml`, which
    another machine may understand otherwise.
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
        """Give the file's content; equal descriptions give equal bytes."""
        return (
            json.dumps({"format": FORMAT, **asdict(self)}, indent=1, sort_keys=True) + "\n"
        ).encode()


def loads(text: bytes, archive: Path) -> Description:
    """Read the file's content. Raises `InvalidFile`, which names the archive."""
    try:
        content = json.loads(text)
        if content.pop("format") != FORMAT:
            raise InvalidFile(
                archive, NAME, "is of a format that this envkit does not know", "Pack it again."
            )
        found = Description(**content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidFile(archive, NAME, "is no description of an environment") from error
    texts = (
        found.manager,
        found.version,
        found.implementation,
        found.platform,
        found.abi,
        found.base,
    )
    if (
        not all(isinstance(each, str) for each in texts)
        or not isinstance(found.facts, dict)
        or not isinstance(found.conda, dict)
        or type(found.members) is not int
    ):
        raise InvalidFile(archive, NAME, "is no description of an environment")
    return found
