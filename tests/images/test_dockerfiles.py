"""Dockerfiles: built by buildah from a base with Python, and run by podman."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from envkit.errors import InvalidArgument
from envkit.images import generate_dockerfile, layout, platforms
from envkit.images.bases import debian
from envkit.images.blob_cache import BlobCache
from envkit.images.image import assemble, image_set
from envkit.images.layers.layer_cache import LayerCache
from envkit.images.layers.layer_file import Compression
from envkit.images.registry.errors import RegistryFailed
from tests.builders.command_line import run_envkit
from tests.builders.containers import Podman
from tests.builders.fixture_models import FixtureModel, copy_fixture_model
from tests.builders.registries import CREATED, EPOCH, Registry, free_port, needs

pytestmark = [pytest.mark.images, pytest.mark.network]
PYTHON = "/opt/envkit/environment/bin/python"


@pytest.fixture(scope="module")
def python_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout with Debian's Python, pip and a shell."""
    folder = tmp_path_factory.mktemp("base")
    base = debian.DebianBase(
        suite="bookworm",
        platform=platforms.of_host(),
        packages=("dash", "python3-pip", "python3.11", "python3.11-venv"),
    )
    cache = LayerCache(BlobCache(folder / "cache"))
    image, _ = debian.build(base, cache, Compression.GZIP, EPOCH, os.environ, lambda _: None)
    runtime = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]}
    built = assemble(image, [], base.platform, runtime, annotations={}, created=CREATED)
    layout.write(folder / "base", image_set([built], {}), "1")
    return folder / "base"


@pytest.fixture
def light_model(tmp_path: Path) -> FixtureModel:
    """A model with one small requirement, and a lock."""
    fixture = copy_fixture_model("custom_loader", tmp_path)
    (fixture.path / "requirements.txt").write_text("humanize==4.12.3\n")
    (fixture.path / "constraints.txt").write_text("")
    result = run_envkit("lock", fixture.path)
    assert result.exit_code == 0, result.output
    return fixture


def test_packages_come_before_the_model_and_secrets_are_mounted(
    light_model: FixtureModel, tmp_path: Path
) -> None:
    written = generate_dockerfile(
        light_model.path, tmp_path / "out", base="oci:/base:1", labels={"team": 'a "b"'}
    )

    text = written.path.read_text()
    assert text.index("pip --python") < text.index("COPY model")
    assert text.index("--mount=type=secret,id=pip.conf") < text.index("pip --python")
    assert 'LABEL "team"="a \\"b\\""' in text
    assert text.index("USER 65532:65532") > text.index("COPY model")
    requirements = (tmp_path / "out/requirements/requirements.txt").read_text()
    assert "humanize==4.12.3" in requirements
    assert "--hash=sha256:" in requirements
    assert (tmp_path / "out/model/MLmodel").is_file()
    assert (tmp_path / "out/server/uvicorn").is_dir()
    assert (tmp_path / "out/.dockerignore").is_file()


@pytest.mark.e2e
@needs("buildah", "podman", "runc", "mmdebstrap")
def test_buildah_builds_an_image_that_answers(
    light_model: FixtureModel, tmp_path: Path, python_base: Path
) -> None:
    generate_dockerfile(light_model.path, tmp_path / "out", base=f"oci:{python_base}:1")
    (tmp_path / "pip.conf").write_text("[global]\ncert = /etc/pip-ca.pem\n")
    certificates = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    podman = Podman(tmp_path / "podman")

    subprocess.run(
        [
            *("buildah", "bud", "--isolation=chroot", "--ulimit=nofile=1024:1024"),
            *("--secret", f"id=pip.conf,src={tmp_path}/pip.conf"),
            *("--secret", f"id=ca.pem,src={certificates}"),
            *("-t", "localhost/light:1", str(tmp_path / "out")),
        ],
        env=podman.environment,
        check=True,
        capture_output=True,
    )

    with podman.running("localhost/light:1", "--tmpfs=/tmp", "--user=4321:0") as container:
        podman.await_health(container, PYTHON)
        listed = podman.call(
            "exec", container, PYTHON, "-c", "import humanize, sys; print(sys.path)"
        )
        assert b"/opt/envkit/environment/lib" in listed.stdout
        history = podman.call("history", "--no-trunc", "localhost/light:1").stdout
        assert b"BEGIN CERTIFICATE" not in history


@needs("docker-registry", "skopeo", "mmdebstrap")
def test_the_base_is_written_with_the_digest_of_its_registry(
    light_model: FixtureModel, tmp_path: Path, python_base: Path, registry: Registry
) -> None:
    target = f"docker://{registry.address}/python:3.11-slim"
    subprocess.run(
        ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{python_base}:1", target],
        check=True,
    )

    written = generate_dockerfile(
        light_model.path, tmp_path / "out", base=f"{registry.address}/python:3.11-slim"
    )

    assert written.base.startswith(f"{registry.address}/python:3.11-slim@sha256:")
    assert f"FROM {written.base} AS environment" in written.path.read_text()


def test_an_unreachable_registry_leaves_nothing(light_model: FixtureModel, tmp_path: Path) -> None:
    with pytest.raises(RegistryFailed, match="cannot be reached"):
        generate_dockerfile(
            light_model.path, tmp_path / "out", base=f"127.0.0.1:{free_port()}/python:3"
        )

    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_things_is_refused(light_model: FixtureModel, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="is not empty"):
        generate_dockerfile(light_model.path, tmp_path, base="oci:x")


def test_a_model_of_an_older_python_gets_no_server(
    light_model: FixtureModel, tmp_path: Path
) -> None:
    (light_model.path / "python_env.yaml").write_text(
        "python: 3.9.18\ndependencies: [-r requirements.txt]\n"
    )

    with pytest.raises(InvalidArgument, match=r"needs Python 3\.11"):
        generate_dockerfile(light_model.path, tmp_path / "out", base="oci:x")


def test_mlflow_s_name_writes_the_same(light_model: FixtureModel, tmp_path: Path) -> None:
    words = ("--base-image", "oci:/base:1", "--no-server")

    first = run_envkit("dockerfile", light_model.path, "-o", tmp_path / "a", *words)
    second = run_envkit("generate-dockerfile", "-m", light_model.path, "-d", tmp_path / "b", *words)

    assert (first.exit_code, second.exit_code) == (0, 0), second.output
    texts = {(tmp_path / name / "Dockerfile").read_text() for name in "ab"}
    assert len(texts) == 1
    assert 'ENTRYPOINT ["/opt/envkit/environment/bin/python"]' in texts.pop()
