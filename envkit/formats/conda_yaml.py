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

_KNOWN_KEYS = ("name", "channels", "dependencies")
_MATCH_SPEC = re.compile(
    r"(?:(?P<channel>[^\s\[]+)::)?"
    r"(?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*)\s*"
    r"(?P<version>[^\[]*)"
    r"(?:\[(?P<fields>.*)\])?"
)
_VERSION_FIELD = re.compile(r"version\s*=\s*['\"]?([^'\"\]]+)")
_BOUND = re.compile(
    r"(?P<operator>===|==|~=|>=|<=|!=|>|<|=)?\s*"
    r"(?P<version>[0-9][\w!+]*(?:\.[\w!+]+)*(?:\.?\*)?)"
)
_SPACE_AFTER_OPERATOR = re.compile(r"([<>=!~])\s+")
# the operators whose version is taken for the Python of an environment, the most exact first
_NAMING_OPERATORS = ("==", "=", "===", "~=", ">=", "<=")


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaEnv:
    """A conda environment.

    dependencies: match specs, `python=3.11.7`. pip: lines of a requirements file, None where there
    is no pip section. other: further keys of the file (`variables`, `prefix`, …).
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
        """The match specs of pip, setuptools and wheel as requirements: `pip==23.2.1`."""
        return tuple(_as_requirement(spec) for spec in self.dependencies if name_of(spec) in TOOLS)

    @property
    def variables(self) -> tuple[tuple[str, str], ...]:
        """The environment variables that it sets, names and values."""
        variables = self.other.get("variables")
        if not isinstance(variables, Mapping):
            return ()
        return tuple((str(name), str(value)) for name, value in variables.items())

    @property
    def python(self) -> str | None:
        """The match spec of Python; None where there is none."""
        return next((spec for spec in self.dependencies if name_of(spec) == "python"), None)


def read(path: Path) -> CondaEnv:
    """Read the file, whether MLflow or a person wrote it. Several pip sections count as one.

    Raises `InvalidFile`, which names the key that breaks the format.
    """
    return _parsed(Document.load(path), path)


def parse(text: str, path: Path) -> CondaEnv:
    """Do what `read` does for a text that stands, or could stand, in the file `path`."""
    return _parsed(Document.parse(text, path), path)


def _parsed(document: Document, path: Path) -> CondaEnv:
    specs: list[str] = []
    pip_lines: list[str] = []
    has_pip_section = False
    for number, item in enumerate(document.items("dependencies")):
        key = f"dependencies[{number}]"
        if is_pip_section(item):
            has_pip_section = True
            pip_lines += Document(item, path, document.key(key)).texts("pip")
        elif isinstance(item, str) and _MATCH_SPEC.fullmatch(item.strip()):
            specs.append(item.strip())
        elif isinstance(item, int | float):
            document.refuse(key, "text", item)
        else:
            document.refuse(key, "a conda package or a list under 'pip:'", item)
    return CondaEnv(
        name=document.optional_text("name"),
        channels=document.texts("channels"),
        dependencies=tuple(specs),
        pip=tuple(pip_lines) if has_pip_section else None,
        other={key: value for key, value in document.content.items() if key not in _KNOWN_KEYS},
    )


def is_pip_section(item: object) -> bool:
    """Whether an item of `dependencies` is a pip section."""
    return isinstance(item, dict) and "pip" in item


def dumps(env: CondaEnv) -> str:
    """Give the text of the file in MLflow's order: channels, dependencies, pip section, name."""
    dependencies: list[Any] = list(env.dependencies)
    if env.pip is not None:
        dependencies.append({"pip": list(env.pip)})
    content: dict[str, Any] = {"channels": list(env.channels), "dependencies": dependencies}
    if env.name is not None:
        content["name"] = env.name
    return dump_yaml({**content, **env.other})


def name_of(spec: str) -> str:
    """Give the package name of a match spec, in lower case as conda compares it."""
    parts = _MATCH_SPEC.fullmatch(spec.strip())
    if parts is None:
        return ""
    return parts["name"].lower()


def python_version(env: CondaEnv, path: Path) -> str | None:
    """Give the Python version that the file names; None where it names no Python, or any.

    Of `>=3.9`, `<=3.11` and `~=3.11` it is the version in the bound, as for MLflow; further bounds
    do not count. Raises `InvalidFile` (with `path`) for a spec that names no version that can be
    taken: `<3.12`, `!=3.9`.
    """
    if env.python is None:
        return None
    bounds = _bounds(env.python)
    if not bounds:
        return None
    for naming_operator in _NAMING_OPERATORS:
        for operator, version in bounds:
            if operator == naming_operator:
                return version.rstrip(".*")
    problem = f"'{env.python}' does not name a Python version"
    raise InvalidFile(path, "dependencies", problem, "Pin it: `python=3.11.7`.")


def _bounds(spec: str) -> list[tuple[str, str]]:
    """Give operators and versions of a match spec without its build string.

    `python=3.9.18=h12_0` gives `[("=", "3.9.18")]`.
    """
    parts = _MATCH_SPEC.fullmatch(spec.strip())
    if parts is None:
        return []
    version = parts["version"].strip()
    if not version:
        field_ = _VERSION_FIELD.search(parts["fields"] or "")
        version = field_[1] if field_ else ""
    # what follows a space is a build string
    version = _SPACE_AFTER_OPERATOR.sub(r"\1", version).split(" ")[0]
    bounds = []
    for part in re.split(r"[,|]", version):
        bound = _BOUND.match(part.strip())
        if bound is not None:
            bounds.append((bound["operator"] or "=", bound["version"]))
    return bounds


def _as_requirement(spec: str) -> str:
    bounds = []
    for operator, version in _bounds(spec):
        bounds.append(("==" if operator == "=" else operator) + version)
    return name_of(spec) + ",".join(bounds)
