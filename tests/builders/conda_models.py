"""Models whose environment is made of the conda packages of a channel."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.builders.conda_channel import CondaChannel
from tests.builders.models import write_conda_yaml, write_mlmodel
from tests.builders.wheels import write_wheel


def conda_model(folder: Path, channel: CondaChannel, *specs: str) -> Path:
    """Write a model that requires the channel's Python and these specs; gives the folder."""
    write_mlmodel(folder, "x", env="conda.yaml")
    write_conda_yaml(folder, [channel.url], [f"python={channel.python}", *specs])
    return folder


def packable_conda_model(model: Path, channel: CondaChannel) -> Path:
    """Write a model of conda packages and of a wheel with a program, in the pip section."""
    (model / "wheels").mkdir(parents=True)
    content = "import sys\nVERSION = '1.0'\ndef main():\n    print('alpha in', sys.prefix)\n"
    write_wheel(
        model / "wheels",
        "alpha",
        "1.0",
        [],
        content,
        entry_points="[console_scripts]\nalpha = alpha:main\n",
    )
    write_mlmodel(model, "x", env="conda.yaml")
    pip = ["--no-index", "--find-links wheels", "alpha==1.0"]
    write_conda_yaml(
        model,
        [channel.url],
        [f"python={channel.python}", "envkit-demo=1.0", "envkit-demo-native", "pip", {"pip": pip}],
    )
    return model


def prepare_env_command(model: Path) -> list[str | Path]:
    """Return the command that builds a model's conda environment."""
    command = [sys.executable, "-m", "envkit", "prepare-env"]
    return [*command, model, "--env-manager", "conda"]
