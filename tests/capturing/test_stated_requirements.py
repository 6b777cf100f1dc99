"""What authors state of an environment, read before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from envkit.capturing import stated_requirements
from envkit.errors import InvalidArgument
from envkit.formats.document import dump_yaml

SECRET = "tok3n"
LINES = [
    f"--extra-index-url https://user:{SECRET}@example.invalid/simple",
    f"--index-url https://{SECRET}@example.invalid/simple",
    f"--find-links https://user:{SECRET}@example.invalid/wheels",
    f"attrs @ https://user:{SECRET}@example.invalid/attrs-26.1.0-py3-none-any.whl",
    f"attrs @ git+https://x-access-token:{SECRET}@example.invalid/a/attrs.git@" + "0" * 40,
    f"https://user:{SECRET}@example.invalid/attrs-26.1.0-py3-none-any.whl",
    f"attrs @ https://example.invalid/attrs-26.1.0-py3-none-any.whl?token={SECRET}",
]


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("way", ["requirements", "extra", "path", "conda", "conda-path"])
def test_credentials_become_placeholders(tmp_path: Path, way: str, line: str) -> None:
    path = tmp_path / "stated"
    conda = {"name": "x", "dependencies": ["python=3.11.7", "pip", {"pip": [line]}]}
    if way == "requirements":
        stated = stated_requirements.read([line], None, None)
    elif way == "extra":
        stated = stated_requirements.read(None, [line], None)
    elif way == "path":
        path.write_text(f"{line}\n")
        stated = stated_requirements.read(path, None, None)
    elif way == "conda":
        stated = stated_requirements.read(None, None, conda)
    else:
        path.write_text(dump_yaml(conda))
        stated = stated_requirements.read(None, None, path)

    file = stated.file
    texts = [*map(str, (*file.requirements, *file.constraints, *file.options)), stated.conda or ""]
    assert SECRET not in "".join(texts)
    assert "${INDEX_EXAMPLE_INVALID_" in "".join(texts)


def test_credentials_of_channels_become_placeholders() -> None:
    channels = [f"https://user:{SECRET}@conda.example.invalid/ch"]
    conda = {"name": "x", "channels": channels, "dependencies": ["python=3.11.7"]}

    text = stated_requirements.read(None, None, conda).conda

    assert text is not None
    assert SECRET not in text
    assert "${INDEX_CONDA_EXAMPLE_INVALID_PASSWORD}" in text


@pytest.mark.parametrize(
    "line", ["attrs --config-settings=a=b", "attrs --global-option=x", "./x.whl", "-e ."]
)
def test_lines_that_not_every_installer_accepts_are_refused(line: str) -> None:
    with pytest.raises(InvalidArgument):
        stated_requirements.read([line], None, None)
