"""`envkit lock MODEL`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envkit.cli import options, output, progress
from envkit.errors import InvalidArgument

if TYPE_CHECKING:
    from envkit.locking.relock import Relocked

MAX_NAMES = 5


def _platform(name: str) -> str:
    """Give uv's name of a platform, which may be named as `envkit validate --target` names it."""
    if "-" not in name and "_" not in name:
        return name
    from envkit.validating.stages import targets

    try:
        return targets.parse(name, "").uv_platform
    except InvalidArgument:
        return name  # uv knows more platforms, and lists them where it does not know one


@click.command()
@options.model
@click.option(
    "--platform",
    default="",
    metavar="NAME",
    callback=lambda _context, _parameter, name: _platform(name),
    help="Lock for another platform: linux, windows, macos, linux-x86_64, aarch64-apple-darwin, …",
)
@click.option(
    "--python-version",
    "python",
    metavar="VERSION",
    help="Lock for another Python.  [default: the model's]",
)
@click.option("--universal", is_flag=True, help="Lock for all platforms, with markers.")
@click.option(
    "--exclude-newer",
    default="",
    metavar="DATE",
    help="Ignore files uploaded later: choose what an old model without pins used in its day.",
)
@options.resolver
@click.option(
    "--generate-hashes",
    is_flag=True,
    help="Also write all pins and their hashes to requirements.txt.",
)
@click.option(
    "--conda",
    is_flag=True,
    help="Write pixi.lock instead: the conda packages of conda.yaml, for the current platform.",
)
@click.option(
    "-o",
    "--output-path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the lock to this file, and leave the model unchanged.",
)
@options.json_output
@options.verbosity
def command(
    model_uri: str, conda: bool, output_path: Path | None, as_json: bool, **arguments: Any
) -> None:
    """Write MODEL's pylock.toml again, from its requirements and constraints.

    No code of the model is run.

    If everything is pinned, the pins are looked up; otherwise, and for another platform or Python,
    versions are chosen within the constraints. Only wheels are considered, so no package's code is
    run either.
    """
    if conda:
        if any(arguments.values()):
            raise click.UsageError("Only --output-path and --json can be used with --conda.")
        _lock_conda(model_uri, output_path, as_json=as_json)
        return
    from envkit.locking.relock import relock

    with progress.report().step("Finding files and hashes"):
        relocked = relock(model_uri, output_path=output_path, **arguments)
    if as_json:
        output.print_json(_as_json(relocked))
    else:
        _show(relocked)


def _as_json(relocked: Relocked) -> dict[str, object]:
    return {
        "packages": [
            {
                "name": package.name,
                "version": None if package.version is None else str(package.version),
            }
            for package in relocked.packages
        ],
        "resolved": relocked.resolved,
        "written": [str(path) for path in relocked.written],
        "degradations": [warning.as_json() for warning in relocked.warnings],
    }


def _show(relocked: Relocked) -> None:
    for warning in relocked.warnings:
        output.note(f"Warning: {warning}.")
    # With several indexes, their order decides whose file a name gets.
    if len(relocked.names_by_index) > 1:
        for index, names in relocked.names_by_index.items():
            output.note(f"From {index}: {_shortened(names)}.")
    how = "chosen" if relocked.resolved else "as pinned"
    packages = output.counted(len(relocked.packages), "package")
    written = ", ".join(str(path) for path in relocked.written)
    output.note(f"Locked {packages}, versions {how}. Wrote {written}.")


def _shortened(names: tuple[str, ...]) -> str:
    text = ", ".join(names[:MAX_NAMES])
    if len(names) > MAX_NAMES:
        text += f" and {len(names) - MAX_NAMES} more"
    return text


def _lock_conda(model_uri: str, output_path: Path | None, *, as_json: bool) -> None:
    from envkit.environments.conda.lock import lock_conda

    result = lock_conda(model_uri, output_path)
    if as_json:
        output.print_json({"packages": result.packages, "written": [str(result.path)]})
        return
    packages = output.counted(len(result.packages), "conda package")
    output.note(f"Locked {packages}. Wrote {result.path}.")
