"""What Debian packages say about themselves, for scanners that look for known vulnerabilities.

https://man7.org/linux/man-pages/man5/deb.5.html
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from email.parser import HeaderParser
from typing import IO

_MAGIC = b"!<arch>\n"
_KEPT = ("Package", "Source", "Version", "Architecture", "Maintainer")


def stanza(package: IO[bytes]) -> str:
    """Give the entry of a `.deb` for `/var/lib/dpkg/status`. Raises `ValueError`."""
    fields = HeaderParser().parsestr(_control(package))
    lines = [f"{name}: {fields[name]}" for name in _KEPT if fields[name]]
    lines.insert(1, "Status: install ok installed")
    return "\n".join(lines) + "\n"


def name_and_version(entry: str) -> tuple[str, str]:
    """Read a stanza back."""
    fields = HeaderParser().parsestr(entry)
    return str(fields["Package"]), str(fields["Version"])


def _control(package: IO[bytes]) -> str:
    for name, content in _members(package):
        if name.startswith("control.tar"):
            with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                for member in archive:
                    if member.name.removeprefix("./") == "control":
                        file = archive.extractfile(member)
                        if file is not None:
                            return file.read().decode("utf-8", "replace")
    raise ValueError("is not a Debian package")


def _members(archive: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield the members of an `ar` archive."""
    if archive.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("is not a Debian package")
    while header := archive.read(60):
        name, size = header[:16].decode().strip().rstrip("/"), int(header[48:58])
        yield name, archive.read(size)
        archive.read(size % 2)
