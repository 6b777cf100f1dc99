"""A degradation is a value."""

from __future__ import annotations

from envkit.capturing.degradations import Degradation, Kind


def test_a_degradation_reads_as_a_sentence_and_as_an_object() -> None:
    found = Degradation(kind=Kind.UNMET, subject="torch", detail="torch requires `sympy`, but it is not installed")

    assert str(found) == "torch requires `sympy`, but it is not installed"
    assert found.as_json() == {"kind": "unmet", "subject": "torch", "text": str(found)}
