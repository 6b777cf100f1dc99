"""Arguments and options that several commands share, with the names that users of MLflow know."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

MEGABYTE = 1_000_000


def model(function: Command) -> Command:
    """Add MODEL and `-m/--model-uri`, of which one is required; the command gets `model_uri`."""
    return _model(function, required=True)


def optional_model(function: Command) -> Command:
    """Add MODEL and `-m/--model-uri`; the command gets `model_uri`, None where neither is given."""
    return _model(function, required=False)


def _model(function: Command, *, required: bool) -> Command:
    def choose(context: click.Context, _: click.Parameter, argument: str | None) -> str | None:
        option: str | None = context.params.pop("model_option", None)
        given = [uri for uri in (argument, option) if uri is not None]
        if len(given) > 1 or (required and not given):
            raise click.UsageError("Name the model once: as MODEL or with -m/--model-uri.")
        return given[0] if given else None

    # Eager, so that its value is known when the argument's callback runs.
    option = click.option(
        "-m",
        "--model-uri",
        "model_option",
        metavar="URI",
        is_eager=True,
        help="The model, instead of MODEL.",
    )
    argument = click.argument("model_uri", metavar="MODEL", required=False, callback=choose)
    return argument(option(function))


def models(function: Command) -> Command:
    """Add MODEL... and repeatable `-m/--model-uri`; the command gets `models` and `named`."""
    argument = click.argument("models", metavar="MODEL...", nargs=-1)
    option = click.option(
        "-m",
        "--model-uri",
        "named",
        metavar="URI",
        multiple=True,
        help="A model, in addition to MODEL.",
    )
    return argument(option(function))


def require_models(*uris: str) -> None:
    """Raise a usage error when no model is named."""
    if not uris:
        raise click.UsageError("Name at least one model: as MODEL or with -m/--model-uri.")


def verbosity(function: Command) -> Command:
    """Add `-q`, `-v` and `--debug`, which `output` and the error report find in the context."""

    def keep(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        flags = context.ensure_object(dict)
        # The flags may be given before the command, after it, or both.
        flags[parameter.name] = value or flags.get(parameter.name, False)

    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=keep, help="Print only errors."
    )
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=keep,
        help="Print more about each step.",
    )
    debug = click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=keep,
        help="Also print envkit's own traceback.",
    )
    return quiet(verbose(debug(function)))


json_output = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")

env_manager = click.option(
    "--env-manager",
    type=click.Choice(["uv", "virtualenv", "conda", "local"]),
    default="uv",
    show_default=True,
    help="What builds the environment; `local` builds none and uses the current one.",
)

allow_source = click.option(
    "--allow-source/--wheels-only",
    default=False,
    help="Allow building packages that have no wheel, which runs their code during installation; "
    "by default they are rejected.",
)

requirements_override = click.option(
    "-r",
    "--pip-requirements-override",
    multiple=True,
    metavar="REQUIREMENT",
    help="Replace the model's requirement of the same name; may be repeated.",
)

resolver = click.option(
    "--resolver",
    type=click.Choice(["uv", "pip-tools"]),
    help="The resolver that finds files and hashes.  [default: uv, and pip-tools for indexes that "
    "only pip is "
    "configured for]",
)

timeout = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop the model and its child processes after this time.",
)


def _megabytes(_: click.Context, __: click.Parameter, megabytes: int | None) -> int | None:
    return None if megabytes is None else megabytes * MEGABYTE


memory_limit = click.option(
    "--memory-limit",
    "memory_bytes",
    type=click.IntRange(min=1),
    callback=_megabytes,
    metavar="MB",
    help="The memory (address space) that the model may use.",
)


def variables(function: Command) -> Command:
    """Add `--env` and `--env-file`; the command gets `extra_envs`, a mapping."""

    def gather(
        context: click.Context, _: click.Parameter, words: tuple[str, ...]
    ) -> dict[str, str]:
        from envkit.formats import env_file  # only where a model runs

        assignments: list[tuple[str, str | None]] = []
        for path in context.params.pop("env_files", ()):
            assignments += env_file.read(path)
        for word in words:
            name, equals, value = word.partition("=")
            if not name:
                raise click.BadParameter("must be NAME=VALUE, or NAME.")
            assignments.append((name, value if equals else None))
        try:
            return env_file.resolved(assignments, os.environ)
        except KeyError as error:
            raise click.BadParameter(
                f"{error.args[0]} has no value here. Write NAME=VALUE, or set the variable."
            ) from None

    # Eager, so that the files are known when the callback of `--env` runs.
    files = click.option(
        "--env-file",
        "env_files",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        is_eager=True,
        help="A file of such variables, one a line; may be repeated.",
    )
    return click.option(
        "--env",
        "extra_envs",
        multiple=True,
        metavar="NAME[=VALUE]",
        callback=gather,
        help="An environment variable for the model, by default with its current value; may be "
        "repeated.",
    )(files(function))


def sandbox(function: Command) -> Command:
    """Add `--sandbox` and `--require-sandbox`; the command gets `sandbox`."""
    best = click.option(
        "--sandbox",
        "sandbox",
        flag_value="auto",
        default=None,
        help="Confine the model with bubblewrap (no network, read-only files, an empty home), or "
        "with resource limits "
        "where bubblewrap is missing.",
    )
    required = click.option(
        "--require-sandbox",
        "sandbox",
        flag_value="bubblewrap",
        help="The same, but fail without bubblewrap.",
    )
    return best(required(function))


python = click.option(
    "--python",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The interpreter in whose environment the model works; nothing has to be installed in it. "
    "[default: that of the active virtual environment (VIRTUAL_ENV, else ./.venv), else the one "
    "that runs envkit]",
)

target_python = click.option(
    "--python",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The interpreter to build the environment with.  [default: an installed one of the "
    "model's version]",
)

python_policy = click.option(
    "--python-policy",
    type=click.Choice(["exact", "minor", "compatible"]),
    default="minor",
    show_default=True,
    help="What may replace the model's Python: nothing, another patch version, another minor "
    "version.",
)

conda_exe = click.option(
    "--conda-exe",
    metavar="PATH",
    help="The conda, mamba or micromamba that builds with `--env-manager conda`; `embedded` uses "
    "none of them.  "
    "[default: $ENVKIT_CONDA_EXE, else the first on PATH, else embedded]",
)


def environment(function: Command) -> Command:
    """Add the options that choose an environment, with the names of `prepare_env`'s arguments."""
    for option in (
        allow_source,
        requirements_override,
        conda_exe,
        python_policy,
        target_python,
        env_manager,
    ):
        function = option(function)
    return function


def split_words(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Split values at commas and blanks: `--select A,B --select C` gives three words."""
    return tuple(word for value in values for word in value.replace(",", " ").split())
