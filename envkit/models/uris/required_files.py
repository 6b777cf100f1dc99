"""Which files of a remote model are fetched: a question about requirements needs no weights."""

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
    """A file of a remote model.

    size: in bytes, None if unknown. tag: changes with the content, empty if the source has none.
    """

    size: int | None = None
    tag: str = ""


Entries = Mapping[str, Entry]


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """A choice of a model's files; `MLmodel` is always one of them.

    names: relative paths, or patterns in which `*` matches anything, also `/`. along: more of the
    same, fetched with them. otherwise: the choice if none of `names` exists. up_to: files of at
    most so many bytes are fetched too.
    """

    names: frozenset[str]
    along: frozenset[str] = frozenset()
    otherwise: Need | None = None
    up_to: int = -1

    def of(self, entries: Entries) -> frozenset[str]:
        """Return the chosen files. All files of a bare artifact are needed."""
        if mlmodel.FILE_NAME not in entries:
            return frozenset(entries)
        if self.otherwise is not None and not any(_matches(name, self.names) for name in entries):
            return self.otherwise.of(entries)
        chosen = {name for name, entry in entries.items() if self._includes(name, entry)}
        return frozenset(chosen | {mlmodel.FILE_NAME})

    def _includes(self, name: str, entry: Entry) -> bool:
        is_small = entry.size is not None and entry.size <= self.up_to
        return is_small or _matches(name, self.names | self.along)


def _matches(name: str, patterns: frozenset[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


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
    """Return the files that hold a model's dependencies in a format of `get_model_dependencies`."""
    along: frozenset[str] = frozenset()
    if form == "pip":
        along = frozenset({requirements_txt.CONSTRAINTS_FILE_NAME})
    return Need(names=_BY_FORMAT.get(form, frozenset()), along=along, otherwise=ENVIRONMENT)
