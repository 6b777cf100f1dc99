"""Which interpreter a plan is built with: the one that the user named, or the one that is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from envkit.child.progress import Reporter
from envkit.child.variables import Variables
from envkit.environments.plan import Plan
from envkit.interpreters import discovery
from envkit.interpreters.discovery import Match, Search
from envkit.interpreters.interpreter import Interpreter, minor_of
from envkit.interpreters.policy import PythonPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenInterpreter:
    """An interpreter, the plan as it is installed there, and what the user should know."""

    interpreter: Interpreter
    plan: Plan
    notes: tuple[str, ...]


def choose(
    plan: Plan,
    python: Path | None,
    policy: PythonPolicy,
    environ: Variables,
    memory: Path,
    report: Reporter,
) -> ChosenInterpreter:
    """Choose `python`, or an interpreter that is found as the policy says, or downloaded by uv.

    Where the lock does not hold for another minor version, requirements and constraints are
    installed in its place, and a note says so. Raises `InterpreterNotFound` and, for a damaged
    lock, `InvalidFile`.
    """

    def refuses(minor: str) -> str:
        if plan.lock is None:
            return ""
        # 1 ms: most models get the Python version that they name
        from envkit.interpreters import lock_compatibility

        return lock_compatibility.excluded(plan.lock.lock, minor)

    def fetch(version: str) -> str:
        # a warm run does without
        from envkit.interpreters import downloads

        return downloads.fetch(version, environ, report)

    search = Search(environ=environ, memory=memory, policy=policy, refuses=refuses, fetch=fetch)
    if python is not None:
        match = discovery.named(python, plan.python, search)
    else:
        match = discovery.find(plan.python, search)
    return _fitted(plan, match)


def _fitted(plan: Plan, match: Match) -> ChosenInterpreter:
    notes = [match.note] if match.note else []
    minor = match.interpreter.minor
    if plan.lock is not None and minor != minor_of(plan.python):
        # as above
        from envkit.interpreters import lock_compatibility

        why = lock_compatibility.why_void(plan.lock.lock, minor)
        if why:
            notes.append(
                f"{plan.lock.path.name} does not hold for Python {minor} ({why}); "
                "requirements were resolved again."
            )
            plan = replace(plan, lock=None)
    return ChosenInterpreter(interpreter=match.interpreter, plan=plan, notes=tuple(notes))
