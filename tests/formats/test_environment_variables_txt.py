from __future__ import annotations

import pytest

from envkit.errors import InvalidFile
from envkit.formats import environment_variables_txt
from tests.builders.files import Write


def test_the_text_is_that_of_mlflow() -> None:
    assert environment_variables_txt.dumps(["B", "A", "B"]) == (
        "# This file records environment variable names that are used during model inference.\n"
        "# They might need to be set when creating a serving endpoint from this model.\n"
        "# Note: it is not guaranteed that all environment variables listed here are required\n"
        "A\nB\n"
    )


def test_names_are_read_back(write: Write) -> None:
    path = write(
        {"environment_variables.txt": environment_variables_txt.dumps(["B", "A"]) + "\r\nC\r\n"}
    )

    assert environment_variables_txt.read(path) == ("A", "B", "C")


@pytest.mark.parametrize("line", ["API_KEY=hunter2", "API_KEY hunter2"])
def test_a_value_is_refused_and_not_repeated(write: Write, line: str) -> None:
    with pytest.raises(InvalidFile, match="line 2") as caught:
        environment_variables_txt.read(write({"environment_variables.txt": f"A\n{line}\n"}))

    assert "hunter2" not in str(caught.value)
