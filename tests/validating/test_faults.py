"""Models with faults: what `envkit validate` says, without tracebacks and secrets."""

from __future__ import annotations

import copy
import datetime
import gzip
import json
import logging
import os
import pickle
import re
import time
import typing
import zlib
from collections.abc import Callable
from pathlib import Path

import cloudpickle
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envkit.cli.main import main
from envkit.validating.finding import Severity
from tests.builders.files import write_files
from tests.builders.locks import lock_text
from tests.builders.sound_model import (
    FILES,
    Sound,
    evidence,
    findings_of,
    package,
    seen,
    sound_model,
)

FLAVOR = FILES["MLmodel"]
CONDA = FILES["conda.yaml"]


def envkit(*words: object) -> Result:
    strict = ["validate", "--profile", "strict", *map(str, words)]
    return CliRunner().invoke(main, strict, catch_exceptions=False)


def codes(model: Path, *words: str) -> dict[str, str]:
    """The rules with findings, with place and problem of the first one of each."""
    result = envkit(model, "--json", *words)
    assert result.exit_code in (0, 1), result.output
    found: dict[str, str] = {}
    for finding in json.loads(result.stdout)["models"][0]["findings"]:
        found.setdefault(
            finding["rule"],
            f"{finding['file']}:{finding['line']}:{finding['field']}: {finding['problem']}",
        )
    assert (result.exit_code == 1) == bool(found.keys() - {"ENV109"})
    return found


def with_signature(**parts: str) -> dict[str, str]:
    """`MLmodel` with a signature."""
    signature = "".join(f"  {part}: {json.dumps(text)}\n" for part, text in parts.items())
    return {"MLmodel": f"{FLAVOR}signature:\n{signature}"}


