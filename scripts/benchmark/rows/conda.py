"""Build a conda environment from a local channel, against py-rattler alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmark.measuring import Row, Time, median
from benchmark.workbench import ROOT, Workbench

RAW_RATTLER = """
import asyncio, os, shutil, sys
from rattler import Channel, ChannelPriority, Gateway, MatchSpec, Subdir
from rattler import VirtualPackage, VirtualPackageOverrides, install, solve
from rattler.config import Config
from rattler.package_cache import PackageCache, PackageCacheLayer, ValidationMode
channel, cache, prefix, *specs = sys.argv[1:]
async def main():
    records = await solve(
        sources=[Channel(channel)], specs=[MatchSpec(spec) for spec in specs],
        gateway=Gateway(cache_dir=cache),
        platforms=[Subdir.current(), Subdir("noarch")], channel_priority=ChannelPriority.Strict,
        virtual_packages=VirtualPackage.detect(VirtualPackageOverrides.from_env()),
    )
    layer = PackageCacheLayer(cache + "/pkgs").with_validation_mode(ValidationMode.full())
    await install(
        records, target_prefix=prefix, package_cache=PackageCache.from_layers([layer]),
        show_progress=False,
        config=Config.from_toml("allow-hard-links = false"),
    )
asyncio.run(main())
os._exit(0)
"""


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    channel = bench.folder / "channel"
    output = bench.run(bench.python, ROOT / "scripts" / "make_conda_channel", channel)
    pythons = [line for line in output.splitlines() if line.startswith("python-3.1")]
    version = max(python.split("-")[1] for python in pythons)
    specs = [f"python={version}", "pip", "setuptools", "envkit-demo", "envkit-demo-native"]
    model = bench.folder / "conda-model"
    model.mkdir()
    conda_yaml = {"channels": [channel.as_uri()], "dependencies": specs}
    (model / "conda.yaml").write_text(json.dumps(conda_yaml))
    flavor = {"env": "conda.yaml", "loader_module": "none"}
    (model / "MLmodel").write_text(json.dumps({"flavors": {"python_function": flavor}}))
    cache = bench.folder / "raw-conda-cache"
    prefix = bench.folder / "raw-conda"
    options = ["--env-manager", "conda", "--conda-exe", "embedded"]

    def mine() -> Time:
        for environment in (bench.store / "environments").glob("conda-*"):
            shutil.rmtree(environment)
        return bench.timed(bench.envkit, "prepare-env", *options, model)

    def theirs() -> Time:
        shutil.rmtree(prefix, ignore_errors=True)
        arguments: list[str | Path] = [channel.as_uri(), cache, prefix, *specs]
        return bench.timed(bench.python, "-c", RAW_RATTLER, *arguments)

    left, right = bench.side_by_side(mine, theirs)
    allowed = 1.15 * median(right, "wall") + 0.5
    return Row(
        name="prepare-env, conda : py-rattler alone",
        target=f"wall <= 1.15 x raw + 0.5 s = {allowed:.2f} s",
        met=median(left, "wall") <= allowed,
        envkit=left,
        other=right,
        note="warm download cache; both copy and validate the files",
    )
