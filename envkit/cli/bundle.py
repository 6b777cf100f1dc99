"""`envkit bundle MODEL`."""

from __future__ import annotations

import json

import click

from envkit.cli import options, progress


@click.command()
@options.model
@options.json_output
@options.output
def command(model_uri: str, as_json: bool) -> None:
    """Put the wheels of all that MODEL needs into its wheels/, so that it is rebuilt without any network.

    The wheels are those of the lock, for this platform and the model's Python, checked by their
    hashes.
    """
    from envkit.locking.bundle import bundle

    with progress.report().step("Getting the wheels of the lock"):
        bundled = bundle(model_uri)
    if as_json:
        click.echo(json.dumps({"wheels": bundled.wheels, "bytes": bundled.bytes_total}, indent=2))
        return
    options.note(
        f"The model brings {len(bundled.wheels)} wheels, {bundled.bytes_total / 1e6:.1f} MB, and locks them."
    )
