"""Images for another platform: locked for it, nothing of it run, every file checked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from envkit.errors import InvalidArgument
from envkit.images import build_image
from envkit.images.foreign_platform import NoPythonInBase
from envkit.images.layout import LayoutSource
from tests.builders.command_line import run_envkit
from tests.builders.fixture_models import copy_fixture_model
from tests.builders.registries import needs

pytestmark = [
    pytest.mark.images,
    pytest.mark.e2e,
    pytest.mark.network,
    needs("mmdebstrap", "skopeo", "umoci"),
]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of one package with native code."""
    path = copy_fixture_model("custom_loader", tmp_path).path
    (path / "requirements.txt").write_text("numpy==2.2.6\nhumanize==4.12.3\n")
    (path / "constraints.txt").write_text("")
    result = run_envkit("lock", path)
    assert result.exit_code == 0, result.output
    return path


def test_two_platforms_make_an_index_and_the_foreign_one_runs_under_emulation(
    model: Path, tmp_path: Path
) -> None:
    built = build_image(
        model, output=tmp_path / "out", tag="a:1", platform="linux/amd64,linux/arm64"
    )

    index = json.loads(LayoutSource(tmp_path / "out").root().read())
    assert [entry["platform"]["architecture"] for entry in index["manifests"]] == [
        "amd64",
        "arm64",
    ]
    assert {layer.platform for layer in built.layers} == {"linux/amd64", "linux/arm64"}
    emulator = shutil.which("qemu-aarch64-static")
    if emulator is None or os.geteuid() != 0:
        pytest.skip("running it needs root and qemu-user-static")
    foreign = f"oci:{tmp_path}/foreign:1"
    subprocess.run(
        ["skopeo", "copy", "-q", "--override-arch", "arm64", f"oci:{tmp_path}/out:1", foreign],
        check=True,
    )
    subprocess.run(
        ["umoci", "unpack", "--image", f"{tmp_path}/foreign:1", str(tmp_path / "bundle")],
        check=True,
        capture_output=True,
    )
    root = tmp_path / "bundle" / "rootfs"
    shutil.copy(emulator, root / "emulator")
    program = "import numpy, platform, humanize; print(platform.machine(), numpy.arange(3).sum())"
    python = "/opt/envkit/environment/bin/python"
    output = subprocess.check_output(["chroot", root, "/emulator", python, "-c", program])
    assert output == b"aarch64 3\n"


def test_a_base_without_python_is_refused_for_another_platform(model: Path, tmp_path: Path) -> None:
    build_image(model, output=tmp_path / "base", tag="b:1", platform="linux/arm64", server=False)
    manifest = json.loads(LayoutSource(tmp_path / "base").root().read())
    assert manifest["annotations"]["io.envkit.python"] == "3.11"

    (model / "python_env.yaml").write_text("python: '3.12'\ndependencies: [-r requirements.txt]\n")
    with pytest.raises(NoPythonInBase, match=r"has no Python 3\.12"):
        build_image(
            model,
            output=tmp_path / "out",
            base=f"oci:{tmp_path}/base",
            platform="linux/arm64",
        )

    assert not (tmp_path / "out").exists()


def test_only_uv_installs_for_another_platform(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="Only uv installs packages for linux/arm64"):
        build_image(
            model, output=tmp_path / "out", platform="linux/arm64", env_manager="virtualenv"
        )
