"""What an image is to be: the arguments of `build_image`, checked before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self, TypeVar

from envkit.errors import InvalidArgument
from envkit.images import platforms, references, users
from envkit.images.layers.bytecode import Bytecode
from envkit.images.layers.layer_file import Compression
from envkit.images.platforms import Platform
from envkit.images.references import Reference

Word = TypeVar("Word", bound=StrEnum)
DEFAULT_TAG = "latest"


class Engine(StrEnum):
    """What takes the image: a container engine, or none."""

    NONE = "none"
    PODMAN = "podman"
    DOCKER = "docker"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageOptions:
    """Which image, and where it goes.

    tag: its name. output: a new folder or layout, or a file `….tar`. push: a reference of a
    registry. base: see `bases.choice`. user: `UID:GID`.
    """

    tag: Reference | None
    output: Path | None
    push: Reference | None
    base: str
    platforms: tuple[Platform, ...]
    compression: Compression
    bytecode: Bytecode
    user: str
    labels: Mapping[str, str]
    server: bool
    engine: Engine
    attest: bool
    use_cache: bool

    @classmethod
    def from_arguments(
        cls,
        *,
        tag: str | None,
        output: str | Path | None,
        push: str | None,
        base: str,
        platform: str | Sequence[str] | None,
        compression: Compression | str,
        bytecode: Bytecode | str,
        user: str,
        labels: Mapping[str, str] | None,
        server: bool,
        engine: Engine | str,
        attest: bool,
        use_cache: bool,
    ) -> Self:
        """Check arguments. Raises `InvalidArgument`."""
        chosen = cls(
            tag=references.parse(tag) if tag else None,
            output=Path(output).absolute() if output else None,
            push=references.parse(push) if push else None,
            base=base,
            platforms=_platforms(platform),
            compression=_word(Compression, compression, "compression"),
            bytecode=_word(Bytecode, bytecode, "bytecode"),
            user=users.check(user),
            labels=dict(labels or {}),
            server=server,
            engine=_word(Engine, engine, "engine"),
            attest=attest,
            use_cache=use_cache,
        )
        chosen._check()
        return chosen

    @property
    def tag_name(self) -> str:
        """The tag alone: `1.0`."""
        return (self.tag.tag if self.tag else "") or DEFAULT_TAG

    @property
    def full_name(self) -> str:
        """The name that engines show; empty without one."""
        named = self.tag or self.push
        return str(named.tagged()) if named else ""

    def _check(self) -> None:
        if self.output is None and self.push is None and self.engine is Engine.NONE:
            raise InvalidArgument(
                "An image goes into a folder or file (`-o`), to a registry (`--push`) or into an "
                "engine (`--engine`): name one."
            )
        if self.output is not None and not self.output.parent.is_dir():
            raise InvalidArgument(
                f"The image cannot be written to {self.output}: "
                f"{self.output.parent} does not exist."
            )
        if self.push is not None and self.push.digest:
            raise InvalidArgument(f"{self.push} has a digest; push to a tag.")
        if self.engine is not Engine.NONE and self.tag is None:
            raise InvalidArgument(f"{self.engine} needs a name for the image: `-t NAME`.")
        if self.engine is not Engine.NONE and len(self.platforms) > 1:
            raise InvalidArgument(f"{self.engine} takes one platform; build the others with `-o`.")


def _platforms(given: str | Sequence[str] | None) -> tuple[Platform, ...]:
    text = given if isinstance(given, str) else ",".join(given or ())
    return platforms.parse_all(text) or (platforms.of_host(),)


def _word(words: type[Word], word: Word | str, argument: str) -> Word:
    try:
        return words(word)
    except ValueError:
        known = ", ".join(words)
        raise InvalidArgument(f"{argument} must be one of {known}, not {word!r}.") from None
