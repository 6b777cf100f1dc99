"""Versions without their local label: `2.3.0` for `2.3.0+cpu`, for targets whose indexes lack such builds.

https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers
"""

from __future__ import annotations

from dataclasses import replace

from envkit.capturing.requirements import Needed, Selection


def dropped(selection: Selection) -> Selection:
    """Give the same selection without labels; what did not come from an index keeps its version."""
    return replace(
        selection,
        requirements=tuple(map(_without, selection.requirements)),
        constraints=tuple(map(_without, selection.constraints)),
    )


def _without(needed: Needed) -> Needed:
    distribution = needed.distribution
    if distribution.origin is not None or "+" not in distribution.version:
        return needed
    return replace(
        needed, distribution=replace(distribution, version=distribution.version.partition("+")[0])
    )
