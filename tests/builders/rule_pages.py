"""The pages of the rules, whose examples are laid over a sound model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from envkit.validating.finding import ALWAYS
from envkit.validating.rule import Rule
from envkit.validating.rules import all_rules
from tests.builders.files import write_files
from tests.builders.sound_model import run_python

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "rules"
RULES = {rule.code: rule for rule in all_rules()}
QUICK = [code for code, rule in RULES.items() if rule.stage in ALWAYS]
BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def page(rule: Rule) -> str:
    """Give the text of a rule's page."""
    return (ROOT / rule.page).read_text(encoding="utf-8")


def examples(text: str, heading: str) -> Iterator[tuple[str, str]]:
    """Yield the blocks below a heading: a file, `remove` or `run`, and the content."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    assert section is not None
    for _, file, content in BLOCK.findall(section[1]):
        yield file, content


def lay_over(model: Path, text: str, heading: str) -> None:
    """Change a model as the blocks below a heading say."""
    blocks = list(examples(text, heading))
    assert blocks
    for file, content in blocks:
        if file == "run":
            run_python(model, content)
        elif file == "remove":
            write_files(model, dict.fromkeys(content.split()))
        else:
            write_files(model, {file: content})
