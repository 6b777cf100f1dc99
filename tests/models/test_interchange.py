"""Models, signatures and examples are exchanged with the real MLflow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import uv

from envkit.models import (
    AnyType,
    Array,
    ColSpec,
    Map,
    Model,
    ModelSignature,
    Object,
    ParamSchema,
    ParamSpec,
    Property,
    Schema,
    SparkMLVector,
    TensorSpec,
    infer_signature,
    input_example,
)

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.network]

NESTED = Schema(
    [
        ColSpec(Array(Array("long")), "a"),
        ColSpec(
            Object([Property("p", Map("string"), required=False), Property("q", "binary")]), "b"
        ),
        ColSpec(Map(AnyType()), "c", required=False),
        ColSpec(SparkMLVector(), "d"),
        ColSpec("datetime", "e"),
    ]
)
PARAMS = ParamSchema(
    [
        ParamSpec("t", "double", 0.5),
        ParamSpec("stop", "string", ["x"], (-1,)),
        ParamSpec("when", "datetime", "2024-01-02"),
        ParamSpec("o", Object([Property("k", "long")]), {"k": 1}),
    ]
)
FRAME = pd.DataFrame({"a": [1, 2], "b": [0.5, None], "c": ["x", "y"], "d": [b"x", b"y"]})
EXAMPLES: list[Any] = [FRAME, np.ones((2, 3)), {"x": np.ones(2)}, {"a": 1}, [1, 2], "hello"]
SIGNATURES = [
    ModelSignature(NESTED, NESTED, PARAMS),
    ModelSignature(Schema([TensorSpec("float32", (-1, 2), "x"), TensorSpec("str", (-1,), "y")])),
    ModelSignature(Schema([ColSpec("string")])),
    ModelSignature(params=PARAMS),
    infer_signature(FRAME, np.ones((2, 3)), {"n": 1, "flags": [True]}),
    infer_signature(list[str], dict[str, float]),
]

READ_AND_WRITE = """
import sys, warnings
from pathlib import Path
from mlflow.models import Model
for path in sorted(Path(sys.argv[1]).iterdir()):
    model = Model.load(str(path))
    model.signature = model.signature  # parsed and written again
    model.save(path / "MLmodel")
    example = model.load_input_example(str(path))
    if example is not None:
        print(path.name, type(example).__name__, list(getattr(example, "dtypes", [])))
"""

LOG = """
import json, sys
import mlflow
from envkit.models import Model, infer_signature

class Flavor:
    @staticmethod
    def save_model(path, mlflow_model):
        import os
        os.makedirs(path)
        mlflow_model.signature = infer_signature([1.5])
        mlflow_model.add_flavor("python_function", loader_module="loader", python_version="3.11.7")
        mlflow_model.save(path)

mlflow.set_tracking_uri("sqlite:///" + sys.argv[1] + "/db")
info = Model.log("model", Flavor, registered_model_name="mine")
again = mlflow.models.Model.load(info.model_uri)
run = mlflow.get_run(info.run_id)
print(json.dumps({
    "signature": again.signature.to_dict()["inputs"],
    "run": again.run_id == info.run_id,
    "version": info.registered_model_version,
    "status": run.info.status,
    "history": len(json.loads(run.data.tags["mlflow.log-model.history"])),
}))
"""


@pytest.fixture(scope="module")
def mlflow_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with MLflow and envkit."""
    place = tmp_path_factory.mktemp("mlflow") / "venv"
    program = uv.find_uv_bin()
    subprocess.run([program, "venv", "--quiet", "--python", sys.executable, place], check=True)
    python = place / "bin" / "python"
    root = Path(__file__).resolve().parents[2]
    subprocess.run(
        [program, "pip", "install", "--quiet", "--python", python, "mlflow==3.17.2", "-e", root],
        check=True,
    )
    return python


def run(python: Path, program: str, *arguments: str | Path) -> str:
    return subprocess.run(
        [python, "-W", "ignore", "-c", program, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        cwd=arguments[0],
    ).stdout.decode()


def test_mlflow_reads_what_envkit_writes_and_writes_what_envkit_reads(
    tmp_path: Path, mlflow_python: Path
) -> None:
    written = []
    for number, example in enumerate(EXAMPLES):
        saved = input_example.encode(example)
        model = Model(
            signature=infer_signature(example, params={"t": 1}),
            saved_input_example_info=saved.info,
            metadata={"m": [1]},
            env_vars=["A"],
            other={"new_field": {"x": 1}},
        )
        folder = tmp_path / str(number)
        folder.mkdir()
        model.save(folder / "MLmodel")
        for name, text in saved.files.items():
            (folder / name).write_text(text)
        written.append(model)

    printed = run(mlflow_python, READ_AND_WRITE, tmp_path)

    assert [Model.load(tmp_path / str(number)).to_dict() for number in range(len(written))] == [
        model.to_dict() for model in written
    ]
    assert [line.split()[1] for line in printed.splitlines()] == [
        "DataFrame",
        "ndarray",
        "dict",
        "dict",
        "list",
        "str",
    ]


def test_inferred_signatures_are_the_same_as_mlflows(tmp_path: Path, mlflow_python: Path) -> None:
    both_ways = (
        "import json, sys\nfrom pathlib import Path\nfrom mlflow.models import ModelSignature\n"
        "asked = json.loads(Path(sys.argv[1], 'signatures.json').read_text())\n"
        "print(json.dumps([ModelSignature.from_dict(signature).to_dict() for "
        "signature in signatures]))"
    )
    signatures = [signature.to_dict() for signature in SIGNATURES]
    (tmp_path / "signatures.json").write_text(json.dumps(signatures))

    assert json.loads(run(mlflow_python, both_ways, tmp_path).splitlines()[-1]) == signatures


def test_a_logged_model_is_found_by_mlflow(tmp_path: Path, mlflow_python: Path) -> None:
    logged = json.loads(run(mlflow_python, LOG, tmp_path).splitlines()[-1])

    assert logged == {
        "signature": '[{"type": "double", "required": true}]',
        "run": True,
        "version": 1,
        "status": "FINISHED",
        "history": 1,
    }
