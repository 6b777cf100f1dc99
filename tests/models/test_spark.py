"""Spark's data frames: their schema, with the real PySpark and Java."""

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
    n=1, x=1.5, s="a", z=True, b=bytearray(b"x"), day=datetime.date(2024, 1, 2), at=datetime.datetime(2024, 1, 2),
    q=[1.5], o=Row(k="v"), m={"p": 1}, v=Vectors.dense([1.0]),
)
frame = spark.createDataFrame([row]).selectExpr("*", "CAST(n AS INT) AS i", "CAST(x AS FLOAT) AS f")
print(infer_signature(frame).inputs.to_json())
schema = Schema([ColSpec("double", "x"), ColSpec("long", "n"), ColSpec("string", "none", required=False)])
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


def test_a_data_frame_of_spark_has_the_references_schema(tmp_path: Path) -> None:
    program = uv.find_uv_bin()
    subprocess.run([program, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install: list[str | Path] = [program, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, "pyspark>=3.5,<5", "numpy", "pandas<3", "pyarrow", "setuptools"], check=True)
    ended = subprocess.run(
        [python, "-c", INFER],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(envkit.__file__).parents[1])},
        cwd=tmp_path,
    )

    schema, columns, mismatch, refused = map(json.loads, ended.stdout.decode().splitlines())

    assert {each.pop("name"): each for each in schema} == {
        "n": {"type": "long", "required": True},
        "x": {"type": "double", "required": True},
        "s": {"type": "string", "required": True},
        "z": {"type": "boolean", "required": True},
        "b": {"type": "binary", "required": True},
        "day": {"type": "datetime", "required": True},
        "at": {"type": "datetime", "required": True},
        "q": {"type": "array", "items": {"type": "double"}, "required": True},
        "o": {"type": "object", "properties": {"k": {"type": "string", "required": False}}, "required": True},
        "m": {"type": "object", "properties": {"p": {"type": "long", "required": True}}, "required": True},
        "v": {"type": "sparkml_vector", "required": True},
        "i": {"type": "integer", "required": True},
        "f": {"type": "float", "required": True},
    }
    assert columns == ["x", "n"]
    assert mismatch == "the input `x` takes values of long; those of float64 are not safely converted"
    assert refused == "Column `price`: a signature has no type for Spark's decimal(5,2)."
