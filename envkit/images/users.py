"""The user that images run as."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envkit.environments.packing.members import Member
from envkit.errors import InvalidArgument

NONROOT = 65532
DEFAULT = f"{NONROOT}:{NONROOT}"
_USER = re.compile(r"(\d{1,10})(?::(\d{1,10}))?")
_LARGEST = 2**32 - 2


def check(user: str) -> str:
    """Give `UID:GID`; without a group it is 0, as OpenShift has it. Raises `InvalidArgument`."""
    match = _USER.fullmatch(user)
    if match is None or any(int(number) > _LARGEST for number in match.groups(default="0")):
        raise InvalidArgument(f"{user!r} is not a user of an image. Write UID or UID:GID.")
    uid, gid = match.groups(default="0")
    return f"{int(uid)}:{int(gid)}"


def files() -> Iterator[Member]:
    """Yield the files that give users their names."""
    passwd = (
        "root:x:0:0:root:/root:/sbin/nologin\n"
        f"nonroot:x:{NONROOT}:{NONROOT}:nonroot:/tmp:/sbin/nologin\n"
    )
    yield Member(name="etc/passwd", content=passwd.encode())
    yield Member(name="etc/group", content=f"root:x:0:\nnonroot:x:{NONROOT}:\n".encode())
    yield Member(name="etc/nsswitch.conf", content=b"hosts: files dns\n")
