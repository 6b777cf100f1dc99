"""The lock that a model lacks, or that no longer satisfies its requirements, made in a draft."""

from __future__ import annotations

import shutil
from pathlib import Path

from envkit.locking.local_wheels import FOLDER
from envkit.locking.relock import relock
from envkit.validating.files.facts import ModelFacts
from envkit.validating.rules.files import lock_disagrees, unhashed

UNHASHED = "ENV121"
LOCK_DISAGREES = "ENV107"


def complete_lock(draft: Path, model: Path) -> str:
    """Lock a draft if its lock is missing or disagrees, or if only some requirements have hashes.

    Args:
        draft: A copy of the model's environment files.
        model: The model, whose own wheels are locked with their hashes.

    Returns:
        The code of the rule that asked for it, or an empty string where the lock is sound.

    Raises:
        BuildFailed: No index has what is required.
        InvalidFile: Something that is required cannot be locked.
    """
    facts = ModelFacts(draft)
    has_some_hashes = unhashed.has_some_hashes(facts)
    if facts.lock is None or has_some_hashes:
        code = UNHASHED
    elif any(lock_disagrees.check(facts)):
        code = LOCK_DISAGREES
    else:
        return ""
    _lock(draft, model, generate_hashes=has_some_hashes)
    return code


def _lock(draft: Path, model: Path, *, generate_hashes: bool) -> None:
    # The draft's wheels are empty files, whose hashes would be locked.
    wheels = [path for path in (draft / FOLDER).glob("*.whl") if path.is_file()]
    for wheel in wheels:
        shutil.copyfile(model / FOLDER / wheel.name, wheel)
    try:
        relock(draft, generate_hashes=generate_hashes)
    finally:
        for wheel in wheels:
            wheel.write_bytes(b"")
