"""A program that does as the real conda did where it was recorded (`tests/cases/conda`).

It solves and installs with py-rattler, and then writes records, answers and errors as conda does:
archive paths in the records of noarch packages, pip that was not requested, a plan that repeats the
specs, no check of the archives of `file:` channels, a package cache in which two runs disturb each
other.

    conda config --show-sources --json
    conda env create -p PREFIX -f FILE [--json]
    conda create -p PREFIX --file FILE -y [--json]
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from envkit.inside.programs import rattler_program

EMBEDDED = "embedded"
RECORDED = "conda as recorded"
VARIABLE = "ENVKIT_TEST_CONDA"
"""Names a real conda, mamba or micromamba that tests use too; several with `:` between them."""

ENGINES = (EMBEDDED, RECORDED, *filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)))
ROOT = Path(__file__).resolve().parents[2]
RECORDINGS = ROOT / "tests" / "cases" / "conda"
START = """#!{python}
import sys
sys.path.insert(0, {root!r})
from tests.builders.recorded_conda import main
main({settings!r})
"""


def recording(name: str, **replaced: str) -> str:
    """Give what conda wrote, with the paths of this run."""
    text = (RECORDINGS / name).read_text(encoding="utf-8")
    for word, value in replaced.items():
        text = text.replace(word, value)
    return text


def conda_exe(engine: str, folder: Path) -> str:
    """Give what ENVKIT_CONDA_EXE names for one of `ENGINES`; the recorded one lies in `folder`."""
    if engine == RECORDED:
        return str(RecordedConda(folder / "miniconda3").program)
    return engine


@dataclass
class RecordedConda:
    """The program `conda` in `folder`/bin.

    outcome: the recording that every creation ends with, or "" for what really happens; "no-python"
    for an exit without an error and without Python. sources: what `--show-sources` answers,
    None for an error. fetch: seconds that a download takes.
    """

    folder: Path
    outcome: str = ""
    sources: dict[str, dict[str, Any]] | None = field(default_factory=dict)
    fetch: float = 0.0
    name: str = "conda"

    def __post_init__(self) -> None:
        self.program.parent.mkdir(parents=True, exist_ok=True)
        self.packages.mkdir(exist_ok=True)
        self.set()
        text = START.format(python=sys.executable, root=str(ROOT), settings=str(self._settings))
        self.program.write_text(text)
        self.program.chmod(0o755)

    def set(self, **changes: Any) -> None:
        """Change how the program answers from now on."""
        for name, value in changes.items():
            setattr(self, name, value)
        facts = {
            "outcome": self.outcome,
            "sources": self.sources,
            "fetch": self.fetch,
            "folder": str(self.folder),
        }
        self._settings.write_text(json.dumps(facts))

    @property
    def program(self) -> Path:
        """Its path."""
        return self.folder / "bin" / self.name

    @property
    def packages(self) -> Path:
        """Its package cache."""
        return self.folder / "pkgs"

    @property
    def calls(self) -> list[dict[str, Any]]:
        """How it was called: `argv`, the text of the `file`, `variables`."""
        path = self.folder / "calls"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text().splitlines()]

    @property
    def creations(self) -> list[dict[str, Any]]:
        """The calls that made environments."""
        return [call for call in self.calls if "create" in call["argv"]]

    @property
    def questions(self) -> list[dict[str, Any]]:
        """The calls that asked for settings."""
        return [call for call in self.calls if "config" in call["argv"]]

    @property
    def _settings(self) -> Path:
        return self.folder / "settings.json"


def main(settings_path: str) -> None:
    """Run the program."""
    settings = json.loads(Path(settings_path).read_text())
    argv = sys.argv[1:]
    call: dict[str, Any] = {"argv": argv, "variables": dict(os.environ)}
    if "create" in argv:
        call["file"] = Path(_after(argv, "-f", "--file")).read_text()
    with Path(settings["folder"], "calls").open("a") as stream:
        stream.write(json.dumps(call) + "\n")
    status = 0
    try:
        if argv[:2] == ["config", "--show-sources"]:
            _show_sources(settings["sources"])
        else:
            _create(argv, settings)
    except Failure as failure:
        print(failure)
        status = 1
    sys.stdout.flush()
    # py-rattler crashes at the interpreter's own end
    os._exit(status)


class Failure(Exception):
    """What conda prints before it ends with status 1."""


def _after(argv: list[str], *options: str) -> str:
    for option in options:
        if option in argv:
            return argv[argv.index(option) + 1]
    raise SystemExit(2)


def _show_sources(sources: dict[str, Any] | None) -> None:
    if sources is None:
        raise Failure(_error("ArgumentError", "unknown command"))
    values = {
        name.removeprefix("CONDA_").lower(): value
        for name, value in os.environ.items()
        if name in ("CONDA_CHANNELS", "CONDA_CHANNEL_ALIAS", "CONDA_DEFAULT_CHANNELS")
    }
    print(json.dumps({**sources, "envvars": values, "cmd_line": {"json": True}}, indent=2))


def _create(argv: list[str], settings: dict[str, Any]) -> None:
    prefix, file = Path(_after(argv, "-p")), Path(_after(argv, "-f", "--file"))
    outcome = settings["outcome"]
    if outcome == "no-python":
        (prefix / "conda-meta").mkdir(parents=True)
        (prefix / "conda-meta" / "history").touch()
        print(recording("create-ok.json", PREFIX=str(prefix)))
        return
    if outcome:
        print(recording("create-plan.txt", PREFIX=str(prefix)), file=sys.stderr)
        raise Failure(recording(outcome, PREFIX=str(prefix)))
    text = file.read_text()
    is_explicit = text.startswith("@EXPLICIT")
    if is_explicit:
        channels, specs = _explicit(text.splitlines()[1:])
    else:
        content = yaml.safe_load(text)
        channels = [_url(name) for name in content["channels"]]
        specs = list(content["dependencies"])
        _refuse_missing(specs, channels)
        specs = [_with_url(spec) for spec in (*specs, "pip")]
    cache = Path(os.environ.get("CONDA_PKGS_DIRS") or Path(settings["folder"], "pkgs"))
    _fetch(cache, settings["fetch"])
    _install(prefix, channels, specs)
    _write_records(prefix, cache)
    if "--json" in argv:
        print(recording("create-ok.json", PREFIX=str(prefix)))
    else:
        print(recording("create-plan.txt", PREFIX=str(prefix)))


def _url(name: str) -> str:
    if "://" in name:
        return name
    if name.startswith("/"):
        return Path(name).as_uri()
    return f"{os.environ['CONDA_CHANNEL_ALIAS'].rstrip('/')}/{name}"


def _with_url(spec: str) -> str:
    channel, separator, rest = spec.rpartition("::")
    if not separator:
        return spec
    return f"{_url(channel)}/::{rest}"


def _explicit(lines: list[str]) -> tuple[list[str], list[str]]:
    channels, specs = [], []
    for line in lines:
        url = line.partition("#")[0]
        channel, _, file = url.rsplit("/", 2)
        name, version, build = file.removesuffix(".conda").rsplit("-", 2)
        channels.append(channel)
        specs.append(f"{name}={version}={build}")
    return list(dict.fromkeys(channels)), specs


def _records_of(channel: str) -> list[dict[str, Any]]:
    records = []
    for path in Path(unquote(urlsplit(channel).path)).glob("*/repodata.json"):
        content = json.loads(path.read_text())
        records += [*content["packages"].values(), *content["packages.conda"].values()]
    return records


def _refuse_missing(specs: list[str], channels: list[str]) -> None:
    """Say of specs that no channel has what conda says."""
    available = [record for channel in channels for record in _records_of(channel)]
    missing = []
    for spec in specs:
        name, _, version = spec.rpartition("::")[2].replace("==", "=").partition("=")
        versions = [record["version"] for record in available if record["name"] == name]
        if not re.fullmatch(r"[\d.]*", version):
            continue
        fitting = [each for each in versions if f"{each}.".startswith(f"{version}.")]
        if not fitting and (version or not versions):
            missing.append(spec)
    if missing:
        answer = json.loads(recording("create-not-found.json"))
        old = answer["packages"][0]
        text = json.dumps({**answer, "packages": missing}, indent=2)
        listed = "\\n  - ".join(missing)
        raise Failure(text.replace(f"- {old}", f"- {listed}"))


def _fetch(cache: Path, seconds: float) -> None:
    """Download for some time; another run in the same cache meanwhile finds half an archive."""
    cache.mkdir(parents=True, exist_ok=True)
    partial = cache / "python.conda.partial"
    if partial.exists():
        raise Failure(_error("InvalidArchiveError", f"Error with archive {partial}. You may need"))
    if seconds:
        partial.touch()
        time.sleep(seconds)
        partial.unlink()


def _error(name: str, message: str) -> str:
    return json.dumps({"exception_name": name, "message": message, "caused_by": "None"})


def _install(prefix: Path, channels: list[str], specs: list[str]) -> None:
    rattler = find_spec("rattler")
    if rattler is None or rattler.origin is None:
        raise Failure(_error("ImportError", "py-rattler is missing"))
    # conda does not check the archives of `file:` channels
    rattler_program._check_local_files = lambda records: None
    with tempfile.TemporaryDirectory() as folder:
        request = {
            "job": "install",
            "lock": None,
            "rattler": str(Path(rattler.origin).parent.parent),
            "channels": channels,
            "specs": specs,
            "cache": folder,
            "config": [],
            "rewritten": [],
            "prefix": str(prefix),
            "scripts": True,
            "offline": False,
        }
        prefix.mkdir(parents=True, exist_ok=True)
        with Path(os.devnull).open("w") as nowhere:
            standard, sys.stdout = sys.stdout, nowhere
            try:
                answer = asyncio.run(rattler_program._do(request))
            except Exception as error:
                name = "UnsatisfiableError" if "Solver" in type(error).__name__ else "CondaError"
                raise Failure(_error(name, str(error))) from error
            finally:
                sys.stdout = standard
        assert answer["packages"]


def _write_records(prefix: Path, cache: Path) -> None:
    """Write the records as conda does: `site-packages/…` and `python-scripts/…` for noarch."""
    for path in (prefix / "conda-meta").glob("*.json"):
        record = json.loads(path.read_text())
        archive = Path(unquote(urlsplit(record["url"]).path))
        if archive.is_file():
            shutil.copy(archive, cache / archive.name)
        record["package_tarball_full_path"] = str(cache / archive.name)
        record["extracted_package_dir"] = str(cache / archive.name.removesuffix(".conda"))
        if record.get("noarch") == "python":
            for entry in record["paths_data"]["paths"]:
                entry["_path"] = re.sub(
                    r"^lib/python[^/]*/site-packages/", "site-packages/", entry["_path"]
                )
        path.write_text(json.dumps(record, indent=2))
