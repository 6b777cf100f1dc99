"""Any loader module: one with `_load_pyfunc(data_path)`, or `_load_pyfunc(data_path, model_config)`.

Needs: the loader module.
Returns: what `_load_pyfunc` returns.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Mapping


def load(path: str, request: Mapping[str, Any]) -> Any:
    """Import the loader module and let it load; a model without configuration does not get the argument."""
    conf = request["python_function"]
    load_pyfunc = import_module(conf["loader_module"])._load_pyfunc
    config = conf.get("config")
    if config:
        return load_pyfunc(path, config)
    return load_pyfunc(path)
