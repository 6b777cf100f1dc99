"""The `envkit` program: finds the command, and is the one place that turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from envkit.cli import options
from envkit.errors import EnvkitError, ModelRaised, PredictionFailed

COMMANDS = {
    "bundle": "Put the wheels of all that a model needs into it.",
    "capture": "Trace a model and write the files that rebuild its environment.",
    "deps": "Print what a model depends on.",
    "download": "Fetch a model from where its URI leads.",
    "envs": "List, find, verify, remove and prune built environments.",
    "diff": "Show what differs between two models, captures, locks or environments.",
    "fix": "Mend what can be mended in a model's environment files, with a diff first.",
    "lock": "Lock what a model's files ask for, also for other machines.",
    "pack": "Put a model's environment into an archive that runs elsewhere.",
    "predict": "Predict with a model in its rebuilt environment.",
    "prepare-env": "Rebuild a model's environment, ready for use.",
    "serve": "Serve a model over HTTP from its rebuilt environment.",
    "validate": "Say whether models will run where they are taken.",
    "why": "Say why a package is in a model's environment.",
}
INTERRUPTED = 130
READER_GONE = 141  # 128 + SIGPIPE, as a shell tells it


class LazyGroup(click.Group):
    """Commands are imported when they are called, so that `envkit --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Name all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"envkit.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a failure ends with its message and its exit code."""
        ctx.ensure_object(dict)
        if sys.stdout is None:  # envkit was started without one
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except EnvkitError as error:
            _fail(error, debug=ctx.obj.get("debug", False))
        except (click.Abort, KeyboardInterrupt):
            click.echo("Interrupted.", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            sys.stdout = None  # nothing can be flushed at exit
            sys.exit(READER_GONE)
        except (
            OSError
        ) as error:  # the disk behind standard output, or that of temporary files, is full
            if ctx.obj.get("debug"):
                raise
            sys.stdout = None
            if error.filename:
                place = f": {error.filename}"
            else:
                place = " (standard output or a temporary file)"
            _fail(EnvkitError(f"{error.strerror or error}{place}."), debug=False)
        return result


def _fail(error: EnvkitError, *, debug: bool) -> NoReturn:
    if debug:
        import traceback

        traceback.print_exception(error)
    elif isinstance(error, (ModelRaised, PredictionFailed)) and error.traceback:
        click.echo(error.traceback.rstrip(), err=True)
    click.echo(f"{click.style('Error:', fg='red', bold=True)} {error}", err=True)
    sys.exit(error.exit_code)


@click.group(cls=LazyGroup, context_settings={"max_content_width": 100})
@click.version_option(None, "--version", package_name="envkit", message="envkit %(version)s")
@options.output
def main() -> None:
    """Capture exactly what a machine-learning model needs, and rebuild that environment anywhere.

    Capturing and predicting run the model's own code, in a process of their own: do it with models
    that you trust.
    """