def lock(*pins: str) -> str:
    packages = [package(*pin.split("==")) for pin in pins]
    return lock_text(packages, requires_python="==3.12.*")


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        # fields and links that leave the model
        (
            {"MLmodel": FLAVOR.replace("code: code", "code: ../code")},
            "ENV110",
            "flavors.python_function.code",
        ),
        ({"MLmodel": FLAVOR.replace("code: code", "code: /etc")}, "ENV110", "'/etc'"),
        ({"MLmodel": f"{FLAVOR}    data: ../../data\n"}, "ENV110", "flavors.python_function.data"),
        (
            {"MLmodel": FLAVOR.replace("conda: conda.yaml", "conda: ../conda.yaml")},
            "ENV110",
            "'../conda.yaml'",
        ),
        ({"MLmodel": f"{FLAVOR}    python_model: /tmp/a.pkl\n"}, "ENV110", "python_model"),
        (
            {"MLmodel": f"{FLAVOR}    artifacts:\n      a: {{path: ../a, uri: x}}\n"},
            "ENV110",
            "artifacts.a.path",
        ),
        (
            {"MLmodel": f"{FLAVOR}  sklearn:\n    pickled_model: ../m.pkl\n"},
            "ENV110",
            "flavors.sklearn.pickled_model",
        ),
        # versions that YAML reads as numbers
        (
            {"python_env.yaml": "python: 3.10\n"},
            "ENV102",
            "python_env.yaml:None:python: expected text",
        ),
        ({"MLmodel": FLAVOR.replace("3.12.7", "3.10")}, "ENV102", "python_version"),
        # empty, truncated, wrongly typed
        ({"MLmodel": ""}, "ENV102", "MLmodel:None:None: is empty"),
        ({"MLmodel": "flavors: [1]\n"}, "ENV102", "MLmodel:None:flavors: expected keys"),
        (
            {"MLmodel": "flavors: {python_function: {loader_module: 1}}\n"},
            "ENV102",
            "loader_module",
        ),
        ({"MLmodel": "flavors: {crate: {}}\n"}, "ENV102", "flavors.python_function: is missing"),
        ({"conda.yaml": "dependencies: [{pip: x"}, "ENV102", "is not valid YAML"),
        (
            {"conda.yaml": CONDA.replace("- pip\n", "- 3.1\n")},
            "ENV102",
            "conda.yaml:None:dependencies[1]",
        ),
        ({"conda.yaml": "- a\n"}, "ENV102", "conda.yaml:None:None: expected keys"),
        ({"conda.yaml": "a: &b [1]\nc: *b\n"}, "ENV102", "anchors"),
        ({"python_env.yaml": ""}, "ENV102", "python_env.yaml:None:None: is empty"),
        (
            {"python_env.yaml": "python: 3.12.7\ndependencies: x\n"},
            "ENV102",
            "dependencies: expected a list",
        ),
        ({"pylock.toml": 'lock-version = "1.0"\n'}, "ENV102", "pylock.toml"),
        ({"pylock.toml": "x"}, "ENV102", "is not valid TOML"),
        ({"envkit.json": "{}"}, "ENV102", "envkit.json:None:schema_version"),
        ({"envkit.json": '{"schema_version": 1}'}, "ENV102", "was not written by `envkit capture`"),
        ({"envkit.json": '{"schema_version": 1, "interpreter": []'}, "ENV102", "envkit.json:1"),
        (
            {
                "envkit.json": '{"schema_version": 1, "interpreter": {"version": "3"}, '
                '"distributions": [{"name": 1}]}'
            },
            "ENV102",
            "was not written by `envkit capture`",
        ),
        ({"environment_variables.txt": "A B\n"}, "ENV102", "environment_variables.txt:1"),
        ({"requirements.txt": "acme==1.0 --wrong\n"}, "ENV102", "requirements.txt:1"),
        # the signature and the examples
        (with_signature(inputs="[{"), "ENV102", "MLmodel:None:signature.inputs: is not a valid"),
        (with_signature(inputs='{"a": 1}'), "ENV102", "must be a list of objects"),
        (with_signature(outputs='[{"type": "number"}]'), "ENV102", "signature.outputs"),
        (with_signature(outputs="x"), "ENV102", "is not valid JSON"),
        (with_signature(params='[{"name": "a"}]'), "ENV102", "signature.params"),
        (with_signature(params="[" * 100_000), "ENV102", "signature.params"),
        ({"input_example.json": "{'a': 1}"}, "ENV102", "json:1:None: is not valid JSON"),
        ({"input_example.json": b"caf\xe9"}, "ENV102", "byte 0xe9 is not UTF-8 text"),
        ({"input_example.json": "[" * 100_000}, "ENV102", "input_example.json"),
        ({"serving_input_example.json": ""}, "ENV102", "serving_input_example.json:1"),
        (
            {
                "MLmodel": (
                    f"{FLAVOR}saved_input_example_info: {{artifact_path: a.json, type: dict}}\n"
                ),
                "a.json": "[1,\n2",
            },
            "ENV102",
            "a.json:2:None: is not valid JSON",
        ),
        ({"requirements.txt": b"# caf\xe9\nacme==1.0\n"}, "ENV102", "byte 0xe9 is not UTF-8 text"),
        (
            {"conda.yaml": CONDA.replace("- python=3.12.7\n", "")},
            "ENV140",
            "conda.yaml names no Python",
        ),
        ({"requirements.txt": "acme==${VERSION}\n"}, "ENV120", "the environment variable VERSION"),
        ({"requirements.txt": "${PACKAGE}\n"}, "ENV120", "the environment variable PACKAGE"),
        # references
        (
            {"requirements.txt": "acme==1.0\n-r requirements.txt\n"},
            "ENV112",
            "requirements.txt:2:None",
        ),
        ({"requirements.txt": "-r a.txt\n", "a.txt": "-r requirements.txt\n"}, "ENV112", "a.txt:1"),
        ({"requirements.txt": "-r ../a.txt\n"}, "ENV112", "leads out of the model"),
        ({"requirements.txt": "-r https://host/a.txt\n"}, "ENV112", "refers to a URL"),
        (
            {"requirements.txt": "acme==1.0\n-c absent.txt\n"},
            "ENV112",
            "refers to a file that does not exist",
        ),
        (
            {"requirements.txt": "-r a.txt\n", "a.txt": "-r b.txt\n" * 1001, "b.txt": ""},
            "ENV112",
            "the limit of 1000 files",
        ),
        # what the files bound and lock
        (
            {"conda.yaml": CONDA.replace("  - -c constraints.txt\n", "")},
            "ENV103",
            "constrains `other==2.0`, conda.yaml",
        ),
        (
            {"python_env.yaml": "python: 3.12.7\ndependencies:\n- acme==1.0\n"},
            "ENV103",
            "python_env.yaml does not",
        ),
        (
            {"conda.yaml": CONDA.replace("constraints.txt", "c.txt"), "c.txt": "other==3.0\n"},
            "ENV103",
            "c.txt:1",
        ),
        ({"pylock.toml": lock("acme==1.0")}, "ENV107", "`other==2.0` is not in pylock.toml"),
        (
            {"pylock.toml": lock("acme==1.0", "other==2.0", "third==3.0")},
            "ENV107",
            "holds third, which no file",
        ),
        # requirements
        ({"requirements.txt": "acme=1.0\n"}, "ENV113", "`acme=1.0` is not a requirement"),
        ({"requirements.txt": "acme==1.*\n"}, "ENV120", "requirements.txt:1"),
        ({"requirements.txt": "acme\n"}, "ENV120", "`acme`"),
        ({"requirements.txt": "acme!=1.0\n"}, "ENV120", "`acme!=1.0`"),
        (
            {"conda.yaml": CONDA.replace("- pip\n", "- libgomp>=1\n- pip\n")},
            "ENV120",
            "conda.yaml:5",
        ),
        (
            {"requirements.txt": f"acme==1.0 --hash=sha256:{'a' * 64}\nother==2.0\n"},
            "ENV121",
            "pip then refuses all",
        ),
        (
            {"requirements.txt": "acme @ https://me:word@host/acme-1.0.zip\n"},
            "ENV122",
            "requirements.txt:1",
        ),
        (
            {"requirements.txt": "acme @ https://host/acme.zip?token=abcdef\n"},
            "ENV122",
            "requirements.txt:1",
        ),
        (
            {"conda.yaml": CONDA.replace("conda-forge", "https://u:p@host/channel")},
            "ENV122",
            "conda.yaml:2",
        ),
        ({"requirements.txt": "acme @ file:///home/me/acme\n"}, "ENV123", "is a local file"),
        (
            {"requirements.txt": "acme @ file:///croot/acme_16/work\n"},
            "ENV123",
            "build folder of conda",
        ),
        ({"requirements.txt": "-e .\n"}, "ENV123", "is a development install"),
        ({"requirements.txt": "../acme\n"}, "ENV123", "lies outside the model"),
        ({"requirements.txt": "./wheels/acme-1.0-py3-none-any.whl\n"}, "ENV123", "does not exist"),
        ({"requirements.txt": "--find-links /srv/wheels\nacme==1.0\n"}, "ENV123", "`--find-links`"),
        (
            {"requirements.txt": "acme @ git+https://host/acme@v1.0\n"},
            "ENV124",
            "so its content can change",
        ),
        (
            {"requirements.txt": "acme @ git+https://host/acme\n"},
            "ENV124",
            "so its content can change",
        ),
        (
            {"requirements.txt": "acme @ https://host/acme-1.0.zip\n"},
            "ENV124",
            "so its content can change",
        ),
        (
            {"requirements.txt": "--index-url http://host/simple\nacme==1.0\n"},
            "ENV125",
            "requirements.txt:1",
        ),
        (
            {
                "requirements.txt": "--extra-index-url https://a/simple\nacme==1.0\n",
                "pylock.toml": None,
            },
            "ENV126",
            ":1:",
        ),
        (
            {"requirements.txt": "ac-me==1.0\nAC__.Me==1.0\n"},
            "ENV130",
            "`AC__.Me==1.0` requires the same package as `ac-me==1.0`",
        ),
        ({"requirements.txt": "Other_==2.0\n"}, "ENV113", "Other_"),
        ({"requirements.txt": "acme==1.0\nacme==1.1\n"}, "ENV131", "exclude each other"),
        (
            {"requirements.txt": "acme==1.0\nother==3.0\n-c constraints.txt\n"},
            "ENV131",
            "constraints.txt:1",
        ),
        ({"requirements.txt": "acme==1.0\nacme[a]==1.0\n"}, "ENV130", "requirements.txt:2"),
        ({"requirements.txt": "acme==1.0,<1\n"}, "ENV131", "no version satisfies `acme==1.0,<1`"),
        (
            {"requirements.txt": f"acme; {'(' * 3000}os_name == 'nt'{')' * 3000}\n"},
            "ENV113",
            "…` is not a requirement",
        ),
        ({"conda.yaml": CONDA.replace("  - -c", "  - --pre\n  - -c")}, "ENV133", "conda.yaml:8"),
        (
            {"conda.yaml": CONDA.replace("  - -c", "  - -r absent.txt\n  - -c")},
            "ENV112",
            "conda.yaml:8",
        ),
        (
            {"requirements.txt": "acme @ https://host/a.zip?X-Amz-Signature=abcdef\n"},
            "ENV122",
            "requirements.txt:1",
        ),
        (
            {"requirements.txt": "acme==1; sys_platform == 'win32'\nacme==2; os_name == 'nt'\n"},
            "ENV131",
            "exclude",
        ),
        ({"requirements.txt": "acme==1.0; python_version < '3'\n"}, "ENV132", "never installed"),
        ({"requirements.txt": "--no-binary :all:\nacme==1.0\n"}, "ENV133", "--no-binary"),
        # the interpreter
        ({"python_env.yaml": "python: '3.12'\n"}, "ENV140", "Python 3.12 is not one version"),
        (
            {"conda.yaml": CONDA.replace("python=3.12.7", "python>=3.12.7")},
            "ENV140",
            "several Pythons",
        ),
        (
            {"python_env.yaml": "python: '3.9.1'\n"},
            "ENV104",
            "python_env.yaml names Python 3.9.1, but MLmodel names",
        ),
        ({"python_env.yaml": "python: '3.9.1'\n"}, "ENV141", "2025-10-31 (PEP 596)"),
        ({"python_env.yaml": "python: '3.1'\n"}, "ENV141", "3.10 without quotes"),
        ({"python_env.yaml": "python: '3.99.1'\n"}, "ENV140", "there is no Python 3.99.1"),
        ({"python_env.yaml": "python: '4.0.0'\n"}, "ENV140", "there is no Python 4.0.0"),
        (
            {"MLmodel": re.sub(r"    env:\n(      .*\n)+", "", FLAVOR)},
            "ENV101",
            "MLmodel:None:flavors.python_function.env: names no environment",
        ),
        # code
        (
            {"code/loader.py": "from missing_one import a\nimport acme\n"},
            "ENV201",
            "code/loader.py:1",
        ),
        ({"code/loader.py": "def f():\n    import sklearn\n"}, "ENV201", "code/loader.py:2"),
        ({"code/acme.py": ""}, "ENV204", "code/acme.py"),
        ({"code/json/__init__.py": ""}, "ENV204", "the standard library"),
        ({"code/loader.py": "def (:\n"}, "ENV205", "code/loader.py"),
        ({"model.pkl": pickle.dumps(eval)}, "ENV210", "builtins.eval"),
        (
            {"MLmodel": f"{FLAVOR}  sklearn:\n    skops_trusted_types: [os.system]\n"},
            "ENV210",
            "lets skops load os.system",
        ),
        ({"model.pkl": b"csubprocess\nPopen\n(S'id'\ntR."}, "ENV210", "subprocess.Popen"),
        ({"model.pkl": b"cacme.memory\nos.system\n."}, "ENV210", "acme.memory.os.system"),
        ({"model.pkl": b"cacme\nos\n."}, "ENV210", "acme.os"),
        (
            {"model.pkl": b"cbuiltins\ngetattr\n(cacme\nmemory\nS'os'\ntR."},
            "ENV210",
            "acme.memory.os",
        ),
        (
            {"model.pkl": b"cbuiltins\ngetattr\n(cbuiltins\nobject\nS'__subclasses__'\ntR."},
            "ENV210",
            "__subclasses__",
        ),
        (
            {"model.pkl": b"cbuiltins\ngetattr\n(cbuiltins\nobject\nI1\ntR."},
            "ENV211",
            "builtins.getattr",
        ),
        ({"model.pkl": b"(cbuiltins\ngetattr\nl."}, "ENV211", "builtins.getattr"),
        (
            {"model.pkl": b"cbuiltins\ngetattr\np0\n(cbuiltins\ntuple\nS'x'\ntR0(g0\nl."},
            "ENV211",
            "builtins.getattr",
        ),
        ({"model.pkl": b"\x80\x02\x82\x01."}, "ENV211", "copyreg._inverted_registry[1]"),
        ({"model.pkl": b"ccollections\n_sys.modules\n."}, "ENV210", "collections._sys.modules"),
        ({"model.pkl": b"cdataclasses\ninspect\n."}, "ENV210", "dataclasses.inspect"),
        ({"model.pkl": b"c_functools\nreduce\n."}, "ENV211", "_functools.reduce"),
        ({"model.pkl": b"cposixpath\nos.system\n."}, "ENV210", "posixpath.os.system"),
        ({"model.pkl": b"c__main__\nPrice\n."}, "ENV212", "needs Price of the program"),
        (
            {"model.pkl": b"chelpers\nScaler\n.", "code/helpers.py": "x = 1\n"},
            "ENV214",
            "helpers.Scaler, which code/helpers.py does not define",
        ),
        (
            {
                "model.pkl": b"cnumpy._core.multiarray\n_reconstruct\n.",
                "requirements.txt": "acme==1.0\nnumpy==1.24.4\n",
            },
            "ENV213",
            "NumPy 2",
        ),
        (
            {
                "model.pkl": pickle.dumps({"_sklearn_version": "1.5.0"}),
                "requirements.txt": "acme==1.0\nscikit-learn==1.2\n",
            },
            "ENV213",
            "scikit-learn 1.5.0",
        ),
        ({"code/loader.py": "def load(path): ...\n"}, "ENV206", "no function `_load_pyfunc`"),
        (
            {"MLmodel": f"{FLAVOR}    model_code_path: answer.py\n", "answer.py": "x = 1\n"},
            "ENV206",
            "answer.py",
        ),
        (
            {"MLmodel": FLAVOR.replace(": loader", ": mlflow.pyfunc.loaders.code_model")},
            "ENV119",
            "model_code_path",
        ),
        (
            {
                "MLmodel": f"{FLAVOR.replace(': loader', ': mlflow.sklearn')}  sklearn:\n"
                "    pickled_model: model.pkl\n    serialization_format: jar\n"
            },
            "ENV119",
            "'jar'",
        ),
        (
            {"MLmodel": f"{FLAVOR}    data: model.pkl\n", "model.pkl": b"\x80\x04]"},
            "ENV205",
            "not read completely",
        ),
        ({"data.bin": b"\x80\x04cnowhere.known\nrun\n."}, "ENV211", "nowhere.known.run"),
    ],
)
def test_a_fault_is_reported_with_file_and_field(
    sound: Sound, files: dict[str, str | bytes | None], code: str, said: str
) -> None:
    found = codes(sound(files))

    assert code in found, found
    assert said in found[code], found[code]


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "\ufeffacme==1.0\r\n-c constraints.txt\r\n"},
        {"requirements.txt": "# a comment\nAcme == 1.0   # another\n-c constraints.txt\n"},
        {"requirements.txt": "acme\\\n==1.0\n-c constraints.txt\n"},
        {
            "code/loader.py": "try:\n    import ujson\nexcept ImportError: ...\nimport acme\n"
            "def _load_pyfunc(path): ...\n",
            "envkit.json": None,
        },
        {
            "code/loader.py": "import acme.deep.inside, os.path, helpers\n"
            "from helpers import _load_pyfunc\n",
            "code/helpers.py": "",
            "envkit.json": None,
        },
        {
            "conda.yaml": CONDA.replace(
                "  - acme==1.0\n  - -c constraints.txt\n", "  - -r requirements.txt\n"
            )
        },
        {"python_env.yaml": "python: 3.12.7\ndependencies:\n- acme==1.0\n- -c constraints.txt\n"},
        {"model.pkl": pickle.dumps({"a": [1.0, b"x", (None, True)]}), "envkit.json": None},
        {**with_signature(outputs='[{"type": "any"}]', params="[]"), "envkit.json": None},
        {"input_example.json": '{"a": [NaN, 1.0], "a": []}', "envkit.json": None},
        {
            "model.pkl": b"cbuiltins\ngetattr\n(cbuiltins\ntuple\nS'__new__'\ntR.",
            "envkit.json": None,
        },
        {"model.pkl": b"cmlflow.pyfunc.model\nPythonModel\n.", "envkit.json": None},
        {
            "model.pkl": pickle.dumps([typing.Optional[int], int | None, list[int]]),  # noqa: UP045
            "envkit.json": None,
        },
        {
            "model.pkl": pickle.dumps(
                [logging.getLogger("x"), os.path.join, json.dumps, time.time]
            ),
            "envkit.json": None,
        },
        {
            "model.pkl": pickle.dumps([time.struct_time, datetime.time, copy.deepcopy]),
            "envkit.json": None,
        },
        {
            "model.pkl": b"chelpers\nScaler\n.",
            "envkit.json": None,
            "code/helpers.py": "try:\n    from acme import Scaler\nexcept ImportError: ...\n",
        },
        {
            "model.pkl": b"chelpers\nScaler\n.",
            "envkit.json": None,
            "code/helpers.py": "from acme import *\n",
        },
        {"model.pkl": b"c_collections\n_tuplegetter\n(I0\nS'x'\ntR.", "envkit.json": None},
    ],
)
def test_unusual_but_valid_files_are_not_reported(
    sound: Sound, files: dict[str, str | bytes | None]
) -> None:
    assert codes(sound(files)).keys() <= {"ENV109"}


