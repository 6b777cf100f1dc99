"""The signatures of the models of `tests/cases/invocations.json`."""

from __future__ import annotations

from typing import Any

AB = [
    {"type": "long", "name": "a", "required": True},
    {"type": "double", "name": "b", "required": True},
]
PARAMS = [
    {"name": "t", "type": "double", "default": 0.5, "shape": None},
    {"name": "stop", "type": "string", "default": ["x"], "shape": [-1]},
]


def tensor(*shape: int, name: str | None = None) -> dict[str, Any]:
    """Describe a tensor of doubles as signatures do."""
    named = {"name": name} if name else {}
    return {**named, "type": "tensor", "tensor-spec": {"dtype": "float64", "shape": list(shape)}}


SIGNATURES: dict[str, Any] = {
    "no signature": None,
    "model that raises": None,
    "a:long b:double": {"inputs": AB},
    "c:string": {"inputs": [{"type": "string", "name": "c", "required": True}]},
    "d:datetime": {"inputs": [{"type": "datetime", "name": "d", "required": True}]},
    "x:binary": {"inputs": [{"type": "binary", "name": "x", "required": True}]},
    "a:long with params t:double=0.5 stop:string[]": {"inputs": AB[:1], "params": PARAMS},
    "tensor float64 (-1,2)": {"inputs": [tensor(-1, 2)]},
    "named tensors x (-1,2), y (-1,)": {"inputs": [tensor(-1, 2, name="x"), tensor(-1, name="y")]},
}
"""By the name of the model in the cases."""
