"""Match specs of conda: whether a package is one that `numpy>=1.26,<2` requests.

The order of versions and the syntax are those of
https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html and
https://docs.conda.io/projects/conda/en/stable/dev-guide/api/conda/models/version/.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import zip_longest

_SPEC = re.compile(
    r"(?:[^\s\[]+::)?(?P<name>[\w.-]+)\s*(?P<version>[^\[]*)(?:\[(?P<fields>.*)\])?", re.ASCII
)
_FIELD = re.compile(r"(?P<key>\w+)\s*=\s*(?:'(?P<a>[^']*)'|\"(?P<b>[^\"]*)\"|(?P<c>[^\s,'\"]+))")
_SPACE_IN_BOUND = re.compile(r"(?<=[<>=!~,|])\s+|(?<!\s)\s+(?=[,|])")
_BUILD = re.compile(r"(?P<version>=?[^<>=!~,|\s]+)(?:=|\s+)(?P<build>[^<>=!~,|\s]+)")
_BOUND = re.compile(r"(?P<operator>===|==|!=|~=|>=|<=|>|<|=)?\s*(?P<version>[\w.*+!-]+)", re.ASCII)
_PARTS = re.compile(r"\d+|[^\d]+")

_Element = tuple[int, int, str]
_Component = tuple[_Element, ...]
_Version = tuple[_Component, ...]
_ZERO: _Element = (2, 0, "")


@dataclass(frozen=True, slots=True)
class MatchSpec:
    """What a match spec requests. version, build: empty where any will do."""

    name: str
    version: str = ""
    build: str = ""

    def admits(self, version: str, build: str = "") -> bool:
        """Whether a package of this name may have the version and, if known, the build.

        True for what is not understood: the solver decides.
        """
        if self.build and build and not fnmatchcase(build, self.build):
            return False
        if not self.version:
            return True
        alternatives = self.version.split("|")
        return any(_admits_all(bounds, version) for bounds in alternatives)


def parse(text: str) -> MatchSpec | None:
    """Read a match spec; None for what is not one. A channel before it is left out."""
    match = _SPEC.fullmatch(text.strip())
    if match is None:
        return None
    version, build = _SPACE_IN_BOUND.sub("", match["version"].strip()), ""
    with_build = _BUILD.fullmatch(version)
    if with_build is not None:
        version, build = with_build["version"], with_build["build"]
        if version.startswith("="):
            # `name=1.26=build`: a build belongs to exactly one version
            version = version[1:] if "*" in version else f"={version}"
    fields = {
        field["key"]: field["a"] or field["b"] or field["c"] or ""
        for field in _FIELD.finditer(match["fields"] or "")
    }
    return MatchSpec(
        name=match["name"].lower(),
        version=fields.get("version", version),
        build=fields.get("build", build),
    )


def _admits_all(bounds: str, version: str) -> bool:
    return all(_admits(bound.strip(), version) for bound in bounds.split(","))


def _admits(bound: str, version: str) -> bool:
    match = _BOUND.fullmatch(bound)
    if match is None or match["version"] == "*":
        return True
    operator, bare = match["operator"] or "", match["version"]
    pattern = bare.rstrip("*").rstrip(".")
    if "*" in pattern:
        return fnmatchcase(version, bare)
    is_open = bare.endswith("*") or operator == "="
    if operator in ("", "=", "==", "==="):
        if is_open:
            return _begins_with(version, pattern)
        return _compare(version, pattern) == 0
    if operator == "!=":
        if is_open:
            return not _begins_with(version, pattern)
        return _compare(version, pattern) != 0
    if operator == "~=":
        series = pattern.rpartition(".")[0] or pattern
        return _compare(version, pattern) >= 0 and _begins_with(version, series)
    order = _compare(version, pattern)
    return {">": order > 0, "<": order < 0, ">=": order >= 0, "<=": order <= 0}[operator]


def _compare(first: str, second: str) -> int:
    """Return a negative number, 0 or a positive one, as the first is older, equal or newer."""
    for one, other in zip(_keys(first), _keys(second), strict=True):
        for left, right in zip_longest(one, other, fillvalue=(_ZERO,)):
            for a, b in zip_longest(left, right, fillvalue=_ZERO):
                if a != b:
                    return -1 if a < b else 1
    return 0


def _begins_with(version: str, series: str) -> bool:
    epoch, release, _ = _keys(version)
    wanted_epoch, wanted, _ = _keys(series)
    if epoch != wanted_epoch or not wanted:
        return epoch == wanted_epoch
    padded = release + ((_ZERO,),) * (len(wanted) - len(release))
    last = len(wanted) - 1
    return padded[:last] == wanted[:last] and padded[last][: len(wanted[last])] == wanted[last]


def _keys(version: str) -> tuple[_Version, _Version, _Version]:
    """Return epoch, version and local version in a form whose order is that of versions."""
    epoch, _, rest = version.lower().rpartition("!")
    public, _, local = rest.partition("+")
    return _key(epoch or "0"), _key(public), _key(local)


def _key(text: str) -> _Version:
    components = re.split(r"[._-]", text) if text else []
    return tuple(_component(component) for component in components if component)


def _component(text: str) -> _Component:
    elements = [_element(part) for part in _PARTS.findall(text)]
    if not text[0].isdigit():
        # `1.a` is `1.0a`
        elements.insert(0, _ZERO)
    return tuple(elements)


def _element(part: str) -> _Element:
    """Rank `dev` first, then other texts, numbers, and `post` last."""
    if part == "dev":
        return (0, 0, "")
    if part == "post":
        return (3, 0, "")
    if part.isdigit():
        return (2, int(part), "")
    return (1, 0, part)