def test_what_a_declared_package_always_requires_is_not_missing(sound: Sound) -> None:
    artifact = {"model.pkl": b"cnumpy\nndarray\n.", "pylock.toml": None}
    declared = sound(
        {"requirements.txt": "acme==1.0\nscikit-learn==1.5\n", **artifact}, name="declared"
    )
    undeclared = sound({"requirements.txt": "acme==1.0\n", **artifact}, name="undeclared")

    assert not codes(declared).keys() & {"ENV201", "ENV211"}
    assert {"ENV201", "ENV211"} <= codes(undeclared).keys()


def test_an_example_that_is_an_array_is_a_warning_unless_the_capture_did_without_numpy(
    sound: Sound,
) -> None:
    example = "saved_input_example_info:\n  artifact_path: input_example.json\n  type: ndarray\n"
    files = {"MLmodel": f"{FLAVOR}{example}", "input_example.json": '{"inputs": [[1, 2]]}'}
    captured = sound(files, name="captured")
    saved = sound({**files, "envkit.json": None}, name="saved")

    assert findings_of(captured, "ENV201") == []
    assert [finding.severity for finding in findings_of(saved, "ENV201")] == [Severity.WARNING]


def example_model(sound: Sound, kind: str, inputs: object, example: object) -> Path:
    """A model with a signature of these inputs and an example of this kind."""
    info = f"saved_input_example_info:\n  artifact_path: input_example.json\n  type: {kind}\n"
    content = with_signature(inputs=json.dumps(inputs))["MLmodel"]
    files = {"MLmodel": f"{content}{info}", "input_example.json": json.dumps(example)}
    return sound({**files, "envkit.json": None})


