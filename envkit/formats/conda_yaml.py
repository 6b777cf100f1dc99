"""`conda.yaml`: name, channels and dependencies of a conda environment, with a pip section.

https://docs.conda.io/projects/conda/en/stable/user-guide/tasks/manage-environments.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envkit.errors import InvalidFile
from envkit.formats.document import Document, dump_yaml

FILE_NAME = "conda.yaml"
TOOLS = ("pip", "setuptools", "wheel")

_SPEC = re.compile(
    r"(?:(?P<channel>[^\s\[]+)::)?(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*)\s*(?P<version>[^\[]*)(?:\[(?P<fields>.*)\])?"
)
_BOUND = re.compile(r"(===|==|~=|>=|<=|!=|>|<|=)?\s*([0-9][\w!+]*(?:\.[\w!+]+)*(?:\.?\*)?)")


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaEnv:
    """A conda environment.

    dependencies: match specs, `python=3.11.7`. pip: lines of a requirements file, None where there
    is no pip section. other: what else stands in the file (`variables`, `prefix`, …).
    """

    name: str | None = None
    channels: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    pip: tuple[str, ...] | None = None
    other: Mapping[str, Any] = field(default_factory=dict)

    @property
    def packages(self) -> tuple[str, ...]:
        """The match specs other than those of Python and the tools that install packages."""
        return tuple(spec for spec in self.dependencies if name_of(spec) not in ("python", *TOOLS))

    @property
    def tools(self) -> tuple[str, ...]:
        """What is asked of pip, setuptools and wheel, as requirements: `pip==23.2.1`, `setuptools`."""
        return tuple(_as_requirement(spec) for spec in self.dependencies if name_of(spec) in TOOLS)

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """The environment variables that it sets, names and values; what is no mapping sets none."""
        found = self.other.get("variables")
        if isinstance(found, Mapping):
            return tuple((str(name), str(value)) for name, value in found.items())
        return ()

    @property
    def python(self) -> str | None:
        """The match spec of Python; None where there is none."""
        return next((spec for spec in self.dependencies if name_of(spec) == "python"), None)


def read(path: Path) -> CondaEnv:
    """Read the file, one of MLflow's or one written by hand; an `InvalidFile` names the key that breaks the format.

    Where there are several pip sections, all of them count.
    """
    return _of(Document.load(path), path)


def parse(text: str, path: Path) -> CondaEnv:
    """As `read`, for a text that stands, or could stand, in the file `path`."""
    return _of(Document.parse(text, path), path)


def _of(document: Document, path: Path) -> CondaEnv:
    specs: list[str] = []
    pip: list[str] | None = None
    for number, item in enumerate(document.items("dependencies")):
        if is_pip_section(item):
            section = Document(item, path, document.key(f"dependencies[{number}]"))
            pip = [*(pip or ()), *section.texts("pip")]
        elif isinstance(item, str) and _SPEC.fullmatch(item.strip()):
            specs.append(item.strip())
        else:
            problem = "a conda package or a list under 'pip:'"
            document.refuse(
                f"dependencies[{number}]",
                "text" if isinstance(item, int | float) else problem,
                item,
            )
    return CondaEnv(
        name=document.optional_text("name"),
        channels=document.texts("channels"),
        dependencies=tuple(specs),
        pip=None if pip is None else tuple(pip),
        other={key: value for key, value in document.content.items() if key not in _KNOWN},
    )


_KNOWN = ("name", "channels", "dependencies")


def is_pip_section(item: object) -> bool:
    """Whether an item of `dependencies` is a pip section."""
    return isinstance(item, dict) and "pip" in item


def dumps(env: CondaEnv) -> str:
    """Give the text of the file in MLflow's order: channels, dependencies with the pip section last, name."""
    dependencies: list[Any] = list(env.dependencies)
    if env.pip is not None:
        dependencies.append({"pip": list(env.pip)})
    content: dict[str, Any] = {"channels": list(env.channels), "dependencies": dependencies}
    if env.name is not None:
        content["name"] = env.name
    return dump_yaml({**content, **env.other})


def name_of(spec: str) -> str:
    """Give the package name of a match spec, in lower case as conda compares it."""
    found = _SPEC.fullmatch(spec.strip())
    if found:
        return found["name"].lower()
    return ""


def python_version(env: CondaEnv, path: Path) -> str | None:
    """Give the Python version that the file asks for; None where it names no Python, or any.

    Of `>=3.9`, `<=3.11` and `~=3.11` it is the version named, as MLflow takes it; a bound further
    behind does not count. Raises `InvalidFile` (with `path`) for a spec that names no version that
    could be taken: `<3.12`, `!=3.9`.
    """
    if env.python is None:
        return None
    bounds = _bounds(env.python)
    if not bounds:
        return None
    for wanted in ("==", "=", "===", "~=", ">=", "<="):
        for operator, version in bounds:
            if operator == wanted:
                return version.rstrip(".*")
    raise InvalidFile(
        path,
        "dependencies",
        f"'{env.python}' does not say which Python to take",
        "Pin it: `python=3.11.7`.",
    )


def _bounds(spec: str) -> list[tuple[str, str]]:
    """Give operators and versions of a match spec, without build strings: `=3.9.18=h12_0` is `[("=", "3.9.18")]`."""
    found = _SPEC.fullmatch(spec.strip())
    if found is None:
        return []
    in_fields = re.search(r"version\s*=\s*['\"]?([^'\"\]]+)", found["fields"] or "")
    version = found["version"].strip() or (in_fields.group(1) if in_fields else "")
    version = re.sub(r"([<>=!~])\s+", r"\1", version)
    version = version.split(" ")[0]
    parts = (_BOUND.match(part.strip()) for part in re.split(r"[,|]", version))
    return [(part.group(1) or "=", part.group(2)) for part in parts if part]


def _as_requirement(spec: str) -> str:
    bounds = (
        (("==" if operator == "=" else operator) + version) for operator, version in _bounds(spec)
    )
    return name_of(spec) + ",".join(bounds)
