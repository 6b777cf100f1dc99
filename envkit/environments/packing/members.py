"""What an archive of an environment consists of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """A file or a symbolic link.

    name: its path in the archive, with `/`. content: bytes, or the file that has them; None for a
    link. link: where a link leads, relative. executable: whether it may be started.
    """

    name: str
    content: bytes | Path | None = None
    link: str = ""
    executable: bool = False

    @property
    def size(self) -> int:
        """The bytes of a file; 0 for a link. Raises `OSError`."""
        if isinstance(self.content, Path):
            return self.content.stat().st_size
        return len(self.content or b"")

    @property
    def data(self) -> bytes:
        """The content of a file, in memory. Raises `OSError`."""
        if isinstance(self.content, Path):
            return self.content.read_bytes()
        return self.content or b""

    @property
    def changed(self) -> bytes | None:
        """The content that is packed in place of a file's own; None for a file as it is."""
        if isinstance(self.content, bytes):
            return self.content
        return None

    def with_content(self, content: bytes) -> Member:
        """Return the same member with other content."""
        return replace(self, content=content)


def of_file(path: Path, name: str) -> Member:
    """Make the member of a file as it is; a link is followed."""
    return Member(name=name, content=path, executable=bool(path.stat().st_mode & 0o111))
