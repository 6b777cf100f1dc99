"""The examples of docs/images.md, run in their order."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.containers import Podman
from tests.builders.fixture_models import copy_fixture_model
from tests.builders.registries import Registry, needs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "images.md"
pytestmark = [pytest.mark.images, pytest.mark.e2e, pytest.mark.network]


def examples(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


@needs("mmdebstrap", "podman", "docker-registry")
def test_the_examples_run(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    podman = Podman(tmp_path / "podman")
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", podman.environment["CONTAINERS_STORAGE_CONF"])
    monkeypatch.chdir(tmp_path)
    model = copy_fixture_model("custom_loader", tmp_path).path.rename(tmp_path / "model")
    (model / "requirements.txt").write_text("humanize==4.12.3\npandas==2.3.3\n")
    program = Path(sys.executable).with_name("envkit")
    commands = [line for block in examples("sh") for line in block.strip().splitlines()]
    assert len(commands) >= 9

    for command in commands:
        words = shlex.split(command.replace("registry.example", registry.address))
        assert words[0] == "envkit"
        ended = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, f"{command}\n{ended.stderr}"
    (code,) = examples("python")
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    assert {"churn-both", "churn-docker", "churn-image", "churn.tar", "deploy"} <= {
        path.name for path in tmp_path.iterdir()
    }
    assert podman.inspect("churn:1", "image")["Config"]["User"] == "65532:65532"
    shutil.rmtree(tmp_path / "churn-both")


def test_the_page_names_every_option() -> None:
    text = PAGE.read_text()
    help_text = subprocess.check_output(
        [sys.executable, "-m", "envkit", "build-image", "--help"], text=True
    )
    own = set(re.findall(r"--[a-z-]+", help_text)) & {
        "--attest",
        "--base",
        "--bytecode",
        "--compression",
        "--engine",
        "--no-cache",
        "--platform",
        "--push",
        "--user",
    }
    assert {option for option in own if option not in text} == set()
