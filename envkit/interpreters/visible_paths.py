"""What a sandbox must leave visible so that an interpreter and its environment work in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from envkit.child import hidden_paths
from envkit.child.variables import Variables
from envkit.interpreters.facts import InterpreterFacts


def visible_paths(
    facts: InterpreterFacts,
    environment: Variables,
    untrusted: Collection[Path] = (),
) -> Iterator[Path]:
    """Yield what the interpreter and its environment consist of.

    Args:
        facts: The interpreter.
        environment: The variables that it gets.
        untrusted: Folders of the model; what metadata in them name stays hidden.
    """
    yield Path(facts.executable)
    for prefix in (facts.prefix, facts.base_prefix):
        yield from hidden_paths.of_prefix(Path(prefix), environment)
    for folder in map(Path, (*facts.stdlib, *facts.sys_path)):
        yield folder
        if not hidden_paths.lies_in(folder, untrusted):
            yield from _editable_projects(folder)


def _editable_projects(site: Path) -> Iterator[Path]:
    """Yield where distributions lie that are installed in development mode (PEP 610)."""
    for record in site.glob("*.dist-info/direct_url.json"):
        try:
            origin = json.loads(record.read_text(encoding="utf-8"))
            if origin["dir_info"]["editable"] and origin["url"].startswith("file://"):
                yield Path(unquote(urlsplit(origin["url"]).path))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            # not as the PEP has it, so not editable
            continue
