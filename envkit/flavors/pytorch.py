"""PyTorch models: modules, TorchScript archives, exported programs.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pytorch.html
"""

from __future__ import annotations

import pickle
from pathlib import Path
from types import ModuleType
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading
from envkit.flavors._shared.flavor import Content, Flavor, split_options
from envkit.inside.loaders import pytorch as loader
from envkit.pyfunc import saving

FLAVOR_NAME = "pytorch"
SERIALIZATION_FORMATS = ("pickle", "pt2")
_MLFLOW_PICKLE_MODULE = "mlflow.pytorch.pickle_module"
_FLAVOR = Flavor(
    name=FLAVOR_NAME,
    loader=loader,
    library="torch",
    version_key="pytorch_version",
    requires=("cloudpickle",),
    parameter="pytorch_model",
)


@saving.with_options
def save_model(
    pytorch_model: Any,
    path: str | Path,
    *,
    pickle_module: ModuleType | None = None,
    serialization_format: str = "pickle",
    export_model: bool = False,
    **options: Any,
) -> None:
    """Save a PyTorch model. Corresponds to `mlflow.pytorch.save_model`.

    Args:
        pytorch_model: A `torch.nn.Module`.
        path: The model directory; a new or an empty folder.
        pickle_module: Module that pickles; by default cloudpickle, which includes classes of
            `__main__`.
        serialization_format: `pickle`, or `pt2` for the program that `torch.export` makes of the
            module and the input example, whose first dimension may vary.
        export_model: The same as `serialization_format="pt2"`.
        **options: Parameters that every flavor has: those of `envkit.pyfunc.save_model` from
            `conda_env` to `timeout`, and `extra_files`, a list of files to copy into the model.
            Others are arguments of `torch.save`.

    Raises:
        ToolNotFound: If PyTorch or cloudpickle is needed and not installed.
        InvalidArgument: If an argument is invalid.
        CaptureFailed: If the model does not load and predict in a process of its own.
    """
    torch = _FLAVOR.import_library()
    form = "pt2" if export_model else serialization_format
    if form not in SERIALIZATION_FORMATS:
        formats = ", ".join(SERIALIZATION_FORMATS)
        raise InvalidArgument(f"serialization_format must be one of {formats}, not {form!r}.")
    if not isinstance(pytorch_model, torch.nn.Module):
        raise InvalidArgument(
            f"pytorch_model must be a torch.nn.Module, not a {type(pytorch_model).__name__}."
        )
    common, own = split_options(options)
    pickle_name = pickle_module.__name__ if pickle_module else _MLFLOW_PICKLE_MODULE

    def write(folder: Path) -> None:
        folder.mkdir()
        if form == "pt2":
            program = _exported(torch, pytorch_model, common.get("input_example"))
            torch.export.save(program, folder / "model.pt2")
            return
        (folder / loader.PICKLE_MODULE_FILE).write_text(pickle_name, encoding="utf-8")
        file = folder / "model.pth"
        if isinstance(pytorch_model, torch.jit.ScriptModule):
            pytorch_model.save(str(file))
        else:
            module = pickle_module or _cloudpickle()
            torch.save(pytorch_model, file, pickle_module=module, **own)

    content = Content(
        data="data",
        write=write,
        section={"model_data": "data"},
        python_function={
            "data": "data",
            "pickle_module_name": pickle_name,
            "model_config": {"device": None},
        },
    )
    _FLAVOR.save(path, common, content)


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env


def _cloudpickle() -> ModuleType:
    """Return cloudpickle as `torch.save` needs it: a module with `Pickler` and `Unpickler`."""
    cloudpickle = loading.library("cloudpickle")
    module = ModuleType("cloudpickle_for_torch")
    module.__dict__.update(vars(cloudpickle), __name__=module.__name__)
    module.__dict__.update(Pickler=cloudpickle.CloudPickler, Unpickler=pickle.Unpickler)
    return module


def _exported(torch: Any, model: Any, example: Any) -> Any:
    """Export the module as it treats the example, for any number of rows."""
    arrays = example if isinstance(example, tuple | list) else (example,)
    if example is None or not all(hasattr(array, "dtype") for array in arrays):
        raise InvalidArgument(
            "The format pt2 needs an input_example: an array, a tensor, or several of them."
        )
    tensors = tuple(torch.as_tensor(array) for array in arrays)
    rows = torch.export.Dim.AUTO
    shapes = [{0: rows} if tensor.ndim else None for tensor in tensors]
    return torch.export.export(model, tensors, dynamic_shapes=shapes)
