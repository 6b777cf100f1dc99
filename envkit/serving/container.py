"""SageMaker's contract for containers: where the model is, and where it must be served.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

from pathlib import Path

from envkit.errors import InvalidArgument
from envkit.serving.options import HOST, PORT

MODEL = Path("/opt/ml/model")
CONTAINER_HOST = "0.0.0.0"  # noqa: S104 - a container is reached from outside
CONTAINER_PORT = 8080


def address(model_uri: str | None, host: str | None, port: int | None) -> tuple[str, str, int]:
    """Give model, host and port; without a model they are those of SageMaker's contract.

    Raises `InvalidArgument` when there is neither a model nor one of a container.
    """
    if model_uri is not None:
        return model_uri, host or HOST, PORT if port is None else port
    if not MODEL.is_dir():
        raise InvalidArgument(
            f"There is no model in {MODEL}. Name one, as MODEL or with -m/--model-uri."
        )
    return str(MODEL), host or CONTAINER_HOST, CONTAINER_PORT if port is None else port
