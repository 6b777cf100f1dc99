"""What came from this machine becomes a wheel that the model takes along."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envkit.installed.distributions import InstalledDistributions
from envkit.locking.local_wheels import LocalWheels, collect
from envkit.locking.pins import pin
from tests.builders.buildable_project import CODE, buildable_project
from tests.builders.sites import Site
from tests.builders.wheels import write_wheel


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return buildable_project(tmp_path / "project")


def collected(site: Site, tmp_path: Path, *, build: bool = True) -> LocalWheels:
    distribution = InstalledDistributions([str(site.folder)]).named("tool")
    assert distribution is not None
    folder = tmp_path / "out"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return collect([distribution], sys.executable, folder, build=build)


def test_a_local_wheel_is_copied_and_referenced_relative_to_the_model(
    site: Site, tmp_path: Path
) -> None:
    wheel = write_wheel(tmp_path, "tool", "1.0", content=CODE)
    site.install(
        "tool", files={"tool.py": CODE}, direct_url={"url": wheel.as_uri(), "archive_info": {}}
    )

    found = collected(site, tmp_path).found["tool"]  # type: ignore[index]
    distribution = InstalledDistributions([str(site.folder)]).named("tool")

    assert found.file.read_bytes() == wheel.read_bytes()
    assert distribution is not None
    by_path = pin(distribution, frozenset({"b", "a"}), found)
    assert str(by_path) == "./wheels/tool-1.0-py3-none-any.whl[a,b]"
    assert str(pin(distribution)) == "tool==1.0"


@pytest.mark.parametrize(
    ("content", "archive", "why"),
    [
        ("ANSWER = 43\n", {}, "it has changed since (tool.py)"),
        (CODE, {"hash": f"sha256={'0' * 64}"}, "that file has changed since"),
    ],
)
def test_a_wheel_that_is_not_what_is_installed_is_not_taken(
    site: Site, tmp_path: Path, content: str, archive: dict[str, str], why: str
) -> None:
    wheel = write_wheel(tmp_path, "tool", "1.0", content=content)
    site.install(
        "tool", files={"tool.py": CODE}, direct_url={"url": wheel.as_uri(), "archive_info": archive}
    )

    assert collected(site, tmp_path).missing == {"tool": why}


def test_a_wheel_that_is_gone_is_told(site: Site, tmp_path: Path) -> None:
    url = (tmp_path / "tool-1.0-py3-none-any.whl").as_uri()
    site.install("tool", files={"tool.py": CODE}, direct_url={"url": url, "archive_info": {}})

    assert collected(site, tmp_path).missing == {"tool": "that is not there any more"}


def test_what_conda_installed_is_not_local_although_it_names_a_folder(
    site: Site, tmp_path: Path
) -> None:
    info = site.install("tool", direct_url={"url": "file:///croot/tool_1/work", "dir_info": {}})
    (info / "INSTALLER").write_text("conda\n")

    assert collected(site, tmp_path) == LocalWheels()


def test_nothing_is_built_when_that_is_not_wanted(
    site: Site, tmp_path: Path, project: Path
) -> None:
    site.install("tool", direct_url={"url": project.as_uri(), "dir_info": {"editable": True}})

    assert collected(site, tmp_path, build=False).missing == {"tool": "it was not to be built"}


@pytest.mark.e2e
def test_an_editable_project_is_built_without_a_trace_in_it_twice_the_same(
    site: Site, tmp_path: Path, project: Path
) -> None:
    site.install("tool", direct_url={"url": project.as_uri(), "dir_info": {"editable": True}})
    before = sorted(path.name for path in project.iterdir())

    first, second = (collected(site, tmp_path).found["tool"] for _ in "12")  # type: ignore[index]

    assert first == second
    assert first.version == "1.0"
    assert sorted(path.name for path in project.iterdir()) == before


@pytest.mark.e2e
def test_a_folder_that_has_changed_since_it_was_installed_gives_no_wheel(
    site: Site, tmp_path: Path, project: Path
) -> None:
    site.install(
        "tool",
        files={"tool.py": "ANSWER = 41\n"},
        direct_url={"url": project.as_uri(), "dir_info": {}},
    )

    assert collected(site, tmp_path).missing == {"tool": "it has changed since (tool.py)"}


@pytest.mark.e2e
def test_a_build_that_fails_is_told(site: Site, tmp_path: Path, project: Path) -> None:
    (project / "backend.py").write_text("raise SystemError('no compiler here')")
    site.install("tool", direct_url={"url": project.as_uri(), "dir_info": {"editable": True}})

    why = collected(site, tmp_path).missing["tool"]  # type: ignore[index]

    assert why.startswith("its build ended with status")
    assert "no compiler here" in why


@pytest.mark.e2e
def test_a_local_repository_is_built_at_its_commit(
    site: Site, tmp_path: Path, project: Path
) -> None:
    git = ["git", "-C", str(project), "-c", "user.name=me", "-c", "user.email=me@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    (project / "tool.py").write_text("ANSWER = 'later'\n")
    origin = {"url": project.as_uri(), "vcs_info": {"vcs": "git", "commit_id": commit}}
    site.install("tool", files={"tool.py": CODE}, direct_url=origin)

    assert collected(site, tmp_path).found["tool"].path == "wheels/tool-1.0-py3-none-any.whl"  # type: ignore[index]
