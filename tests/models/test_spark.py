"""The schema of Spark DataFrames, with the real PySpark and Java."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import uv

import envkit

pytestmark = [
    pytest.mark.slow,
    pytest.mark.e2e,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
]

INFER = """
import datetime, json
from pyspark.ml.linalg import Vectors
from pyspark.sql import Row, SparkSession
from envkit.models import ColSpec, Schema, enforce, infer_signature
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
row = Row(
    n=1, x=1.5, s="a", z=True, b=bytearray(b"x"),
    day=datetime.date(2024, 1, 2), at=datetime.datetime(2024, 1, 2),
    q=[1.5], o=Row(k="v"), m={"p": 1}, v=Vectors.dense([1.0]),
)
frame = spark.createDataFrame([row]).selectExpr("*", "CAST(n AS INT) AS i", "CAST(x AS FLOAT) AS f")
print(infer_signature(frame).inputs.to_json())
columns = [ColSpec("double", "x"), ColSpec("long", "n"), ColSpec("string", "none", required=False)]
schema = Schema(columns)
print(json.dumps(enforce(frame, schema).columns))
try:
    enforce(frame, Schema([ColSpec("long", "x")]))
except ValueError as error:
    print(json.dumps(str(error)))
try:
    infer_signature(frame.selectExpr("CAST(x AS DECIMAL(5, 2)) AS price"))
except ValueError as error:
    print(json.dumps(str(error)))
"""


WORKER = """
import sys
from envkit.inside.loaders import spark
print(spark.session().sparkContext.parallelize([0]).map(lambda _: sys.prefix).collect()[0])
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has PySpark."""
    program, folder = uv.find_uv_bin(), tmp_path_factory.mktemp("pyspark") / "venv"
    subprocess.run([program, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    install: list[str | Path] = [program, "pip", "install", "--quiet", "--python", python]
    subprocess.run(
        [*install, "pyspark>=3.5,<5", "numpy", "pandas<3", "pyarrow", "setuptools"], check=True
    )
    return python


def run(python: Path, code: str, folder: Path) -> list[str]:
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith("PYSPARK_")
    }
    variables["PYTHONPATH"] = str(Path(envkit.__file__).parents[1])
    ended = subprocess.run(
        [python, "-c", code], check=True, stdout=subprocess.PIPE, env=variables, cwd=folder
    )
    return ended.stdout.decode().splitlines()


def test_the_workers_of_a_started_spark_use_the_same_environment(
    python: Path, tmp_path: Path
) -> None:
    assert run(python, WORKER, tmp_path) == [str(python.parents[1])]


def test_a_spark_data_frame_has_the_schema_that_mlflow_infers(python: Path, tmp_path: Path) -> None:
    schema, columns, mismatch, refused = map(json.loads, run(python, INFER, tmp_path))

    assert {column.pop("name"): column for column in schema} == {
        "n": {"type": "long", "required": True},
        "x": {"type": "double", "required": True},
        "s": {"type": "string", "required": True},
        "z": {"type": "boolean", "required": True},
        "b": {"type": "binary", "required": True},
        "day": {"type": "datetime", "required": True},
        "at": {"type": "datetime", "required": True},
        "q": {"type": "array", "items": {"type": "double"}, "required": True},
        "o": {
            "type": "object",
            "properties": {"k": {"type": "string", "required": False}},
            "required": True,
        },
        "m": {
            "type": "object",
            "properties": {"p": {"type": "long", "required": True}},
            "required": True,
        },
        "v": {"type": "sparkml_vector", "required": True},
        "i": {"type": "integer", "required": True},
        "f": {"type": "float", "required": True},
    }
    assert columns == ["x", "n"]
    assert (
        mismatch == "the input `x` has the type float64, which cannot be safely converted to long"
    )
    assert refused == "Column `price`: a signature has no type for Spark's decimal(5,2)."
