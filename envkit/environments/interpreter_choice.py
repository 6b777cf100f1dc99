"""Which interpreter a plan is built with: the one that is named, or the one that is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from envkit.environments.plan import Plan
from envkit.interpreters import discovery, lock_compatibility
from envkit.interpreters.discovery import Interpreter, Search
from envkit.interpreters.policy import PythonPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """An interpreter, the plan as it is installed there, and what the caller should be told."""

    interpreter: Interpreter
    plan: Plan
    notes: tuple[str, ...]


def choose(
    plan: Plan,
    python: Path | None,
    policy: PythonPolicy,
    environ: Mapping[str, str],
    memory: Path,
    report: Callable[[str], None],
) -> Choice:
    """Choose the interpreter of a plan: `python`, or one that is found as the policy says, or downloaded by uv.

    When another minor version is taken, for which the lock does not hold, requirements and
    constraints are installed in its place, which a note tells. Raises `InterpreterNotFound` and,
    for a damaged lock, `InvalidFile`.
    """

    def refuses(minor: str) -> str:
        if plan.lock is not None:
            return lock_compatibility.excluded(plan.lock, minor)
        return ""

    def fetch(version: str) -> str:
        from envkit.interpreters import downloads  # a warm run does without

        return downloads.fetch(version, environ, report)

    search = Search(environ=environ, memory=memory, policy=policy, refuses=refuses, fetch=fetch)
    if python is not None:
        interpreter = discovery.named(python, plan.python, search)
    else:
        interpreter = discovery.find(plan.python, search)
    return _fitted(plan, interpreter)


def _fitted(plan: Plan, interpreter: Interpreter) -> Choice:
    notes = [interpreter.note] if interpreter.note else []
    other = interpreter.minor != discovery.minor_of(plan.python)
    if (
        plan.lock is not None
        and other
        and (why := lock_compatibility.why_void(plan.lock, interpreter.minor))
    ):
        notes.append(
            f"{plan.lock.name} does not hold for Python {interpreter.minor} ({why}); requirements were resolved anew."
        )
        plan = replace(plan, lock=None)
    return Choice(interpreter=interpreter, plan=plan, notes=tuple(notes))
