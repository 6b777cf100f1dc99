"""How a distribution is written down to be had again: `name==version`, or a direct reference (PEP 508)."""

from __future__ import annotations

from envkit.capturing.distributions import Distribution, Origin


def pin(distribution: Distribution, extras: frozenset[str] = frozenset()) -> str:
    """The PEP 508 line for exactly this distribution.

    What came from a version control system or an archive on the web keeps its address; what came from a folder or
    file of this machine is pinned by version, because nobody else has that folder.
    """
    name = f"{distribution.name}[{','.join(sorted(extras))}]" if extras else distribution.name
    origin = distribution.origin
    if origin is None or origin.local:
        return f"{name}=={distribution.version}"
    return f"{name} @ {_reference(origin)}"


def _reference(origin: Origin) -> str:
    url = f"{origin.vcs}+{origin.url}@{origin.commit}" if origin.vcs else origin.url
    subdirectory = f"subdirectory={origin.subdirectory}" if origin.subdirectory else ""
    digest = origin.digest.replace(":", "=") if origin.digest else ""
    fragment = "&".join(filter(None, (subdirectory, digest)))
    return f"{url}#{fragment}" if fragment else url
