"""The layers of model and server: what is in them, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envkit.errors import InvalidArgument, InvalidFile
from envkit.images import build_image, generate_dockerfile
from envkit.images.layers import model_layer, server_files
from envkit.images.layers.bytecode import Bytecode, compiled, module_of
from tests.builders.files import write_files
from tests.builders.fixture_models import copy_fixture_model


def names(folder: Path) -> list[tuple[str, str]]:
    return [(member.name, member.link) for member in model_layer.files(folder)]


def test_a_model_s_files_and_links_are_taken_without_caches(tmp_path: Path) -> None:
    write_files(
        tmp_path,
        {
            "MLmodel": "",
            "data/weights.bin": "x",
            ".git/config": "",
            "code/__pycache__/a.pyc": "",
            "code/a.py": "",
        },
    )
    (tmp_path / "latest").symlink_to("data")
    (tmp_path / "code" / "weights").symlink_to(tmp_path / "data" / "weights.bin")

    assert names(tmp_path) == [
        ("MLmodel", ""),
        ("latest", "data"),
        ("code/a.py", ""),
        ("code/weights", "../data/weights.bin"),
        ("data/weights.bin", ""),
    ]


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc", "../other"])
def test_a_link_that_leads_out_of_a_model_is_refused(tmp_path: Path, target: str) -> None:
    model = tmp_path / "model"
    write_files(tmp_path, {"model/MLmodel": "", "other": ""})
    (model / "link").symlink_to(target)

    with pytest.raises(InvalidFile, match="leads out of the model"):
        names(model)


def test_an_artifact_is_refused_since_its_folder_may_hold_anything(tmp_path: Path) -> None:
    artifact = copy_fixture_model("sklearn_pipeline", tmp_path).path / "model.pkl"

    for build in (build_image, generate_dockerfile):
        with pytest.raises(InvalidArgument, match="is an artifact"):
            build(artifact, output=tmp_path / "out")


def test_the_server_runs_from_its_folder_alone(tmp_path: Path) -> None:
    for member in server_files.members():
        path = tmp_path / member.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(member.data)

    found = {path.name.partition("-")[0] for path in tmp_path.iterdir()}
    assert {"envkit", "uvicorn", "starlette", "click", "yaml"} <= found
    assert not found & {"uv", "pip", "piptools", "virtualenv", "rich", "numpy"}
    assert not list(tmp_path.rglob("*.so"))
    words = [sys.executable, "-I", "-S", str(tmp_path)]
    shown = subprocess.check_output([*words, "serve", "--help"], text=True)
    assert "--environment" in shown
    ended = subprocess.run([*words, "serve"], capture_output=True, text=True, check=False)
    assert (ended.returncode, "no model in /opt/ml/model" in ended.stderr) == (2, True)


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("lib/python3.11/site-packages/numpy/core/a.py", "numpy.core.a"),
        ("opt/x/lib/python3.11/site-packages/numpy/__init__.py", "numpy"),
        ("lib/python3.11/site-packages/six.py", "six"),
        ("lib/python3.11/json/decoder.py", "json.decoder"),
        ("x/site-packages/numpy/_core.cpython-311-x86_64-linux-gnu.so", "numpy._core"),
        ("lib/python3.11/lib-dynload/_ssl.cpython-311-x86_64-linux-gnu.so", "lib-dynload._ssl"),
    ],
)
def test_a_module_is_known_by_its_file(path: str, module: str) -> None:
    assert module_of(path) == module


def test_bytecode_is_the_same_each_time_and_skips_what_does_not_compile(tmp_path: Path) -> None:
    from envkit.environments.packing.members import Member

    members = [
        Member(name="site-packages/a.py", content=b"X = {'b', 'a', 'c'}\nY = 'a' in {'x', 'y'}\n"),
        Member(name="site-packages/template.py", content=b"{{ x }} !\n"),
        Member(name="site-packages/data.txt", content=b""),
    ]
    minor = ".".join(str(part) for part in sys.version_info[:2])
    found = []
    for _ in range(2):
        with compiled(members, "opt/x", Path(sys.executable), minor, {}) as result:
            found.append([(member.name, member.data) for member in result])

    assert found[0] == found[1]
    tag = f"cpython-{minor.replace('.', '')}"
    assert [name for name, _ in found[0]] == [f"site-packages/__pycache__/a.{tag}.pyc"]
    assert found[0][0][1][4:8] == b"\1\0\0\0"  # by hash, unchecked (PEP 552)
    assert b"/opt/x/site-packages/a.py" in found[0][0][1]
    assert Bytecode("used") is Bytecode.USED
