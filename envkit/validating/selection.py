"""Which rules run, and how severe their findings are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from envkit.errors import InvalidArgument
from envkit.validating.finding import ALWAYS, Finding, Severity, Stage
from envkit.validating.rule import Rule
from envkit.validating.rules import all_rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What the user chose: rules by code, the beginning of a code, or name.

    select: empty for all rules.
    severities: by the word that names a rule or several.
    stages: those that were requested; rules of other stages do not run, whatever is selected.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    stages: frozenset[Stage] = ALWAYS

    def check(self) -> None:
        """Raise `InvalidArgument` for an unknown rule, or if no selected rule can run."""
        rules = all_rules()
        for word in (*self.select, *self.ignore, *self.severities):
            if not any(_names(word, rule) for rule in rules):
                raise InvalidArgument(
                    f"'{word}' is not a rule. `envkit validate --list-rules` lists all rules."
                )
        selected = [rule for rule in rules if any_names(self.select, rule)]
        if selected and all(rule.stage not in self.stages for rule in selected):
            first = selected[0]
            raise InvalidArgument(
                f"{first.code} is a rule of the stage {first.stage.value}, which only runs with "
                f"`--{first.stage.value}`."
            )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The chosen rules, in order; `ignore` wins over `select`."""
        return tuple(rule for rule in all_rules() if self._is_chosen(rule))

    def with_severity(self, finding: Finding, rule: Rule) -> Finding:
        """The finding with the severity that the user gave to its rule; the longest word counts."""
        words = [word for word in self.severities if _names(word, rule)]
        if not words:
            return finding
        longest = max(words, key=len)
        return replace(finding, severity=self.severities[longest])

    def _is_chosen(self, rule: Rule) -> bool:
        if rule.stage not in self.stages or any_names(self.ignore, rule):
            return False
        return not self.select or any_names(self.select, rule)


def any_names(words: Iterable[str], rule: Rule) -> bool:
    """Whether one of the words names a rule: by code, the beginning of one, or name."""
    return any(_names(word, rule) for word in words)


def _names(word: str, rule: Rule) -> bool:
    if word.upper() == "ALL" or word == rule.name:
        return True
    return bool(word) and rule.code.startswith(word.upper())
