"""Images of conda environments: their files name the place that they have in the image."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from envkit.images import build_image
from tests.builders.conda_channel import CondaChannel
from tests.builders.conda_models import packable_conda_model
from tests.builders.registries import needs

pytestmark = [pytest.mark.images, pytest.mark.e2e, needs("mmdebstrap", "umoci")]


@pytest.fixture
def packable(tmp_path: Path, conda_channel: CondaChannel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model of conda packages and of a wheel with a program."""
    monkeypatch.setenv("ENVKIT_CONDA_EXE", "embedded")
    return packable_conda_model(tmp_path / "the model", conda_channel)


def test_a_conda_environment_runs_in_its_image(
    packable: Path, own_store: Path, tmp_path: Path
) -> None:
    built = build_image(packable, output=tmp_path / "out", tag="a:1", env_manager="conda")

    subprocess.run(
        ["umoci", "unpack", "--image", f"{tmp_path}/out:1", str(tmp_path / "bundle")],
        check=True,
        capture_output=True,
    )
    root = tmp_path / "bundle" / "rootfs"
    folder = root / "opt/envkit/environment"
    assert [layer.created_by.split()[0] for layer in built.layers][1:] == [
        "envkit",
        "packages",
        "bytecode,",
        "model",
    ]
    python = "/opt/envkit/environment/bin/python"
    # the channel's Python is one of this machine, whose library lies elsewhere
    output = subprocess.check_output(
        ["chroot", str(root), python, "-I", "-c", "import sys; print(sys.prefix)"],
        env={**os.environ, "LD_LIBRARY_PATH": "/opt/envkit/environment/lib"},
    )
    assert output == b"/opt/envkit/environment\n"
    assert not _is_named(folder, own_store)


def _is_named(folder: Path, path: Path) -> bool:
    ended = subprocess.run(["grep", "-rq", str(path), str(folder)], check=False)
    return ended.returncode == 0
