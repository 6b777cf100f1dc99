"""Which files of a model are asked for: a question about its requirements needs no weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from envkit.formats import (
    conda_yaml,
    environment_variables_txt,
    envkit_json,
    mlmodel,
    pixi_lock,
    pylock_toml,
    python_env_yaml,
    requirements_txt,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A file of a model elsewhere. size: bytes, None when that is not told. tag: changes with its content, or empty."""

    size: int | None = None
    tag: str = ""


Entries = Mapping[str, Entry]


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """Some files of a model; `MLmodel` is always one.

    names: relative paths, or patterns in which `*` stands for anything, `/` too. beside: taken with
    them. instead: what is needed when none of the names is there. up_to: bytes; any other file that
    is no larger is taken, too.
    """

    names: frozenset[str]
    beside: frozenset[str] = frozenset()
    instead: Need | None = None
    up_to: int = -1

    def of(self, entries: Entries) -> frozenset[str]:
        """Choose among the files that are there. A model without `MLmodel` is an artifact, which is needed."""
        if mlmodel.FILE_NAME not in entries:
            return frozenset(entries)
        if self.instead is not None and not any(_is_one(name, self.names) for name in entries):
            return self.instead.of(entries)
        found = (name for name, entry in entries.items() if self._wants(name, entry))
        return frozenset(found) | {mlmodel.FILE_NAME}

    def _wants(self, name: str, entry: Entry) -> bool:
        is_small = entry.size is not None and entry.size <= self.up_to
        return is_small or _is_one(name, self.names | self.beside)


def _is_one(name: str, patterns: frozenset[str]) -> bool:
    return any(fnmatchcase(name, each) for each in patterns)


WHOLE = Need(names=frozenset({"*"}))
DESCRIPTION = Need(names=frozenset({mlmodel.FILE_NAME}))
EVIDENCE = Need(names=frozenset({envkit_json.FILE_NAME}))
ENVIRONMENT = Need(
    names=frozenset(
        {
            conda_yaml.FILE_NAME,
            environment_variables_txt.FILE_NAME,
            envkit_json.FILE_NAME,
            pixi_lock.FILE_NAME,
            pylock_toml.FILE_NAME,
            python_env_yaml.FILE_NAME,
            requirements_txt.CONSTRAINTS_FILE_NAME,
            requirements_txt.FILE_NAME,
            "*requirements*.txt",
            "*constraints*.txt",
            "*.yaml",
            "*.yml",
            "*.whl",
        }
    )
)
EXAMINED = Need(names=ENVIRONMENT.names | {"*.py", "*input_example*"}, up_to=10_000_000)
"""What a validation reads: of thousands of models, not the weights."""
_BY_FORMAT = {
    "pip": frozenset({requirements_txt.FILE_NAME}),
    "conda": frozenset({"*.yaml", "*.yml"}),
    "pylock": frozenset({pylock_toml.FILE_NAME}),
}


def dependencies(form: str) -> Need:
    """Give what tells a model's dependencies in a format of `get_model_dependencies`."""
    beside = frozenset({requirements_txt.CONSTRAINTS_FILE_NAME} if form == "pip" else ())
    return Need(names=_BY_FORMAT.get(form, frozenset()), beside=beside, instead=ENVIRONMENT)
