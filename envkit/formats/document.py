"""A mapping read from YAML or JSON, with typed getters whose errors name the file and the key.

YAML is read as data only: no tags that build objects, no anchors and aliases, no duplicate keys, a
limited depth. Dates stay text, because no file of a model means anything else by them. It is
written in MLflow's layout: block style, dashes not indented, keys in the given order, text that
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
# about as many values, which take a few seconds
MAX_EVENTS = 200_000
_QUOTE_IT = "Write it in quotes: without them YAML reads a number, and 3.10 becomes 3.1."
_MAY_BE_CUT_OFF = "The file may be cut off."


@dataclass(frozen=True, slots=True)
class Document:
    """A mapping, its file, and the key path to it (`flavors.python_function`, or empty)."""

    content: Mapping[str, Any]
    path: Path
    where: str = ""

    @classmethod
    def load(cls, path: Path) -> Document:
        """Read a `.json` file as JSON, any other as YAML.

        Raises `InvalidFile` when it is missing, not text, empty, not well-formed, or not a mapping.
        """
        return cls.parse(read_text(path), path)

    @classmethod
    def parse(cls, text: str, path: Path) -> Document:
        """Do what `load` does for the text of a file."""
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
        """Give a required text. Raises `InvalidFile`."""
        value = self.optional_text(key)
        if value is None:
            raise InvalidFile(self.path, self.key(key), "is missing")
        return value

    def optional_text(self, key: str) -> str | None:
        """Give a text; None where the key is missing or null. Raises `InvalidFile`."""
        value = self.content.get(key)
        if value is None or isinstance(value, str):
            return value
        return self.refuse(key, "text", value)

    def texts(self, key: str) -> tuple[str, ...]:
        """Give a list of texts; empty where the key is missing or null. Raises `InvalidFile`."""
        values = self.items(key)
        for number, value in enumerate(values):
            if not isinstance(value, str):
                self.refuse(f"{key}[{number}]", "text", value)
        return tuple(values)

    def items(self, key: str) -> tuple[Any, ...]:
        """Give a list of any values; empty where the key is missing or null.

        Raises `InvalidFile`.
        """
        value = self.content.get(key)
        if value is None:
            return ()
        if isinstance(value, list):
            return tuple(value)
        return self.refuse(key, "a list", value)

    def mapping(self, key: str) -> Document:
        """Give a required mapping. Raises `InvalidFile`."""
        value = self.optional_mapping(key)
        if value is None:
            raise InvalidFile(self.path, self.key(key), "is missing")
        return value

    def optional_mapping(self, key: str) -> Document | None:
        """Give a mapping; None where the key is missing or null. Raises `InvalidFile`."""
        value = self.content.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse(key, "keys with values", value)
        return Document(value, self.path, self.key(key))

    def refuse(self, key: str, expected: str, value: object) -> NoReturn:
        """Raise an `InvalidFile` that says what the key should contain."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        hint = _QUOTE_IT if is_number and expected == "text" else ""
        problem = f"expected {expected}, found {_described(value)}"
        raise InvalidFile(self.path, self.key(key), problem, hint)


def parse_yaml(text: str, path: Path) -> Any:
    """Parse YAML; the path is for the errors. Raises `InvalidFile`."""
    try:
        _check_shape(text, path)
        return _construct(text)
    except yaml.constructor.ConstructorError as error:
        raise InvalidFile(path, _line(error.problem_mark), str(error.problem)) from error
    except yaml.MarkedYAMLError as error:
        reason = ", ".join(filter(None, (error.context, error.problem)))
        where = _line(error.problem_mark or error.context_mark)
        problem = f"is not valid YAML: {reason}"
        raise InvalidFile(path, where, problem, _MAY_BE_CUT_OFF) from error
    except (yaml.YAMLError, ValueError) as error:
        # ValueError: an integer of too many digits
        reason = " ".join(str(error).split())
        raise InvalidFile(path, "", f"is not valid YAML: {reason}") from error


def parse_json(text: str, path: Path) -> Any:
    """Parse JSON; the path is for the errors. Raises `InvalidFile`, also for a duplicate key."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key, value in pairs:
            if key in mapping:
                raise InvalidFile(path, "", f"the key '{key}' occurs twice in one place")
            mapping[key] = value
        return mapping

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        problem = f"is not valid JSON: {error.msg}"
        raise InvalidFile(path, f"line {error.lineno}", problem, _MAY_BE_CUT_OFF) from error
    except RecursionError as error:
        raise InvalidFile(path, "", "is nested too deeply") from error
    except ValueError as error:
        raise InvalidFile(path, "", f"is not valid JSON: {error}") from error


def dump_yaml(content: Mapping[str, Any] | Sequence[Any]) -> str:
    """Give the text of a YAML file: the same bytes for the same content, whatever is installed.

    Raises `InvalidArgument` for a value that has no form in YAML.
    """
    try:
        return yaml.dump(
            content,
            # the one in Python: that in C is not installed everywhere and differs in places
            Dumper=_Dumper,
            default_flow_style=False,
            allow_unicode=True,
            sort_keys=False,
            width=2**31,
        )
    except yaml.representer.RepresenterError as error:
        value = error.args[-1]
        kind = type(value).__name__
        raise InvalidArgument(
            f"{value!r} ({kind}) has no form in YAML; use Python's own value."
        ) from error


def _check_shape(text: str, path: Path) -> None:
    """Refuse deep nesting, anchors and aliases before the composer, which recurses in C."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            problem = "anchors and aliases are not allowed"
            raise InvalidFile(path, _line(event.start_mark), problem, "Write it out.")
        if number > MAX_EVENTS:
            problem = f"has more than {MAX_EVENTS:,} values, so it is not what its name says"
            raise InvalidFile(path, "", problem)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            problem = f"is nested deeper than {MAX_DEPTH} levels"
            raise InvalidFile(path, _line(event.start_mark), problem)


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
    """SafeLoader without duplicate keys, and without dates, sets and bytes, as in JSON."""

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
        keys = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            key = (key_node.tag, key_node.value)
            if key in keys:
                problem = f"the key '{key_node.value}' occurs twice"
                mark = key_node.start_mark
                raise yaml.constructor.ConstructorError(None, None, problem, mark)
            keys.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return mapping


class _Dumper(yaml.SafeDumper):
    """SafeDumper that writes no aliases, and quotes line ends that it would lose."""

    def ignore_aliases(self, _: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        has_lost_line_end = any(end in data for end in "\x85\u2028\u2029")
        style = '"' if has_lost_line_end else None
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
