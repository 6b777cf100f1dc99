"""Any loader module: it has `_load_pyfunc(data_path)`, perhaps with `model_config`.

Needs: the loader module.
Returns: what `_load_pyfunc` returns.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ...request import Request


def load(path: str, request: Request) -> Any:
    """Import the loader module and let it load.

    A model without configuration does not get the argument.
    """
    conf = request["python_function"]
    load_pyfunc = import_module(conf["loader_module"])._load_pyfunc
    config = conf.get("config")
    if config:
        return load_pyfunc(path, config)
    return load_pyfunc(path)