COLUMNS = [{"name": "a", "type": "double"}, {"name": "b", "type": "string", "required": False}]
ARRAY = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]
OBJECT = [{"name": "a", "type": "object", "properties": {"x": {"type": "long"}}}]


@pytest.mark.parametrize(
    ("kind", "inputs", "example", "said"),
    [
        ("dataframe", COLUMNS, {"columns": ["A", "b"], "data": [[1.0, "x"]]}, "requires `a`"),
        ("dataframe", COLUMNS, {"columns": ["a"], "data": [[1.0], ["x"]]}, "column `a`"),
        ("dataframe", COLUMNS, [{"a": 1.0, "b": 2}], "column `b`"),
        ("dataframe", COLUMNS, [{"b": "x"}], "requires `a`"),
        ("dataframe", [{"type": "long"}] * 2, {"columns": [0], "data": [[1]]}, "2 columns"),
        ("json_object", COLUMNS, {"a": True}, "column `a`"),
        ("json_object", COLUMNS, {"c": [1.0]}, "requires `a`"),
        ("json_object", OBJECT, [{"a": {"x": "1"}}], "column `a`"),
        ("ndarray", ARRAY, {"inputs": [[1.0, 2.0, 3.0]]}, "shape"),
        ("ndarray", ARRAY, {"inputs": [1.0]}, "shape"),
        ("ndarray", ARRAY, {"inputs": [["x", "y"]]}, "float64"),
        ("ndarray", [{**ARRAY[0], "name": "x"}], {"inputs": {"y": [[1, 2]]}}, "requires `x`"),
    ],
)
def test_an_example_that_contradicts_the_signature_is_an_error(
    sound: Sound, kind: str, inputs: object, example: object, said: str
) -> None:
    (finding,) = findings_of(example_model(sound, kind, inputs, example), "ENV117")

    assert finding.severity is Severity.ERROR
    assert said in finding.problem


