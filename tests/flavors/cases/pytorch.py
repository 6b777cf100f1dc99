"""A module of torch, one of our own, TorchScript, and an exported program."""

from __future__ import annotations

import sys
from typing import Any

import cloudpickle
import numpy as np
import torch

from tests.flavors.case import Case

from . import data


class Doubled(torch.nn.Module):
    """A module of our own, whose code is in the pickle."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch.nn.Linear(2, 1)

    def forward(self, values: Any) -> Any:
        return 2 * self.inner(values)


def cases() -> list[Case]:
    rows = data.example().to_numpy().astype(np.float32)
    frame = data.example().astype(np.float32)
    pickled = {"serialization_format": "pickle"}
    return [
        Case(name="Sequential", make=sequential, example=frame, options=pickled),
        Case(name="own class, array", make=own, example=rows, options=pickled),
        Case(name="TorchScript", make=script, example=rows, options=pickled),
        Case(name="pt2", make=sequential, example=rows, options={"serialization_format": "pt2"}),
    ]


def sequential() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.ReLU(), torch.nn.Linear(4, 1))


def own() -> Any:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    torch.manual_seed(0)
    return Doubled()


def script() -> Any:
    return torch.jit.script(sequential())
