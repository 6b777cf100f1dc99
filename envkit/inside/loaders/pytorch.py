"""Stands in for `mlflow.pytorch`: a pickled module, a TorchScript archive, or an exported program.

Needs: torch; pandas for data frames.
Takes: a data frame or an array.
Returns: a data frame for a data frame, else an array.
"""

from __future__ import annotations

import inspect
import os
from importlib import import_module
from typing import Any, Mapping

from ..pickles import refuse_if_forbidden
from ..request import Flavor, Request
from .native import NativeModel

PICKLE_MODULE_FILE = "pickle_module_info.txt"
CLOUDPICKLE = ("", "mlflow.pytorch.pickle_module", "cloudpickle")
DEVICE_VARIABLE = "MLFLOW_DEFAULT_PREDICTION_DEVICE"


class TorchModule(NativeModel):
    """What `mlflow.pyfunc` calls."""

    def __init__(self, model: Any, device: str) -> None:
        super().__init__(model)
        self._device = device

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict; `params` are passed to the module's `forward`."""
        torch = import_module("torch")
        is_frame = hasattr(data, "iloc")
        if is_frame:
            values = data.to_numpy(dtype="float32")
        elif hasattr(data, "dtype"):
            values = data
        else:
            raise TypeError(
                f"a PyTorch model takes a data frame or an array, not a {type(data).__name__}"
            )
        with torch.no_grad():
            tensor = torch.from_numpy(values).to(self._device)
            answer = self.model(tensor, **(params or {}))
        if not isinstance(answer, torch.Tensor):
            raise TypeError(f"the model returned a {type(answer).__name__}, not one tensor")
        numbers = answer.cpu().numpy()
        if is_frame:
            return import_module("pandas").DataFrame(numbers, index=data.index)
        return numbers


def load(path: str, request: Request) -> TorchModule:  # noqa: ARG001 - as the other loaders
    """Load the module onto the configured device, else a GPU or the CPU."""
    torch = import_module("torch")
    config = request["python_function"].get("config") or {}
    device = config.get("device") or os.environ.get(DEVICE_VARIABLE)
    if not device:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    model = load_native(request["model"], request["flavors"]["pytorch"], map_location=device)
    return TorchModule(model, device)


def load_native(folder: str, flavor: Flavor, **options: Any) -> Any:
    """Load the module of a model directory, ready to predict. options: those of `torch.load`."""
    torch = import_module("torch")
    data = os.path.join(folder, flavor["model_data"])
    device = options.get("map_location")
    exported = os.path.join(data, "model.pt2")
    if os.path.exists(exported):
        program = torch.export.load(exported).module()
        if device:
            return program.to(device)
        return program
    path = os.path.join(data, "model.pth")
    if is_torchscript(path):
        return torch.jit.load(path, map_location=device).eval()
    refuse_if_forbidden(path)
    options.setdefault("pickle_module", _pickle_module(data))
    if "weights_only" in inspect.signature(torch.load).parameters:
        options.setdefault("weights_only", False)
    return torch.load(path, **options).eval()


def is_torchscript(path: str) -> bool:
    """Whether the file is a TorchScript archive, which has code; a pickle of a module has none."""
    import zipfile  # takes 10 ms, and exported programs do not need it

    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _pickle_module(data: str) -> Any:
    """Import the module that unpickles.

    MLflow's own is cloudpickle, whose `load` is that of `pickle`.
    """
    file = os.path.join(data, PICKLE_MODULE_FILE)
    name = ""
    if os.path.exists(file):
        with open(file, encoding="utf-8") as stream:
            name = stream.read().strip()
    if name in CLOUDPICKLE:
        name = "pickle"
    return import_module(name)
