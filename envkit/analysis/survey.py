"""Read a model: its `MLmodel`, its own code as far as imports lead, its artifacts. Nothing of it is run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from envkit.analysis import artifacts, flavors, plugins, source_imports
from envkit.analysis.artifacts import Budget
from envkit.analysis.bounded_streams import LZ4
from envkit.analysis.mentions import Gap, Mention, Survey
from envkit.analysis.module_finder import Modules
from envkit.models.directory import ModelDirectory

MAX_FILES = 2000
MAX_SOURCE_BYTES = 2_000_000
MAX_SCANNED_BYTES = 64_000_000  # of a pickle that is searched for functions beside a trace
TESTS = frozenset({"docs", "examples", "test", "tests"})
NOT_MODULES = frozenset({"conftest.py", "setup.py"})
BY_VALUE = (b"CodeType", b"_make_function", b"code_new")
OF_CODE = Budget(opcodes=100_000, unpacked=MAX_SCANNED_BYTES)
NOT_ARTIFACTS = frozenset(
    {
        "MLmodel",
        "conda.yaml",
        "constraints.txt",
        "environment_variables.txt",
        "envkit.json",
        "input_example.json",
        "pylock.toml",
        "python_env.yaml",
        "requirements.txt",
        "serving_input_example.json",
    }
)


def of_everything(
    model: ModelDirectory,
    modules: Modules,
    python: str,
    budget: Budget | None = None,
    *,
    all_code: bool = False,
) -> Survey:
    """Read all that the model consists of.

    python: the version that is assumed when `MLmodel` names none. budget: what one artifact may
    take. all_code: also what code imports to which nothing leads, but for tests.
    """
    survey = Survey(python=python)
    flavors.read(model, survey)
    for path in _files(model, survey):
        artifacts.read(path, _relative(model, path), survey, budget or Budget())
    if model.artifact is not None:
        _add_arrays(model.artifact, model.example_path is not None, survey)
    read = _read_code(model, modules, survey, _main_code(model))
    if all_code and model.code_path is not None:
        _read_rest(model, model.code_path, read, survey)
    return survey


def of_code(model: ModelDirectory, modules: Modules, python: str, seen: tuple[str, ...]) -> Survey:
    """Read the model's own code, beginning with the files that were seen to run, and functions in its pickles."""
    survey = Survey(python=python)
    for path in _files(model, survey):
        if _holds_functions(path):
            artifacts.read(path, _relative(model, path), survey, OF_CODE)
    survey.mentions = [each for each in survey.mentions if each.by_code]
    roots = {Path(each) for each in seen if each.endswith(".py")}
    _read_code(model, modules, survey, [*_main_code(model), *sorted(roots)])
    return survey


def lz4_artifacts(model: ModelDirectory) -> Iterator[str]:
    """Yield the artifacts that joblib has compressed with lz4, for which it imports a library that may be absent."""
    for path in _files(model, Survey()):
        try:
            with path.open("rb") as stream:
                if stream.read(len(LZ4)) == LZ4:
                    yield _relative(model, path)
        except OSError:
            continue


def _add_arrays(artifact: str, asked: bool, survey: Survey) -> None:
    """Add NumPy for what a bare artifact is loaded or asked with, although its library can do without."""
    named = {each.module.partition(".")[0] for each in survey.mentions}
    if "safetensors" in named or ("torch" in named and asked):
        survey.add_modules({"numpy": False}, artifact)


def _holds_functions(path: Path) -> bool:
    try:
        if path.suffix not in artifacts.PICKLES or path.stat().st_size > MAX_SCANNED_BYTES:
            return False
        content = path.read_bytes()
    except OSError:
        return False
    return any(word in content for word in BY_VALUE)


