"""Builds of conda environments that are killed at any moment: the next one works."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from envkit.environments.reproduction import prepare_env
from envkit.installed import conda_records as conda_records
from envkit.installed import records
from tests.builders.conda_channel import CondaChannel
from tests.builders.conda_models import conda_model, prepare_env_command
from tests.builders.programs import descendants

SECONDS = 1.3  # that a build takes

pytestmark = pytest.mark.e2e


def start(model: Path, store: Path) -> subprocess.Popen[bytes]:
    argv = prepare_env_command(model)
    variables = {**os.environ, "ENVKIT_HOME": str(store), "ENVKIT_CONDA_EXE": "embedded"}
    return subprocess.Popen(argv, env=variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def kill(builder: subprocess.Popen[bytes], *, whole: bool) -> None:
    victims = [builder.pid]
    if whole:
        builder.send_signal(signal.SIGSTOP)
        victims += descendants(builder.pid)
    for victim in victims:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    builder.communicate()


@pytest.mark.parametrize("trials", [2, pytest.param(50, marks=pytest.mark.slow)])
@pytest.mark.parametrize("whole", [True, False], ids=["everything", "the parent alone"])
def test_killed_at_random_moments(
    trials: int,
    whole: bool,
    model: Path,
    conda_channel: CondaChannel,
    own_store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ENVKIT_CONDA_EXE", "embedded")
    chance = random.Random(f"{whole}{trials}")
    for number in range(trials):
        conda_model(model, conda_channel, "envkit-demo-native", f"envkit-demo>=0.{number}")
        builder = start(model, own_store)
        time.sleep(chance.uniform(0.05, SECONDS))
        kill(builder, whole=whole)
        environment = prepare_env(model, "conda")
        assert [
            *conda_records.problems(environment.path),
            *records.problems(environment.path),
        ] == []
        code = "import envkit_demo, envkit_demo_native as n; assert round(n.cube_root(27)) == 3"
        subprocess.run([environment.python, "-I", "-c", code], check=True)
    assert len([*(own_store / "environments").iterdir()]) == trials


def test_eight_processes_that_want_one_environment_build_it_once(
    model: Path, conda_channel: CondaChannel, own_store: Path
) -> None:
    conda_model(model, conda_channel, "envkit-demo")
    builders = [start(model, own_store) for _ in range(8)]
    places = {builder.communicate()[0] for builder in builders}

    assert [builder.returncode for builder in builders] == [0] * 8
    assert len(places) == 1
    assert len([*(own_store / "environments").iterdir()]) == 1
