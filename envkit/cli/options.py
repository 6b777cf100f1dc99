"""Arguments and options that several commands share, under the names that MLflow's users know."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def model(function: Command) -> Command:
    """MODEL, or `-m/--model-uri`; the command gets `model_uri`."""
    return _model(function, needed=True)


def model_if_named(function: Command) -> Command:
    """The same for a command that knows of a model when none is named; it then gets None."""
    return _model(function, needed=False)


def _model(function: Command, *, needed: bool) -> Command:
    def one_of_both(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
        named = ctx.params.pop("model_option", None)
        if (value is not None and named is not None) or (
            needed and value is None and named is None
        ):
            raise click.UsageError("Name the model once: as MODEL or with -m/--model-uri.")
        chosen: str | None = value if value is not None else named
        return chosen

    option = click.option(
        "-m",
        "--model-uri",
        "model_option",
        metavar="URI",
        is_eager=True,
        help="The model; the same as MODEL.",
    )
    return click.argument("model_uri", metavar="MODEL", required=False, callback=one_of_both)(
        option(function)
    )


def output(function: Command) -> Command:
    """`-q`, `-v` and `--debug`; they are kept in the context and read by `note` and by the error report."""

    def keep(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        settings = ctx.ensure_object(dict)
        # before the command, or after it
        settings[parameter.name] = value or settings.get(parameter.name, False)

    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=keep, help="Only errors."
    )
    verbose = click.option(
        "-v",
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=keep,
        help="Say more about what is done.",
    )
    debug = click.option(
        "--debug",
        is_flag=True,
        expose_value=False,
        callback=keep,
        help="Show envkit's own traceback too.",
    )
    return quiet(verbose(debug(function)))


json_output = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")

env_manager = click.option(
    "--env-manager",
    type=click.Choice(["uv", "virtualenv", "conda", "local"]),
    default="uv",
    show_default=True,
    help="What builds the environment; local: none is built, the current one is used.",
)

allow_source = click.option(
    "--allow-source/--wheels-only",
    default=False,
    help="Allow packages that have no wheel to be built, which runs their code during the installation; or, as by "
    "default, refuse them.",
)

requirements_override = click.option(
    "-r",
    "--pip-requirements-override",
    multiple=True,
    metavar="REQUIREMENT",
    help="Take this in place of the model's requirement of the same name; may be given several times.",
)

resolver = click.option(
    "--resolver",
    type=click.Choice(["uv", "pip-tools"]),
    help="Who is asked for files and hashes.  [default: uv, and pip-tools for what only pip is configured for]",
)

timeout = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End the model, with all that it started, after this time.",
)

memory = click.option(
    "--memory-limit",
    type=click.IntRange(min=1),
    metavar="MB",
    help="Memory that the model may use (address space).",
)


def variables(function: Command) -> Command:
    """`--env` and `--env-file`; the command gets `variables`, a mapping. A name without a value takes the caller's."""

    def gather(ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
        from envkit.formats import env_file

        files = ctx.params.pop("env_files", ())
        assignments = [each for path in files for each in env_file.read(path)]
        for each in given:
            name, equals, value = each.partition("=")
            if not name:
                raise click.BadParameter("must be NAME=VALUE, or NAME.")
            assignments.append((name, value if equals else None))
        try:
            return env_file.resolved(assignments, os.environ)
        except KeyError as error:
            raise click.BadParameter(
                f"{error.args[0]} has no value here: write NAME=VALUE, or set it."
            ) from None

    file = click.option(
        "--env-file",
        "env_files",
        type=click.Path(path_type=Path),
        multiple=True,
        metavar="FILE",
        is_eager=True,
        help="Variables for the model: a file of such lines; may be given several times.",
    )
    return click.option(
        "--env",
        "variables",
        multiple=True,
        metavar="NAME[=VALUE]",
        callback=gather,
        help="A variable for the model, NAME alone with the value that it has here; may be given several times.",
    )(file(function))


def sandbox(function: Command) -> Command:
    """`--sandbox` and `--require-sandbox`; the command gets `sandbox`, a wish as `envkit.child.sandbox` takes it."""
    best = click.option(
        "--sandbox",
        "sandbox",
        flag_value="auto",
        default=None,
        help="Confine the model: by bubblewrap (no network, nothing to write to, an empty home) or else by resource "
        "limits; it is said by which.",
    )
    return best(
        click.option(
            "--require-sandbox",
            "sandbox",
            flag_value="bubblewrap",
            help="The same, and fail without bubblewrap.",
        )(function)
    )


python = click.option(
    "--python",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The interpreter in whose environment the model works; nothing needs to be installed in it. "
    "[default: the one that runs envkit]",
)


target_python = click.option(
    "--python",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The interpreter to build the environment with.  [default: one of the model's version, which is looked for]",
)

python_policy = click.option(
    "--python-policy",
    type=click.Choice(["exact", "minor", "compatible"]),
    default="minor",
    show_default=True,
    help="What may take the place of the model's Python: nothing, another patch version, another minor version.",
)

conda_exe = click.option(
    "--conda-exe",
    metavar="PATH",
    help="The conda, mamba or micromamba that builds with `--env-manager conda`; `embedded`: none of them.  "
    "[default: $ENVKIT_CONDA_EXE, else the first on the PATH, else embedded]",
)


def is_quiet() -> bool:
    """Whether the user wants only errors to be told."""
    return bool(click.get_current_context().ensure_object(dict).get("quiet"))


def environment(function: Command) -> Command:
    """All that says which environment of a model is meant; the command gets it as keywords of `prepare_env`."""
    several = (
        env_manager,
        target_python,
        python_policy,
        conda_exe,
        requirements_override,
        allow_source,
    )
    for option in reversed(several):
        function = option(function)
    return function


def note(message: str, *, only_verbose: bool = False) -> None:
    """Tell the user what is going on, on standard error; silent with `-q`."""
    settings = click.get_current_context().ensure_object(dict)
    if settings.get("quiet") or (only_verbose and not settings.get("verbose")):
        return
    click.echo(message, err=True)
