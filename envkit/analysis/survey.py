"""Read a model: its `MLmodel`, its code as far as imports lead, its artifacts. Nothing is run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from envkit.analysis import artifacts, flavors, source_imports
from envkit.analysis.artifacts import Budget
from envkit.analysis.bounded_streams import LZ4
from envkit.analysis.mentions import Gap, Mention, Survey, UnreadReason, modules_mentioned
from envkit.analysis.module_finder import Modules
from envkit.analysis.source_file import SourceFiles
from envkit.models.directory import ModelDirectory

MAX_FILES = 2000
MAX_SOURCE_BYTES = 2_000_000
MAX_SCANNED_BYTES = 64_000_000  # of a pickle that is searched for functions when a model was traced
TESTS = frozenset({"docs", "examples", "test", "tests"})
NOT_MODULES = frozenset({"conftest.py", "setup.py"})
BY_VALUE = (b"CodeType", b"_make_function", b"code_new")  # in pickles of functions
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
    sources: SourceFiles | None = None,
    all_code: bool = False,
) -> Survey:
    """Read all files of a model.

    python: the version that is assumed when `MLmodel` names none. budget: what reading one artifact
    may take. all_code: also the files of the code folder to which no import leads, except tests.
    """
    paths, gaps = _artifact_paths(model)
    parts = [flavors.read(model), Survey(gaps=gaps)]
    budget = budget or Budget()
    parts += [artifacts.read(path, _relative(model, path), budget) for path in paths]
    if model.artifact is not None:
        has_example = model.example_path is not None
        parts.append(_arrays(model.artifact, has_example, parts))
    reader = _CodeReader(model, modules, sources or SourceFiles())
    code = reader.follow_imports(_main_code(model), _mentions_of(parts))
    rest = reader.read_rest() if all_code else Survey()
    # where no import leads, only the imports count: no environment variables, no plugins
    rest = Survey(mentions=rest.mentions, gaps=rest.gaps, unreached=rest.unreached)
    reached = _sorted(Survey.joined([*parts, code, Survey(python=python)]))
    return Survey.joined([reached, rest])


def of_code(
    model: ModelDirectory,
    modules: Modules,
    python: str,
    seen: Iterable[str],
    sources: SourceFiles | None = None,
) -> Survey:
    """Read a model's code, starting from the files `seen` to run, and functions in its pickles."""
    paths, gaps = _artifact_paths(model)
    parts = [Survey(gaps=gaps)]
    for path in paths:
        if _holds_functions(path):
            artifact = artifacts.read(path, _relative(model, path), OF_CODE)
            by_code = tuple(mention for mention in artifact.mentions if mention.by_code)
            parts.append(replace(artifact, mentions=by_code))
    roots = _main_code(model)
    roots += sorted({Path(file) for file in seen if file.endswith(".py")})
    reader = _CodeReader(model, modules, sources or SourceFiles())
    code = reader.follow_imports(roots, _mentions_of(parts))
    return _sorted(Survey.joined([*parts, code, Survey(python=python)]))


def lz4_artifacts(model: ModelDirectory) -> Iterator[str]:
    """Yield the artifacts that joblib compressed with lz4; loading them imports that library."""
    paths, _ = _artifact_paths(model)
    for path in paths:
        try:
            with path.open("rb") as stream:
                if stream.read(len(LZ4)) == LZ4:
                    yield _relative(model, path)
        except OSError:
            continue


class _CodeReader:
    """Reads source files of one model, each once."""

    def __init__(
        self,
        model: ModelDirectory,
        modules: Modules,
        sources: SourceFiles,
    ) -> None:
        self._model = model
        self._modules = modules
        self._sources = sources
        self._read: set[Path] = set()

    def follow_imports(self, roots: Iterable[Path], mentions: Iterable[Mention]) -> Survey:
        """Read the roots, the loader, what artifacts mention, and what all these import."""
        loader = Mention(
            alternatives=(self._model.python_function.loader_module,),
            file="MLmodel",
            by_code=False,
        )
        waiting = [*roots, *self._own_files((loader, *mentions))]
        surveys = []
        while waiting and len(self._read) < MAX_FILES:
            path = waiting.pop()
            if path in self._read or not path.is_file():
                continue
            survey = self._survey(path)
            surveys.append(survey)
            waiting += self._own_files(survey.mentions)
        return Survey.joined(surveys)

    def read_rest(self) -> Survey:
        """Read the files of the code folder that were not read; tests are not needed to predict."""
        code = self._model.code_path
        surveys = []
        for path in _modules_below(code) if code is not None else ():
            is_inside = path.resolve().is_relative_to(self._model.path)
            if path in self._read or not is_inside:
                continue
            if len(self._read) >= MAX_FILES:
                break
            unreached = frozenset({_relative(self._model, path)})
            surveys.append(replace(self._survey(path), unreached=unreached))
        return Survey.joined(surveys)

    def _survey(self, path: Path) -> Survey:
        self._read.add(path)
        name = _relative(self._model, path)
        try:
            if path.stat().st_size > MAX_SOURCE_BYTES:
                return _unread(name, UnreadReason.TOO_LARGE, "it is too large to be code")
            source = self._sources.file(path)
            if source.problem is not None:
                return _unread(name, UnreadReason.BROKEN, source.problem)
            mentions = source_imports.mentions_in(source, name, self._package(path))
            variables = [replace(variable, file=name) for variable in source.variables]
            groups = [replace(group, file=name) for group in source.entry_point_groups]
            return Survey(
                mentions=tuple(mentions),
                variables=tuple(variables),
                groups=tuple(groups),
                texts=source.texts,
            )
        except OSError as error:
            return _unread(name, UnreadReason.BROKEN, f"it cannot be read ({error.strerror})")

    def _own_files(self, mentions: Iterable[Mention]) -> list[Path]:
        """The files of the model that imports would run: modules, and the packages around them."""
        names = (name for mention in mentions for name in mention.alternatives)
        files = (file for name in names for file in self._files_of(name))
        return [file for file in files if self._is_own(file)]

    def _is_own(self, file: Path) -> bool:
        return any(file.is_relative_to(place) for place in self._model.own_places)

    def _files_of(self, module: str) -> Iterator[Path]:
        parts = module.split(".")
        for count in range(len(parts), 0, -1):
            file = self._modules.find(".".join(parts[:count]))
            if file is not None and file.endswith(".py"):
                yield Path(file)

    def _package(self, path: Path) -> str:
        """The package that a file of the code folder is in."""
        code = self._model.code_path
        if code is None or not path.is_relative_to(code):
            return ""
        return ".".join(path.relative_to(code).parent.parts)


