"""The `envkit` program: finds the command, and turns errors into exit codes, nowhere else."""

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
    "dockerfile": "Write a Dockerfile for a model.",
    "generate-dockerfile": "Write a Dockerfile for a model, as `mlflow models` does.",
    "build-docker": "Build a model's image and load it into Docker or podman.",
    "build-image": "Build a model's container image, without a container engine.",
    "bundle": "Add the model's wheels for offline rebuilds.",
    "capture": "Trace a model and write the files that rebuild its environment.",
    "deps": "Print a model's dependencies.",
    "download": "Fetch a model from its URI.",
    "envs": "List, find, verify, remove and prune built environments.",
    "diff": "Show the differences between two models, captures, locks or environments.",
    "export": "Write files for Compose, Kubernetes or systemd that run models.",
    "fix": "Fix environment files, after showing the changes.",
    "lock": "Lock a model's requirements, also for other platforms.",
    "pack": "Pack a model's environment into an archive that runs on other machines.",
    "predict": "Predict with a model in its rebuilt environment.",
    "prepare-env": "Rebuild a model's environment.",
    "serve": "Serve a model over HTTP from its rebuilt environment.",
    "update-pip-requirements": "Update requirements, as `mlflow models` does.",
    "update-requirements": "Add or remove requirements of a saved model.",
    "validate": "Check that models will run where they are deployed.",
    "why": "Show why a package is in a model's environment.",
}
INTERRUPTED = 130
READER_GONE = 141  # 128 + SIGPIPE, the status that shells report


class LazyGroup(click.Group):
    """Imports a command when it is called, so that `envkit --help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"envkit.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a failure ends with its message and its exit code."""
        ctx.ensure_object(dict)
        if sys.stdout is None:  # a closed descriptor 1, as in `envkit … >&-`
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the end
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except EnvkitError as error:
            _fail(error, debug=ctx.obj.get("debug", False))
        except (click.Abort, KeyboardInterrupt):
            click.echo("Interrupted.", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            sys.stdout = None  # or Python would flush it once more at its end
            sys.exit(READER_GONE)
        except OSError as error:  # a full disk, behind standard output or temporary files
            if ctx.obj.get("debug"):
                raise
            sys.stdout = None
            _fail(_disk_error(error), debug=False)
        return result


def _disk_error(error: OSError) -> EnvkitError:
    place = " (standard output or a temporary file)"
    if error.filename:
        place = f": {error.filename}"
    return EnvkitError(f"{error.strerror or error}{place}.")


def _fail(error: EnvkitError, *, debug: bool) -> NoReturn:
    from envkit.formats.text import printable  # not for `--help`

    if debug:
        import traceback  # 5 ms that no other run needs

        click.echo(printable("".join(traceback.format_exception(error)).rstrip()), err=True)
    elif isinstance(error, (ModelRaised, PredictionFailed)) and error.traceback:
        click.echo(printable(error.traceback.rstrip()), err=True)
    prefix = click.style("Error:", fg="red", bold=True)
    click.echo(f"{prefix} {printable(str(error))}", err=True)
    sys.exit(error.exit_code)


@click.group(cls=LazyGroup, context_settings={"max_content_width": 100})
@click.version_option(None, "--version", package_name="envkit", message="envkit %(version)s")
@options.verbosity
def main() -> None:
    """Capture exactly what a machine-learning model needs, and rebuild that environment anywhere.

    Capturing and predicting run the model's own code in a process of its own: do this only with
    models that you trust.
    """
