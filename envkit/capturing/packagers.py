"""Who else packaged a distribution: conda, by the records of its environments, or the operating system."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from envkit.capturing.degradations import Degradation, Kind
from envkit.capturing.distributions import Distribution

_SYSTEM_SITE = re.compile(r"/usr/lib/python3(\.\d+)?/dist-packages")


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaPackage:
    """The conda package that brought a distribution, as `conda-meta/*.json` tells it; channel without credentials."""

    name: str
    version: str
    build: str
    channel: str

    def as_json(self) -> dict[str, str]:
        """As a JSON object."""
        return {"name": self.name, "version": self.version, "build": self.build, "channel": self.channel}


def conda_package(distribution: Distribution) -> CondaPackage | None:
    """The conda package of a distribution that conda installed, else None."""
    if distribution.installer != "conda":
        return None
    folder = next((up / "conda-meta" for up in distribution.folder.parents if (up / "conda-meta").is_dir()), None)
    if folder is None:
        return None
    listed = f"{distribution.folder.parent.name}/{distribution.folder.name}/".encode()
    for path in _likely_first(folder, distribution):
        raw = path.read_bytes()
        if listed in raw:
            record = json.loads(raw)
            return CondaPackage(
                name=record["name"],
                version=record["version"],
                build=str(record.get("build", "")),
                channel=_channel(str(record.get("channel", ""))),
            )
    return None


def is_of_debian(distribution: Distribution) -> bool:
    """Whether a package of the operating system brought it."""
    return distribution.installer == "debian" or bool(_SYSTEM_SITE.fullmatch(str(distribution.folder.parent)))


def _likely_first(folder: Path, distribution: Distribution) -> Iterator[Path]:
    """The records, first those that are named as the distribution; a conda package may have another name."""
    named = sorted(folder.glob(f"{distribution.name}-{distribution.version}-*.json"))
    yield from named
    yield from (path for path in sorted(folder.glob("*.json")) if path not in named)


def _channel(url: str) -> str:
    """`conda-forge` for what conda finds by that name, else the URL, both without platform, login and token."""
    bare = re.sub(r"/(noarch|[a-z]+-[a-z0-9_]+)/?$", "", re.sub(r"(?<=://)[^/@]*@|/t/[^/]+(?=/)", "", url))
    return re.sub(r"^https?://conda\.anaconda\.org/", "", bare)


def degradations(distributions: Iterable[Distribution], unlocked: Iterable[str]) -> Iterator[Degradation]:
    """What a system package or conda brought and no index has; `unlocked` are the lock's reasons."""
    reasons = tuple(unlocked)
    for each in distributions:
        pin = f"{each.name}=={each.version}"
        who = "the operating system" if is_of_debian(each) else "conda" if each.installer == "conda" else ""
        if who and any(pin in re.split(r"[\s,]+", reason) for reason in reasons):
            detail = f"{pin} was installed by {who} and no index has it: where the model runs, {who} must bring it"
            yield Degradation(kind=Kind.NOT_ON_INDEX, subject=each.name, detail=detail)
