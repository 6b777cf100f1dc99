from __future__ import annotations

from envkit.capturing.requirements import SelectedDistribution, Selection
from envkit.installed.distributions import InstalledDistributions
from envkit.locking.pins import pin
from tests.builders.sites import Site


def test_only_versions_from_an_index_lose_their_local_label(site: Site) -> None:
    commit = {"url": "https://host/x.git", "vcs_info": {"vcs": "git", "commit_id": "0" * 40}}
    site.install("torchy", "2.3.0+cpu")
    site.install("plain", "1.0")
    site.install("patched", "1.0+local", direct_url=commit)
    installed = InstalledDistributions([str(site.folder)])
    needed = [
        SelectedDistribution(distribution=each)
        for name in ("torchy", "plain", "patched")
        if (each := installed.named(name))
    ]

    selection = Selection(
        requirements=tuple(needed), constraints=tuple(needed), optional=(), outside=(), unmet=()
    ).without_local_versions()

    pins = ["torchy==2.3.0", "plain==1.0", f"patched @ git+https://host/x.git@{'0' * 40}"]
    assert [str(pin(each.distribution)) for each in selection.requirements] == pins
    assert [str(pin(each.distribution)) for each in selection.constraints] == pins