@pytest.mark.parametrize(
    ("kind", "inputs", "example"),
    [
        ("dataframe", COLUMNS, {"columns": ["a", "b"], "data": [[1, None], [None, "x"]]}),
        ("dataframe", COLUMNS, {"columns": ["a", "more"], "data": [["NaN", 1]]}),
        ("dataframe", [{"name": "a", "type": "long"}], [{"a": 1.0}]),
        ("dataframe", [{"name": "a", "type": "datetime"}], [{"a": "2024-01-01"}]),
        ("json_object", [{"type": "string"}], ["a", "b"]),
        ("json_object", OBJECT, [{"a": {"x": 1}}]),
        ("ndarray", ARRAY, {"inputs": [[1, 2]]}),
        ("ndarray", ARRAY, {"inputs": []}),
        ("sparse_matrix_csc", ARRAY, {"data": [1], "shape": [1, 2]}),
        ("ndarray", "not a list", {"inputs": [[1]]}),
    ],
)
def test_an_example_that_fits_the_signature_is_not_reported(
    sound: Sound, kind: str, inputs: object, example: object
) -> None:
    assert findings_of(example_model(sound, kind, inputs, example), "ENV117") == []


def test_a_directory_that_lost_its_mlmodel_is_an_error(sound: Sound) -> None:
    lost = sound({"MLmodel": None, "envkit.json": None, "model.pkl": pickle.dumps(1)}, name="lost")
    bare = sound(
        {
            "MLmodel": None,
            "envkit.json": None,
            "model.pkl": pickle.dumps(1),
            "python_env.yaml": None,
            "conda.yaml": None,
        },
        name="bare",
    )

    assert "ENV118" in codes(lost)
    assert "ENV118" not in codes(bare)


