"""A model's signature: what it takes, what it gives, which parameters it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from envkit.errors import InvalidArgument
from envkit.models.param_schema import ParamSchema
from envkit.models.schema import Schema


@dataclass(slots=True, repr=False)
class ModelSignature:
    """Inputs, outputs and parameters, of which at least one is given.

    inputs, outputs: a `Schema`, or a dataclass whose fields become columns. from_type_hint,
    from_example: told in `MLmodel` beside the signature; whether it was made from the type hints of
    `predict`, and whether those said that the input example decides.
    """

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None
    from_type_hint: bool = False
    from_example: bool = False

    def __post_init__(self) -> None:
        self.inputs = _schema(self.inputs, "inputs")
        self.outputs = _schema(self.outputs, "outputs")
        if self.params is not None and not isinstance(self.params, ParamSchema):
            raise InvalidArgument(f"params of a signature are a ParamSchema, not {self.params!r}.")
        if self.inputs is None and self.outputs is None and self.params is None:
            raise InvalidArgument("A signature has inputs, outputs or params; none is given.")

    def __repr__(self) -> str:
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return "".join(f"{name}: \n  {part!r}\n" for name, part in parts.items())

    def to_dict(self) -> dict[str, Any]:
        """Give the parts as JSON texts, as `MLmodel` holds them; None where one is absent."""
        parts = {"inputs": self.inputs, "outputs": self.outputs, "params": self.params}
        return {name: part.to_json() if part else None for name, part in parts.items()}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ModelSignature:
        """Read what `to_dict` gives; `params` may be absent, as before MLflow 2.6. Raises `InvalidArgument`."""
        inputs, outputs, params = (value.get(name) for name in ("inputs", "outputs", "params"))
        return cls(
            Schema.from_json(inputs) if inputs else None,
            Schema.from_json(outputs) if outputs else None,
            ParamSchema.from_json(params) if params else None,
        )


def _schema(given: Any, what: str) -> Schema | None:
    if given is None or isinstance(given, Schema):
        return given
    if is_dataclass(given):
        from envkit.models.inference.type_hints import schema_of_dataclass

        return schema_of_dataclass(given)
    raise InvalidArgument(f"{what} of a signature are a Schema or a dataclass, not {given!r}.")


def __getattr__(name: str) -> Any:
    """Give `infer_signature` under the name that it has in MLflow, too."""
    if name == "infer_signature":
        from envkit.models.inference.signature import infer_signature

        return infer_signature
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
