"""Exports: files that Compose, Kubernetes and systemd accept, with no privileges."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from envkit.errors import BuildFailed, InvalidArgument
from envkit.exports.export import TARGETS, export
from envkit.exports.service import service_name
from tests.builders.command_line import run_envkit
from tests.builders.fixture_models import copy_fixture_model
from tests.builders.registries import needs


@pytest.fixture
def models(tmp_path: Path) -> list[Path]:
    """Two models; the second reads variables."""
    first = copy_fixture_model("sklearn_pipeline", tmp_path).path
    second = copy_fixture_model("custom_loader", tmp_path).path
    (second / "environment_variables.txt").write_text("REGION\nAPI_TOKEN\n")
    return [first, second]


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def test_compose_publishes_each_model_on_a_port_of_its_own(
    tmp_path: Path, models: list[Path]
) -> None:
    (path,) = export("compose", models, tmp_path / "out", image="r.example/{name}:1", memory=200)

    services = documents(path)[0]["services"]
    assert {name: service["ports"] for name, service in services.items()} == {
        "sklearn-pipeline": ["127.0.0.1:8080:8080"],
        "custom-loader": ["127.0.0.1:8081:8080"],
    }
    assert services["custom-loader"]["environment"] == ["REGION", "API_TOKEN"]
    assert services["custom-loader"]["image"] == "r.example/custom-loader:1"
    assert all(service["read_only"] for service in services.values())


def test_compose_files_follow_their_schema(tmp_path: Path, models: list[Path]) -> None:
    (path,) = export("compose", models, tmp_path, memory=200)

    checker = Path(sys.executable).with_name("check-jsonschema")
    subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", str(path)],
        check=True,
        capture_output=True,
    )


def test_kubernetes_manifests_follow_its_schemas(tmp_path: Path, models: list[Path]) -> None:
    paths = export("kubernetes", models, tmp_path, memory=200)

    for path in paths:
        for document in documents(path):
            kubernetes_validate.validate(document, "1.30", strict=True)


def test_a_pod_is_restricted_and_gets_twice_the_measured_memory(
    tmp_path: Path, models: list[Path]
) -> None:
    paths = export("kubernetes", models, tmp_path, memory=200, workers=2)

    deployment, service = documents(paths[1])
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["requests"]["memory"] == "200Mi"
    assert container["resources"]["limits"]["memory"] == "448Mi"
    assert container["args"] == ["serve", "--workers", "2"]
    assert container["envFrom"] == [{"secretRef": {"name": "custom-loader-variables"}}]
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert service["spec"]["ports"][0]["targetPort"] == container["ports"][0]["name"]


@needs("systemd-analyze")
def test_units_are_understood_by_systemd(
    tmp_path: Path, models: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = shutil.which("true")
    monkeypatch.setattr("envkit.exports.systemd.PROGRAM", program)

    paths = export("systemd", models, tmp_path / "out", memory=200)

    for path in paths:
        ended = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode, path.name in ended.stderr) == (0, False), ended.stderr
    text = paths[1].read_text()
    assert "Type=notify" in text
    assert "--environment /opt/models/custom-loader/environment" in text
    assert "EnvironmentFile=/etc/envkit/custom-loader.env" in text


@pytest.mark.parametrize("target", TARGETS)
def test_an_export_is_the_same_each_time(tmp_path: Path, models: list[Path], target: str) -> None:
    first = export(target, models, tmp_path / "a", memory=200)
    second = export(target, models, tmp_path / "b", memory=200)

    assert [path.read_text() for path in first] == [path.read_text() for path in second]


@pytest.mark.parametrize(
    ("text", "name"),
    [("Churn_Model v2", "churn-model-v2"), ("a" * 80, "a" * 63), ("--x--", "x")],
)
def test_names_of_services_are_labels_of_dns(text: str, name: str) -> None:
    assert service_name(text) == name


def test_a_name_without_a_letter_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="cannot be the name of a service"):
        service_name("___")


def test_two_models_of_one_name_are_refused(tmp_path: Path, models: list[Path]) -> None:
    with pytest.raises(InvalidArgument, match="Two models are called 'sklearn-pipeline'"):
        export("compose", [models[0], models[0]], tmp_path / "out", memory=1)

    assert not (tmp_path / "out").exists()


def test_an_unknown_target_is_refused(tmp_path: Path, models: list[Path]) -> None:
    with pytest.raises(InvalidArgument, match="compose, kubernetes, systemd"):
        export("nomad", models, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, models: list[Path]) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(BuildFailed, match="write the export"):
        export("compose", models, tmp_path / "file" / "out", memory=1)


@pytest.mark.e2e
@pytest.mark.network
def test_the_memory_of_a_model_is_measured(tmp_path: Path) -> None:
    model = copy_fixture_model("custom_loader", tmp_path).path
    (model / "requirements.txt").write_text("humanize\npandas\n")
    (model / "python_env.yaml").unlink(missing_ok=True)

    result = run_envkit("export", "kubernetes", model, "-o", tmp_path / "out")

    assert result.exit_code == 0, result.output
    deployment = documents(tmp_path / "out" / "custom-loader.yaml")[0]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    requested = int(container["resources"]["requests"]["memory"].removesuffix("Mi"))
    assert 96 < requested < 1000
    assert json.dumps(container)
