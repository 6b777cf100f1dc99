"""Goes first on the `PYTHONPATH` of what a traced process starts, to record there too (see `child_processes.py`).

Takes its own marks away, runs the `sitecustomize` that it stands in front of, then begins. Whatever
Python reads this, it must do no harm; one of another environment is not recorded.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib import module_from_spec
from _frozen_importlib_external import PathFinder, spec_from_file_location
from typing import Any

NAME = b"_ENVKIT_TRACE"


def _take_away(folder: str) -> bytes | None:
    """Leave `os.environ` and `sys.path` as they would be without envkit; give what the parent told."""
    environ: Any = os.environ
    told: bytes | None = environ._data.pop(NAME, None)
    path = environ._data.get(b"PYTHONPATH", b"").split(os.pathsep.encode())
    kept = os.pathsep.encode().join(each for each in path if each != os.fsencode(folder))
    if kept:
        environ._data[b"PYTHONPATH"] = kept
    else:
        environ._data.pop(b"PYTHONPATH", None)
    sys.path[:] = [each for each in sys.path if each != folder]
    sys.path_importer_cache.pop(folder, None)
    return told


def _run_the_next() -> None:
    """Run the `sitecustomize` that would have been found; without one, do as if there were none."""
    spec = PathFinder.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        raise ImportError("No module named 'sitecustomize'", name="sitecustomize")
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _begin(told: bytes, folder: str) -> None:
    import json

    launch = json.loads(told.decode())
    if launch["prefix"] != sys.prefix:
        return
    inside = os.path.dirname(os.path.dirname(folder))
    init = os.path.join(inside, "__init__.py")
    spec = spec_from_file_location("_envkit", init, submodule_search_locations=[inside])
    assert spec is not None
    sys.modules["_envkit"] = module_from_spec(spec)
    from _envkit.tracing.tracer import join  # type: ignore[import-not-found]

    join(launch)


def _main() -> None:
    if sys.version_info < (3, 8) or os.name != "posix":
        return
    folder = os.path.dirname(os.path.abspath(__file__))
    told = _take_away(folder)
    try:
        _run_the_next()
    finally:
        if told:
            try:
                _begin(told, folder)
            except Exception as error:  # what cannot be recorded must still run
                sys.stderr.write("envkit: not recorded here: " + repr(error) + "\n")


_main()
