"""How distributions are written down."""

from __future__ import annotations

import pytest

from envkit.installed.distributions import InstalledDistributions
from envkit.locking.pins import pin
from tests.builders.sites import Site

GIT = {"vcs": "git", "commit_id": "abc"}
CASES = [
    (
        {"url": "https://github.com/o/tool", "vcs_info": GIT},
        "tool @ git+https://github.com/o/tool@abc",
    ),
    (
        {"url": "ssh://git@github.com/o/tool.git", "vcs_info": GIT},
        "tool @ git+ssh://git@github.com/o/tool.git@abc",
    ),
    (
        {"url": "file:///home/me/a b/tool", "vcs_info": GIT, "subdirectory": "x"},
        "tool @ git+file:///home/me/a%20b/tool@abc#subdirectory=x",
    ),
    (
        {"url": "https://hg.host/t", "vcs_info": {"vcs": "hg", "commit_id": "1f"}},
        "tool @ hg+https://hg.host/t@1f",
    ),
    ({"url": "https://host/t", "vcs_info": {"vcs": "git"}}, "tool==1.0"),
    (
        {"url": "https://me:pass@host/tool", "vcs_info": GIT, "subdirectory": "sub"},
        "tool @ "
        "git+https://${INDEX_HOST_USERNAME}:${INDEX_HOST_PASSWORD}@host/tool@abc#subdirectory=sub",
    ),
    (
        {"url": "https://host/tool.whl?token=secret", "archive_info": {"hashes": {"sha256": "12"}}},
        "tool @ https://host/tool.whl?token=${INDEX_HOST_TOKEN}#sha256=12",
    ),
]


@pytest.mark.parametrize(("direct_url", "line"), CASES)
def test_a_direct_reference_keeps_address_and_commit_but_no_credentials(
    site: Site, direct_url: dict[str, object], line: str
) -> None:
    site.install("tool", direct_url=direct_url)
    distribution = InstalledDistributions([str(site.folder)]).named("tool")

    assert distribution is not None
    assert str(pin(distribution)) == line
