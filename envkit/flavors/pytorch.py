"""Models of PyTorch: modules, TorchScript archives, exported programs.

https://mlflow.org/docs/latest/api_reference/python_api/mlflow.pytorch.html
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from envkit.errors import InvalidArgument
from envkit.flavors._shared import loading
from envkit.flavors._shared.flavor import Flavor, divided
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
    also=("cloudpickle",),
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
    """Save a `torch.nn.Module`.

    serialization_format: `pickle`, or `pt2` for a program that `torch.export` makes of the module
    with the input example, whose first dimension it leaves open. export_model: the same as `pt2`.
    pickle_module: what pickles, default cloudpickle, which takes classes of `__main__` along. What
    is no parameter of `envkit.pyfunc.saving.save` is one of `torch.save`.
    """
    torch = _FLAVOR.imported()
    form = "pt2" if export_model else serialization_format
    if form not in SERIALIZATION_FORMATS:
        raise InvalidArgument(
            f"serialization_format is one of {', '.join(SERIALIZATION_FORMATS)}, not {form!r}."
        )
    if not isinstance(pytorch_model, torch.nn.Module):
        raise InvalidArgument(
            f"pytorch_model is a torch.nn.Module, not a {type(pytorch_model).__name__}."
        )
    common, own = divided(options)
    if pickle_module:
        name = pickle_module.__name__
    else:
        name = _MLFLOW_PICKLE_MODULE

    def put(folder: Path) -> None:
        folder.mkdir()
        if form == "pt2":
            torch.export.save(
                _exported(torch, pytorch_model, common.get("input_example")), folder / "model.pt2"
            )
            return
        (folder / loader.PICKLE_MODULE_FILE).write_text(name, encoding="utf-8")
        if isinstance(pytorch_model, torch.jit.ScriptModule):
            pytorch_model.save(str(folder / "model.pth"))
        else:
            torch.save(
                pytorch_model,
                folder / "model.pth",
                pickle_module=pickle_module or _cloudpickle(),
                **own,
            )

    _FLAVOR.save(
        path,
        put,
        common,
        data="data",
        fields={"model_data": "data"},
        python_function={
            "data": "data",
            "pickle_module_name": name,
            "model_config": {"device": None},
        },
    )


load_model = _FLAVOR.load_model
_load_pyfunc = _FLAVOR.load_pyfunc
log_model = _FLAVOR.log_model
get_default_pip_requirements = _FLAVOR.get_default_pip_requirements
get_default_conda_env = _FLAVOR.get_default_conda_env


def _cloudpickle() -> ModuleType:
    """Give cloudpickle as `torch.save` wants it: a module with `Pickler` and `Unpickler`."""
    import pickle

    cloudpickle = loading.library("cloudpickle")
    module = ModuleType("cloudpickle_for_torch")
    module.__dict__.update(vars(cloudpickle), __name__=module.__name__)
    module.__dict__.update(Pickler=cloudpickle.CloudPickler, Unpickler=pickle.Unpickler)
    return module


def _exported(torch: Any, model: Any, example: Any) -> Any:
    """Export the module as it treats the example, for any number of rows."""
    given = example if isinstance(example, tuple | list) else (example,)
    if example is None or not all(hasattr(each, "dtype") for each in given):
        raise InvalidArgument(
            "The format pt2 needs an input_example: an array, a tensor, or several of them."
        )
    tensors = tuple(torch.as_tensor(each) for each in given)
    rows = torch.export.Dim.AUTO
    return torch.export.export(
        model, tensors, dynamic_shapes=[{0: rows} if each.ndim else None for each in tensors]
    )
