"""`envkit deps --format cyclonedx`, checked by the validator of CycloneDX's own library."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from envkit.installed.distributions import InstalledDistributions
from envkit.installed.sboms import of
from tests.builders.command_line import run_envkit
from tests.builders.locks import lock_text
from tests.builders.requirement_models import requirement_model
from tests.builders.sites import Site
from tests.builders.wheels import write_wheel

COMMIT = "0" * 40
OF_AUDITWHEEL = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.4",
    "version": 1,
    "metadata": {
        "component": {
            "type": "library",
            "bom-ref": "self",
            "name": "ac_me",
            "purl": "pkg:pypi/ac_me@1.0?file_name=x",
        }
    },
    "components": [
        {
            "type": "library",
            "bom-ref": "self",
            "name": "ac_me",
            "purl": "pkg:pypi/ac_me@1.0?file_name=x",
        },
        {
            "type": "library",
            "bom-ref": "lib#1",
            "name": "libgomp",
            "version": "8.5",
            "purl": "pkg:rpm/alma/libgomp@8.5",
        },
        {"type": "library", "bom-ref": "lib#2", "name": "libz", "version": "1"},
    ],
    "dependencies": [
        {"ref": "self", "dependsOn": ["lib#1"]},
        {"ref": "lib#1", "dependsOn": ["lib#2"]},
    ],
}
"""As auditwheel writes it: the wheel itself is among the components."""
OF_CARGO = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "serialNumber": "urn:uuid:deb45a29-bc5e-4c8d-beb9-81e2edefa9c9",
    "metadata": {
        "timestamp": "2026-01-01T00:00:00Z",
        "component": {
            "type": "library",
            "bom-ref": "root",
            "name": "acme-rust",
            "version": "0.1",
            "components": [{"type": "library", "bom-ref": "root bin", "name": "acme_rust"}],
        },
    },
    "components": [
        {
            "type": "library",
            "bom-ref": "lib#1",
            "name": "serde",
            "licenses": [{"expression": "MIT"}],
        }
    ],
    "dependencies": [{"ref": "root", "dependsOn": ["lib#1"]}, {"ref": "lib#1"}],
}
WITHOUT_REFERENCES = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.5",
    "components": [{"type": "library", "name": "ssl"}],
}
OTHERS = {
    "a.spdx.json": '{"spdxVersion": "SPDX-2.3"}',
    "b.cdx.json": '{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"name": 1}]}',
    "c.xml": "<bom/>",
    "d.cdx.json": '{"bomFormat": "CycloneDX", "components": [',
}


def bill(path: Path) -> dict[str, object]:
    result = run_envkit("deps", path, "--format", "cyclonedx")
    assert result.exit_code == 0, result.output
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(result.stdout) is None
    content: dict[str, object] = json.loads(result.stdout)
    return content


def test_the_lock_becomes_a_valid_bill_with_hashes_and_origins(tmp_path: Path) -> None:
    path = requirement_model(tmp_path, "acme==1.0\n", "other==1.0+cpu\n")
    wheel = {
        "url": "https://files.example/acme-1.0-py3-none-any.whl",
        "hashes": {"sha256": "a" * 64},
    }
    local = {"path": "wheels/other-1.0+cpu-py3-none-any.whl", "hashes": {"sha256": "b" * 64}}
    vcs = {"type": "git", "url": "https://me:secret@host/tool", "commit-id": COMMIT}
    packages: list[Mapping[str, Any]] = [
        {"name": "acme", "version": "1.0", "wheels": [wheel]},
        {"name": "other", "version": "1.0+cpu", "archive": local},
        {"name": "tool", "vcs": vcs},
    ]
    (path / "pylock.toml").write_text(lock_text(packages=packages))

    content = bill(path)
    components = {each["name"]: each for each in content["components"]}  # type: ignore[attr-defined]
    assert components["acme"]["externalReferences"] == [
        {
            "type": "distribution",
            "url": wheel["url"],
            "hashes": [{"alg": "SHA-256", "content": "a" * 64}],
        }
    ]
    assert components["other"]["purl"] == "pkg:pypi/other@1.0%2Bcpu"
    assert f"git+https://host/tool@{COMMIT}" in json.dumps(components["tool"])
    assert {"ref": "model", "dependsOn": ["pkg:pypi/acme@1.0"]} in content["dependencies"]  # type: ignore[operator]
    assert "secret" not in json.dumps(content)


def test_without_a_lock_the_pins_are_the_bill_and_it_is_the_same_each_time(tmp_path: Path) -> None:
    path = requirement_model(
        tmp_path, "acme[extra]==1.0 --hash=sha256:" + "a" * 64 + "\nfree\n", "other==1.0\n"
    )

    content = bill(path)
    versions = {each["name"]: each.get("version") for each in content["components"]}  # type: ignore[attr-defined]
    assert versions == {"acme": "1.0", "free": None, "other": "1.0"}
    assert bill(path) == content


def test_without_the_library_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cyclonedx.model.bom", None)

    result = run_envkit("deps", requirement_model(tmp_path, "acme==1.0\n"), "--format", "cyclonedx")
    assert result.exit_code == 7
    assert "envkit[sbom]" in result.output


def with_wheel(tmp_path: Path, sboms: dict[str, str]) -> Path:
    path = requirement_model(tmp_path, "./wheels/ac_me-1.0-py3-none-any.whl\n", "")
    (path / "wheels").mkdir()
    write_wheel(path / "wheels", "ac-me", "1.0", sboms=sboms)
    assert run_envkit("lock", path).exit_code == 0
    return path


def noted(tmp_path: Path, site: Site, sboms: dict[str, str]) -> Path:
    """A model whose evidence tells of the bills, and whose wheels are elsewhere."""
    info = site.install(
        "ac-me", "1.0", files={f"ac_me-1.0.dist-info/sboms/{name}": sboms[name] for name in sboms}
    )
    path = requirement_model(tmp_path, "ac-me==1.0\n", "")
    found = [each for each in [InstalledDistributions([str(info.parent)]).named("ac-me")] if each]
    (path / "envkit.json").write_text(json.dumps({"schema_version": 1, "sboms": of(found)}))
    return path


@pytest.mark.parametrize("from_evidence", [True, False])
def test_the_bills_of_what_is_inside_a_wheel_become_part_of_it(
    tmp_path: Path, site: Site, from_evidence: bool
) -> None:
    bills = {
        "audit.cdx.json": json.dumps(OF_AUDITWHEEL),
        "cargo.json": json.dumps(OF_CARGO),
        "plain.json": json.dumps(WITHOUT_REFERENCES),
    }
    path = noted(tmp_path, site, bills) if from_evidence else with_wheel(tmp_path, bills)

    content = bill(path)
    components = {each["name"]: each for each in content["components"]}  # type: ignore[attr-defined]
    assert set(components) == {"ac-me", "acme-rust", "libgomp", "libz", "serde", "ssl"}
    assert components["libgomp"]["purl"] == "pkg:rpm/alma/libgomp@8.5"
    assert components["serde"]["licenses"] == [{"expression": "MIT"}]
    edges = {each["ref"]: each.get("dependsOn") for each in content["dependencies"]}  # type: ignore[attr-defined]
    references = {name: components[name]["bom-ref"] for name in components}
    assert set(edges[references["ac-me"]]) == {
        references[name] for name in ("libgomp", "acme-rust", "ssl")
    }
    assert edges[references["libgomp"]] == [references["libz"]]
    assert edges[references["acme-rust"]] == [references["serde"]]
    named = {
        each["url"] for each in components["ac-me"]["externalReferences"] if each["type"] == "bom"
    }
    assert named == {f"ac_me-1.0.dist-info/sboms/{name}" for name in bills}
    assert bill(path) == content


@pytest.mark.parametrize("from_evidence", [True, False])
@pytest.mark.parametrize("name", OTHERS)
def test_a_bill_that_cannot_be_merged_is_named_with_its_hash(
    tmp_path: Path, site: Site, name: str, from_evidence: bool
) -> None:
    bills = {name: OTHERS[name]}
    path = noted(tmp_path, site, bills) if from_evidence else with_wheel(tmp_path, bills)

    component = next(iter(bill(path)["components"]))  # type: ignore[call-overload]
    (found,) = [each for each in component["externalReferences"] if each["type"] == "bom"]
    assert found["url"] == f"ac_me-1.0.dist-info/sboms/{name}"
    assert found["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(OTHERS[name].encode()).hexdigest()}
    ]
    assert "not merged" in found["comment"]


def test_the_bill_of_another_version_is_not_that_of_this_one(tmp_path: Path, site: Site) -> None:
    path = noted(tmp_path, site, {"cargo.json": json.dumps(OF_CARGO)})
    (path / "requirements.txt").write_text("ac-me==2.0\n")

    assert [each["name"] for each in bill(path)["components"]] == ["ac-me"]  # type: ignore[attr-defined]
