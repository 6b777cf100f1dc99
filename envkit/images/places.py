"""Where things lie in the images that envkit builds; names without the leading slash."""

from __future__ import annotations

ENVIRONMENT = "opt/envkit/environment"  # as an unpacked archive of `envkit pack` is
INTERPRETER = f"{ENVIRONMENT}/base"
SERVER = "opt/envkit/server"
SERVER_INTERPRETER = f"{SERVER}/python"  # where the model's is too old for envkit
MODEL = "opt/ml/model"  # where SageMaker puts a model
TEMPORARY = "tmp"
PORT = 8080
