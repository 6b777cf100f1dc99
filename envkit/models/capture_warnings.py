"""What a capture could not see or record: a kind for programs, a sentence for readers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class WarningKind(StrEnum):
    """Why a capture is incomplete."""

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
class CaptureWarning:
    """One thing that a capture could not see, or that its files cannot record.

    Attributes:
        kind: The reason, stable between versions.
        subject: The distribution, module or file concerned, else the name of what is missing.
        detail: A sentence without its full stop; `str()` returns it.
    """

    kind: WarningKind
    subject: str
    detail: str

    def __str__(self) -> str:
        return self.detail

    def as_json(self) -> dict[str, str]:
        """Return a JSON object with the keys `kind`, `subject` and `text`."""
        return {"kind": self.kind.value, "subject": self.subject, "text": self.detail}
