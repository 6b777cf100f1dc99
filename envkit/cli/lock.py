"""`envkit lock MODEL`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from envkit.cli import options, progress

NAMES_SHOWN = 5


@click.command()
@options.model
@click.option(
    "--platform",
    default="",
    metavar="NAME",
    help="Lock for another platform, by uv's name: linux, windows, macos, aarch64-apple-darwin, …",
)
@click.option(
    "--python-version",
    metavar="VERSION",
    help="Lock for another Python.  [default: the one that the model names]",
)
@click.option("--universal", is_flag=True, help="Lock for all platforms, with markers.")
@click.option(
    "--exclude-newer",
    default="",
    metavar="DATE",
    help="Choose nothing that was uploaded later: what an old model without pins met in its day.",
)
@options.resolver
@click.option(
    "--generate-hashes",
    is_flag=True,
    help="Write requirements.txt with the whole closure and its hashes too.",
)
@click.option(
    "--conda",
    is_flag=True,
    help="Write pixi.lock in its place: the conda packages of conda.yaml, for this platform.",
)
@click.option(
    "-o",
    "--output-path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the lock there; the model stays as it is.",
)
@options.json_output
@options.output
def command(
    model_uri: str,
    platform: str,
    python_version: str | None,
    universal: bool,
    exclude_newer: str,
    resolver: str | None,
    generate_hashes: bool,
    conda: bool,
    output_path: Path | None,
    as_json: bool,
) -> None:
    """Write MODEL's pylock.toml anew from its requirements and constraints; nothing of the model is run.

    Where all is pinned, the pins are looked up; else, and for another platform or Python, versions
    are chosen within the constraints. Only wheels count: no package's code is run either.
    """
    if conda:
        if platform or python_version or universal or exclude_newer or resolver or generate_hashes:
            raise click.UsageError("--conda goes with --output-path and --json alone.")
        _lock_conda(model_uri, output_path, as_json=as_json)
        return
    from envkit.locking.relock import relock

    with progress.report().step("Looking for files and hashes"):
        result = relock(
            model_uri,
            python=python_version,
            platform=platform,
            universal=universal,
            exclude_newer=exclude_newer,
            resolver=resolver,
            generate_hashes=generate_hashes,
            output_path=output_path,
        )
    if as_json:
        pins = [{"name": each["name"], "version": each.get("version")} for each in result.packages]
        facts = {
            "packages": pins,
            "resolved": result.resolved,
            "written": list(map(str, result.written)),
            "degradations": [each.as_json() for each in result.warnings],
        }
        click.echo(json.dumps(facts, indent=2))
        return
    for each in result.warnings:
        options.note(f"Note: {each}.")
    if len(result.of_indexes) > 1:  # which one is asked first decides whose file it is
        for index, names in result.of_indexes.items():
            if len(names) > NAMES_SHOWN:
                more = f" and {len(names) - NAMES_SHOWN} more"
            else:
                more = ""
            options.note(f"From {index}: {', '.join(names[:NAMES_SHOWN])}{more}.")
    how = "chosen" if result.resolved else "as they are pinned"
    options.note(
        f"Locked {len(result.packages)} packages, versions {how}. Wrote {', '.join(map(str, result.written))}."
    )


def _lock_conda(model_uri: str, output_path: Path | None, *, as_json: bool) -> None:
    from envkit.environments.conda.lock import lock_conda

    result = lock_conda(model_uri, output_path)
    if as_json:
        click.echo(
            json.dumps({"packages": result.packages, "written": [str(result.path)]}, indent=2)
        )
    else:
        options.note(f"Locked {len(result.packages)} conda packages. Wrote {result.path}.")
