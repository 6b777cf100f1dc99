"""The parts of a cache key: requirements and locks in a normal form, without credentials.

Two texts that are told apart here although they mean the same cost a second environment; two that
are not although they differ would give a model a wrong one. So only what certainly means nothing is
dropped.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from envkit.formats.credentials import without_credentials
from envkit.formats.requirement import Requirement

_PLAIN = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?P<extras>\[[\w,.-]*\])?(?P<versions>[=<>!~][^\s;@/:]*)?"
)
_REST = re.compile(r"\s*(;|\s--hash).*")
_TEXT_BLOCK = re.compile("\"\"\"|'''")
_ONE_PACKAGE = re.compile(r"^\[\[packages\]\]$", re.MULTILINE)
_MEANS_NOTHING = re.compile(r"\s*(#.*)?|created-by\s*=.*")


def requirement(requirement: Requirement) -> str:
    """Normalize a requirement: `Foo_Bar [b,a] == 1.0` and `foo-bar[a,b]==1.0` become equal."""
    text = without_credentials(" ".join(str(requirement).split()))
    rest = found.group() if (found := _REST.search(text)) else ""
    plain = _PLAIN.fullmatch(re.sub(r"\s", "", text[: len(text) - len(rest)]))
    if plain is None:  # a URL, a path
        return text
    name = re.sub(r"[-_.]+", "-", plain["name"]).lower()
    return f"{name}{_sorted(plain['extras'] or '')}{_sorted(plain['versions'] or '')}{rest}"


def lock(text: str) -> str:
    """Normalize a lock: drop comments, empty lines, `created-by` and credentials; sort packages."""
    if _TEXT_BLOCK.search(text):  # a text of several lines, in which everything may mean something
        return text
    lines = (line.strip() for line in text.splitlines() if not _MEANS_NOTHING.fullmatch(line))
    head, *packages = _ONE_PACKAGE.split(without_credentials("\n".join(lines)))
    return "\n[[packages]]\n".join([head.strip(), *sorted(each.strip() for each in packages)])


def libc() -> Iterator[str]:
    """Yield this machine's C library (`glibc 2.36`), which decides which wheels fit, if known."""
    try:
        found = os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, ValueError, OSError):  # musl, macOS
        found = None
    if found:
        yield found


def _sorted(listed: str) -> str:
    """Sort what commas part, within its brackets."""
    inner = listed.strip("[]")
    if inner:
        return listed.replace(inner, ",".join(sorted(inner.split(","))))
    return ""
