"""Which environment of a model: one value, made once from a caller's arguments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self, TypeVar

from envkit.environments.env_type import EnvType
from envkit.errors import InvalidArgument
from envkit.interpreters.policy import PythonPolicy
from envkit.interpreters.program import find_program

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentChoice:
    """Which environment a model gets.

    manager: what builds it. python: the program to build with (`LOCAL`: to run in), absolute; None:
    an interpreter of the model's version is searched. python_policy: which other version may stand
    in. overrides: requirements that replace the model's of the same name. allow_source: source
    distributions may be built, which runs their code. conda_exe: the program that builds conda
    environments (see `conda.external.find`).
    """

    manager: EnvType = EnvType.UV
    python: Path | None = None
    python_policy: PythonPolicy = PythonPolicy.MINOR
    overrides: tuple[str, ...] = ()
    allow_source: bool = False
    conda_exe: str | Path | None = None

    def __post_init__(self) -> None:
        if self.manager is EnvType.CONDA and self.python is not None:
            raise InvalidArgument("A conda environment brings its own Python: omit `--python`.")
        if self.manager is EnvType.LOCAL and self.overrides:
            raise InvalidArgument(
                "Requirements cannot be overridden in a local environment: "
                "nothing is installed there."
            )

    @classmethod
    def from_arguments(
        cls,
        env_manager: EnvType | str = EnvType.UV,
        *,
        allow_source: bool = False,
        pip_requirements_override: str | Sequence[str] = (),
        python: str | Path | None = None,
        python_policy: PythonPolicy | str = PythonPolicy.MINOR,
        conda_exe: str | Path | None = None,
    ) -> Self:
        """Check the arguments of `prepare_env` and group them.

        Raises `InvalidArgument` for an unknown word, `NotAnInterpreter` when `python` names no
        program.
        """
        return cls(
            manager=_word(EnvType, env_manager, "env_manager"),
            python=None if python is None else find_program(python),
            python_policy=_word(PythonPolicy, python_policy, "python_policy"),
            overrides=_lines(pip_requirements_override),
            allow_source=allow_source,
            conda_exe=conda_exe,
        )


def _word(words: type[Word], word: Word | str, argument: str) -> Word:
    try:
        return words(word)
    except ValueError:
        known = ", ".join(words)
        raise InvalidArgument(f"{argument} must be one of {known}, not {word!r}.") from None


def _lines(overrides: str | Iterable[str]) -> tuple[str, ...]:
    """Take one override given as text for what it is, not for a sequence of letters."""
    if isinstance(overrides, str):
        return (overrides,)
    return tuple(overrides)
