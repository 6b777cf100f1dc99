from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from envkit.errors import InvalidFile
from envkit.installed.distributions import InstalledDistributions
from tests.builders.sites import Site


def owner(site: Site, path: str, *more: Path) -> str | None:
    found = InstalledDistributions([str(site.folder), *map(str, more)]).owner(path)
    return f"{found.name} {found.version}" if found else None


def test_a_file_belongs_to_the_distribution_that_records_it(site: Site) -> None:
    site.install("PyYAML", "6.0", {"yaml/__init__.py": ""})

    assert owner(site, site.file("yaml/__init__.py")) == "pyyaml 6.0"


def test_parts_of_a_namespace_package_belong_to_their_own_distributions(site: Site) -> None:
    site.install("acme-storage", files={"acme/storage/__init__.py": ""})
    site.install("acme-auth", files={"acme/auth/__init__.py": ""})

    assert owner(site, site.file("acme/auth/__init__.py")) == "acme-auth 1.0"


def test_of_two_providers_the_one_whose_file_is_there_is_the_owner(site: Site) -> None:
    site.install("first", files={"dup/__init__.py": "WHO = 1"})
    site.install("second", files={"dup/__init__.py": "WHO = 2"})

    assert owner(site, site.file("dup/__init__.py")) == "second 1.0"


def test_of_two_providers_of_an_equal_file_their_other_files_decide(site: Site) -> None:
    site.install("first", files={"dup/__init__.py": "", "dup/core.py": "WHO = 1"})
    site.install("a-second", files={"dup/__init__.py": "", "dup/core.py": "WHO = 2"})

    assert owner(site, site.file("dup/__init__.py")) == "a-second 1.0"


def test_of_two_providers_of_equal_files_the_one_that_requires_the_other_is_the_owner(
    site: Site,
) -> None:
    site.install("big", files={"same/__init__.py": ""}, requires=["a-part"])
    site.install("a-part", files={"same/__init__.py": ""})

    assert owner(site, site.file("same/__init__.py")) == "big 1.0"


def test_metadata_left_behind_by_an_upgrade_does_not_count(site: Site) -> None:
    old = site.install("stale", "1.0", {"stale.py": "V = 1"})
    kept = shutil.copytree(old, site.folder / "kept")
    shutil.rmtree(old)
    site.install("stale", "2.0", {"stale.py": "V = 22"})
    shutil.move(kept, old)
    installed = InstalledDistributions([str(site.folder)])

    assert owner(site, site.file("stale.py")) == "stale 2.0"
    named = installed.named("stale")
    assert named is not None
    assert named.version == "2.0"


def test_a_generated_file_belongs_to_the_package_around_it(site: Site) -> None:
    site.install("pkg", files={"pkg/__init__.py": "", "pkg/sub/__init__.py": ""})

    assert owner(site, site.file("pkg/sub/cache/generated.py")) == "pkg 1.0"


def test_a_data_file_outside_the_site_folder_is_found(site: Site) -> None:
    site.install("shared", files={"../../../share/shared/table.csv": "a,b"})

    assert (
        owner(site, str(site.folder.parents[2] / "share" / "shared" / "table.csv")) == "shared 1.0"
    )


def test_a_file_that_no_record_lists_has_no_owner(site: Site, tmp_path: Path) -> None:
    site.install("pkg", files={"pkg/__init__.py": ""})

    assert owner(site, site.file("loose.py")) is None
    assert owner(site, str(tmp_path / "elsewhere" / "helpers.py")) is None


@pytest.mark.parametrize(
    ("files", "direct_url"),
    [
        pytest.param({"__editable__.proj-0.1.pth": "{project}/src\n"}, None, id="path file"),
        pytest.param(
            {
                "__editable___proj_finder.py": "MAPPING: dict[str, str] = "
                "{{'proj': '{project}/src/proj'}}\n"
            },
            None,
            id="finder",
        ),
        pytest.param({}, {"dir_info": {"editable": True}}, id="direct URL"),
    ],
)
def test_code_of_an_editable_install_belongs_to_it(
    site: Site, tmp_path: Path, files: dict[str, str], direct_url: dict[str, object] | None
) -> None:
    project = tmp_path / "project with space"
    (project / "src" / "proj").mkdir(parents=True)
    filled = {name: text.format(project=project) for name, text in files.items()}
    url = {**direct_url, "url": project.as_uri()} if direct_url else None
    site.install("proj", "0.1", filled, direct_url=url)

    assert owner(site, str(project / "src" / "proj" / "__init__.py")) == "proj 0.1"


