"""What conda installed of all that a model needs, by the records of its environment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from envkit.analysis.source_file import SourceFiles
from envkit.capturing.packagers import conda_needs, warnings
from envkit.capturing.requirements import Selection, select
from envkit.capturing.trace import Trace
from envkit.errors import InvalidFile
from envkit.installed.conda_packages import CondaPrefix
from envkit.installed.distributions import InstalledDistributions
from envkit.models.capture_warnings import WarningKind
from tests.builders.sites import Site
from tests.builders.traces import process_event, traced

FORGE = "https://conda.anaconda.org/conda-forge/linux-64"
SITE = "lib/python3.11/site-packages"


@pytest.fixture
def prefix(site: Site) -> Path:
    folder = site.folder.parents[2]
    (folder / "conda-meta").mkdir()
    return folder


def record(
    prefix: Path, name: str, version: str, files: Sequence[str], channel: str = FORGE, **more: Any
) -> None:
    content = {
        "name": name,
        "version": version,
        "build": "h1_0",
        "channel": channel,
        "files": list(files),
        **more,
    }
    (prefix / "conda-meta" / f"{name}-{version}-h1_0.json").write_text(json.dumps(content))


def by_conda(
    site: Site, prefix: Path, package: str, distribution: str, channel: str = FORGE
) -> None:
    stem = distribution.replace("-", "_")
    info = site.install(distribution, files={f"{stem}.py": ""})
    (info / "INSTALLER").write_text("conda\n")
    record(prefix, package, "1.0", [f"{SITE}/{stem}.py", f"{SITE}/{info.name}/METADATA"], channel)


def imported(module: str, file: str) -> dict[str, Any]:
    who = {"importer": "model", "importer_file": None, "line": 1, "phase": "load"}
    return {"event": "module", "module": module, "file": file, **who}


def selected(site: Site, *events: dict[str, Any]) -> tuple[Trace, Selection]:
    trace, places = traced(site, *events)
    return trace, select(trace, InstalledDistributions([str(site.folder)]), places, SourceFiles())


def test_a_package_of_conda_is_distinguished_from_one_of_pip(site: Site, prefix: Path) -> None:
    by_conda(site, prefix, "pytorch", "torch", "https://me:secret@repo.example/t/tk-1/own/linux-64")
    site.install("piped", files={"piped.py": ""})
    record(prefix, "python", "3.11.7", ["bin/python"])
    events = [imported("torch", site.file("torch.py")), imported("piped", site.file("piped.py"))]

    found = conda_needs(*selected(site, *events))

    assert found is not None
    assert found.specs == ("pytorch=1.0",)
    assert found.distributions == {"torch"}
    assert found.channels == ("conda-forge", "https://repo.example/own")
    assert "secret" not in json.dumps(found.as_json())


@pytest.mark.parametrize(("same", "of_conda"), [(True, True), (False, False)])
def test_a_package_that_pip_installed_over_conda_s_is_pip_s(
    site: Site, prefix: Path, same: bool, of_conda: bool
) -> None:
    info = site.install("tool", files={"tool.py": ""})
    digest = hashlib.sha256((info / "RECORD").read_bytes()).hexdigest() if same else "0" * 64
    paths = {"paths": [{"_path": f"{SITE}/{info.name}/RECORD", "sha256": digest}]}
    record(prefix, "tool", "1.0", [f"{SITE}/{info.name}/METADATA"], paths_data=paths)
    tool = InstalledDistributions([str(site.folder)]).named("tool")

    assert tool is not None
    assert (CondaPrefix(prefix).brought(tool) is not None) == of_conda


def test_libraries_programs_and_files_belong_to_their_conda_package(
    site: Site, prefix: Path
) -> None:
    record(prefix, "libopenblas", "0.3.25", ["lib/libopenblas.so.0"])
    record(prefix, "graphviz", "9.0", ["bin/dot"])
    record(prefix, "proj-data", "1.2", ["share/proj/proj.db", "lib/libunused.so"])
    record(prefix, "bindings", "2", [f"{SITE}/bindings.py"])
    site.install("other", files={"other.py": ""})
    data = str(prefix / "share" / "proj" / "proj.db")
    reads = {
        "event": "file",
        "path": data,
        "reader": "model",
        "reader_file": None,
        "line": 1,
        "phase": "predict",
    }
    events = [
        {
            "event": "libraries",
            "paths": [str(prefix / "lib" / "libopenblas.so.0"), "/usr/lib/libc.so.6"],
        },
        process_event(str(prefix / "bin" / "dot"), "dot"),
        reads,
        imported("bindings", site.file("bindings.py")),
    ]
    trace, selection = selected(site, *events)

    found = conda_needs(trace, selection)
    assert found is not None
    assert found.specs == ("bindings=2", "graphviz=9.0", "libopenblas=0.3.25", "proj-data=1.2")
    assert found.without_explained(selection).outside == ()
    assert {(each.kind, each.subject) for each in warnings([], frozenset(), found)} == {
        (WarningKind.NOT_ON_INDEX, "bindings"),
        (WarningKind.NOT_ON_INDEX, "graphviz"),
        (WarningKind.NOT_ON_INDEX, "proj-data"),
    }


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        (["<unknown>", ""], ("conda-forge",)),
        (["file:///srv/channel/noarch"], ("file:///srv/channel",)),
        (
            ["bioconda", FORGE, "https://conda.anaconda.org/conda-forge/"],
            ("conda-forge", "bioconda"),
        ),
    ],
)
def test_channels_come_from_the_records_the_most_used_one_first(
    site: Site, prefix: Path, channels: list[str], expected: tuple[str, ...]
) -> None:
    for number, channel in enumerate(channels):
        record(prefix, f"p{number}", "1", [], channel)

    found = conda_needs(*selected(site))
    assert found is not None
    assert found.channels == expected
    local = [
        each.subject
        for each in warnings([], frozenset(), found)
        if each.kind is WarningKind.LOCAL_ORIGIN
    ]
    assert local == [each for each in expected if each.startswith("file:")]


def test_an_environment_that_is_not_conda_s_has_no_conda_packages(site: Site) -> None:
    assert conda_needs(*selected(site)) is None


def test_an_invalid_record_of_conda_is_named(site: Site, prefix: Path) -> None:
    (prefix / "conda-meta" / "x-1-0.json").write_text('{"files": ["lib/libx.so"]')

    with pytest.raises(InvalidFile, match="is not the record of a conda package"):
        CondaPrefix(prefix).owner(str(prefix / "lib" / "libx.so"))


@pytest.mark.parametrize("place", ["base", "envs"])
def test_a_channel_of_a_mirror_has_the_name_that_the_installation_gives_it(
    place: str, site: Site, prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = prefix if place == "base" else prefix.parent.parent
    monkeypatch.delenv("CONDA_EXE", raising=False)
    (root / "condabin").mkdir()
    (root / ".condarc").write_text("channel_alias: https://mirror.example/conda\n")
    mirror = "https://mirror.example/conda/conda-forge/linux-64"
    by_conda(site, prefix, "tool", "tool", mirror)
    trace, selection = selected(site, imported("tool", str(site.folder / "tool.py")))
    needs = conda_needs(trace, selection)

    assert needs is not None
    assert needs.channels == ("conda-forge",)
    assert [use.package.channel for use in needs.uses] == ["conda-forge"]
