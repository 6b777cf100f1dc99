"""Groups of entry points that source code looks up by a literal name.

https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from envkit.analysis.syntax_nodes import called_name, text_of

GROUP_READERS = frozenset({"entry_points", "iter_entry_points", "select", "get_group_all"})


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryPointGroup:
    """Code looks up a group of entry points.

    Attributes:
        name: The name of the group.
        line: The line that looks it up.
        entry_point: The name of the only entry point that it wants, None for any.
        file: The file, relative to the model, where that is known.
    """

    name: str
    line: int
    entry_point: str | None = None
    file: str = ""


def looked_up(nodes: Iterable[ast.AST]) -> Iterator[EntryPointGroup]:
    """Yield each group that code looks up by a literal name."""
    for node in nodes:
        if isinstance(node, ast.Call) and called_name(node) in GROUP_READERS:
            group = _of_call(node)
        elif isinstance(node, ast.Call | ast.Subscript):
            group = _of_mapping(node)
        else:
            continue
        if group is not None:
            yield group


def _of_call(node: ast.Call) -> EntryPointGroup | None:
    """`entry_points(group="g", name="n")`, `iter_entry_points("g", "n")`, `….select(group="g")`."""
    keywords = {keyword.arg: text_of(keyword.value) for keyword in node.keywords}
    positional = [text_of(argument) for argument in node.args] + [None, None]
    group, name = positional[:2]
    if called_name(node) == "select":  # of anything: only with keywords is it that of entry points
        group = None
    group = keywords.get("group") or group
    if not group:
        return None
    return EntryPointGroup(
        name=group, line=node.lineno, entry_point=keywords.get("name") or name or None
    )


def _of_mapping(node: ast.Call | ast.Subscript) -> EntryPointGroup | None:
    """`entry_points()["g"]` and `entry_points().get("g")`, the interface before Python 3.10."""
    match node:
        case ast.Subscript(value=mapping, slice=name):
            pass
        case ast.Call(func=ast.Attribute(attr="get", value=mapping), args=[name, *_]):
            pass
        case _:
            return None
    group = text_of(name)
    if group and called_name(mapping) == "entry_points":
        return EntryPointGroup(name=group, line=node.lineno)
    return None
