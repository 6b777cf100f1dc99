"""Which rules run and how grave their findings are: chosen by code, the beginning of one, or name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from envkit.errors import InvalidArgument
from envkit.validating.finding import ALWAYS, Finding, Severity, Stage
from envkit.validating.rule import Rule, all_rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What the user chose.

    select: empty for all rules. severities: by the word that names a rule or several. stages: those
    that were asked for; rules of others do not run, whatever is selected.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    stages: frozenset[Stage] = ALWAYS

    def check(self) -> None:
        """Raise `InvalidArgument` for a word that names no rule, and when only rules of other stages are selected."""
        for word in (*self.select, *self.ignore, *self.severities):
            if not any(_means(word, rule) for rule in all_rules()):
                raise InvalidArgument(
                    f"'{word}' names no rule. `envkit validate --list-rules` names them all."
                )
        asleep = [
            rule
            for rule in all_rules()
            if _any(self.select, rule) and rule.stage not in self.stages
        ]
        if asleep and not any(
            _any(self.select, rule) and rule.stage in self.stages for rule in all_rules()
        ):
            raise InvalidArgument(
                f"{asleep[0].code} is a rule of the stage {asleep[0].stage.value}, which only runs with "
                f"`--{asleep[0].stage.value}`."
            )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The chosen rules, in order; to ignore wins over to select."""
        return tuple(rule for rule in all_rules() if self._chosen(rule))

    def judged(self, finding: Finding, rule: Rule) -> Finding:
        """The finding with the severity that the user gave to its rule; the most exact word counts."""
        words = [word for word in self.severities if _means(word, rule)]
        if words:
            return replace(finding, severity=self.severities[max(words, key=len)])
        return finding

    def _chosen(self, rule: Rule) -> bool:
        selected = rule.stage in self.stages and (not self.select or _any(self.select, rule))
        return selected and not _any(self.ignore, rule)


def _any(words: Iterable[str], rule: Rule) -> bool:
    return any(_means(word, rule) for word in words)


def _means(word: str, rule: Rule) -> bool:
    return (
        word.upper() == "ALL"
        or (bool(word) and rule.code.startswith(word.upper()))
        or word == rule.name
    )
