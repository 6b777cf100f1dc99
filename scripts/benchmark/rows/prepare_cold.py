"""Build the environment with everything downloaded, against uv alone with the same cache."""

from __future__ import annotations

import shutil

from benchmark.measuring import Row, Time, median
from benchmark.workbench import Workbench


def measure(bench: Workbench) -> Row:
    """Measure the row."""
    python = bench.rebuilt_python
    base = bench.run(python, "-c", "import sys; print(sys._base_executable)").strip()
    lock = bench.captured / "pylock.toml"
    source = lock if lock.exists() else bench.captured / "requirements.txt"
    preview = ["--preview-features", "pylock"] if source == lock else []
    common = ["--quiet", "--no-config", "--cache-dir", str(bench.store / "cache" / "uv")]

    def mine() -> Time:
        shutil.rmtree(bench.store / "environments")
        return bench.timed(bench.envkit, "prepare-env", bench.captured)

    def theirs() -> Time:
        environment = bench.folder / "raw"
        shutil.rmtree(environment, ignore_errors=True)
        made = bench.timed(bench.uv, "venv", *common, "--python", base, environment)
        install = ["pip", "install", *common, "--link-mode", "copy", "--no-build", *preview]
        interpreter = environment / "bin" / "python"
        return made + bench.timed(bench.uv, *install, "--python", interpreter, "-r", source)

    left, right = bench.side_by_side(mine, theirs)
    return Row(
        name="prepare-env, cold : uv venv + uv pip install",
        target="wall <= 1.15 x raw uv",
        met=median(left, "wall") <= 1.15 * median(right, "wall"),
        envkit=left,
        other=right,
        note=f"uv installs {source.name}, link mode copy, warm download cache",
    )
