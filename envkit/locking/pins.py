"""How a distribution is pinned: `name==version`, a direct reference (PEP 508), or a wheel."""

from __future__ import annotations

from envkit.formats.credentials import placeholders
from envkit.formats.requirement import Requirement
from envkit.installed.distribution import Distribution, Origin
from envkit.locking.local_wheels import LocalWheel


def pin(
    distribution: Distribution,
    extras: frozenset[str] = frozenset(),
    wheel: LocalWheel | None = None,
) -> Requirement:
    """The requirement of exactly this distribution.

    What came from a repository keeps its address and commit, also one of this machine and where the
    model takes a `wheel` of it along, which the lock then names. An archive on the web keeps its
    address. Credentials become placeholders. What came from a folder or file of this machine, which
    nobody else has, is the `wheel`, else it is pinned by version.
    """
    brackets = f"[{','.join(sorted(extras))}]" if extras else ""
    name = f"{distribution.name}{brackets}"
    origin = distribution.origin
    if origin is not None and origin.is_commit:
        text = f"{name} @ {reference(origin)}"
    elif wheel is not None:
        text = f"./{wheel.path}{brackets}"
    elif origin is None or origin.local or origin.vcs:
        text = f"{name}=={distribution.version}"
    else:
        text = f"{name} @ {reference(origin)}"
    return Requirement(text=text)


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
