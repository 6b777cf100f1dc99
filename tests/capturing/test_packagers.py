"""Packages of conda and of the operating system are distinguished from those of an index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envkit.capturing.packagers import CondaNeeds, conda_package, is_of_debian, warnings
from envkit.capturing.requirements import SelectedDistribution
from envkit.installed.conda_packages import CondaPackage
from envkit.installed.distribution import Distribution
from envkit.installed.distributions import InstalledDistributions
from envkit.models.capture_warnings import WarningKind
from tests.builders.sites import Site


def installed(site: Site, installer: str) -> Distribution:
    info = site.install("Tool-Kit", "1.5")
    (info / "INSTALLER").write_text(f"{installer}\n")
    found = InstalledDistributions([str(site.folder)]).named("tool-kit")
    assert found is not None
    return found


@pytest.mark.parametrize("file", ["tool-kit-1.5-h123_0.json", "py-tools-1.5-h123_0.json"])
@pytest.mark.parametrize(
    ("url", "channel"),
    [
        ("https://conda.anaconda.org/conda-forge/linux-64", "conda-forge"),
        ("https://conda.anaconda.org/conda-forge/noarch", "conda-forge"),
        ("https://me:secret@repo.example/t/tk-123/main/linux-64", "https://repo.example/main"),
        ("conda-forge", "conda-forge"),
        ("https://conda.anaconda.org/conda-forge/", "conda-forge"),
        ("https://conda.anaconda.org/bioconda", "bioconda"),
        ("https://repo.anaconda.com/pkgs/main/osx-arm64", "https://repo.anaconda.com/pkgs/main"),
        ("file:///srv/my-channel", "file:///srv/my-channel"),
        ("<unknown>", ""),
    ],
)
def test_the_conda_package_of_a_distribution_is_found(
    site: Site, file: str, url: str, channel: str
) -> None:
    meta = site.folder.parents[2] / "conda-meta"
    meta.mkdir()
    files = ["lib/python3.11/site-packages/Tool_Kit-1.5.dist-info/METADATA"]
    record = {"name": "tools", "version": "1.5", "build": "h123_0", "channel": url, "files": files}
    (meta / file).write_text(json.dumps(record))
    (meta / "a-1-0.json").write_text("{}")

    assert conda_package(installed(site, "conda")) == CondaPackage(
        name="tools", version="1.5", build="h123_0", channel=channel
    )


def test_a_package_of_pip_in_a_conda_environment_is_not_conda_s(site: Site) -> None:
    (site.folder.parents[2] / "conda-meta").mkdir()

    assert conda_package(installed(site, "pip")) is None


@pytest.mark.parametrize(
    ("site_folder", "of_debian"),
    [
        ("/usr/lib/python3/dist-packages", True),
        ("/usr/local/lib/python3.11/dist-packages", False),
        ("/home/me/.venv/lib/python3.11/site-packages", False),
    ],
)
def test_the_site_folder_of_the_operating_system_is_recognised(
    site_folder: str, of_debian: bool
) -> None:
    found = Distribution(folder=Path(site_folder, "tool-1.0.dist-info"), name="tool", version="1.0")  # type: ignore[arg-type]

    assert is_of_debian(found) is of_debian


def test_a_package_of_conda_or_the_system_that_no_index_has_is_a_warning(site: Site) -> None:
    unknown = frozenset({"tool-kit", "other"})
    needed = [SelectedDistribution(distribution=installed(site, "conda"))]
    conda = CondaNeeds(
        channels=("conda-forge",), uses=(), distributions=frozenset({needed[0].distribution.name})
    )
    found = list(warnings(needed, unknown, conda))

    assert [(each.kind, each.subject) for each in found] == [(WarningKind.NOT_ON_INDEX, "tool-kit")]
    assert not list(
        warnings([SelectedDistribution(distribution=installed(site, "pip"))], unknown, None)
    )
    debian = [SelectedDistribution(distribution=installed(site, "debian"))]
    assert list(warnings(debian, unknown, None))
    assert not list(warnings(debian, frozenset({"tool"}), None))
