"""`envkit bundle MODEL`."""

from __future__ import annotations

import click

from envkit.cli import options, output, progress


@click.command()
@options.model
@options.json_output
@options.verbosity
def command(model_uri: str, as_json: bool) -> None:
    """Copy the wheels that MODEL needs into its wheels/, for offline rebuilds.

    The wheels are those of the lock, for the current platform and the model's Python, verified by
    their hashes.
    """
    from envkit.locking.bundle import bundle

    with progress.report().step("Fetching the wheels of the lock"):
        bundled = bundle(model_uri)
    if as_json:
        output.print_json({"wheels": bundled.wheels, "bytes": bundled.bytes_total})
        return
    wheels = output.counted(len(bundled.wheels), "wheel")
    output.note(
        f"The model has {wheels}, {bundled.bytes_total / 1e6:.1f} MB, and its lock names them."
    )
