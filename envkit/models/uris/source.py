"""The interface of the places that models are fetched from, and their errors."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from envkit.errors import EnvkitError, ModelNotFound
from envkit.models.uris.naming import shown, without_secrets
from envkit.models.uris.required_files import Entries

_LONGEST_MESSAGE = 300
# The local disk is full or cannot be written to: not the fault of the source.
_LOCAL_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class Source(Protocol):
    """The place of one remote model. Its methods raise `ModelNotFound` for every failure there."""

    @property
    def place(self) -> str:
        """The place without credentials, the same for all URIs that lead to it."""

    def entries(self) -> Entries:
        """List the files by their path in the model; of a single file, that file by its name."""

    def get(self, names: Collection[str], into: Path) -> None:
        """Fetch listed files, each to its path below a folder that exists."""


@contextmanager
def errors_of(uri: str, action: str) -> Iterator[None]:
    """Turn whatever a library raises into a `ModelNotFound` of one line without credentials.

    action: what failed, such as `listed`.
    """
    try:
        yield
    except EnvkitError:
        raise
    except FileNotFoundError as error:
        raise ModelNotFound(shown(uri), "there is nothing") from _shareable(error, uri)
    # Each library (botocore, aiohttp, azure, requests, …) has exceptions of its own.
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _LOCAL_ERRORS:
            raise
        problem = f"it could not be {action} ({_first_line(error, uri)})"
        raise ModelNotFound(shown(uri), problem) from _shareable(error, uri)


def _first_line(error: Exception, uri: str) -> str:
    lines = without_secrets(str(error), uri).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:_LONGEST_MESSAGE]}".rstrip(": .")


def _shareable(error: Exception, uri: str) -> Exception | None:
    """Return the cause that `--debug` shows, unless its traceback could hold credentials."""
    if shown(uri) == uri:
        return error
    return None
