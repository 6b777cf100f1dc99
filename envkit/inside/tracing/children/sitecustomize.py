"""Runs at the start of Python programs that a traced process starts, to record there, too.

`child_processes.py` puts it first on their `PYTHONPATH`. It removes its own marks, runs the
`sitecustomize` that it hides, then starts to record. Whatever Python runs this, it must do no harm;
in another environment nothing is recorded.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib import module_from_spec
from _frozen_importlib_external import PathFinder, spec_from_file_location
from typing import Any

VARIABLE = b"_ENVKIT_TRACE"


def _remove_marks(folder: str) -> bytes | None:
    """Make `os.environ` and `sys.path` as they would be without envkit.

    Give the parent's message.
    """
    environ: Any = os.environ
    message: bytes | None = environ._data.pop(VARIABLE, None)
    separator = os.pathsep.encode()
    places = environ._data.get(b"PYTHONPATH", b"").split(separator)
    path = separator.join(place for place in places if place != os.fsencode(folder))
    if path:
        environ._data[b"PYTHONPATH"] = path
    else:
        environ._data.pop(b"PYTHONPATH", None)
    sys.path[:] = [place for place in sys.path if place != folder]
    sys.path_importer_cache.pop(folder, None)
    return message


def _run_hidden() -> None:
    """Run the `sitecustomize` that Python would have found.

    Raise, as Python does, when there is none.
    """
    spec = PathFinder.find_spec("sitecustomize")
    if spec is None or spec.loader is None:
        raise ImportError("No module named 'sitecustomize'", name="sitecustomize")
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def _record(message: bytes, folder: str) -> None:
    """Start to record, if this process belongs to the traced environment."""
    import json  # only where something is recorded

    launch = json.loads(message.decode())
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
    message = _remove_marks(folder)
    try:
        _run_hidden()
    finally:
        if message:
            try:
                _record(message, folder)
            except Exception as error:  # what cannot be recorded must still run
                sys.stderr.write("envkit: not recorded here: " + repr(error) + "\n")


_main()
