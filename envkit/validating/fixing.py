"""`envkit fix`: repair environment files mechanically, where rules know how.

Rules with a `fix` are applied one after the other, each to what those before it left, until nothing
changes any more. They work on a draft: a copy of the environment files, in which the model's other
files are empty. So what is proposed is also the final result, and nothing is written until then.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from envkit.errors import InvalidArgument, InvalidFile, InvalidInput
from envkit.formats import file_set, requirements_txt
from envkit.formats.text import decode_text
from envkit.models.uris import naming
from envkit.models.uris.fetch import is_elsewhere
from envkit.validating.examination import Examination, examine
from envkit.validating.files.facts import ModelFacts
from envkit.validating.finding import Stage
from envkit.validating.options import StageOptions
from envkit.validating.rule import Rule
from envkit.validating.selection import Selection

MAX_ROUNDS = 10
MAX_BYTES = 1_000_000  # a larger file is not an environment file
_NOT_TEXT = b"\xff"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fix:
    """The changes of a model's environment files; false when there are none.

    Attributes:
        model: The model directory.
        files: Whole new texts, by file name.
        before: The old texts; None for a new file.
        rules: Codes of the rules whose findings are fixed.
        written: Whether the files were written.
    """

    model: Path
    files: Mapping[str, str]
    before: Mapping[str, str | None]
    rules: tuple[str, ...]
    written: bool = False

    def __bool__(self) -> bool:
        return bool(self.files)

    @property
    def diff(self) -> str:
        """All changes as a unified diff."""
        return "".join(map(self._diff_of, sorted(self.files)))

    def _diff_of(self, name: str) -> str:
        before = self.before[name]
        lines = difflib.unified_diff(
            _decoded(before or "", name).splitlines(keepends=True),
            self.files[name].splitlines(keepends=True),
            "/dev/null" if before is None else f"a/{name}",
            f"b/{name}",
        )
        text = ""
        for line in lines:
            text += line
            if not line.endswith("\n"):
                text += "\n\\ No newline at end of file\n"
        return text


def fix(
    model: str | Path,
    *,
    select: Iterable[str] = (),
    ignore: Iterable[str] = (),
    lock: bool = False,
    write: bool = False,
) -> Fix:
    """Fix what rules can fix in the environment files of a model.

    Args:
        model: A model directory.
        select: Fix only what these rules report: codes, beginnings of codes, or names.
        ignore: Skip these rules.
        lock: Also add `pylock.toml` with hashes where there is none or it disagrees, as
            `envkit lock` does; this asks the package indexes.
        write: Write the files: all of them or none. Else nothing is written.

    Returns:
        The changes, written or not.

    Raises:
        ModelNotFound: There is no such model.
        InvalidArgument: A rule does not exist, or the model is remote.
        InvalidInput: The model is a bare artifact, or cannot be written.
        InvalidFile: `MLmodel` is malformed and no rule can fix it, or it cannot be locked.
        BuildFailed: No index has what would be locked.
    """
    selection = Selection(select=tuple(select), ignore=tuple(ignore))
    selection.check()
    if is_elsewhere(model):
        shown = naming.shown(model)
        raise InvalidArgument(
            f"{shown} is not a local folder, so it cannot be fixed. Fix a copy: "
            f"`envkit download {shown} -o DIR`, then `envkit fix DIR/{naming.name_of(model)}`."
        )
    examination = examine(model, StageOptions())
    facts = examination.facts
    if facts.bare is not None:
        raise InvalidInput(
            f"{model} has no environment files to fix. `envkit capture` writes them."
        )
    proposal = propose(examination, selection.rules, lock=lock)
    if not proposal and facts.mlmodel is None:
        raise facts.broken[0].error(facts.path)
    if not write or not proposal:
        return proposal
    return write_proposal(proposal)


def write_proposal(proposal: Fix) -> Fix:
    """Write what was proposed, all files or none."""
    file_set.write_files(proposal.model, dict(proposal.files))
    return replace(proposal, written=True)


def propose(examination: Examination, rules: Sequence[Rule], *, lock: bool = False) -> Fix:
    """Work out the changes of a model's files; `lock`: with a lock."""
    facts = examination.facts
    with tempfile.TemporaryDirectory(prefix="envkit-fix-") as name:
        draft = Path(name).resolve() / "model"
        before = _make_draft(facts, draft)
        fixed = _apply(rules, draft, examination)
        if lock:
            fixed |= _lock(rules, draft, examination)
        after = _texts(draft)
    files = {}
    for name, text in after.items():
        # a new file must not replace one that was not copied
        is_new = not os.path.lexists(facts.path / name)
        is_allowed = name in before or is_new or (text and _is_free(facts.path / name))
        if is_allowed and text != before.get(name):
            files[name] = text
    return Fix(
        model=facts.path,
        files=files,
        before={name: before.get(name) for name in files},
        rules=tuple(sorted(fixed)),
    )


