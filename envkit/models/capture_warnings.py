"""What a capture could not see or record, as values: a kind for programs, a sentence for readers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Why a capture is not complete."""

    NO_PREDICTION = "no-prediction"
    OUTSIDE = "outside"
    UNMET = "unmet"
    LOCAL_ORIGIN = "local-origin"
    NOT_ON_INDEX = "not-on-index"
    UNSEEN_PROCESS = "unseen-process"
    NO_LOCK = "no-lock"
    NOT_REACHED = "not-reached"
    NOT_INSTALLED = "not-installed"
    OTHER_VERSION = "other-version"
    UNREAD = "unread"
    WRITES = "writes"
    CONNECTS = "connects"
    NOT_STATED = "not-stated"
    KEPT = "kept"


@dataclass(frozen=True, kw_only=True, slots=True)
class Degradation:
    """One thing that the files of a capture do not tell.

    subject: the distribution, module or file that it is about, else the name of what is missing.
    detail: a sentence without its full stop; `str()` gives it.
    """

    kind: Kind
    subject: str
    detail: str

    def __str__(self) -> str:
        return self.detail

    def as_json(self) -> dict[str, str]:
        """As a JSON object."""
        return {"kind": self.kind.value, "subject": self.subject, "text": self.detail}
