"""Conda's records as conda, rattler and mamba write them: every reader gets paths as installed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from envkit.environments.packing import conda as packing
from envkit.errors import InvalidFile
from envkit.installed import conda_records, records
from envkit.installed.conda_meta import CondaMeta, entries_of
from envkit.installed.conda_packages import CondaPrefix
from envkit.installed.distributions import InstalledDistributions

RECORDINGS = Path(__file__).resolve().parents[1] / "cases" / "conda"
PLACEHOLDER = "/home/builder/placeholder_placeholder_placeholder_placeholder_placeholder"
SITE = "lib/python3.11/site-packages"


def recorded(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((RECORDINGS / f"meta-noarch-{name}.json").read_text())
    return record


def write_record(prefix: Path, record: dict[str, Any]) -> Path:
    path = prefix / "conda-meta" / f"{record['name']}-{record['version']}-{record['build']}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record))
    return path


def install(prefix: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Lay the files of a recorded package out, the sizes as recorded, the digests as of these."""
    for entry, file in zip(record["paths_data"]["paths"], record["files"], strict=True):
        content = b"pip\n" if file.endswith("INSTALLER") else b"x"
        content = content.ljust(entry["size_in_bytes"])
        path = prefix / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        entry["sha256"] = entry["sha256_in_prefix"] = hashlib.sha256(content).hexdigest()
    write_record(prefix, record)
    return record


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    folder = tmp_path / "prefix"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["python", "pip"])
def test_an_environment_of_conda_is_sound(name: str, prefix: Path) -> None:
    record = install(prefix, recorded(name))
    digests = dict(records.digests(prefix))

    assert [*conda_records.problems(prefix)] == []
    assert sorted(digests) == sorted(record["files"])
    assert [path for path, known in digests.items() if records.unlike(prefix / path, known)] == []


def test_a_changed_file_of_a_noarch_package_is_found(prefix: Path) -> None:
    install(prefix, recorded("python"))
    (prefix / SITE / "envkit_demo" / "__init__.py").write_text("changed")
    (prefix / SITE / "envkit_demo-2.0.dist-info" / "WHEEL").unlink()

    assert [*conda_records.problems(prefix)] == [
        f"{SITE}/envkit_demo-2.0.dist-info/WHEEL is missing",
        f"{SITE}/envkit_demo/__init__.py has 7 bytes, its record says 95",
    ]


@pytest.mark.parametrize("files", ["listed", "empty", "missing"])
@pytest.mark.parametrize(
    ("python", "site"),
    [
        ({"version": "3.11.7"}, SITE),
        (
            {"version": "3.13.1", "python_site_packages_path": "lib/python3.13t/site-packages"},
            "lib/python3.13t/site-packages",
        ),
    ],
)
def test_paths_are_as_installed(
    python: dict[str, Any], site: str, files: str, prefix: Path
) -> None:
    write_record(prefix, {"name": "python", "build": "0", **python})
    archived = ["site-packages/tool.py", "python-scripts/tool", "bin/entry", "etc/tool.conf"]
    installed = [f"{site}/tool.py", "bin/tool", "bin/entry", "etc/tool.conf"]
    record: dict[str, Any] = {"name": "tool", "version": "1", "build": "py_0", "noarch": "python"}
    record["paths_data"] = {"paths": [{"_path": path} for path in archived]}
    if files != "missing":
        record["files"] = installed if files == "listed" else []
    path = write_record(prefix, record)

    read = CondaMeta(prefix).read(path)
    assert [entry["_path"] for entry in entries_of(read)] == installed
    assert read["files"] == installed


def test_paths_as_installed_and_those_of_other_packages_stay(prefix: Path) -> None:
    files = [f"{SITE}/tool.py", "site-packages/odd.py", "bin/tool"]
    record = {"name": "tool", "version": "1", "build": "0", "files": files}
    entries = [{"_path": path} for path in files]
    path = write_record(prefix, {**record, "paths_data": {"paths": entries}})

    assert [entry["_path"] for entry in entries_of(CondaMeta(prefix).read(path))] == files


def test_the_site_folder_is_that_of_the_listed_files_rather_than_of_python(prefix: Path) -> None:
    write_record(prefix, {"name": "python", "version": "3.12.1", "build": "0"})
    path = write_record(prefix, recorded("python"))

    paths = [entry["_path"] for entry in entries_of(CondaMeta(prefix).read(path))]
    assert paths == recorded("python")["files"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"name": "x", "version": "1", "paths_data": {"paths": [{}]}}', "[" * 9999],
)
def test_a_damaged_record_is_named(text: str, prefix: Path) -> None:
    path = write_record(prefix, recorded("python"))
    path.write_text(text)

    with pytest.raises(InvalidFile, match=r"envkit-demo-2\.0-py_0\.json"):
        CondaMeta(prefix).read(path)
    assert [*conda_records.problems(prefix)] == [f"conda-meta/{path.name} is damaged"]


def test_a_noarch_package_whose_installer_is_pip_is_condas(prefix: Path) -> None:
    install(prefix, recorded("pip"))
    metadata = prefix / SITE / "pip-23.2.1.dist-info" / "METADATA"
    metadata.write_text("Metadata-Version: 2.1\nName: pip\nVersion: 23.2.1\n")
    (distribution,) = InstalledDistributions([str(prefix / SITE)])
    package = CondaPrefix(prefix).brought(distribution)

    assert package is not None
    assert package.spec == "pip=23.2.1"
    (prefix / SITE / "pip-23.2.1.dist-info" / "RECORD").write_text("rewritten by pip\n")
    assert CondaPrefix(prefix).brought(distribution) is None


def test_the_place_in_a_file_of_a_noarch_package_is_packed_as_its_package_has_it(
    prefix: Path,
) -> None:
    record = install(prefix, recorded("python"))
    entry = record["paths_data"]["paths"][-1]
    entry |= {"prefix_placeholder": PLACEHOLDER, "file_mode": "text"}
    (prefix / record["files"][-1]).write_text(f"HOME = '{prefix}'\n")
    path = write_record(prefix, record)
    members = {member.name: member for member in packing.members(prefix)}

    assert members[record["files"][-1]].data.decode() == f"HOME = '{PLACEHOLDER}'\n"
    packed = json.loads(members[f"conda-meta/{path.name}"].data)
    assert [each["_path"] for each in packed["paths_data"]["paths"]] == record["files"]
    assert str(prefix) not in json.dumps(packed)
