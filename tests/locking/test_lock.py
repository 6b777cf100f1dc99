from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from envkit.installed import closure
from envkit.locking import local_origins
from envkit.locking.local_wheels import LocalWheels
from envkit.locking.lock import Locked, Unlocked, lock
from envkit.models.capture_warnings import WarningKind
from tests.builders.locks import FACTS, installed, locked_packages
from tests.builders.sites import Site
from tests.builders.wheels import write_wheel


def test_the_installed_version_is_locked_by_its_hash_although_a_newer_one_is_there(
    site: Site, index: Path, tmp_path: Path
) -> None:
    wheel = write_wheel(index, "acme", "1.0")
    write_wheel(index, "acme", "2.0")
    site.install("acme", "1.0")

    package = locked_packages(lock(installed(site, "acme"), FACTS), tmp_path)["acme"]
    assert package["version"] == "1.0"
    assert package["wheels"][0]["hashes"] == {
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()
    }


@pytest.mark.parametrize("version", ["1.0", "1.0+cpu"])
def test_builds_with_a_local_label_are_told_from_those_without(
    site: Site, index: Path, tmp_path: Path, version: str
) -> None:
    site.install("acme", version)
    for each in ("1.0", "1.0+cpu"):
        write_wheel(index, "acme", each)

    packages = locked_packages(lock(installed(site, "acme"), FACTS), tmp_path)

    assert str(packages["acme"]["version"]) == version


def test_what_is_installed_together_is_locked_even_where_its_requirements_disagree(
    site: Site, index: Path, tmp_path: Path
) -> None:
    for name, requires in (("acme", ["other>=2"]), ("other", [])):
        write_wheel(index, name, "1.0", requires)
        site.install(name, "1.0", requires=requires)

    assert set(locked_packages(lock(installed(site, "acme", "other"), FACTS), tmp_path)) == {
        "acme",
        "other",
    }


def test_what_no_index_has_leaves_no_lock_and_is_named(site: Site, index: Path) -> None:
    write_wheel(index, "acme", "1.0")
    for name in ("acme", "private-one", "private-two"):
        site.install(name, "1.0")

    result = lock(installed(site, "acme", "private-one", "private-two"), FACTS)
    assert isinstance(result, Unlocked)
    assert [reason.rpartition(" ")[2] for reason in result.reasons] == [
        "private-one==1.0",
        "private-two==1.0",
    ]


def test_without_a_network_it_is_not_said_that_an_index_lacks_it(
    site: Site, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index.invalid/simple")
    site.install("nowhere")

    result = lock(installed(site, "nowhere"), FACTS)

    assert isinstance(result, Unlocked)
    (reason,) = result.reasons
    assert reason.startswith("the index gave no answer: ")
    assert "network was disabled" in reason


def test_a_commit_is_locked_as_it_is(site: Site, index: Path, tmp_path: Path) -> None:
    vcs = {"vcs": "git", "commit_id": "0" * 40}
    site.install("tool", "1.0", direct_url={"url": "https://host/tool.git", "vcs_info": vcs})

    package = locked_packages(lock(installed(site, "tool"), FACTS), tmp_path)["tool"]
    assert package["vcs"] == {"type": "git", "url": "https://host/tool.git", "commit-id": "0" * 40}


@pytest.mark.parametrize("editable", [True, False])
def test_what_lies_on_this_machine_alone_leaves_no_lock(
    site: Site, index: Path, editable: bool
) -> None:
    site.install(
        "mine",
        "1.0",
        direct_url={"url": "file:///home/me/mine", "dir_info": {"editable": editable}},
    )

    result = lock(installed(site, "mine"), FACTS)
    assert isinstance(result, Unlocked)
    assert "mine" in result.reasons[0]


def test_nothing_to_lock_is_a_lock_of_nothing(index: Path, tmp_path: Path) -> None:
    assert locked_packages(lock([], FACTS), tmp_path) == {}


def test_a_source_distribution_is_never_run(site: Site, index: Path, tmp_path: Path) -> None:
    import tarfile

    proof = tmp_path / "was-run"
    project = tmp_path / "sourced-1.0"
    project.mkdir()
    (project / "setup.py").write_text(f"open({str(proof)!r}, 'w')\n")
    (project / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: sourced\nVersion: 1.0\n")
    with tarfile.open(index / "sourced-1.0.tar.gz", "w:gz") as archive:
        archive.add(project, "sourced-1.0")
    site.install("sourced", "1.0")

    result = lock(installed(site, "sourced"), FACTS)
    assert isinstance(result, Unlocked)
    assert not proof.exists()


def test_a_file_of_an_index_in_a_folder_is_locked_and_told(site: Site, index: Path) -> None:
    wheel = write_wheel(index, "acme", "1.0")
    site.install("acme", "1.0")

    result = lock(installed(site, "acme"), FACTS)
    assert isinstance(result, Locked)
    told = list(local_origins.of_lock(result.packages))
    assert [(each.kind, each.subject) for each in told] == [(WarningKind.LOCAL_ORIGIN, "acme")]
    assert wheel.as_uri() in told[0].detail


def test_a_commit_of_this_machine_without_a_wheel_is_locked_as_it_is(
    site: Site, index: Path, tmp_path: Path
) -> None:
    vcs = {"vcs": "git", "commit_id": "0" * 40}
    site.install("tool", "1.0", direct_url={"url": "file:///home/me/tool", "vcs_info": vcs})

    package = locked_packages(lock(installed(site, "tool"), FACTS), tmp_path)["tool"]
    assert package["vcs"]["url"] == "file:///home/me/tool"
    wheels = LocalWheels(missing={NormalizedName("tool"): "it was not built"})
    found = list(local_origins.warnings(installed(site, "tool"), wheels))
    assert [each.kind for each in found] == [WarningKind.LOCAL_ORIGIN]
    assert "it was not built" in found[0].detail


def test_metadata_that_is_no_requirement_is_told(site: Site) -> None:
    site.install(
        "old", "1.0", requires=["fine>=1", "broken (>1", "https://me:secret@host/x.tar.gz"]
    )

    (old,) = installed(site, "old")
    assert [each.name for each in old.requires] == ["fine"]
    told = list(closure.unreadable([old]))
    assert [(each.kind, each.subject) for each in told] == [(WarningKind.UNREAD, "old")] * 2
    assert "secret" not in "".join(map(str, told))
