"""What the model has printed."""

from __future__ import annotations

import sys


def flush() -> None:
    """Write out what the model has printed and Python still holds."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (
            Exception
        ):  # closed, replaced or None: the model's own doing, and nothing depends on it
            continue
