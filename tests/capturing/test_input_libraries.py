"""What a model's input is made of is required, although no example shows it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from envkit.capturing import capture as capturing
from envkit.capturing.capture import capture
from envkit.errors import ModelRaised
from envkit.locking.lock import Unlocked
from tests.builders.models import loader_code, write_model
from tests.builders.sites import Site

ESTIMATOR = "class Estimator:\n    def predict(self, data):\n        return data\n"
COLUMNS = {"inputs": [{"type": "double", "name": "a", "required": True}]}
TENSORS = {"inputs": [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]}


@pytest.fixture
def libraries(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with stand-ins for pandas, NumPy, scikit-learn and another library."""
    for name in ("pandas", "numpy"):
        site.install(name, files={f"{name}.py": ""})
    site.install("scikit-learn", files={"sklearn/__init__.py": "", "sklearn/tree.py": ESTIMATOR})
    site.install("forest", files={"forest.py": ESTIMATOR})
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    monkeypatch.setattr(
        capturing, "lock", lambda *_, **__: Unlocked(reasons=("no network in tests",))
    )
    path = tmp_path / "bare" / "model.pkl"
    path.parent.mkdir()
    return path


def pickled(module: str, state: bytes = b"") -> bytes:
    """A pickle of an `Estimator`; state: opcodes that make and set its attributes."""
    return b"\x80\x02c" + module.encode() + b"\nEstimator\n)\x81" + state + b"."


def state(**attributes: object) -> bytes:
    return pickle.dumps(attributes, 2)[2:-1] + b"b"


NAMED = state(feature_names_in_=["a"])
STEPS = state(steps=[("scale", {}), ("set", {})])


@pytest.mark.parametrize(
    ("content", "example", "has_pandas"),
    [
        (pickled("sklearn.tree"), "", True),
        (pickled("forest"), "", False),
        (pickled("forest", NAMED), "", True),
        (pickled("sklearn.tree", NAMED), "[[1.0]]", True),
        (pickled("sklearn.tree"), "[[1.0]]", False),
        (pickled("sklearn.tree", STEPS), "[[1.0]]", False),
        (pickled("forest", state(_sklearn_output_config={"transform": "pandas"})), "", True),
    ],
)
def test_an_estimator_that_takes_frames_requires_pandas(
    libraries: Path, content: bytes, example: str, has_pandas: bool
) -> None:
    libraries.write_bytes(content)
    if example:
        (libraries.parent / "input_example.json").write_text(example)

    captured = capture(libraries, write=False)

    assert ("pandas==1.0" in captured.requirements) is has_pandas


@pytest.mark.parametrize(
    ("signature", "library"), [(COLUMNS, "pandas==1.0"), (TENSORS, "numpy==1.0")]
)
def test_a_signature_says_what_the_input_is_made_of(
    tmp_path: Path, libraries: Path, signature: dict[str, object], library: str
) -> None:
    model = write_model(tmp_path / "model", loader_code(), signature=signature)

    assert capture(model, write=False).requirements == (library,)


def test_a_library_that_cannot_be_imported_does_not_end_a_capture(
    tmp_path: Path, libraries: Path, site: Site
) -> None:
    Path(site.file("pandas.py")).write_text("raise RuntimeError('broken')\n")
    model = write_model(tmp_path / "model", loader_code(), signature=COLUMNS)

    assert capture(model, write=False).prediction is None


@pytest.mark.parametrize("value", [{"weights": [1]}, [1, 2], "text", dict])
def test_an_object_that_cannot_predict_is_not_captured_without_an_example_either(
    libraries: Path, value: object
) -> None:
    libraries.write_bytes(pickle.dumps(value))

    with pytest.raises(ModelRaised, match="no `predict` and cannot be called"):
        capture(libraries)
    assert [path.name for path in libraries.parent.iterdir()] == ["model.pkl"]
