"""How a distribution is written down to be had again: `name==version`, a direct reference (PEP 508), or a wheel."""

from __future__ import annotations

from envkit.formats.credentials import placeholders
from envkit.installed.distributions import Distribution, Origin
from envkit.locking.local_wheels import LocalWheel


def pin(
    distribution: Distribution,
    extras: frozenset[str] = frozenset(),
    wheel: LocalWheel | None = None,
) -> str:
    """The line of a requirements file for exactly this distribution.

    What came from a repository keeps its address and commit, also one of this machine and where the
    model takes a `wheel` of it along, which the lock then names. An archive on the web keeps its
    address. Credentials become placeholders. What came from a folder or file of this machine, which
    nobody else has, is the `wheel`, else it is pinned by version.
    """
    asked = f"[{','.join(sorted(extras))}]" if extras else ""
    origin = distribution.origin
    if origin is not None and origin.is_commit:
        return f"{distribution.name}{asked} @ {reference(origin)}"
    if wheel is not None:
        return f"./{wheel.path}{asked}"
    if origin is None or origin.local or origin.vcs:
        return f"{distribution.name}{asked}=={distribution.version}"
    return f"{distribution.name}{asked} @ {reference(origin)}"


def reference(origin: Origin) -> str:
    """The URL of a direct reference, as `git+https://host/repository@commit#subdirectory=…`."""
    url = placeholders(
        f"{origin.vcs}+{origin.url}@{origin.commit}" if origin.vcs else origin.url
    ).replace(" ", "%20")
    if origin.subdirectory:
        subdirectory = f"subdirectory={origin.subdirectory}"
    else:
        subdirectory = ""
    digest = origin.digest.replace(":", "=") if origin.digest else ""
    fragment = "&".join(filter(None, (subdirectory, digest)))
    if fragment:
        return f"{url}#{fragment}"
    return url
