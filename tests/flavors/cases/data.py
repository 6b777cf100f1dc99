"""The training data that all cases share."""

from __future__ import annotations

import numpy as np
import pandas as pd


def frame(rows: int = 40) -> pd.DataFrame:
    """Two columns of numbers."""
    numbers = np.random.default_rng(0).normal(size=(rows, 2))
    return pd.DataFrame(numbers, columns=["a", "b"])


def target(rows: int = 40) -> np.ndarray:
    """A number for each row."""
    return frame(rows).to_numpy() @ np.array([2.0, -1.0]) + 0.5


def label(rows: int = 40) -> np.ndarray:
    """A class for each row."""
    return (target(rows) > 0).astype(int)


def example() -> pd.DataFrame:
    """The rows to predict on."""
    return frame().head(3)