def _apply(rules: Sequence[Rule], draft: Path, examination: Examination) -> set[str]:
    """Apply rules to a draft until nothing changes; give the codes of those that changed it."""
    fixed: set[str] = set()
    for _ in range(MAX_ROUNDS):
        changed = {rule.code for rule in rules if _apply_rule(rule, draft, examination)}
        fixed |= changed
        if not changed:
            break
    return fixed


def _lock(rules: Sequence[Rule], draft: Path, examination: Examination) -> set[str]:
    """Lock a draft if that is missing, and fix what then disagrees with it; give the codes."""
    # Resolvers are not needed without `--lock`.
    from envkit.validating.model_lock import complete_lock

    code = complete_lock(draft, examination.facts.path)
    if not code:
        return set()
    # With hashes, all requirements are pinned and conda.yaml has to follow.
    return {code} | _apply(rules, draft, examination)


def _apply_rule(rule: Rule, draft: Path, examination: Examination) -> bool:
    """Apply one rule to a draft; say whether that changed anything."""
    if rule.fix is None:
        return False
    facts = ModelFacts(draft, day=examination.facts.day)
    evidence: tuple[object, ...] = (facts,)
    # the draft has neither code nor artifacts
    if rule.stage is Stage.CODE:
        evidence = (facts, examination.code)
    if not any(rule.findings(*evidence)):
        return False
    changed = False
    for name, text in rule.fix(*evidence):
        path = draft / name
        # what links lead to is not in the draft
        if not path.resolve().is_relative_to(draft) or not path.parent.is_dir():
            continue
        content = text.encode("utf-8", "surrogateescape")
        if path.is_dir() or (path.is_file() and path.read_bytes() == content):
            continue
        path.write_bytes(content)
        facts.forget(name)
        changed = True
    return changed


def _make_draft(facts: ModelFacts, draft: Path) -> dict[str, str]:
    """Copy the environment files, make the others empty, and give the texts of the copies."""
    environment = {name for name, _ in facts.texts()}
    environment.add(requirements_txt.CONSTRAINTS_FILE_NAME)
    # what cannot be read is copied as it is: it is neither fixed nor empty
    environment.update(broken.file for broken in facts.broken)
    for folder, folders, names in os.walk(facts.path):
        folders[:] = [name for name in folders if name != ".git"]
        place = draft / Path(folder).relative_to(facts.path)
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            source = Path(folder, name)
            relative = source.relative_to(facts.path).as_posix()
            if not source.is_file() or facts.leads_out(relative):
                continue
            content = _content(source) if relative in environment else b""
            (place / name).write_bytes(content)
    return {name: text for name, text in _texts(draft).items() if text}


def _content(path: Path) -> bytes:
    """What a file holds; for one that is too large, what cannot be read either."""
    if path.stat().st_size > MAX_BYTES:
        return _NOT_TEXT
    return path.read_bytes()


def _texts(draft: Path) -> dict[str, str]:
    texts = {}
    for path in draft.rglob("*"):
        if path.is_file():
            name = path.relative_to(draft).as_posix()
            texts[name] = path.read_bytes().decode("utf-8", "surrogateescape")
    return texts


def _decoded(text: str, name: str) -> str:
    """Decode a file with a byte-order mark, such as PowerShell's UTF-16, for people to read."""
    try:
        return decode_text(text.encode("utf-8", "surrogateescape"), Path(name))
    except InvalidFile:
        return text


def _is_free(path: Path) -> bool:
    """Whether nothing would be overwritten: there is no such file, or an empty one."""
    return not os.path.lexists(path) or (path.is_file() and not path.stat().st_size)
