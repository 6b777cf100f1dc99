"""What a request asks the model to predict on."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from ..signature import Signature

ReadRaw = Callable[[Any], Any]
"""Makes the input of a model, whose type hint defines it, of JSON values."""


class ModelInput(NamedTuple):
    """What a request asks for. is_chat: the answer to it is not wrapped in `predictions`."""

    data: Any
    params: Any
    is_chat: bool = False


class RequestReader:
    """Base class of models that read requests themselves, because their data are not Python's."""

    def read(self, content: bytes, content_type: str, signature: Signature) -> ModelInput:
        """Read a request, as `scoring_request.parse` does. Raises `InvalidInput`."""
        raise NotImplementedError
