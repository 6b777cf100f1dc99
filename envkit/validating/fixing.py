"""What can be mended mechanically in a model's environment files, as the rules know it; shown first, then all or none.

Rules with a `fix` are applied in turn, each to what those before it left, on a copy of the
environment files beside which the model's other files are only names; until nothing changes any
more. So what is proposed is what stays.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from envkit.errors import InvalidArgument, InvalidInput
from envkit.formats import file_set, requirements_txt
from envkit.models.uris import naming
from envkit.models.uris.fetch import is_elsewhere
from envkit.validating.files.facts import ModelFacts
from envkit.validating.rule import Rule
from envkit.validating.selection import Selection
from envkit.validating.validate import facts_of

ROUNDS = 10
LARGEST = 1_000_000  # bytes; a larger file is no environment file


@dataclass(frozen=True, kw_only=True, slots=True)
class Fix:
    """What would be, or was, changed. files: whole new texts by name; before: the old ones, None for a new file.

    rules: codes of those that were mended; written: whether it was done.
    """

    model: Path
    files: Mapping[str, str]
    before: Mapping[str, str | None]
    rules: tuple[str, ...]
    written: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything to change."""
        return bool(self.files)

    @property
    def diff(self) -> str:
        """All changes as a unified diff."""
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for name in sorted(self.files)
            for line in difflib.unified_diff(
                (self.before[name] or "").splitlines(keepends=True),
                self.files[name].splitlines(keepends=True),
                f"a/{name}" if self.before[name] is not None else "/dev/null",
                f"b/{name}",
            )
        )


def fix(
    model: str | Path,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    write: bool = False,
) -> Fix:
    """Mend what rules know how to mend. Nothing is written unless `write` says so, and then all files or none.

    Raises `ModelNotFound`, `InvalidArgument` for a rule that does not exist and a model elsewhere,
    `InvalidInput` for a bare artifact and for a model that cannot be written, `InvalidFile` for a
    malformed `MLmodel` that no rule mends.
    """
    selection = Selection(select=tuple(select), ignore=tuple(ignore))
    selection.check()
    if is_elsewhere(model):
        shown = naming.shown(model)
        raise InvalidArgument(
            f"{shown} is no folder of this machine, so nothing in it can be mended. Mend a copy: "
            f"`envkit download {shown} -o DIR`, then `envkit fix DIR/{naming.name_of(model)}`."
        )
    facts = facts_of(model)
    if facts.bare is not None:
        raise InvalidInput(
            f"{model} has no environment files to mend. `envkit capture` writes them."
        )
    found = proposed(facts, [rule for rule in selection.rules if rule.fix is not None])
    if not found and facts.mlmodel is None:
        raise facts.broken[0].error(facts.path)
    if write and found:
        file_set.write_files(facts.path, dict(found.files))
        return Fix(
            model=found.model,
            files=found.files,
            before=found.before,
            rules=found.rules,
            written=True,
        )
    return found


def proposed(facts: ModelFacts, rules: Iterable[Rule]) -> Fix:
    """Work out what would be changed in a model."""
    with tempfile.TemporaryDirectory(prefix="envkit-fix-") as name:
        shadow = Path(name).resolve() / "model"
        before = _shadowed(facts, shadow)
        mended: dict[str, None] = {}
        for _ in range(ROUNDS):
            changed = [rule.code for rule in rules if _mend(rule, shadow, facts)]
            mended.update(dict.fromkeys(changed))
            if not changed:
                break
        after = {
            path.relative_to(shadow).as_posix(): path
            for path in shadow.rglob("*")
            if path.is_file()
        }
        texts = {
            name: path.read_bytes().decode("utf-8", "surrogateescape")
            for name, path in after.items()
            if name in before or path.stat().st_size
        }
    files = {
        name: text
        for name, text in texts.items()
        if before.get(name) != text and (name in before or _is_free(facts.path / name))
    }
    return Fix(
        model=facts.path,
        files=files,
        before={name: before.get(name) for name in files},
        rules=tuple(sorted(mended)),
    )


def _is_free(path: Path) -> bool:
    """Whether nothing that was not looked at would be overwritten."""
    return not os.path.lexists(path) or (path.is_file() and not path.stat().st_size)


def _shadowed(facts: ModelFacts, shadow: Path) -> dict[str, str]:
    """Copy the environment files, and make empty ones for the rest; give the texts of what was copied."""
    texts = {}
    # as it is: what cannot be read is not mended, and not empty
    unread = (each.file for each in facts.broken)
    environment = {
        *(name for name, _ in facts.texts()),
        *unread,
        requirements_txt.CONSTRAINTS_FILE_NAME,
    }
    for folder, folders, names in os.walk(facts.path):
        folders[:] = [each for each in folders if each != ".git"]
        place = shadow / Path(folder).relative_to(facts.path)
        place.mkdir(parents=True, exist_ok=True)
        for each in names:
            source = Path(folder, each)
            name = source.relative_to(facts.path).as_posix()
            if not source.is_file() or facts.leads_out(name):
                continue
            content = _content(source) if name in environment else b""
            (place / each).write_bytes(content)
            if content:
                texts[name] = content.decode("utf-8", "surrogateescape")
    return texts


def _content(path: Path) -> bytes:
    """What a file holds; for one that is too large what cannot be read either."""
    if path.stat().st_size <= LARGEST:
        return path.read_bytes()
    return b"\xff"


def _mend(rule: Rule, shadow: Path, real: ModelFacts) -> bool:
    """Apply one rule to the shadow; whether it changed anything. What is imported is known of the real model."""
    facts = ModelFacts(shadow, day=real.day, imports=real)
    if rule.fix is None or not any(True for _ in rule.check(facts)):
        return False
    changed = False
    for name, text in rule.fix(facts):
        path = shadow / name
        content = text.encode("utf-8", "surrogateescape")
        if not path.resolve().is_relative_to(shadow) or (
            path.is_file() and path.read_bytes() == content
        ):
            continue
        path.write_bytes(content)
        facts.forget(name)
        changed = True
    return changed
