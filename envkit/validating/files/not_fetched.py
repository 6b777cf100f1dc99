"""Large files of remote models, which are not fetched: thousands of models can have 10 GB each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envkit.models.uris.naming import LOCAL, scheme_of

_NAMED_AT_MOST = 3


def open_place(uri: str | Path, *, everything: bool) -> tuple[str | Path, Mapping[str, int | None]]:
    """Give where to open a model, and the sizes in bytes of the files that are not there.

    Raises as `fetched`.
    """
    if everything or scheme_of(uri) == LOCAL:
        return uri, {}
    # only for remote models
    from envkit.models.uris.fetch import fetched_in_part
    from envkit.models.uris.required_files import EXAMINED

    return fetched_in_part(uri, EXAMINED)


def description(not_fetched: Mapping[str, int | None]) -> str:
    """Name the files that were not fetched, the largest first."""
    sizes = {name: size or 0 for name, size in not_fetched.items()}
    names = sorted(sizes, key=sizes.__getitem__, reverse=True)
    shown = ", ".join(names[:_NAMED_AT_MOST])
    if len(names) > _NAMED_AT_MOST:
        shown += ", …"
    count = "1 large file was"
    if len(names) > 1:
        count = f"{len(names)} large files were"
    megabytes = sum(sizes.values()) / 1e6
    return f"{count} not fetched ({megabytes:,.0f} MB: {shown}); `--whole` fetches all"
