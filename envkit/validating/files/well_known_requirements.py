"""What widely used distributions require in every version that is still installed.

MLflow lists what a model imports, and leaves out what that requires: scikit-learn without NumPy. No
index is asked here, so this table says what will be installed anyway. Source: the distributions'
own metadata on https://pypi.org.
"""

from __future__ import annotations

from collections.abc import Iterable

_REQUIREMENTS = {
    "catboost": ("matplotlib", "numpy", "pandas", "plotly", "scipy", "six"),
    "imbalanced-learn": ("numpy", "scikit-learn", "scipy"),
    "jax": ("jaxlib", "numpy", "scipy"),
    "keras": ("numpy",),
    "lightgbm": ("numpy", "scipy"),
    "matplotlib": ("numpy", "packaging", "pillow", "python-dateutil"),
    "mlflow": ("numpy", "pandas", "pyyaml", "requests"),
    "mlflow-skinny": ("cloudpickle", "packaging", "pyyaml", "requests"),
    "numba": ("llvmlite", "numpy"),
    "onnx": ("numpy", "protobuf"),
    "onnxruntime": ("flatbuffers", "numpy", "packaging", "protobuf"),
    "pandas": ("numpy", "python-dateutil"),
    "prophet": ("cmdstanpy", "matplotlib", "numpy", "pandas"),
    "scikit-learn": ("joblib", "numpy", "scipy", "threadpoolctl"),
    "scipy": ("numpy",),
    "sentence-transformers": ("huggingface-hub", "scikit-learn", "scipy", "torch", "transformers"),
    "shap": ("numpy", "pandas", "scikit-learn", "scipy"),
    "skops": ("packaging", "scikit-learn"),
    "spacy": ("numpy", "pydantic", "requests", "thinc"),
    "statsmodels": ("numpy", "packaging", "pandas", "patsy", "scipy"),
    "tensorflow": ("h5py", "keras", "numpy", "protobuf"),
    "torchvision": ("numpy", "pillow", "torch"),
    "transformers": ("huggingface-hub", "numpy", "packaging", "pyyaml", "regex", "tokenizers"),
    "xgboost": ("numpy", "scipy"),
}


def of(names: Iterable[str]) -> frozenset[str]:
    """Give what distributions are known to require, directly or not. names: normalized."""
    required: set[str] = set()
    waiting = list(names)
    while waiting:
        for name in _REQUIREMENTS.get(waiting.pop(), ()):
            if name not in required:
                required.add(name)
                waiting.append(name)
    return frozenset(required)