def test_functions_of_another_python_in_a_pickle_are_an_error(sound: Sound) -> None:
    function = cloudpickle.dumps(lambda value: [value for _ in range(3)])
    other = {
        "MLmodel": FLAVOR.replace("3.12.7", "3.8.18"),
        "python_env.yaml": FILES["python_env.yaml"].replace("3.12.7", "3.8.18"),
    }

    assert "written with Python 3.1" in codes(sound({"model.pkl": function, **other}))["ENV213"]


def test_a_link_out_of_the_model_is_reported(sound: Sound, tmp_path: Path) -> None:
    model = sound()
    (tmp_path / "secret").write_text("x")
    (model / "data").symlink_to(tmp_path / "secret")
    (model / "round").symlink_to("round")
    (model / "inside").symlink_to("code/loader.py")

    assert [finding.file for finding in findings_of(model, "ENV110")] == ["data", "round"]


@pytest.mark.parametrize(
    ("change", "file"),
    [
        ({"code/loader.py": "import acme\n"}, "code/loader.py"),
        ({"MLmodel": f"{FLAVOR}    config: {{a: 1}}\n"}, "MLmodel"),
    ],
)
def test_a_file_that_changed_after_the_capture_is_reported(
    sound: Sound, change: dict[str, str], file: str
) -> None:
    assert [finding.file for finding in findings_of(sound(change), "ENV108")] == [file]


