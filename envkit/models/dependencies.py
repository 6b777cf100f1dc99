"""The dependencies of a model as a file or as text, in the formats that users know."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from envkit.errors import InvalidArgument, InvalidFile
from envkit.formats import conda_yaml, pylock_toml, requirements_txt
from envkit.formats.requirement import Requirement
from envkit.formats.requirements_txt import Reference
from envkit.formats.text import read_text
from envkit.models.directory import ModelDirectory
from envkit.models.uris.required_files import dependencies

FORMATS = ("pip", "conda", "pylock")


def get_model_dependencies(model_uri: str | Path, format: str = "pip") -> str:  # noqa: A002 - the name users know
    """Give the path of the file that states what a model depends on.

    When a model has no `requirements.txt`, the pip section of its `conda.yaml` is written to one
    in a new temporary folder, which the caller may remove, and a `UserWarning` says so.

    Args:
        model_uri: The model; of a remote one only the few small files that state it are fetched.
        format: `pip` for `requirements.txt`, `conda` for `conda.yaml`, `pylock` for `pylock.toml`.

    Returns:
        The path of the file.

    Raises:
        InvalidArgument: The format is another one.
        ModelNotFound: There is no model.
        InvalidFile: The model has no such file.
    """
    model = ModelDirectory.open(model_uri, dependencies(format))
    path = _existing_file(model, format)
    if path is not None:
        return str(path)
    pip_section = _PipSection.of(model)
    # few models need it
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="envkit-"))
    for name, text in pip_section.texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    target = folder / requirements_txt.FILE_NAME
    warnings.warn(
        f"{pip_section.note}; it is written to {target}.{pip_section.omission}", stacklevel=2
    )
    return str(target)


def read_model_dependencies(
    model_uri: str | Path,
    format: str = "pip",  # noqa: A002 - the name users know
) -> tuple[str, str]:
    """Give the content of the file that `get_model_dependencies` names, and a note.

    The note is empty for a file of the model.

    Nothing is written. Raises what that raises, and `InvalidFile` for a file that is not text.
    """
    model = ModelDirectory.open(model_uri, dependencies(format))
    path = _existing_file(model, format)
    if path is not None:
        return read_text(path), ""
    pip_section = _PipSection.of(model)
    note = f"{pip_section.note}.{pip_section.omission}"
    return pip_section.texts[requirements_txt.FILE_NAME], note


def _existing_file(model: ModelDirectory, format: str) -> Path | None:  # noqa: A002
    """Give the file of a format; None when requirements must be extracted from `conda.yaml`."""
    if format not in FORMATS:
        raise InvalidArgument(f"format must be pip or conda (or pylock), not {format!r}.")
    if format == "pip":
        return model.file(requirements_txt.FILE_NAME)
    if format == "conda":
        hint = model.hint_of_r or "conda.yaml is written by `envkit capture`."
        return _required_file(model.conda_env_path, hint)
    lock = model.file(pylock_toml.FILE_NAME)
    if lock is not None:
        return lock
    hint = model.hint_of_r or "`envkit capture` writes it."
    return _required_file(model.path / pylock_toml.FILE_NAME, hint)


def _required_file(path: Path, hint: str) -> Path:
    if not path.is_file():
        raise InvalidFile(path, "", "there is no such file", hint)
    return path


@dataclass(frozen=True, slots=True)
class _PipSection:
    """The pip section of a `conda.yaml` as requirements files.

    texts: by file name. note: where it comes from. omission: a sentence, after a space, on what it
    does not contain, or an empty text.
    """

    texts: dict[str, str]
    note: str
    omission: str

    @classmethod
    def of(cls, model: ModelDirectory) -> _PipSection:
        hint = "There is no requirements.txt either; `envkit capture` writes both."
        path = _required_file(model.conda_env_path, model.hint_of_r or hint)
        env = conda_yaml.read(path)
        if env.pip is None:
            problem = "there is no pip section, and the model has no requirements.txt"
            raise InvalidFile(path, "dependencies", problem)
        stated = requirements_txt.follow("\n".join(env.pip), path, root=model.path)
        constraints = [_absolute(constraint, model.path) for constraint in stated.constraints]
        lines: list[object] = list(stated.options)
        lines += [_absolute(requirement, model.path) for requirement in stated.requirements]
        texts: dict[str, str] = {}
        if constraints:
            name = requirements_txt.CONSTRAINTS_FILE_NAME
            lines.append(Reference(target=name, constraint=True))
            texts[name] = _text(constraints)
        texts[requirements_txt.FILE_NAME] = _text(lines)
        omission = ""
        if env.packages:
            omission = f" The conda packages are not in it: {', '.join(env.packages)}."
        note = f"{model.path} has no requirements.txt; this is the pip section of its {path.name}"
        return cls(texts=texts, note=note, omission=omission)


def _text(lines: Iterable[object]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _absolute(requirement: Requirement, directory: Path) -> Requirement:
    """Make a path inside the model absolute, so that it can be read from the new folder."""
    path = requirement.path
    if path is None or not os.path.lexists(directory / path):
        return requirement
    absolute = str((directory / path).resolve())
    return replace(requirement, text=requirement.text.replace(path, absolute, 1))
