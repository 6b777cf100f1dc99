"""`envkit deps --format cyclonedx`, checked by the validator of CycloneDX's own library."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from envkit.formats import pylock_toml
from tests.cli.test_lock import envkit, model

COMMIT = "0" * 40


def bill(path: Path) -> dict[str, object]:
    result = envkit("deps", path, "--format", "cyclonedx")
    assert result.exit_code == 0, result.output
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(result.stdout) is None
    content: dict[str, object] = json.loads(result.stdout)
    return content


def test_the_lock_becomes_a_valid_bill_with_hashes_and_origins(tmp_path: Path) -> None:
    path = model(tmp_path, "acme==1.0\n", "other==1.0+cpu\n")
    wheel = {"url": "https://files.example/acme-1.0-py3-none-any.whl", "hashes": {"sha256": "a" * 64}}
    local = {"path": "wheels/other-1.0+cpu-py3-none-any.whl", "hashes": {"sha256": "b" * 64}}
    vcs = {"type": "git", "url": "https://me:secret@host/tool", "commit-id": COMMIT}
    packages: list[pylock_toml.LockedPackage] = [
        {"name": "acme", "version": "1.0", "wheels": [wheel]},
        {"name": "other", "version": "1.0+cpu", "archive": local},
        {"name": "tool", "vcs": vcs},
    ]
    (path / "pylock.toml").write_text(pylock_toml.dumps(packages=packages))

    content = bill(path)
    components = {each["name"]: each for each in content["components"]}  # type: ignore[attr-defined]
    assert components["acme"]["externalReferences"] == [
        {"type": "distribution", "url": wheel["url"], "hashes": [{"alg": "SHA-256", "content": "a" * 64}]}
    ]
    assert components["other"]["purl"] == "pkg:pypi/other@1.0%2Bcpu"
    assert f"git+https://host/tool@{COMMIT}" in json.dumps(components["tool"])
    assert {"ref": "model", "dependsOn": ["pkg:pypi/acme@1.0"]} in content["dependencies"]  # type: ignore[operator]
    assert "secret" not in json.dumps(content)


def test_without_a_lock_the_pins_are_the_bill_and_it_is_the_same_each_time(tmp_path: Path) -> None:
    path = model(tmp_path, "acme[extra]==1.0 --hash=sha256:" + "a" * 64 + "\nfree\n", "other==1.0\n")

    content = bill(path)
    versions = {each["name"]: each.get("version") for each in content["components"]}  # type: ignore[attr-defined]
    assert versions == {"acme": "1.0", "free": None, "other": "1.0"}
    assert bill(path) == content


def test_without_the_library_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cyclonedx.model.bom", None)

    result = envkit("deps", model(tmp_path, "acme==1.0\n"), "--format", "cyclonedx")
    assert result.exit_code == 7
    assert "envkit[sbom]" in result.output
