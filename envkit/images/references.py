"""References to images: `registry.example:5000/team/model:1.0`, `…@sha256:…`.

Short names mean Docker Hub, as they do for every engine.
https://github.com/distribution/reference
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from envkit.errors import InvalidArgument
from envkit.images.descriptor import is_digest

DOCKER_HUB = "docker.io"
_DOCKER_HUB_NAMES = {DOCKER_HUB, "index.docker.io", "registry-1.docker.io"}
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_REGISTRY = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?")
_LONGEST = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """An image in a registry. tag, digest: empty when not named; the digest wins."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        text = f"{self.registry}/{self.repository}"
        if self.tag:
            text += f":{self.tag}"
        if self.digest:
            text += f"@{self.digest}"
        return text

    @property
    def version(self) -> str:
        """What a registry is asked for: the digest, else the tag, else `latest`."""
        return self.digest or self.tag or "latest"

    def tagged(self) -> Reference:
        """Give the reference with its tag, `latest` by default, and without a digest."""
        return replace(self, tag=self.tag or "latest", digest="")

    def at(self, digest: str) -> Reference:
        """Give the reference of one digest in the same repository."""
        return replace(self, digest=digest)


def parse(text: str) -> Reference:
    """Read a reference. Raises `InvalidArgument`."""
    rest, at, digest = text.partition("@")
    if at and not is_digest(digest):
        raise _invalid(text, f"{digest!r} is not a SHA-256 digest")
    registry, slash, path = rest.partition("/")
    if not slash or not _names_a_registry(registry):
        registry, path = DOCKER_HUB, rest
    repository, colon, tag = path.partition(":")
    if registry in _DOCKER_HUB_NAMES:
        registry = DOCKER_HUB
        if "/" not in repository:
            repository = f"library/{repository}"
    if _REGISTRY.fullmatch(registry) is None:
        raise _invalid(text, f"{registry!r} is not the address of a registry")
    if _REPOSITORY.fullmatch(repository) is None or len(repository) > _LONGEST:
        raise _invalid(text, "a repository has lower-case letters, digits and . _ - / only")
    if colon and _TAG.fullmatch(tag) is None:
        raise _invalid(text, f"{tag!r} is not a tag")
    return Reference(registry=registry, repository=repository, tag=tag, digest=digest)


def _names_a_registry(first: str) -> bool:
    """Tell `localhost/a` and `host:5000/a` from `team/a`, as every engine does."""
    return "." in first or ":" in first or first == "localhost" or first != first.lower()


def _invalid(text: str, problem: str) -> InvalidArgument:
    return InvalidArgument(f"{text!r} is not a reference to an image: {problem}.")
