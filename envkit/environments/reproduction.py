"""Rebuild the environment of a model and run the model in it: `prepare_env` and `predict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envkit.child import variables as variables_of
from envkit.child.progress import Reporter
from envkit.environments import r_environment
from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.environments.prepare import prepare
from envkit.errors import InvalidArgument
from envkit.interpreters.policy import PythonPolicy
from envkit.models.directory import ModelDirectory
from envkit.models.environment_files import read_spec
from envkit.models.uris.required_files import ENVIRONMENT

if TYPE_CHECKING:
    from envkit.child.sandbox import SandboxOption


def prepare_env(
    model_uri: str | Path,
    env_manager: EnvType | str = EnvType.UV,
    *,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    report: Reporter | None = None,
) -> Environment:
    """Build the environment of a model in the environment store, unless it is there already.

    Args:
        model_uri: A model directory, or a bare artifact, by its path or URI.
        env_manager: What builds the environment: `uv`, `virtualenv` or `conda`; `local` takes the
            interpreter that runs envkit as it is.
        allow_source: Let packages without a wheel be built, which runs their code.
        pip_requirements_override: One requirement, or several, that replace the model's
            requirements of the same name.
        python: The interpreter to build with: a program, the folder of an environment, or a command
            on the PATH. By default one of the model's version is searched.
        python_policy: What may replace the model's Python version: nothing (`exact`), another patch
            version (`minor`), or another minor version (`compatible`).
        conda_exe: The conda, mamba or micromamba that builds conda environments, or `embedded` for
            none of them. By default ENVKIT_CONDA_EXE, else the first on the PATH, else py-rattler.
        report: Called with a line of text about each step that takes time.

    Returns:
        The environment: its folder, its interpreter, its key, and notes about what differs from
        what the model asks for.

    Raises:
        InvalidArgument: An unknown `env_manager` or `python_policy`, or options that exclude each
            other.
        ModelNotFound: There is no model at `model_uri`.
        InvalidFile: A file of the model is malformed.
        PathOutsideModel: A file of the model names a path outside of the model.
        NotAnInterpreter: `python` names no program.
        InterpreterNotFound: No interpreter of the model's version was found.
        ToolNotFound: A program that builds the environment is not installed.
        BuildFailed: The environment could not be built.
    """
    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    return prepare_model(ModelDirectory.open(model_uri, ENVIRONMENT), choice, report)


def predict(
    model_uri: str | Path,
    input_data: Any = None,
    input_path: str | Path | None = None,
    content_type: str = "json",
    output_path: str | Path | None = None,
    env_manager: EnvType | str = EnvType.UV,
    *,
    allow_source: bool = False,
    pip_requirements_override: str | Sequence[str] = (),
    python: str | Path | None = None,
    python_policy: PythonPolicy | str = PythonPolicy.MINOR,
    conda_exe: str | Path | None = None,
    extra_envs: Mapping[str, str] | None = None,
    timeout: float | None = None,
    memory_bytes: int | None = None,
    sandbox: SandboxOption = None,
    report: Reporter | None = None,
) -> Any:
    """Predict with a model in its rebuilt environment, which is built when it is not there.

    Give either `input_data` or `input_path`. `env_manager` and the arguments that are not listed
    here are those of `prepare_env`.

    Args:
        model_uri: A model directory, or a bare artifact, by its path or URI.
        input_data: A DataFrame, Series, array or list; a mapping with one of the keys
            `dataframe_split`, `dataframe_records`, `instances` and `inputs`; or text that is such
            JSON, or CSV.
        input_path: A file of the content type, or a pipe.
        content_type: `json`, `csv` or `parquet`.
        output_path: A file for `{"predictions": …}`, which is written whole or not at all.
        extra_envs: Environment variables for the model, in addition to those of this process.
        timeout: Seconds after which the model is stopped.
        memory_bytes: Address space that the model may use.
        sandbox: True confines the model with bubblewrap, or with resource limits where that does
            not work; `"bubblewrap"` or `"limits"` only with that.

    Returns:
        The predictions as JSON values: a list of records for a DataFrame, a list for an array.

    Raises:
        InvalidArgument: As `prepare_env` says; also an unknown content type, or data that it cannot
            hold.
        InvalidFile: The input cannot be used, or as `prepare_env` says.
        InvalidInput: There is no input file.
        PredictionFailed: The model raised, ended, or ran longer than `timeout`.
        ToolNotFound: As `prepare_env` says; also when bubblewrap is required and does not work.
        EnvkitError: All else that `prepare_env` raises.
    """
    # 20 ms that preparing an environment does without
    from envkit.child import scratch
    from envkit.child.sandbox import confinement
    from envkit.environments import input_file, prediction
    from envkit.environments.prediction import ProcessOptions

    choice = EnvironmentChoice.from_arguments(
        env_manager,
        allow_source=allow_source,
        pip_requirements_override=pip_requirements_override,
        python=python,
        python_policy=python_policy,
        conda_exe=conda_exe,
    )
    input_file.check(input_data, input_path, content_type)
    variables_of.check(extra_envs or {})
    output = _output_path(output_path)
    model = ModelDirectory.open(model_uri)
    options = ProcessOptions(
        timeout=timeout,
        variables=extra_envs or {},
        memory_bytes=memory_bytes,
        confinement=confinement(sandbox, report),
    )
    with scratch.folder() as folder:
        source = Path(input_path) if input_path is not None else None
        file = input_file.as_file(input_data, source, content_type, folder)
        environment = prepare_model(model, choice, report)
        return prediction.predict(
            environment,
            model.request(),
            file,
            content_type,
            options,
            input_name=str(source or "the input"),
            output_path=output,
        )


def prepare_model(
    model: ModelDirectory, choice: EnvironmentChoice, report: Reporter | None = None
) -> Environment:
    """Build the environment of an open model unless it is in the store, and report its notes.

    Raises what `prepare_env` raises.
    """
    if model.mlmodel.runs_in_r:
        return r_environment.prepare(choice, report)
    spec = read_spec(model, for_conda=choice.manager is EnvType.CONDA)
    environment = prepare(spec, choice, report=report)
    if report is not None:
        for note in environment.notes:
            report(note)
    return environment


def _output_path(argument: str | Path | None) -> Path | None:
    if argument is None:
        return None
    path = Path(argument)
    if not path.absolute().parent.is_dir():
        raise InvalidArgument(f"The answer cannot be written to {path}: there is no such folder.")
    return path
