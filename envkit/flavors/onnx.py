"""ONNX graphs, which onnxruntime runs.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.onnx.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared.flavor import Content, Flavor, split_options
from envkit.inside.loaders import onnx as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "onnx"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="onnx",
    version_key="onnx_version",
    parameter="onnx_model",
    requires=("onnxruntime",),
)
_DATA = "model.onnx"
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
    """Save an ONNX graph. Corresponds to `mlflow.onnx.save_model`.

    Args:
        onnx_model: An `onnx.ModelProto`.
        path: The model directory; a new or an empty folder.
        onnx_execution_providers: Providers of onnxruntime in order of preference, CUDA and then
            the CPU by default; those that a machine does not have are skipped.
        onnx_session_options: `extra_session_config`, `execution_mode`, `graph_optimization_level`,
            `inter_op_num_threads` and `intra_op_num_threads` of onnxruntime.
        save_as_external_data: Whether large tensors get files of their own.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.
            Others are arguments of `onnx.save_model`.

    Raises:
        ToolNotFound: If onnx is not installed.
        InvalidArgument: If a session option is unknown, or an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    if unknown := sorted(set(onnx_session_options or ()) - _SESSION_OPTIONS):
        names = ", ".join(sorted(_SESSION_OPTIONS))
        raise InvalidArgument(
            f"onnx_session_options has no option {unknown[0]!r}; the options are {names}."
        )
    common, own = split_options(options)
    onnx = _FLAVOR.import_library()

    def write(file: Path) -> None:
        onnx.save_model(onnx_model, str(file), save_as_external_data=save_as_external_data, **own)

    content = Content(
        data=_DATA,
        write=write,
        section={
            "data": _DATA,
            "providers": list(onnx_execution_providers or loader.PROVIDERS),
            "onnx_session_options": dict(onnx_session_options or {}) or None,
        },
    )
    _FLAVOR.save(path, common, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env
