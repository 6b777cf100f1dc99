"""What a model needs although no statement of its code says so, and what only looks like a need.

Each case has the right answer, which the test proves first: without one of the needed distributions
the model fails or answers something else, and without one of the others it answers the same.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from envkit.errors import CaptureFailed
from tests.builders.files import write_files
from tests.builders.model_case import ModelCase

LIBRARY = """
ENGINES = {}
try:
    import fastengine
    ENGINES["fastengine"] = fastengine.run
except ImportError:
    pass
def run(engine):
    return ENGINES[engine.partition(":")[0]]()
"""
ENGINE = "def run():\n    return 7\n"
HOST_WITH_ENGINE = {"host": {"host.py": LIBRARY}, "fastengine": {"fastengine.py": ENGINE}}

LOADER = """
import pathlib
class Model:
    def __init__(self, path):
        {load}
    def predict(self, data):
        return {predict}
def _load_pyfunc(path):
    return Model(pathlib.Path(path))
"""
DATA = "(path.parent if path.is_file() else path) / '{0}'"


@dataclass(frozen=True)
class Need:
    """A model, what is installed, and which of that it needs."""

    name: str
    packages: Mapping[str, Mapping[str, str]]
    needed: tuple[str, ...]
    load: str = "pass"
    predict: str = "1"
    files: Mapping[str, str] = field(default_factory=dict)
    pickled: object = None


def engine_in(file: str, text: str, read: str) -> Need:
    """A model that reads the name of an engine from a file."""
    return Need(
        name=f"engine in {file}",
        packages=HOST_WITH_ENGINE,
        needed=("fastengine", "host"),
        load=f"file = {DATA.format(file)}; {read}",
        predict="__import__('host').run(self.engine)",
        files={f"code/{file}": text},
    )


def guarded(name: str, code: str, **more: str) -> Need:
    """A library that imports `extra` only where that is installed."""
    files = {"host/__init__.py": code, "host/real.py": "def f():\n    return 3\n", **more}
    return Need(
        name=name,
        packages={"host": files, "extra": {"extra.py": "x = 1\n"}},
        needed=("host",),
        load="from host.real import f; self.f = f",
        predict="self.f()",
    )


NEEDS = [
    engine_in(
        "engine.json",
        '{"parser": "fastengine"}',
        "import json; self.engine = json.loads(file.read_text())['parser']",
    ),
    engine_in(
        "nested.json",
        '{"io": [{"engines": ["fastengine"]}]}',
        "import json; self.engine = json.loads(file.read_text())['io'][0]['engines'][0]",
    ),
    engine_in(
        "engine.yaml",
        "reader:\n  engine: fastengine  # quick\n",
        "self.engine = file.read_text().split()[2]",
    ),
    engine_in(
        "engine.toml",
        'engine = "fastengine"\n',
        "import tomllib; self.engine = tomllib.loads(file.read_text())['engine']",
    ),
    engine_in(
        "engine.ini",
        "[a]\nengine=fastengine\n",
        "import configparser; ini = configparser.ConfigParser(); ini.read(file); "
        "self.engine = ini['a']['engine']",
    ),
    engine_in("engine.txt", "fastengine\n", "self.engine = file.read_text().strip()"),
    engine_in(
        "url.cfg", "store=fastengine://host/x\n", "self.engine = file.read_text().split('=')[1]"
    ),
    Need(
        name="engine in a pickled object",
        packages=HOST_WITH_ENGINE,
        needed=("fastengine", "host"),
        load=f"import pickle; f = {DATA.format('o.pkl')}; "
        "self.engine = pickle.loads(f.read_bytes())['e']",
        predict="__import__('host').run(self.engine)",
        pickled={"e": "fastengine"},
    ),
    Need(
        name="part of a path in a file",
        packages=HOST_WITH_ENGINE,
        needed=("host",),
        load=f"self.t = ({DATA.format('p.json')}).read_text()",
        predict="len(__import__('host').__name__)",
        files={"code/p.json": '{"file": "data/fastengine/x.bin", "module": "a.fastengine.b"}'},
    ),
    guarded("try", "try:\n    import extra\nexcept ImportError:\n    extra = None\n"),
    guarded(
        "find_spec",
        "from importlib.util import find_spec\nif find_spec('extra'):\n    import extra\n",
    ),
    guarded(
        "find_spec is not None",
        "import importlib.util\nif importlib.util.find_spec('extra') is not None:\n"
        "    from extra import x\n",
    ),
    guarded(
        "is_x_available",
        "from host.tests import is_extra_available\nif is_extra_available():\n    import extra\n",
        **{
            "host/tests.py": "import importlib.util\ndef is_extra_available():\n"
            "    return importlib.util.find_spec('extra') is not None\n"
        },
    ),
    guarded(
        "HAS_X",
        "import importlib.util\nHAS_EXTRA = importlib.util.find_spec('extra') is not None\n"
        "if HAS_EXTRA and True:\n    import extra\n",
    ),
    guarded(
        "x_installed",
        "import importlib.util as u\n_extra_installed = bool(u.find_spec('extra'))\n"
        "if _extra_installed:\n    import extra\n",
    ),
    guarded(
        "walk_packages",
        "import pkgutil\ndef names():\n"
        "    return [m.name for m in pkgutil.walk_packages(__path__, 'host.')]\n",
        **{
            "host/real.py": "import host\ndef f():\n    return len(host.names())\n",
            "host/drawing/__init__.py": "import extra\n",
        },
    ),
    Need(
        name="else of a guard",
        packages={
            "host": {
                "host.py": "import importlib.util as u\nif u.find_spec('absent'):\n"
                "    import absent as impl\nelse:\n    import slow as impl\n"
                "def run():\n    return impl.run()\n"
            },
            "slow": {"slow.py": ENGINE},
        },
        needed=("host", "slow"),
        predict="__import__('host').run()",
    ),
    Need(
        name="unconditional",
        packages={
            "host": {"host.py": "HAS_GPU = False\nimport slow\nrun = slow.run\n"},
            "slow": {"slow.py": ENGINE},
        },
        needed=("host", "slow"),
        predict="__import__('host').run()",
    ),
]


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.name)
def test_a_capture_has_what_the_model_needs_and_no_more(case: ModelCase, need: Need) -> None:
    for name, files in need.packages.items():
        case.site.install(name, files=files)
    case.code("loader.py", LOADER.format(load=need.load, predict=need.predict))
    case.mlmodel(data="code")
    write_files(case.path, need.files)
    if need.pickled is not None:
        (case.path / "code" / "o.pkl").write_bytes(pickle.dumps(need.pickled))
    case.example()

    captured = case.capture()

    assert _truly_needed(case, need, captured.prediction) == need.needed
    assert captured.requirements == tuple(f"{name}==1.0" for name in need.needed)


def _truly_needed(case: ModelCase, need: Need, prediction: object) -> tuple[str, ...]:
    """Take the distributions away one at a time."""
    needed = []
    for name, files in need.packages.items():
        for file in files:
            top = case.site.folder / Path(file).parts[0]
            if top.exists():
                shutil.move(top, case.path.parent / top.name)
        try:
            without: object = case.capture().prediction
        except CaptureFailed:
            without = CaptureFailed
        if without != prediction:
            needed.append(name)
        case.site.install(name, files=files)
        shutil.rmtree(case.path.parent / Path(next(iter(files))).parts[0], ignore_errors=True)
    return tuple(sorted(needed))
