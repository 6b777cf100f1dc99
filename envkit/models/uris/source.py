"""A place elsewhere that models lie in: what each kind of place must tell and give."""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from envkit.errors import EnvkitError, ModelNotFound
from envkit.models.uris.naming import shown, without_secrets
from envkit.models.uris.required_files import Entries

_LONGEST = 300
_OF_THIS_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class Source(Protocol):
    """The place of one model. Its methods raise `ModelNotFound` for whatever goes wrong."""

    @property
    def place(self) -> str:
        """Name the place without credentials, the same whichever of its names it was asked by."""

    def entries(self) -> Entries:
        """List the files, by their path in the model; of a place that is one file, that file by its own name."""

    def get(self, names: Collection[str], into: Path) -> None:
        """Fetch files that were listed, each to its path below a folder that exists."""


@contextmanager
def told(uri: str, doing: str) -> Iterator[None]:
    """Tell in one line, without credentials, what a library says that it failed at; every one has errors of its own."""
    try:
        yield
    except EnvkitError:
        raise
    except FileNotFoundError as error:
        raise ModelNotFound(shown(uri), "there is nothing") from _harmless(error, uri)
    except Exception as error:  # of botocore, aiohttp, azure, requests and whatever comes
        if isinstance(error, OSError) and error.errno in _OF_THIS_MACHINE:
            raise
        lines = without_secrets(str(error), uri).strip().splitlines() or [""]
        said = f"{type(error).__name__}: {lines[0][:_LONGEST]}".rstrip(": .")
        raise ModelNotFound(shown(uri), f"it could not be {doing} ({said})") from _harmless(
            error, uri
        )


def _harmless(error: Exception, uri: str) -> Exception | None:
    """Give the cause to show with `--debug`, unless its text or traceback could hold credentials."""
    if shown(uri) == uri:
        return error
    return None
