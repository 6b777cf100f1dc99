"""How a distribution is written down to be had again: `name==version`, a direct reference (PEP 508), or a wheel."""

from __future__ import annotations

from envkit.capturing.distributions import Distribution, Origin
from envkit.capturing.local_wheels import LocalWheel
from envkit.formats.credentials import placeholders


def pin(distribution: Distribution, extras: frozenset[str] = frozenset(), wheel: LocalWheel | None = None) -> str:
    """The line of a requirements file for exactly this distribution.

    What came from a version control system or an archive on the web keeps its address, with placeholders for
    credentials. What came from a folder or file of this machine, which nobody else has, is the `wheel` that the model
    takes along, else it is pinned by version.
    """
    asked = f"[{','.join(sorted(extras))}]" if extras else ""
    origin = distribution.origin
    if wheel is not None:
        return f"./{wheel.path}{asked}"
    if origin is None or (origin.local and not origin.vcs):
        return f"{distribution.name}{asked}=={distribution.version}"
    return f"{distribution.name}{asked} @ {_reference(origin)}"


def _reference(origin: Origin) -> str:
    url = placeholders(f"{origin.vcs}+{origin.url}@{origin.commit}" if origin.vcs else origin.url)
    subdirectory = f"subdirectory={origin.subdirectory}" if origin.subdirectory else ""
    digest = origin.digest.replace(":", "=") if origin.digest else ""
    fragment = "&".join(filter(None, (subdirectory, digest)))
    return f"{url}#{fragment}" if fragment else url
