"""spark_udf in a real Spark, in an environment made for this test; needs Java."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.builders.fixture_models import copy_fixture_model
from tests.builders.interpreters import RUNNING
from tests.builders.models import write_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.e2e,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java"),
]
ROOT = Path(__file__).resolve().parents[2]
_START = """
import json, os, sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, struct
from envkit.spark import spark_udf
os.environ["PYSPARK_PYTHON"] = sys.executable
spark = (SparkSession.builder.master(sys.argv[1]).config("spark.ui.enabled", "false")
    .config("spark.executorEnv.ENVKIT_HOME", sys.argv[2])
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1").config("spark.executor.memory", "512m").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
models = sys.argv[3]
found = {}
example = json.load(open(f"{models}/sklearn_pipeline/input_example.json"))
frame = spark.createDataFrame([tuple(row) for row in example["data"]], example["columns"])
def of(function, *columns):
    return [row.p for row in frame.withColumn("p", function(*columns)).collect()]
"""
_LOCAL = """
names = example["columns"]
predict = spark_udf(spark, f"{models}/sklearn_pipeline")
found["columns"] = of(predict, *names)
found["struct"] = of(predict, struct(*reversed(names)))
found["defaults"] = of(predict)
for kind in ("float", "string", "array<double>"):
    found[kind] = of(spark_udf(spark, f"{models}/sklearn_pipeline", result_type=kind))
try:
    of(spark_udf(spark, f"{models}/sklearn_pipeline", result_type="int"))
except Exception as error:
    found["int"] = str(error)
own = spark_udf(spark, f"{models}/own", "total double, pid long, said string", params={"factor": 3},
    extra_env={"GREETING": "good morning"}, model_config={"offset": 100})
numbers = spark.range(100, numPartitions=2).withColumn("x", col("id").cast("double"))
rows = numbers.withColumn("p", own("x")).collect()
found["own"] = [[row.x, row.p.total, row.p.said] for row in rows]
found["processes"] = sorted({row.p.pid for row in rows})
nulls = spark.createDataFrame([(1.0,), (None,)], "x double")
double = spark_udf(spark, f"{models}/own", "double")
found["nulls"] = [row.p for row in nulls.withColumn("p", double("x")).collect()]
try:
    numbers.withColumn("p", own(-col("x") - 1)).collect()
except Exception as error:
    found["error"] = str(error)
found["limited"] = len(numbers.withColumn("p", own("x")).limit(1).collect())
"""
_CLUSTER = """
function = spark_udf(spark, f"{models}/sklearn_pipeline", prebuilt_env_uri=sys.argv[4])
found["columns"] = of(function)
"""
_END = """
spark.stop()
print("FOUND" + json.dumps(found))
"""
_OWN = """
import os
class Loaded:
    def __init__(self, config):
        self.offset = (config or {}).get("offset", 0)
    def predict(self, rows, params=None):
        rows = [] if rows is None else rows
        values = rows["0"] if "0" in rows else rows["x"]
        if any(value is not None and value < 0 for value in values):
            raise RuntimeError("below zero")
        factor = (params or {}).get("factor", 1)
        said = os.environ.get("GREETING", "")
        pid = os.getpid()
        rows = []
        for value in values:
            total = None
            if value is not None and value == value:
                total = value * factor + self.offset
            rows.append({"total": total, "pid": pid, "said": said})
        return rows
def _load_pyfunc(path, model_config=None):
    return Loaded(model_config)
"""
_SIGNATURE = {
    "inputs": [{"name": "x", "type": "double", "required": False}],
    "params": [{"name": "factor", "type": "long", "default": 1, "shape": None}],
}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spark") / "environment"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    found = folder / "bin" / "python"
    packages: list[str | Path] = ["pyspark>=3.5", "pandas>=2.2,<3", "pyarrow", "--editable", ROOT]
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", found, *packages], check=True)
    return found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    copy_fixture_model("sklearn_pipeline", folder)
    write_model(
        folder / "own",
        _OWN,
        requirements="pandas\n",
        python=RUNNING,
        config={"offset": 1},
        env={"virtualenv": "python_env.yaml"},
        signature=_SIGNATURE,
    )
    return folder


def _run(python: Path, home: Path, program: str, master: str, *words: Path) -> Any:
    argv: list[str | Path] = [python, "-W", "ignore", "-c", _START + program + _END, master, *words]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        env={**os.environ, "ENVKIT_HOME": str(home)},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.partition("FOUND")[2])


def _expected(models: Path) -> list[float]:
    answer = ROOT / "fixtures" / "models" / "sklearn_pipeline" / "expected.json"
    found: list[float] = json.loads(answer.read_text())["predictions"]
    return found


def test_a_model_predicts_in_its_environment_as_a_function_of_columns(
    python: Path, models: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    found = _run(python, home, _LOCAL, "local[2]", home, models)
    expected = _expected(models)

    assert found["columns"] == found["struct"] == found["defaults"] == pytest.approx(expected)
    assert found["float"] == pytest.approx(expected, rel=1e-6)
    assert found["string"] == [str(each) for each in found["columns"]]
    assert found["array<double>"] == [[each] for each in found["columns"]]
    assert "can become int" in found["int"]
    assert found["own"] == [[float(x), 3.0 * x + 100, "good morning"] for x in range(100)]
    assert found["nulls"] == [2.0, None]
    assert "code/loader.py" in found["error"]
    assert "RuntimeError: below zero" in found["error"]
    assert len(found["processes"]) == 2, "one for each task"
    assert found["limited"] == 1
    assert not [pid for pid in found["processes"] if Path(f"/proc/{pid}").exists()]


def test_executors_of_a_cluster_unpack_what_they_are_sent(
    python: Path, models: Path, tmp_path: Path
) -> None:
    archive, home, theirs = tmp_path / "env.tar.gz", tmp_path / "home", tmp_path / "theirs"
    packing: list[str | Path] = [
        sys.executable,
        "-m",
        "envkit",
        "pack",
        models / "sklearn_pipeline",
        "-o",
        archive,
    ]
    subprocess.run(
        packing, check=True, capture_output=True, env={**os.environ, "ENVKIT_HOME": str(home)}
    )

    found = _run(python, home, _CLUSTER, "local-cluster[2,1,512]", theirs, models, archive)

    assert found["columns"] == pytest.approx(_expected(models))
    assert [each for each in (theirs / "environments").iterdir() if each.is_dir()]
    assert list((theirs / "models").rglob("MLmodel"))
