"""What a capture could not see or record is a value."""

from __future__ import annotations

from envkit.models.capture_warnings import CaptureWarning, WarningKind
from tests.builders.model_case import ModelCase


def test_a_warning_reads_as_a_sentence_and_as_an_object() -> None:
    found = CaptureWarning(
        kind=WarningKind.UNMET,
        subject="torch",
        detail="torch requires `sympy`, but it is not installed",
    )

    assert str(found) == "torch requires `sympy`, but it is not installed"
    assert found.as_json() == {"kind": "unmet", "subject": "torch", "text": str(found)}


def test_a_model_that_cannot_stream_on_its_example_has_a_warning(case: ModelCase) -> None:
    case.mlmodel(streamable=True)
    case.code(
        "loader.py",
        "class Model:\n    def predict(self, data): return 1\n"
        "    def predict_stream(self, data): raise ValueError('canary')\n"
        "def _load_pyfunc(path): return Model()\n",
    )
    case.example()

    (found,) = (each for each in case.capture().warnings if each.kind is WarningKind.NO_PREDICTION)

    assert (found.subject, str(found)) == (
        "predict_stream",
        "predict_stream raised ValueError: what only it imports is not known",
    )
