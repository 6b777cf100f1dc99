"""In place of `mlflow.pytorch`: a pickled module, a TorchScript archive, or an exported program."""

from __future__ import annotations

import inspect
import os
from importlib import import_module
from types import ModuleType
from typing import Any, Mapping

from .native import Native

PICKLE_MODULE_FILE = "pickle_module_info.txt"


class TorchModule(Native):
    """What `mlflow.pyfunc` calls: takes a data frame or an array, gives the same."""

    def __init__(self, model: Any, device: str) -> None:
        super().__init__(model)
        self._device = device

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict; `params` reach the module's `forward`."""
        torch = import_module("torch")
        is_frame = hasattr(data, "iloc")
        if not is_frame and not hasattr(data, "dtype"):
            raise TypeError(
                f"a PyTorch model takes a data frame or an array, not a {type(data).__name__}"
            )
        values = data.to_numpy(dtype="float32") if is_frame else data
        with torch.no_grad():
            answer = self.model(torch.from_numpy(values).to(self._device), **(params or {}))
        if not isinstance(answer, torch.Tensor):
            raise TypeError(f"the model gave a {type(answer).__name__}, not one tensor")
        numbers = answer.cpu().numpy()
        if is_frame:
            return import_module("pandas").DataFrame(numbers, index=data.index)
        return numbers


def load(path: str, request: Mapping[str, Any]) -> TorchModule:  # noqa: ARG001 - as the other loaders
    """Load the module, onto the device that the model's configuration or the environment names, else what is there."""
    torch = import_module("torch")
    config = request["python_function"].get("config") or {}
    device = config.get("device") or os.environ.get("MLFLOW_DEFAULT_PREDICTION_DEVICE")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    model = load_native(request["model"], request["flavors"]["pytorch"], map_location=device)
    return TorchModule(model, device)


def load_native(folder: str, flavor: Mapping[str, Any], **options: Any) -> Any:
    """Give the module of a model directory, ready to predict. options: those of `torch.load`."""
    torch = import_module("torch")
    data = os.path.join(folder, flavor["model_data"])
    exported = os.path.join(data, "model.pt2")
    if os.path.exists(exported):
        program = torch.export.load(exported).module()
        if options.get("map_location"):
            return program.to(options["map_location"])
        return program
    path = os.path.join(data, "model.pth")
    if _is_script(path):
        return torch.jit.load(path, map_location=options.get("map_location")).eval()
    options.setdefault("pickle_module", _pickle_module(data))
    if "weights_only" in inspect.signature(torch.load).parameters:
        options.setdefault("weights_only", False)
    return torch.load(path, **options).eval()


def _is_script(path: str) -> bool:
    """Whether the archive holds code; a pickle of a module holds none."""
    import zipfile

    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _pickle_module(data: str) -> Any:
    """Give the module that unpickles. MLflow's own is cloudpickle, whose `load` is that of `pickle`."""
    file = os.path.join(data, PICKLE_MODULE_FILE)
    name = ""
    if os.path.exists(file):
        with open(file, encoding="utf-8") as stream:
            name = stream.read().strip()
    if name not in ("", "mlflow.pytorch.pickle_module", "cloudpickle"):
        module: ModuleType = import_module(name)
        return module
    return import_module("pickle")
