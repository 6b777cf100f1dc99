"""What every `save_model` has in common: arguments, a folder that appears whole or not at all, one capture."""

from __future__ import annotations

import inspect
import logging
import platform
import re
import shlex
import shutil
import sys
import sysconfig
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypedDict, TypeVar

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envkit.capturing import stated_requirements
from envkit.capturing.capture import capture
from envkit.capturing.outcome import Capture
from envkit.capturing.stated_requirements import CondaEnv, Lines
from envkit.errors import InvalidArgument
from envkit.formats import conda_yaml, python_env_yaml
from envkit.inside.data import wire
from envkit.models import input_example as examples
from envkit.models.capture_warnings import WarningKind
from envkit.models.inference.params import schema_of_params
from envkit.models.inference.schemas import infer_schema
from envkit.models.model import Model
from envkit.models.signature import ModelSignature

CODE = "code"
ENVIRONMENT = {"conda": conda_yaml.FILE_NAME, "virtualenv": python_env_yaml.FILE_NAME}
# warnings that keep a saved model from working elsewhere
TOLD = (WarningKind.OUTSIDE, WarningKind.NOT_STATED)

_log = logging.getLogger("envkit")


@dataclass(frozen=True, kw_only=True, slots=True)
class Saved:
    """What a flavor put into the folder, as `MLmodel` is to say it.

    loader_module: what loads it as a `python_function`, None for a flavor that does not predict.
    python_function: the other fields of that flavor. flavors: the sections of the other flavors, by
    name; each gets `code`. signature, example: in the place of those that nobody gave. metadata:
    added to what the author says. least: requirements without which it does not load, which those
    that the author states need not name.
    """

    loader_module: str | None
    python_function: Mapping[str, Any] = field(default_factory=dict)
    flavors: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    signature: ModelSignature | None = None
    example: Any = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    least: Sequence[str] = ()


class Options(TypedDict, total=False):
    """The parameters that every `save_model` takes; `save` says what they mean."""

    conda_env: CondaEnv | None
    code_paths: Sequence[str | Path] | None
    infer_code_paths: bool
    mlflow_model: Model | None
    signature: Any
    input_example: Any
    pip_requirements: Lines | None
    extra_pip_requirements: Lines | None
    metadata: Mapping[str, Any] | None
    resources: Any
    auth_policy: Any
    timeout: float | None


def save(
    path: str | Path,
    write: Callable[[Path], Saved],
    *,
    conda_env: CondaEnv | None = None,
    code_paths: Sequence[str | Path] | None = None,
    infer_code_paths: bool = False,
    mlflow_model: Model | None = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Lines | None = None,
    extra_pip_requirements: Lines | None = None,
    metadata: Mapping[str, Any] | None = None,
    resources: Any = None,
    auth_policy: Any = None,
    timeout: float | None = None,
) -> None:
    """Save a model: `write` puts its data into a folder, the rest is done here.

    path: where the model directory is to be; nothing, or an empty folder, may be there. conda_env:
    a conda environment, as a dict or the path of its file, that is written as it is. code_paths:
    files and folders of Python code that go into the model's `code/`. infer_code_paths: take along
    every module outside the model that it imports and no distribution has. mlflow_model: the
    `Model` that gets the flavors, default a new one. signature: a `ModelSignature`; None for one
    inferred from the example and the prediction on it, False for none. input_example: data, or a
    pair of data and parameters, on which the model predicts once. pip_requirements: lines of a
    requirements file, or its path, in the place of what is captured; extra_pip_requirements: in
    addition to it. metadata: what the author says of the model. resources, auth_policy: what
    serving it must reach. timeout: seconds for loading and predicting.

    Raises `InvalidArgument` for what cannot be meant, `CaptureFailed` when the model does not load
    and predict in a process of its own (its traceback is the error's), and whatever `write` raises.
    Then nothing is left at `path`.
    """
    stated = (conda_env, pip_requirements, extra_pip_requirements)
    _check_environment(*stated)
    codes = _checked_code(code_paths)
    given = _signature(signature)
    target = _target(path)
    model = mlflow_model if mlflow_model is not None else Model()
    with _appearing(target) as folder:
        saved = write(folder)
        _copy_code(codes, folder)
        _describe(model, saved, has_code=bool(codes))
        model.metadata = {**saved.metadata, **(model.metadata or {}), **(metadata or {})} or None
        model.resources = (
            Model(resources=resources).resources if resources is not None else model.resources
        )
        model.auth_policy = (
            Model(auth_policy=auth_policy).auth_policy
            if auth_policy is not None
            else model.auth_policy
        )
        example = _put_example(
            saved.example if input_example is None else input_example, model, folder
        )
        wanted = given or (saved.signature if signature is None else None)
        model.signature = wanted or (_of_example(example) if signature is None else None)
        model.model_size_bytes = sum(
            each.stat().st_size for each in folder.rglob("*") if each.is_file()
        )
        model.save(folder)
        if saved.loader_module is None:
            return

        def complete(answer: bytes | None) -> None:
            if wanted is None and signature is None and example is not None:
                model.signature = _with_answer(model.signature, answer)
                model.save(folder)

        stated = (conda_env, _at_least(pip_requirements, saved.least), extra_pip_requirements)
        captured = _captured(folder, stated, timeout, complete, include_code=infer_code_paths)
        if infer_code_paths:
            _reread_code(model, folder)
        _tell(captured)