def _files(model: ModelDirectory, survey: Survey) -> Iterator[Path]:
    """The artifacts: every file but code and those that describe the model. Links out of it are not followed."""
    if model.artifact is not None:
        yield model.path / model.artifact
        return
    code = model.code_path
    count = 0
    for folder, folders, names in os.walk(model.path):
        folders[:] = sorted(
            each for each in folders if each != "__pycache__" and Path(folder, each) != code
        )
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix == ".py" or (Path(folder) == model.path and name in NOT_ARTIFACTS):
                continue
            count += 1
            if count > MAX_FILES:
                survey.gaps.append(
                    Gap(
                        file=".",
                        problem=f"it has more than {MAX_FILES} files, the others were not read",
                    )
                )
                return
            if path.is_file() and path.resolve().is_relative_to(model.path):
                yield path


def _main_code(model: ModelDirectory) -> list[Path]:
    named = model.python_function.model_code_path
    if named:
        return [model.path / re.split(r"[/\\]", named)[-1]]
    return []


def _read_rest(model: ModelDirectory, code: Path, read: set[Path], survey: Survey) -> None:
    """Read what files of the code folder import that were not read; what is in tests is needed by nobody here."""
    for folder, folders, names in os.walk(code):
        folders[:] = sorted(
            each
            for each in folders
            if each not in TESTS and not each.startswith((".", "__pycache__"))
        )
        for name in sorted(names):
            path = Path(folder, name)
            if (
                path.suffix != ".py"
                or path in read
                or name.startswith("test_")
                or name in NOT_MODULES
            ):
                continue
            if len(read) >= MAX_FILES or not path.resolve().is_relative_to(model.path):
                continue
            read.add(path)
            found = Survey()
            survey.mentions += _imports(path, model, found)
            survey.gaps += found.gaps
            survey.unreached.add(_relative(model, path))


def _read_code(
    model: ModelDirectory, modules: Modules, survey: Survey, roots: list[Path]
) -> set[Path]:
    """Follow imports from the roots, the loader and what artifacts name, within the model's own code.

    Gives the files that were read.
    """
    loader = Mention(
        alternatives=(model.python_function.loader_module,), file="MLmodel", by_code=False
    )
    waiting = [
        *roots,
        *(file for each in (loader, *survey.mentions) for file in _own(each, modules, model)),
    ]
    read: set[Path] = set()
    while waiting and len(read) < MAX_FILES:
        path = waiting.pop()
        if path in read or not path.is_file():
            continue
        read.add(path)
        found = _imports(path, model, survey)
        survey.mentions += found
        waiting += [file for each in found for file in _own(each, modules, model)]
    survey.mentions.sort(key=lambda each: (each.file, each.line, each.alternatives))
    return read


def _own(mention: Mention, modules: Modules, model: ModelDirectory) -> Iterator[Path]:
    """The files of the model that an import would run: the module and the packages around it."""
    for name in mention.alternatives:
        parts = name.split(".")
        for count in range(len(parts), 0, -1):
            file = modules.find(".".join(parts[:count]))
            if (
                file is not None
                and file.endswith(".py")
                and any(Path(file).is_relative_to(own) for own in model.own_places)
            ):
                yield Path(file)


def _imports(path: Path, model: ModelDirectory, survey: Survey) -> list[Mention]:
    name = _relative(model, path)
    try:
        if path.stat().st_size > MAX_SOURCE_BYTES:
            survey.gaps.append(Gap(file=name, problem="it is too large to be code"))
            return []
        text = path.read_bytes()
        survey.variables += source_imports.variables(text, name)
        survey.groups += plugins.groups(text, name)
        survey.texts |= plugins.texts(text)
        return list(source_imports.mentions(text, name, _package(path, model)))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        survey.gaps.append(Gap(file=name, problem=f"it is no code that can be read ({error})"))
        return []


def _package(path: Path, model: ModelDirectory) -> str:
    """The package that a file of `code/` is in."""
    code = model.code_path
    inside = code is not None and path.is_relative_to(code)
    if code is not None and inside:
        return ".".join(path.relative_to(code).parent.parts)
    return ""


def _relative(model: ModelDirectory, path: Path) -> str:
    if path.is_relative_to(model.path):
        return path.relative_to(model.path).as_posix()
    return str(path)