def test_what_a_capture_itself_writes_is_not_a_change(sound: Sound) -> None:
    model = sound(
        {
            "MLmodel": FLAVOR.replace("conda: conda.yaml", "conda:   conda.yaml"),
            "requirements.txt": "x==1\n",
        }
    )

    assert findings_of(model, "ENV108") == []


def test_no_secret_is_in_any_report(sound: Sound) -> None:
    model = sound(
        {
            "requirements.txt": "--index-url https://me:hunter2@host/simple\nacme @ https://hunter2@host/acme.zip\n",
            "environment_variables.txt": "TOKEN=hunter2\n",
            "conda.yaml": f"{CONDA}variables:\n  TOKEN: hunter2\n",
        }
    )

    for form in ("text", "json", "sarif", "junit", "github", "markdown"):
        assert "hunter2" not in envkit(model, "--format", form).output
    assert codes(model).keys() >= {"ENV114", "ENV122"}


def test_lost_constraints_are_one_finding(sound: Sound) -> None:
    lost = [seen(name, "1.0", "constraint") for name in "abcdef"]
    model = sound(
        {"constraints.txt": ""}, distributions=[seen("acme", "1.0", "requirement"), *lost]
    )

    assert [finding.problem for finding in findings_of(model, "ENV106")] == [
        "no file requires a 1.0, b 1.0, c 1.0 and 3 more, recorded by the capture (constraint)"
    ]