P = ParamSpec("P")
R = TypeVar("R")


def with_options(function: Callable[P, None]) -> Callable[P, None]:
    """Show the parameters of `save` in the signature of a function that passes them on as `**options`."""
    return with_options_of(save)(function)


def with_options_of(
    other: Callable[..., Any], without: str = ""
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Show the keywords of `other`, but for that one, in the signature of a function that passes them on."""

    def showing(function: Callable[P, R]) -> Callable[P, R]:
        own = inspect.signature(function)
        taken = [each for each in own.parameters.values() if each.kind is not each.VAR_KEYWORD]
        names = {without, *(each.name for each in taken)}
        passed = inspect.signature(other).parameters.values()
        common = [
            each for each in passed if each.kind is each.KEYWORD_ONLY and each.name not in names
        ]

        @wraps(function)
        def shown(*args: P.args, **kwargs: P.kwargs) -> R:
            return function(*args, **kwargs)

        shown.__signature__ = own.replace(parameters=[*taken, *common])  # type: ignore[attr-defined]
        return shown

    return showing


def default_requirements(*names: str) -> list[str]:
    """Pin installed distributions: what a flavor needs at least. Those that are not installed are named alone."""
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in names:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            found.append(name)
    return found


def conda_environment(requirements: Sequence[str]) -> dict[str, Any]:
    """Give a conda environment with the running Python and these requirements, as a dict."""
    dependencies: list[Any] = [
        f"python={platform.python_version()}",
        "pip",
        {"pip": list(requirements)},
    ]
    return {"name": "envkit-env", "channels": ["conda-forge"], "dependencies": dependencies}


def _check_environment(conda_env: Any, requirements: Any, extra: Any) -> None:
    """Read what is stated once, before anything is done."""
    given = {
        "conda_env": conda_env,
        "pip_requirements": requirements,
        "extra_pip_requirements": extra,
    }
    stated = [name for name, value in given.items() if value is not None]
    if len(stated) > 1:
        raise InvalidArgument(
            f"Give only one of {' and '.join(stated)}: each says what the model's environment is."
        )
    stated_requirements.wish(requirements, extra, conda_env)


def _at_least(requirements: Lines | None, least: Sequence[str]) -> Lines | None:
    """What is stated, with what the model cannot do without and they do not name."""
    if requirements is None:
        return None
    known = {
        canonicalize_name(each.name or "")
        for each in stated_requirements.wish(requirements, None, None).file.requirements
    }
    more = [each for each in least if canonicalize_name(Requirement(each).name) not in known]
    if isinstance(requirements, str | Path):
        lines = [f"-r {shlex.quote(str(requirements))}"]
    else:
        lines = list(requirements)
    if more:
        return [*lines, *more]
    return requirements


def _checked_code(code_paths: Sequence[str | Path] | None) -> list[Path]:
    if code_paths is None:
        return []
    if isinstance(code_paths, str | Path):
        raise InvalidArgument(
            f"code_paths is a list of files and folders: write code_paths=[{str(code_paths)!r}]."
        )
    found = [Path(each).expanduser().absolute() for each in code_paths]
    for each in found:
        if not each.exists():
            raise InvalidArgument(f"code_paths: there is no file or folder {each}.")
    return found


def _signature(given: Any) -> ModelSignature | None:
    """Take also MLflow's own."""
    if given is None or given is False or isinstance(given, ModelSignature):
        return given or None
    if hasattr(given, "to_dict"):
        return ModelSignature.from_dict(given.to_dict())
    raise InvalidArgument(f"signature is a ModelSignature, None or False, not {given!r}.")


def _target(path: str | Path) -> Path:
    target = Path(path).expanduser().absolute()
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise InvalidArgument(
            f"{target} is there already; a model is saved to a new or an empty folder."
        )
    if target.is_dir() and any(target.iterdir()):
        raise InvalidArgument(
            f"{target} is not empty; a model is saved to a new or an empty folder."
        )
    return target


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Give a hidden folder beside `target` that becomes it when the block ends well, and is removed when not."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent.resolve()))
    except OSError as error:
        raise InvalidArgument(
            f"The model cannot be saved to {target}: {error.strerror}."
        ) from error
    try:
        hidden.chmod(0o755)
        yield hidden
        hidden.replace(target)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def _copy_code(paths: Sequence[Path], folder: Path) -> None:
    """Copy each below `code/`, by its last name; a link is followed, what Python compiled is left out."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".git", ".venv")
    for each in paths:
        if each.name:
            target = folder / CODE / each.name
        else:
            target = folder / CODE
        if target.exists():
            raise InvalidArgument(f"code_paths: two of them are called {each.name}.")
        if folder.is_relative_to(each.resolve()):
            raise InvalidArgument(
                f"code_paths: {each} holds the folder that the model is saved to."
            )
        target.parent.mkdir(exist_ok=True)
        if each.is_dir():
            shutil.copytree(each, target, ignore=ignored)
        else:
            shutil.copy2(each, target)


def _describe(model: Model, saved: Saved, *, has_code: bool) -> None:
    code = CODE if has_code else None
    for name, fields in saved.flavors.items():
        model.add_flavor(name, **{**fields, "code": code})
    if saved.loader_module is not None:
        add_to_model(model, saved.loader_module, code=code, **saved.python_function)


def add_to_model(
    model: Model,
    loader_module: str,
    data: str | None = None,
    code: str | None = None,
    conda_env: str | None = ENVIRONMENT["conda"],
    python_env: str | None = ENVIRONMENT["virtualenv"],
    model_config: Any = None,
    model_code_path: str | None = None,
    **kwargs: Any,
) -> Model:
    """Add the flavor `python_function` to a model's description, and give that.

    loader_module: the module whose `_load_pyfunc` loads it. data: path of the data below the model
    directory, default the directory. code: folder of its modules. conda_env, python_env: files of
    its environment. model_config, model_code_path: as `save_model` has them. kwargs: further fields
    of the flavor.
    """
    fields: dict[str, Any] = {
        "loader_module": loader_module,
        "python_version": platform.python_version(),
        **kwargs,
    }
    env = {
        name: value for name, value in (("conda", conda_env), ("virtualenv", python_env)) if value
    }
    optional = {
        "data": data,
        "config": model_config,
        "model_code_path": model_code_path,
        "env": env or None,
    }
    fields |= {name: value for name, value in optional.items() if value is not None}
    return model.add_flavor("python_function", **{**fields, "code": code})


def _put_example(given: Any, model: Model, folder: Path) -> examples.SavedExample | None:
    if given is None:
        return None
    example = examples.encode(given)
    for name, text in example.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    model.saved_input_example_info = example.info
    return example


def _of_example(example: examples.SavedExample | None) -> ModelSignature | None:
    """The signature as far as the example tells it: the model is to predict on data of these types."""
    if example is None:
        return None
    try:
        return ModelSignature(
            inputs=infer_schema(example.data), params=schema_of_params(example.params or {}) or None
        )
    except InvalidArgument as error:
        warnings.warn(f"No signature can be inferred from the input example: {error}", stacklevel=4)
        return None


def _with_answer(signature: ModelSignature | None, answer: bytes | None) -> ModelSignature | None:
    if signature is None or answer is None:
        return signature
    try:
        outputs = infer_schema(wire.loads(answer))
    except (InvalidArgument, wire.Malformed, ImportError) as error:
        _log.warning("The signature does not say what the model answers: %s", error)
        return signature
    return ModelSignature(signature.inputs, outputs, signature.params)


def _captured(
    folder: Path,
    stated: tuple[Any, Any, Any],
    timeout: float | None,
    complete: Callable[[bytes | None], None],
    *,
    include_code: bool,
) -> Capture:
    conda_env, requirements, extra = stated
    return capture(
        folder,
        timeout=timeout,
        include_code=include_code,
        code_paths=list(_own_folders()),
        requirements=requirements,
        extra_requirements=extra,
        conda_env=conda_env,
        complete=complete,
    )


def _own_folders() -> Iterator[Path]:
    """The folders from which this process imports its own code: no standard library, no installed distributions."""
    standard = {Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")}
    for each in dict.fromkeys(sys.path):
        folder = Path(each or ".").absolute()
        if (
            not folder.is_dir()
            or ":" in str(folder)
            or {folder.resolve(), folder.resolve().parent} & standard
        ):
            continue
        if not any(re.search(r"\.(dist|egg)-info$", entry.name) for entry in folder.iterdir()):
            yield folder


def _reread_code(model: Model, folder: Path) -> None:
    """The capture may have found code to take along; the model's description is to say so, too."""
    code = Model.load(folder).flavors["python_function"].get("code")
    for fields in model.flavors.values():
        fields["code"] = code


def _tell(captured: Capture) -> None:
    for each in captured.warnings:
        if each.kind in TOLD:
            warnings.warn(f"The saved model may not work elsewhere: {each}.", stacklevel=5)
        else:
            _log.info("%s", each)