def _artifact_paths(model: ModelDirectory) -> tuple[list[Path], tuple[Gap, ...]]:
    """The files that are neither code nor describe the model, and whether some were left out.

    Links that lead out of the model are not followed.
    """
    if model.artifact is not None:
        return [model.path / model.artifact], ()
    paths: list[Path] = []
    for count, path in enumerate(_artifact_candidates(model), start=1):
        if count > MAX_FILES:
            problem = f"it has more than {MAX_FILES} files, the others were not read"
            return paths, (Gap(file=".", reason=UnreadReason.TOO_LARGE, problem=problem),)
        if path.is_file() and path.resolve().is_relative_to(model.path):
            paths.append(path)
    return paths, ()


def _artifact_candidates(model: ModelDirectory) -> Iterator[Path]:
    code = model.code_path
    for folder, folders, names in os.walk(model.path):
        skipped = {"__pycache__"}
        if code is not None and Path(folder) == code.parent:
            skipped.add(code.name)
        folders[:] = sorted(set(folders) - skipped)
        is_top = Path(folder) == model.path
        for name in sorted(names):
            if name.endswith(".py") or (is_top and name in NOT_ARTIFACTS):
                continue
            yield Path(folder, name)


def _modules_below(code: Path) -> Iterator[Path]:
    """Yield the source files of a code folder, except tests."""
    for folder, folders, names in os.walk(code):
        kept = (name for name in folders if not name.startswith((".", "__pycache__")))
        folders[:] = sorted(set(kept) - TESTS)
        for name in sorted(names):
            is_test = name.startswith("test_") or name in NOT_MODULES
            if name.endswith(".py") and not is_test:
                yield Path(folder, name)


def _arrays(
    artifact: str,
    has_example: bool,
    parts: Iterable[Survey],
) -> Survey:
    """NumPy, where loading a bare artifact or predicting needs it although its library does not."""
    named = {mention.module.partition(".")[0] for mention in _mentions_of(parts)}
    if "safetensors" in named or ("torch" in named and has_example):
        return Survey(mentions=modules_mentioned({"numpy": False}, artifact))
    return Survey()


def _holds_functions(path: Path) -> bool:
    try:
        if path.suffix not in artifacts.PICKLES or path.stat().st_size > MAX_SCANNED_BYTES:
            return False
        content = path.read_bytes()
    except OSError:
        return False
    return any(word in content for word in BY_VALUE)


def _main_code(model: ModelDirectory) -> list[Path]:
    """The file of a model that is saved as code (`model_code_path`)."""
    named = model.python_function.model_code_path
    if not named:
        return []
    return [model.path / re.split(r"[/\\]", named)[-1]]


def _mentions_of(parts: Iterable[Survey]) -> list[Mention]:
    return [mention for part in parts for mention in part.mentions]


def _sorted(survey: Survey) -> Survey:
    """Return the survey with its mentions in the order of files and lines."""

    def place(mention: Mention) -> tuple[str, int, tuple[str, ...]]:
        return mention.file, mention.line, mention.alternatives

    return replace(survey, mentions=tuple(sorted(survey.mentions, key=place)))


def _unread(
    file: str,
    reason: UnreadReason,
    problem: str,
) -> Survey:
    return Survey(gaps=(Gap(file=file, reason=reason, problem=problem),))


def _relative(model: ModelDirectory, path: Path) -> str:
    if path.is_relative_to(model.path):
        return path.relative_to(model.path).as_posix()
    return str(path)
