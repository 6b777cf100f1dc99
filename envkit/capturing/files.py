"""The files that a capture writes into the model directory, all of them or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envkit.formats import (
    conda_yaml,
    environment_variables_txt,
    envkit_json,
    file_set,
    mlmodel,
    pylock_toml,
    python_env_yaml,
    requirements_txt,
)
from envkit.models.directory import ModelDirectory

CONSTRAINTS = "constraints.txt"


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What the files are to say. tools: versions of pip, setuptools and wheel, None where not installed."""

    python: str
    tools: Mapping[str, str | None]
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    variables: tuple[str, ...]
    lock: str | None
    evidence: Mapping[str, Any]


def write(model: ModelDirectory, content: Content) -> tuple[str, ...]:
    """Write the files and give their names; a lock that is not valid any more is removed."""
    texts: dict[str, str | None] = {
        requirements_txt.FILE_NAME: requirements_txt.dumps(content.requirements, constraints_file=CONSTRAINTS),
        CONSTRAINTS: requirements_txt.dumps(content.constraints),
        conda_yaml.FILE_NAME: conda_yaml.dumps(_conda_env(content)),
        python_env_yaml.FILE_NAME: python_env_yaml.dumps(_python_env(content)),
        environment_variables_txt.FILE_NAME: environment_variables_txt.dumps(content.variables),
        pylock_toml.FILE_NAME: content.lock,
        envkit_json.FILE_NAME: envkit_json.dumps(content.evidence),
        **_mlmodel(model),
    }
    file_set.write_files(model.path, texts)
    return tuple(sorted(name for name, text in texts.items() if text is not None))
