from __future__ import annotations

import pytest

from envkit.analysis.python_versions import python_of


@pytest.mark.parametrize(
    ("written", "scikit_learn", "expected"),
    [
        ([], "", None),
        ([(8, 10)], "", "3.10"),
        ([(11, 12)], "", None),
        ([(13, 13)], "", "3.13"),
        ([(8, 10), (13, 13)], "", None),
        ([], "0.22.1", "3.8"),
        ([(6, 7)], "0.22.1", "3.7"),
        ([(6, 7)], "0.24.2", "3.7"),
        ([(13, 13)], "0.24.2", "3.13"),
        ([], "1.1.3", None),
        ([], "9.9", None),
        ([], "0.19.1", None),
        ([], "nightly", None),
    ],
)
def test_the_python_nearest_to_the_interpreter_is_chosen(
    written: list[tuple[int, int]], scikit_learn: str, expected: str | None
) -> None:
    versions = {"scikit-learn": scikit_learn} if scikit_learn else {}

    assert python_of(written, versions, "3.11.7") == expected
