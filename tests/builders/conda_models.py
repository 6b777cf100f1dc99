"""Models whose environment is made of the conda packages of a channel."""

from __future__ import annotations

from pathlib import Path

from tests.builders.conda_channel import CondaChannel
from tests.builders.models import write_conda_yaml, write_mlmodel


def conda_model(folder: Path, channel: CondaChannel, *specs: str) -> Path:
    """Write a model that requires the channel's Python and these specs; gives the folder."""
    write_mlmodel(folder, "x", env="conda.yaml")
    write_conda_yaml(folder, [channel.url], [f"python={channel.python}", *specs])
    return folder
