"""Conda environments by a program that answers as the real conda did where it was recorded."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.environments.conda.lock import lock_conda
from envkit.environments.env_type import EnvType
from envkit.environments.packing.pack import pack
from envkit.environments.packing.unpack import unpack
from envkit.environments.reproduction import prepare_env
from envkit.environments.store import verification
from envkit.errors import BuildFailed, InvalidFile, Unsolvable
from envkit.formats import conda_json
from envkit.installed import conda_records, records
from envkit.interpreters.policy import PythonPolicy
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.conda_channel import CondaChannel
from tests.builders.conda_models import conda_model, packable_conda_model, prepare_env_command
from tests.builders.environments import prepare
from tests.builders.recorded_conda import RecordedConda, recording

pytestmark = pytest.mark.e2e


@pytest.fixture
def conda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordedConda:
    """The program that is used."""
    program = RecordedConda(tmp_path / "miniconda3")
    monkeypatch.setenv("ENVKIT_CONDA_EXE", str(program.program))
    return program


@pytest.fixture
def asked(model: Path, conda_channel: CondaChannel) -> EnvironmentSpec:
    return EnvironmentSpec(
        directory=model,
        python=conda_channel.python,
        requirements=(),
        conda_channels=(conda_channel.url,),
        conda_specs=(f"python={conda_channel.python}", "envkit-demo=1.0"),
    )


@pytest.fixture
def copied_channel(conda_channel: CondaChannel, tmp_path: Path) -> CondaChannel:
    copied = shutil.copytree(conda_channel.path, tmp_path / "a channel")
    return replace(conda_channel, path=Path(copied))


def changed_files(environment: Path) -> list[str]:
    digests = dict(records.digests(environment))
    return [path for path, known in digests.items() if records.unlike(environment / path, known)]


def test_what_conda_builds_is_sound_and_is_used_again(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda
) -> None:
    environment = prepare(asked, EnvType.CONDA, root=root)
    names = {path.name.rsplit("-", 2)[0] for path in environment.path.glob("conda-meta/*.json")}

    assert names == {"python", "pip", "envkit-demo"}
    assert [*verification.problems(environment.path)] == []
    assert not prepare(asked, EnvType.CONDA, root=root).built
    assert len(conda.creations) == 1


def test_a_changed_file_of_a_noarch_package_is_found(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda
) -> None:
    environment = prepare(asked, EnvType.CONDA, root=root)
    (changed,) = environment.path.glob("lib/python*/site-packages/envkit_demo/__init__.py")
    changed.write_text(changed.read_text().replace("1.0", "6.6"))

    problems = [*verification.problems(environment.path)]
    assert len(problems) == 1
    assert "envkit_demo/__init__.py" in problems[0]


def test_an_environment_of_conda_is_packed_and_runs_elsewhere(
    tmp_path: Path, conda: RecordedConda, conda_channel: CondaChannel
) -> None:
    model = packable_conda_model(tmp_path / "the model", conda_channel)
    packed = pack(model, tmp_path / "env.tar.gz", "conda")
    unpacked = unpack(packed.path, tmp_path / "elsewhere")

    code = "import alpha, envkit_demo, sys; print(alpha.VERSION, envkit_demo.VERSION, sys.prefix)"
    said = subprocess.run(
        [unpacked.python, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["1.0", "1.0", str(unpacked.path)]
    assert [*conda_records.problems(unpacked.path), *changed_files(unpacked.path)] == []


# --- failures


def test_a_failed_download_does_not_become_another_python(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda
) -> None:
    conda.set(outcome="create-404.json")

    with pytest.raises(BuildFailed) as failed:
        prepare(asked, EnvType.CONDA, root=root)
    assert len(conda.creations) == 1
    assert not isinstance(failed.value, Unsolvable)
    assert failed.value.output == (
        "CondaHTTPError: HTTP 404 Not Found for url "
        "<http://127.0.0.1:PORT/linux-64/libenvkit-demo-1.0-h0_0.conda>\n"
        "Elapsed: 00:00.004770\n\n"
        "An HTTP error occurred when trying to retrieve this URL.\n"
        "HTTP errors are often intermittent, and a simple retry will get you on your way.\n"
        "Caused by: HTTPError('404 Client Error: Not Found for url: "
        "http://127.0.0.1:PORT/linux-64/libenvkit-demo-1.0-h0_0.conda')"
    )


def test_a_missing_package_is_named_and_python_stays(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda
) -> None:
    conda.set(outcome="create-not-found.json")

    with pytest.raises(
        Unsolvable, match=r"PackagesNotFoundInChannelsError: .*\n\n  - envkit-demo=99"
    ) as failed:
        prepare(asked, EnvType.CONDA, root=root)
    assert failed.value.missing == ("envkit-demo=99",)
    assert len(conda.creations) == 1
    assert [*(root / "environments").iterdir()] == []


def test_a_missing_python_becomes_another_patch_version_as_the_policy_allows(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda, conda_channel: CondaChannel
) -> None:
    minor = conda_channel.python.rpartition(".")[0]
    other = replace(asked, conda_specs=(f"python={minor}.99", "envkit-demo=1.0"))
    environment = prepare(other, EnvType.CONDA, root=root)

    assert f"conda cannot give Python {minor}.99" in " ".join(environment.notes)
    with pytest.raises(Unsolvable, match=rf"python={minor}\.99"):
        prepare(other, EnvType.CONDA, root=root, python_policy=PythonPolicy.EXACT)


def test_a_prefix_without_python_is_refused(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda
) -> None:
    conda.set(outcome="no-python")

    with pytest.raises(BuildFailed, match="installed no Python"):
        prepare(asked, EnvType.CONDA, root=root)


@pytest.mark.parametrize(
    "spec", ["envkit-demo=2", "envkit-demo>1", "envkit-demo=1.0=other_*", "pip"]
)
def test_a_lock_that_contradicts_conda_yaml_is_refused(
    spec: str, model: Path, conda: RecordedConda, conda_channel: CondaChannel
) -> None:
    lock_conda(conda_model(model, conda_channel, "envkit-demo<2"))
    conda_model(model, conda_channel, spec)

    with pytest.raises(
        InvalidFile, match=r"pixi\.lock: does not match .*`envkit lock MODEL --conda`"
    ):
        prepare_env(model, "conda")
    assert conda.creations == []


@pytest.mark.parametrize("locked", [True, False])
def test_an_archive_that_was_exchanged_is_not_kept(
    locked: bool, model: Path, own_store: Path, conda: RecordedConda, copied_channel: CondaChannel
) -> None:
    conda_model(model, copied_channel, "envkit-demo=1.0")
    if locked:
        lock_conda(model)
    archive = copied_channel.archive("envkit-demo-1.0")
    archive.write_bytes(copied_channel.archive("envkit-demo-2.0").read_bytes())

    with pytest.raises(BuildFailed, match=r"envkit-demo-1\.0-py_0\.conda has sha256"):
        prepare_env(model, "conda")
    assert [*(own_store / "environments").iterdir()] == []


def test_a_lock_is_installed(
    model: Path, conda: RecordedConda, conda_channel: CondaChannel
) -> None:
    lock_conda(conda_model(model, conda_channel, "envkit-demo<2"))
    environment = prepare_env(model, "conda")

    assert conda.creations[0]["file"].startswith("@EXPLICIT\n")
    assert [*verification.problems(environment.path)] == []


# --- one package cache


@pytest.fixture
def builders(
    asked: EnvironmentSpec, tmp_path: Path, conda: RecordedConda, conda_channel: CondaChannel
) -> Iterator[list[subprocess.Popen[str]]]:
    """Two builds of different environments, in two stores, with one fresh package cache."""
    conda.set(fetch=1.0)
    running = []
    for number, spec in enumerate(["envkit-demo=1.0", "envkit-demo=2.0"]):
        model = tmp_path / f"model-{number}"
        model.mkdir()
        conda_model(model, conda_channel, spec)
        argv = prepare_env_command(model)
        variables = {
            **os.environ,
            "ENVKIT_HOME": str(tmp_path / f"store-{number}"),
            "CONDA_PKGS_DIRS": str(tmp_path / "fresh packages"),
        }
        process = subprocess.Popen(
            argv, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        running.append(process)
    yield running
    for process in running:
        process.kill()
        process.communicate()


def test_builds_that_share_a_package_cache_take_turns(
    builders: list[subprocess.Popen[str]],
) -> None:
    said = [process.communicate(timeout=60)[0] for process in builders]

    assert [process.returncode for process in builders] == [0, 0], said


# --- settings


def test_the_chosen_solver_reaches_the_program(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_SOLVER", "classic")
    prepare(asked, EnvType.CONDA, root=root)

    assert conda.creations[0]["variables"]["CONDA_SOLVER"] == "classic"


def condarc_of(conda: RecordedConda, **settings: object) -> None:
    """Let the program answer with settings that no file has which envkit reads."""
    conda.set(sources={"/opt/ours/condarc": settings, "envvars": {"json": True}})


def test_the_program_is_asked_for_the_channels_that_count_without_any(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda, conda_channel: CondaChannel
) -> None:
    condarc_of(conda, channels=[conda_channel.url])
    prepare(replace(asked, conda_channels=()), EnvType.CONDA, root=root)

    assert conda_channel.url in conda.creations[0]["file"]
    assert "conda-forge" not in conda.creations[0]["file"]


def test_settings_of_the_installation_count_where_the_program_does_not_answer(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda, conda_channel: CondaChannel
) -> None:
    conda.set(sources=None)
    (conda.folder / ".condarc").write_text(f"channels: [{conda_channel.url}]\n")
    prepare(replace(asked, conda_channels=()), EnvType.CONDA, root=root)

    assert conda_channel.url in conda.creations[0]["file"]


def test_the_program_is_asked_once_where_it_agrees_with_the_files(
    asked: EnvironmentSpec, root: Path, conda: RecordedConda, conda_channel: CondaChannel
) -> None:
    condarc = conda.folder / ".condarc"
    condarc.write_text(f"channels: [{conda_channel.url}]\n")
    conda.set(sources={str(condarc): {"channels": [conda_channel.url]}})
    root.mkdir()
    for _ in range(3):
        prepare(asked, EnvType.CONDA, root=root)

    assert len(conda.questions) == 1
    condarc.write_text(f"channels: [{conda_channel.url}, other]\n")
    prepare(asked, EnvType.CONDA, root=root)
    assert len(conda.questions) == 2


def test_a_channel_before_a_package_stays_a_name(
    asked: EnvironmentSpec,
    root: Path,
    conda: RecordedConda,
    conda_channel: CondaChannel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONDA_CHANNEL_ALIAS", conda_channel.path.parent.as_uri())
    name = conda_channel.path.name
    specs = (f"python={conda_channel.python}", f"{name}::envkit-demo=2")
    environment = prepare(
        replace(asked, conda_channels=(name,), conda_specs=specs), EnvType.CONDA, root=root
    )

    assert f"- {name}::envkit-demo=2" in conda.creations[0]["file"]
    assert environment.python.exists()


@pytest.mark.parametrize("where", ["in the model", "beside the model", "by path"])
def test_an_archive_is_unpacked_under_the_key_of_its_model_wherever_one_stands(
    where: str,
    tmp_path: Path,
    own_store: Path,
    conda: RecordedConda,
    conda_channel: CondaChannel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "below"
    model = folder / "model"
    model.mkdir(parents=True)
    place = model if where == "in the model" else folder
    channel = replace(
        conda_channel, path=Path(shutil.copytree(conda_channel.path, place / "channel"))
    )
    conda_model(model, channel, "envkit-demo=1.0")
    if where == "by path":
        text = (model / "conda.yaml").read_text()
        (model / "conda.yaml").write_text(text.replace(channel.url, str(channel.path)))
    packed = pack(model, tmp_path / "env.tar.gz", "conda")
    shutil.rmtree(own_store)
    monkeypatch.chdir(folder)
    unpacked = unpack(packed.path)

    assert unpacked.built
    prepared = prepare_env(model, "conda")
    assert (prepared.path, prepared.built) == (unpacked.path, False)


# --- the program's JSON


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (recording("create-ok.json"), []),
        (recording("create-plan.txt"), []),
        ("", []),
        ("{", []),
        ('noise\n{"progress": 0.5}\n\0{"progress": 1}\n\0', []),
        (
            'WARNING: x\n{"progress": 1}\n\0' + recording("create-not-found.json") + "\nnoise {",
            [("PackagesNotFoundInChannelsError", True, ("envkit-demo=99",))],
        ),
        (recording("create-404.json"), [("CondaHTTPError", False, ())]),
        (
            '{"success": false, "solver_problems": ["nothing provides requested python 3.11.99"]}',
            [("UnsatisfiableError", True, ())],
        ),
        (
            '{"exception_name": "LibMambaUnsatisfiableError", "message": "x", "caused_by": "None"}',
            [("LibMambaUnsatisfiableError", True, ())],
        ),
        (
            '{"exception_name": "ResolvePackageNotFound", "message": "x", "bad_deps": [["a=1"]]}',
            [("ResolvePackageNotFound", True, ("a=1",))],
        ),
        ('{"error": "x"}', [("CondaError", False, ())]),
    ],
)
def test_errors_are_read_from_json(
    output: str, expected: list[tuple[str, bool, tuple[str, ...]]]
) -> None:
    found = [(each.name, each.is_unsolvable, each.packages) for each in conda_json.errors(output)]

    assert found == expected


def test_the_chain_of_causes_is_told() -> None:
    inner = {"exception_name": "OSError", "message": "disk", "caused_by": "None"}
    outer = {"exception_name": "ProxyError", "message": "no", "caused_by": inner}
    text = json.dumps(
        {"exception_name": "CondaHTTPError", "message": "HTTP 000", "caused_by": outer}
    )
    (error,) = conda_json.errors(text)

    assert str(error).splitlines() == [
        "CondaHTTPError: HTTP 000",
        "Caused by: ProxyError: no",
        "Caused by: OSError: disk",
    ]
