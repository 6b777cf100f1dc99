"""The rows of the table: one module each, or one for rows that differ in a number only.

A new row is a module with a function that takes the workbench and gives a `Row`, and an entry in
`ROWS`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmark.measuring import Row
from benchmark.rows import (
    capture,
    capture_mlflow,
    conda,
    distributions,
    help_text,
    image_rebuild,
    image_start,
    import_envkit,
    mapping,
    predict_sandbox,
    predict_warm,
    prepare_cold,
    prepare_warm,
    prepare_warm_large,
    save,
    serve_bare,
    serve_requests,
    serve_start,
    sixteen,
    validate,
    validate_many,
)
from benchmark.workbench import Workbench

ROWS: dict[str, Callable[[Workbench], Row]] = {
    "capture": capture.measure,
    "capture-mlflow": capture_mlflow.measure,
    "save": save.measure,
    "mapping": mapping.measure,
    "help": help_text.measure,
    "import": import_envkit.measure,
    "prepare-cold": prepare_cold.measure,
    "prepare-warm": prepare_warm.measure,
    "prepare-warm-large": prepare_warm_large.measure,
    "sixteen": sixteen.measure,
    "predict-warm": predict_warm.measure,
    "predict-sandbox": predict_sandbox.measure,
    "conda": conda.measure,
    "distributions": distributions.measure,
    "serve-1": partial(serve_requests.measure, workers=1),
    "serve-2": partial(serve_requests.measure, workers=2),
    "serve-bare": serve_bare.measure,
    "serve-start": serve_start.measure,
    "image-rebuild": image_rebuild.measure,
    "image-start": image_start.measure,
    "validate-5": partial(validate.measure, requirements=5),
    "validate-50": partial(validate.measure, requirements=50),
    "validate-500": partial(validate.measure, requirements=500),
    "validate-1000-models": validate_many.measure,
}
