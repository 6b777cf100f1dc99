"""Graphs in ONNX, run by onnxruntime.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.onnx.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared.flavor import Flavor, divided
from envkit.inside.loaders import onnx as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "onnx"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="onnx",
    version_key="onnx_version",
    parameter="onnx_model",
    also=("onnxruntime",),
)

_SESSION_OPTIONS = {
    "extra_session_config",
    "execution_mode",
    "graph_optimization_level",
    "inter_op_num_threads",
    "intra_op_num_threads",
}


@saving.with_options
def save_model(
    onnx_model: Any,
    path: str | Path,
    *,
    onnx_execution_providers: Sequence[Any] | None = None,
    onnx_session_options: Mapping[str, Any] | None = None,
    save_as_external_data: bool = True,
    **options: Any,
) -> None:
    """Save a graph, an `onnx.ModelProto`.

    onnx_execution_providers: what onnxruntime is to run it by, in this order, default CUDA, then
    the CPU; those that a machine lacks are passed over. onnx_session_options:
    `extra_session_config`, `execution_mode`, `graph_optimization_level`, `inter_op_num_threads`,
    `intra_op_num_threads`. save_as_external_data: large tensors lie in files of their own. What is
    no parameter of `envkit.pyfunc.saving.save` is one of `onnx.save_model`.
    """
    unknown = sorted({*(onnx_session_options or ())} - _SESSION_OPTIONS)
    if unknown:
        known = ", ".join(sorted(_SESSION_OPTIONS))
        raise InvalidArgument(f"onnx_session_options has no {unknown[0]!r}; it has {known}.")
    common, own = divided(options)
    onnx = _FLAVOR.imported()

    def put(file: Path) -> None:
        onnx.save_model(onnx_model, str(file), save_as_external_data=save_as_external_data, **own)

    fields = {
        "data": "model.onnx",
        "providers": list(onnx_execution_providers or loader.PROVIDERS),
        "onnx_session_options": dict(onnx_session_options) if onnx_session_options else None,
    }
    _FLAVOR.save(path, put, common, data="model.onnx", fields=fields)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