def test_an_environment_inside_an_editable_project_keeps_its_own_owners(tmp_path: Path) -> None:
    folder = tmp_path / "project" / ".venv" / "lib" / "python3.11" / "site-packages"
    folder.mkdir(parents=True)
    site = Site(folder)
    site.install("dep", files={"dep.py": ""})
    url = {"url": (tmp_path / "project").as_uri(), "dir_info": {"editable": True}}
    site.install("proj", direct_url=url)

    assert owner(site, site.file("dep.py")) == "dep 1.0"
    assert owner(site, site.file("unknown.py")) is None


def test_the_origin_of_a_vcs_install_is_kept(site: Site) -> None:
    vcs = {"vcs": "git", "commit_id": "abc", "requested_revision": "main"}
    site.install(
        "tool", direct_url={"url": "https://host/tool.git", "vcs_info": vcs, "subdirectory": "py"}
    )
    found = InstalledDistributions([str(site.folder)]).named("tool")

    assert found is not None
    assert found.origin is not None
    assert (found.origin.vcs, found.origin.commit, found.origin.subdirectory) == (
        "git",
        "abc",
        "py",
    )


def test_metadata_without_a_list_of_files_own_their_top_level_modules(site: Site) -> None:
    info = site.folder / "PyYAML-6.0.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\n")
    (info / "top_level.txt").write_text("_yaml\nyaml\n")

    assert owner(site, site.file("yaml/__init__.py")) == "pyyaml 6.0"


def test_folders_without_metadata_are_passed_over(site: Site) -> None:
    (site.folder / "broken-1.0.dist-info").mkdir()
    site.install("pkg", files={"pkg.py": ""})

    assert owner(site, site.file("pkg.py")) == "pkg 1.0"


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"url": 3}', b"\xff"])
def test_a_damaged_record_of_origin_is_named(site: Site, content: bytes) -> None:
    info = site.install("broken", files={"broken.py": ""}, direct_url={})
    info.joinpath("direct_url.json").write_bytes(content)
    found = InstalledDistributions([str(site.folder)]).owner(site.file("broken.py"))

    assert found is not None
    with pytest.raises(InvalidFile, match=r"broken-1\.0\.dist-info/direct_url\.json"):
        _ = found.origin


@pytest.mark.parametrize(("name", "read"), [("METADATA", "requires"), ("RECORD", "record")])
def test_metadata_that_are_not_text_are_named(site: Site, name: str, read: str) -> None:
    info = site.install("broken", files={"broken.py": ""})
    info.joinpath(name).write_bytes(info.joinpath(name).read_bytes() + b"\xff")
    found = InstalledDistributions([str(site.folder)]).named("broken")

    with pytest.raises(InvalidFile, match=f"{name}: is not UTF-8 text"):
        getattr(found, read)


def test_a_mapping_of_an_editable_finder_that_cannot_be_read_is_named(site: Site) -> None:
    site.install("edited", files={"__editable___edited_finder.py": "MAPPING = {\n"})

    with pytest.raises(InvalidFile, match="MAPPING"):
        owner(site, "/elsewhere/edited.py")


def test_remains_of_an_installation_are_passed_over(site: Site) -> None:
    site.install("fine", files={"fine.py": ""})
    site.folder.joinpath("empty.egg-info").touch()
    site.folder.joinpath("folder.egg-info").mkdir()
    site.folder.joinpath("gone-1.0.dist-info").symlink_to("nowhere")

    assert owner(site, site.file("fine.py")) == "fine 1.0"
    assert InstalledDistributions([str(site.folder)]).named("empty") is None
