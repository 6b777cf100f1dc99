"""Libraries of which the model's input is made, although loading it does not import them.

MLflow gives most models data frames. A model that is saved without an example, or with arrays as
its example, is asked about data frames later, and its environment must have pandas then.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Any, Iterator

from .data.signature import Signature
from .request import Request

OF_FRAMES = frozenset(  # top-level modules of libraries whose models take data frames
    [
        "catboost",
        "diviner",
        "imblearn",
        "lightgbm",
        "pmdarima",
        "prophet",
        "sklearn",
        "statsmodels",
        "xgboost",
    ]
)
FITTED_NAMES = "feature_names_in_"  # set by scikit-learn when it is fitted on a data frame
OUTPUT_SETTING = "_sklearn_output_config"  # set by `set_output`
PYTHON_MODELS = frozenset({"mlflow.pyfunc.model", "mlflow.pyfunc.loaders.code_model"})
MAX_STEPS = 100  # of pipelines in pipelines


def import_them(model: Any, request: Request) -> None:
    """Import what the input of a loaded model is made of, if it is installed."""
    for library in _libraries(model, request):
        # a broken library fails when the model is asked, not when it is captured
        with suppress(Exception):
            import_module(library)


def _libraries(model: Any, request: Request) -> Iterator[str]:
    try:
        signature = Signature(request.get("signature"))
    except (AttributeError, TypeError, ValueError):
        # a prediction will say what is wrong with it
        return
    # its own code or its type hints make the input
    if model.read_raw is not None or model.reader is not None:
        return
    if signature.is_tensor:
        yield "numpy"
    elif signature.columns_by_name:
        yield "pandas"
    loaded = _native(model.implementation)
    if _is_fitted_on_frames(loaded) or (
        not signature.inputs and not request.get("example") and _may_take_frames(loaded, request)
    ):
        yield "pandas"


def _native(implementation: Any) -> Any:
    """The library's own object, of a model that a loader wraps."""
    give = getattr(implementation, "get_raw_model", None)
    if give is None:
        return implementation
    try:
        return give()
    except Exception:  # the method may be the model's own
        return implementation


def _is_fitted_on_frames(loaded: Any) -> bool:
    """Whether an estimator, or a step of a pipeline, was fitted on a data frame or makes some."""
    waiting = [loaded]
    for _ in range(MAX_STEPS):
        if not waiting:
            return False
        estimator = waiting.pop()
        state = getattr(estimator, "__dict__", None)
        if not isinstance(state, dict):
            continue
        output = state.get(OUTPUT_SETTING)
        if FITTED_NAMES in state or (isinstance(output, dict) and "pandas" in output.values()):
            return True
        waiting += _steps(state)
    return False


def _steps(state: Any) -> Iterator[Any]:
    """The estimators in an estimator: steps of a pipeline, and what a search or ensemble wraps."""
    for name in ("steps", "transformer_list", "transformers_", "estimators"):
        parts = state.get(name)
        if isinstance(parts, list):
            for part in parts:
                yield from part if isinstance(part, tuple) else (part,)
    for name in ("best_estimator_", "estimator", "estimator_", "regressor_"):
        if name in state:
            yield state[name]


def _may_take_frames(loaded: Any, request: Request) -> bool:
    if request["python_function"]["loader_module"] in PYTHON_MODELS:
        return True
    return any(kind.__module__.partition(".")[0] in OF_FRAMES for kind in type(loaded).__mro__)
