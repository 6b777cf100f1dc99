"""A mapping read from YAML or JSON, with typed getters whose errors name the file and the key.

YAML is read as data only: no tags that build objects, no anchors and aliases, no key twice, nothing
nested without end. Dates stay text, because no file of a model means anything else by them. It is
written as MLflow lays it out: block style, dashes not indented, keys in the given order, text that
looks like a number in quotes.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import yaml

from envkit.errors import InvalidArgument, InvalidFile
from envkit.formats.text import read_text

MAX_DEPTH = 64
MAX_EVENTS = 200_000  # about as many values; a few seconds
_QUOTE_IT = "Write it in quotes: without them YAML reads a number, and 3.10 becomes 3.1."


@dataclass(frozen=True, slots=True)
class Document:
    """A mapping, the file it is from, and the key path that leads to it (`flavors.python_function`, or empty)."""

    content: Mapping[str, Any]
    path: Path
    where: str = ""

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read a `.json` file as JSON, any other as YAML.

        Raises `InvalidFile` when it is missing, not text, empty, not well-formed, or no mapping.
        """
        return cls.parse(read_text(path), path)

    @classmethod
    def parse(cls, text: str, path: Path) -> Document:
        """Parse the text of the file; as `load`."""
        if not text.strip():
            raise InvalidFile(path, "", "is empty")
        if path.suffix == ".json":
            content = parse_json(text, path)
        else:
            content = parse_yaml(text, path)
        if not isinstance(content, dict):
            raise InvalidFile(path, "", f"expected keys with values, found {_described(content)}")
        return cls(content, path)

    def key(self, key: str) -> str:
        """Give the full path of a key of this mapping."""
        if self.where:
            return f"{self.where}.{key}"
        return key

    def text(self, key: str) -> str:
        """Give a text that must be there. Raises `InvalidFile`."""
        value = self.optional_text(key)
        if value is None:
            raise InvalidFile(self.path, self.key(key), "is missing")
        return value

    def optional_text(self, key: str) -> str | None:
        """Give a text; None where the key is absent or null. Raises `InvalidFile` for anything else."""
        value = self.content.get(key)
        if value is None or isinstance(value, str):
            return value
        return self.refuse(key, "text", value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of texts; empty where the key is absent or null. Raises `InvalidFile` for anything else."""
        values = self.items(key)
        for number, value in enumerate(values):
            if not isinstance(value, str):
                self.refuse(f"{key}[{number}]", "text", value)
        return tuple(values)

    def items(self, key: str) -> tuple[Any, ...]:
        """Give a list of anything; empty where the key is absent or null. Raises `InvalidFile` for anything else."""
        value = self.content.get(key)
        if value is None:
            return ()
        if isinstance(value, list):
            return tuple(value)
        return self.refuse(key, "a list", value)

    def mapping(self, key: str) -> Document:
        """Give a mapping that must be there. Raises `InvalidFile`."""
        value = self.optional_mapping(key)
        if value is None:
            raise InvalidFile(self.path, self.key(key), "is missing")
        return value

    def optional_mapping(self, key: str) -> Document | None:
        """Give a mapping; None where the key is absent or null. Raises `InvalidFile` for anything else."""
        value = self.content.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse(key, "keys with values", value)
        return Document(value, self.path, self.key(key))

    def refuse(self, key: str, expected: str, value: object) -> NoReturn:
        """Raise the `InvalidFile` that says what the key should have held."""
        number = (
            expected == "text" and isinstance(value, int | float) and not isinstance(value, bool)
        )
        hint = _QUOTE_IT if number else ""
        raise InvalidFile(
            self.path, self.key(key), f"expected {expected}, found {_described(value)}", hint
        )


def parse_yaml(text: str, path: Path) -> Any:
    """Parse YAML; the path is for the errors. Raises `InvalidFile`."""
    try:
        _check_shape(text, path)
        return _construct(text)
    except yaml.constructor.ConstructorError as error:
        raise InvalidFile(path, _line(error.problem_mark), str(error.problem)) from error
    except yaml.MarkedYAMLError as error:
        problem = ", ".join(filter(None, (error.context, error.problem)))
        where = _line(error.problem_mark or error.context_mark)
        raise InvalidFile(
            path, where, f"is not valid YAML: {problem}", "The file may be cut off."
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an integer of too many digits, say
        raise InvalidFile(path, "", f"is not valid YAML: {' '.join(str(error).split())}") from error


def parse_json(text: str, path: Path) -> Any:
    """Parse JSON; the path is for the errors. Raises `InvalidFile`, also for a key that is there twice."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InvalidFile(path, "", f"the key '{twice}' is there twice in one place")
        return found

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}"
        raise InvalidFile(
            path, where, f"is not valid JSON: {error.msg}", "The file may be cut off."
        ) from error
    except RecursionError as error:
        raise InvalidFile(path, "", "is nested too deeply") from error
    except ValueError as error:
        raise InvalidFile(path, "", f"is not valid JSON: {error}") from error


def dump_yaml(content: Mapping[str, Any] | Sequence[Any]) -> str:
    """Give the text of a YAML file: the same bytes for the same content, whatever libraries are there.

    Raises `InvalidArgument` for a value that has no form in YAML.
    """
    try:
        return yaml.dump(
            content,
            Dumper=_Dumper,  # the one in Python: that in C is not everywhere and differs in places
            default_flow_style=False,
            allow_unicode=True,
            sort_keys=False,
            width=2**31,
        )
    except yaml.representer.RepresenterError as error:
        value = error.args[-1]
        raise InvalidArgument(
            f"{value!r} ({type(value).__name__}) has no form in YAML; give Python's own value."
        ) from error


def _check_shape(text: str, path: Path) -> None:
    """Refuse what must not reach the composer, which recurses in C: deep nesting, anchors, aliases."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InvalidFile(
                path,
                _line(event.start_mark),
                "anchors and aliases are not allowed",
                "Write it out.",
            )
        if number > MAX_EVENTS:
            raise InvalidFile(
                path, "", f"has more than {MAX_EVENTS:,} values, so it is not what its name says"
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise InvalidFile(
                path, _line(event.start_mark), f"is nested deeper than {MAX_DEPTH} levels"
            )


def _line(mark: Any) -> str:
    if mark:
        return f"line {mark.line + 1}"
    return ""


def _construct(text: str) -> Any:
    loader = _Loader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


_DATA_TAGS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "seq", "map")
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """SafeLoader without dates, sets and binary data, which JSON has not either, and without double keys."""

    yaml_constructors: ClassVar = {
        tag: build
        for tag, build in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag in _DATA_TAGS
    }
    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag in _DATA_TAGS]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            if isinstance(key_node, yaml.ScalarNode):
                key = (key_node.tag, key_node.value)
            else:
                key = None
            if key is not None and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key_node.value}' is there twice", key_node.start_mark
                )
            seen.add(key)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return found


class _Dumper(yaml.SafeDumper):
    """SafeDumper that writes a thing out each time it occurs, and quotes the line ends that it would lose."""

    def ignore_aliases(self, _: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        if any(end in data for end in "\x85\u2028\u2029"):
            style = '"'
        else:
            style = None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Dumper.add_representer(str, _Dumper.represent_str)


def _described(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, list):
        return "a list"
    return "keys with values"
