"""What a model declares: the names of the distributions that its environment would hold."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from envkit.formats import conda_yaml
from envkit.validating.files.facts import ModelFacts

CONDA_NAMES = {
    "pytorch": "torch",
    "tensorflow-base": "tensorflow",
    "py-xgboost": "xgboost",
    "matplotlib-base": "matplotlib",
}


def declared(facts: ModelFacts) -> frozenset[str]:
    """Give the normalised names in requirements, constraints, the lock, and conda's packages."""
    return frozenset((*_in_lines(facts), *_locked(facts), *_conda(facts)))


def _in_lines(facts: ModelFacts) -> list[str]:
    return [line.name for line in facts.lines if line.name is not None]


def _locked(facts: ModelFacts) -> list[str]:
    return [
        canonicalize_name(str(each["name"])) for each in (facts.lock.packages if facts.lock else ())
    ]


def _conda(facts: ModelFacts) -> list[str]:
    names = [conda_yaml.name_of(spec) for spec in (facts.conda.packages if facts.conda else ())]
    return [canonicalize_name(CONDA_NAMES.get(name, name)) for name in names]
