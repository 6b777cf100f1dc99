"""Text of a file: size and encoding are checked here, so that the formats see plain text.

Also how text of a model is printed: `printable`.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from envkit.errors import InvalidFile

MAX_BYTES = 16 * 1024 * 1024

# longest first: the UTF-32 mark begins with the UTF-16 one
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")

# What a terminal or a web page would obey or hide instead of showing it: control characters except
# line ends and tabs, marks of direction (https://trojansource.codes), characters without width,
# tags, and surrogates, which no encoding holds.
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)"
    r"|[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
    r"|[\ud800-\udfff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    r"""Write control, direction and invisible characters as escapes, such as `\x1b`.

    Whatever is printed of a model goes through this, so that a terminal, an annotation or a diff
    shows what is there. Line ends and tabs stay.
    """
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode("ascii")


def read_text(path: Path, *, max_bytes: int = MAX_BYTES, declared: bool = False) -> str:
    r"""Read a file as text. A byte-order mark is dropped; line ends stay as they are.

    The encoding is that of the byte-order mark, or with `declared` that of a `# -*- coding: … -*-`
    comment in the first two lines (PEP 263), else UTF-8. Raises `InvalidFile` for a file that is
    missing, unreadable, larger than `max_bytes`, or not in that encoding.
    """
    return decode_text(read_bytes(path, max_bytes=max_bytes), path, declared=declared)


def read_bytes(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Read a regular file of at most this size. Raises `InvalidFile` for another."""
    try:
        if not path.is_file():
            problem = "is not a regular file" if path.exists() else "there is no such file"
            raise InvalidFile(path, "", problem)
        with path.open("rb") as stream:
            content = stream.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        # a name with a NUL character is a ValueError
        reason = getattr(error, "strerror", None) or error
        raise InvalidFile(path, "", f"cannot be read ({reason})") from error
    if len(content) > max_bytes:
        problem = f"is larger than {max_bytes:,} bytes, so it is not what its name says"
        raise InvalidFile(path, "", problem)
    return content


def decode_text(content: bytes, path: Path, *, declared: bool = False) -> str:
    """Decode what `read_bytes` gave, as `read_text` does. Raises `InvalidFile`."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _decoded(content.removeprefix(mark), encoding, path)
    encoding = _declared(content, path) if declared else "utf-8"
    return _decoded(content, encoding, path)


def _declared(content: bytes, path: Path) -> str:
    """The encoding that a comment in the first two lines declares, else UTF-8."""
    for line in content.split(b"\n")[:2]:
        declaration = _CODING.search(line)
        if declaration is None or not line.startswith(b"#"):
            continue
        name = declaration[1].decode("ascii", "replace")
        try:
            return codecs.lookup(name).name
        except LookupError:
            problem = f"declares the encoding {name}, which does not exist"
            raise InvalidFile(path, "", problem) from None
    return "utf-8"


def _decoded(content: bytes, encoding: str, path: Path) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidFile(
            path,
            f"line {line}",
            f"byte 0x{content[error.start]:02x} is not {encoding.upper()} text",
            "If the file is Latin-1, save it as UTF-8.",
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidFile(
            path,
            f"line {line}",
            "holds a NUL character: not a text file, or UTF-16 without its mark",
        )
    return text
