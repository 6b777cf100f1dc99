"""A model of many requirements, all pinned and locked, for validation."""

from __future__ import annotations

from pathlib import Path

MLMODEL = """flavors:
  python_function:
    code: code
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: loader
    python_version: 3.12.7
"""
CONDA = """channels:
- conda-forge
dependencies:
- python=3.12.7
- pip
- pip:
{pins}name: model
"""


def write_pinned_model(folder: Path, count: int) -> Path:
    """Write a model that imports `count` packages, pinned and locked with ten wheels each."""
    names = [f"package-{number:03}" for number in range(count)]
    pins = [f"{name}==1.{number}.0" for number, name in enumerate(names)]
    imports = [f"import {name.replace('-', '_')}" for name in names]
    code = [*imports, "", "", "def _load_pyfunc(path):", "    return path"]
    lock = ['lock-version = "1.0"', 'created-by = "bench"', *(_locked(pin) for pin in pins)]
    files = {
        "MLmodel": MLMODEL,
        "code/loader.py": "\n".join(code) + "\n",
        "conda.yaml": CONDA.format(pins="".join(f"  - {pin}\n" for pin in pins)),
        "python_env.yaml": "python: 3.12.7\ndependencies:\n- -r requirements.txt\n",
        "requirements.txt": "".join(f"{pin}\n" for pin in pins),
        "pylock.toml": "\n".join(lock) + "\n",
    }
    (folder / "code").mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _locked(pin: str) -> str:
    """Give the table of a package in a lock."""
    name, _, version = pin.partition("==")
    stem = f"{name.replace('-', '_')}-{version}"
    lines = ["", "[[packages]]", f'name = "{name}"', f'version = "{version}"']
    for number in range(10):
        url = f"https://files.example/{stem}-cp312-cp312-linux_{number}.whl"
        digest = "a" * 64
        lines += ["[[packages.wheels]]", f'url = "{url}"', f'hashes = {{ sha256 = "{digest}" }}']
    return "\n".join(lines)