def test_a_required_variable_must_be_set_here(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = [
        {
            "name": "ENVKIT_A",
            "need": "required",
            "recorded": True,
            "set": True,
            "secret": False,
            "readers": ["model"],
        }
    ]
    model = sound({"environment_variables.txt": "ENVKIT_A\n"}, environment_variables=read)

    assert findings_of(model, "ENV220")[0].problem.startswith(
        "the model requires the environment variable ENVKIT_A"
    )
    monkeypatch.setenv("ENVKIT_A", "value")
    assert findings_of(model, "ENV220") == []


def test_the_evidence_says_which_distribution_has_a_module(sound: Sound) -> None:
    reasons = [{"phase": "load", "module": "oddly_named.inner", "by": "code/loader.py", "line": 1}]
    distributions = [
        seen("acme", "1.0", "requirement", reasons=reasons),
        seen("other", "2.0", "constraint"),
    ]
    model = sound({"code/loader.py": "import oddly_named.more\n"}, distributions=distributions)

    assert findings_of(model, "ENV201") == []


def test_code_of_another_python_needs_what_its_standard_library_lacks(sound: Sound) -> None:
    old, new = sound({"code/loader.py": "import cgi, acme\n"}, name="old"), sound(name="new")
    write_files(
        new, {"code/loader.py": "import cgi, acme\n", "python_env.yaml": "python: 3.13.1\n"}
    )

    assert findings_of(old, "ENV201") == []
    assert "cgi" in findings_of(new, "ENV201")[0].problem


def test_a_missing_scanner_exits_with_7_and_says_how_to_install_it(
    sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envkit.validating.stages.scanners.find_spec", lambda _: None)
    result = envkit(sound(), "--scan", "picklescan")

    assert result.exit_code == 7
    assert "envkit[scan]" in result.output


@pytest.mark.parametrize("scanner", ["picklescan", "fickling"])
def test_deeper_scanners_report_a_harmful_pickle(sound: Sound, scanner: str) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[object, ...]:
            return os.system, ("true",)

    model = sound({"model.pkl": pickle.dumps(Harmful())})

    assert scanner in findings_of(model, "ENV230", scanners=(scanner,))[0].problem
    assert findings_of(sound(name="good"), "ENV230", scanners=(scanner,)) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from([*FILES, "pylock.toml", "envkit.json", "input_example.json"]),
    content=st.binary(max_size=60)
    | st.text(alphabet="{}[]:-=@#; \n\\'\"acme10.*", max_size=60).map(str.encode),
)
def test_whatever_a_file_holds_is_reported_and_not_raised(
    tmp_path_factory: pytest.TempPathFactory, name: str, content: bytes
) -> None:
    model = sound_model(tmp_path_factory.mktemp("any") / "model")
    (model / name).write_bytes(content)

    assert envkit(model, "--json").exit_code in (0, 1)


@pytest.mark.parametrize("form", ["text", "json", "sarif", "junit", "github", "markdown"])
def test_names_that_are_not_utf8_appear_in_every_format(sound: Sound, form: str) -> None:
    model = sound({"\udcff.pkl": b"cposix\nsystem\n."}, name="model\udcfe")

    assert "ENV210" in envkit(model, "--format", form).output


def test_evidence_of_an_earlier_envkit_still_shows_that_the_example_changed(sound: Sound) -> None:
    model = sound({"input_example.json": "{}"})
    content = evidence(model, prediction={"input": "input_example.json", "input_sha256": "0" * 64})
    del content["files"]
    write_files(model, {"envkit.json": json.dumps(content)})

    assert [finding.file for finding in findings_of(model, "ENV108")] == ["input_example.json"]


@pytest.mark.parametrize("scanner", ["fickling", "picklescan"])
@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_deeper_scanners_see_through_compression(
    sound: Sound, scanner: str, compress: Callable[[bytes], bytes]
) -> None:
    model = sound({"model.pkl": compress(b"cos\nsystem\n(S'true'\ntR.")})

    assert [finding.file for finding in findings_of(model, "ENV230", scanners=(scanner,))] == [
        "model.pkl"
    ]


@pytest.mark.parametrize("name", ["requirements.txt", "MLmodel", "conda.yaml", "envkit.json"])
@pytest.mark.parametrize("make_it", [os.mkfifo, os.mkdir])
def test_a_file_that_is_not_regular_is_reported_as_such(
    sound: Sound, name: str, make_it: Callable[[Path], None]
) -> None:
    model = sound()
    (model / name).unlink()
    make_it(model / name)

    assert f"{name}:None:None: is not a regular file" in codes(model)["ENV102"]


@pytest.mark.parametrize(
    "content", [None, b"\xff\x00", "-c constraints.txt\n-c absent.txt\nacme==1.0\n"]
)
def test_consequences_of_an_unreadable_file_are_not_reported(
    sound: Sound, content: str | bytes | None
) -> None:
    file = "constraints.txt" if content is None else "requirements.txt"

    assert codes(sound({file: content})).keys() <= {"ENV102", "ENV112"}


def test_many_lines_of_one_name_are_compared_quickly(sound: Sound) -> None:
    assert "ENV130" in codes(
        sound({"requirements.txt": "acme==1.0\n" * 5000}), "--select", "ENV130,ENV131"
    )


def test_a_model_that_lost_its_mlmodel_is_reported_as_changed(sound: Sound) -> None:
    files = {"model.pkl": pickle.dumps(1), "MLmodel": None}

    assert "MLmodel:None:None: was removed after the capture" in codes(sound(files))["ENV108"]


def test_a_variable_that_the_capture_did_not_record_is_a_note(sound: Sound) -> None:
    (finding,) = findings_of(sound({"environment_variables.txt": "NOBODY\n"}), "ENV115")

    assert (finding.severity, finding.line) == ("note", 1)


def test_unreached_code_is_read_too_but_not_tests(sound: Sound) -> None:
    files = {
        "code/later.py": "import sklearn\n",
        "code/tests/test_it.py": "import pytest\n",
        "code/bad.py": "def (:",
    }
    model = sound(files)

    (finding,) = findings_of(model, "ENV201")

    assert (finding.severity, finding.where) == ("warning", "code/later.py:1")
    assert "by code to which no import leads" in finding.problem
    assert [finding.file for finding in findings_of(model, "ENV205")] == ["code/bad.py"]


def test_an_import_in_reached_code_is_reported_before_one_in_unreached_code(
    sound: Sound,
) -> None:
    files = {"code/a.py": "import sklearn\n", "code/loader.py": "import acme, sklearn\n"}

    (finding,) = findings_of(sound(files), "ENV201")

    assert (finding.severity, finding.where) == ("error", "code/loader.py:1")


@pytest.mark.parametrize(
    ("files", "file", "problem"),
    [
        (
            {"code/large.py": "# " + "x" * 2_200_000},
            "code/large.py",
            "was not read completely: it is too large to be code",
        ),
        (
            {f"data/{number}.txt": "" for number in range(2001)},
            "",
            "was not read completely: it has more than 2000 files, the others were not read",
        ),
    ],
    ids=["large code", "many files"],
)
def test_what_is_larger_than_is_read_is_a_note(
    sound: Sound, files: dict[str, str], file: str, problem: str
) -> None:
    model = sound(files)

    (finding,) = findings_of(model, "ENV205")

    assert (finding.severity, finding.file, finding.problem) == ("note", file, problem)
    assert envkit(model, "--select", "ENV205").exit_code == 0
