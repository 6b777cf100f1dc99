"""Large files of a model elsewhere, which a validation leaves where they are: thousands of models have 10 GB each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envkit.models.uris.naming import LOCAL, scheme_of
from envkit.validating.finding import Stage
from envkit.validating.options import Demands

NOT_FETCHED = "not fetched"
_NAMED_AT_MOST = 3


def place_of(
    uri: str | Path, demands: Demands, scan: tuple[str, ...]
) -> tuple[str | Path, dict[str, int | None]]:
    """Give where to open a model: its URI, or the folder with what was fetched, and the sizes of the other files.

    Whole is what a scanner reads or what is run. Raises as `fetched`.
    """
    if scheme_of(uri) == LOCAL or demands.whole or scan or Stage.REBUILD in demands.stages:
        return uri, {}
    from envkit.models.uris.fetch import fetched_in_part  # only for models elsewhere
    from envkit.models.uris.required_files import EXAMINED

    return fetched_in_part(uri, EXAMINED)


def told(elsewhere: Mapping[str, int | None]) -> str:
    """Name the files that were left, the largest first."""
    names = sorted(elsewhere, key=lambda name: -(elsewhere[name] or 0))
    size = sum(each or 0 for each in elsewhere.values())
    named = ", ".join(names[:_NAMED_AT_MOST]) + (", …" if len(names) > _NAMED_AT_MOST else "")
    if len(names) > 1:
        count = f"{len(names)} large files were"
    else:
        count = "1 large file was"
    return f"{count} {NOT_FETCHED} ({size / 1e6:,.0f} MB: {named}); `--whole` fetches all"
