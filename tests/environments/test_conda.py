"""Conda environments of a real local channel, by each engine.

The engines are the real py-rattler, a program that does as the real conda was recorded, and the
programs that ENVKIT_TEST_CONDA names.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envkit.environments.conda import embedded
from envkit.environments.conda.lock import lock_conda
from envkit.environments.env_type import EnvType
from envkit.environments.reproduction import predict, prepare_env
from envkit.errors import BuildFailed, InvalidArgument, InvalidFile, ToolNotFound
from envkit.formats import pixi_lock
from envkit.installed import conda_records as conda_records
from envkit.installed import records
from envkit.interpreters.policy import PythonPolicy
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders import package_index
from tests.builders.conda_channel import CondaChannel
from tests.builders.conda_models import conda_model
from tests.builders.environments import prepare
from tests.builders.fixture_models import MODELS, FixtureModel
from tests.builders.models import write_conda_yaml, write_model
from tests.builders.recorded_conda import EMBEDDED, ENGINES, conda_exe
from tests.builders.requirements import options, requirements
from tests.builders.wheels import MakeWheel

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True, params=ENGINES)
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The engine that builds, whatever this machine has."""
    name: str = request.param
    monkeypatch.setenv("ENVKIT_CONDA_EXE", conda_exe(name, tmp_path))
    return name


embedded_only = pytest.mark.parametrize("engine", [EMBEDDED], indirect=True)


@pytest.fixture
def asked(model: Path, make_wheel: MakeWheel, conda_channel: CondaChannel) -> EnvironmentSpec:
    """A spec of a conda package and a wheel."""
    make_wheel("alpha", "1.0")
    return EnvironmentSpec(
        directory=model,
        python=conda_channel.python,
        requirements=requirements("alpha==1.0"),
        options=options("--no-index", "--find-links wheels"),
        conda_channels=(conda_channel.url,),
        conda_specs=(f"python={conda_channel.python}", "envkit-demo=1.0"),
    )


@pytest.fixture
def copied_channel(conda_channel: CondaChannel, tmp_path: Path) -> CondaChannel:
    """A channel that a test may change."""
    return replace(
        conda_channel, path=Path(shutil.copytree(conda_channel.path, tmp_path / "a channel"))
    )


def ask(python: Path, code: str) -> str:
    return subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def installed(environment: Path) -> dict[str, Any]:
    """Give the records by name, without pip, which conda adds by itself."""
    found = (json.loads(path.read_text()) for path in (environment / "conda-meta").glob("*.json"))
    return {record["name"]: record for record in found if record["name"] != "pip"}


# --- what is built


def test_conda_brings_python_and_its_packages_and_pips_part_lies_beside(
    asked: EnvironmentSpec, root: Path, conda_channel: CondaChannel
) -> None:
    environment = prepare(
        replace(asked, conda_specs=(*asked.conda_specs, "envkit-demo-native")),
        EnvType.CONDA,
        root=root,
    )

    code = (
        "import alpha, envkit_demo, envkit_demo_native as n, platform, sys; "
        "print(alpha.VERSION, envkit_demo.VERSION,"
    )
    code += " round(n.cube_root(27)), platform.python_version(), sys.prefix)"
    assert ask(environment.python, code) == f"1.0 1.0 3 {conda_channel.python} {environment.path}"
    assert environment.built
    assert environment.notes == ()
    assert {*installed(environment.path)} == {
        "python",
        "envkit-demo",
        "envkit-demo-native",
        "libenvkit-demo",
    }
    assert not (environment.path / ".envkit-build").exists()


def test_a_second_time_it_is_there(asked: EnvironmentSpec, root: Path) -> None:
    first = prepare(asked, EnvType.CONDA, root=root)
    second = prepare(asked, EnvType.CONDA, root=root)

    assert (first.built, second.built) == (True, False)
    assert first.path == second.path


@pytest.mark.parametrize("changed", ["conda_channels", "conda_specs", "requirements", "tool"])
@embedded_only
def test_the_key_holds_what_is_asked_of_conda_and_who_is_asked(
    changed: str, asked: EnvironmentSpec, tmp_path: Path, conda_channel: CondaChannel
) -> None:
    from envkit.environments.store.store import Store
    from tests.builders.environments import plan_environment

    other: dict[str, Any] = {
        "conda_channels": (conda_channel.url, "conda-forge"),
        "conda_specs": (*asked.conda_specs, "pip"),
        "requirements": (),
    }
    exe = "/bin/true" if changed == "tool" else "embedded"
    shelf = Store(root=tmp_path / "none")
    second = replace(asked, **{name: value for name, value in other.items() if name == changed})

    assert (
        plan_environment(asked, EnvType.CONDA, shelf).key
        != plan_environment(second, EnvType.CONDA, shelf, conda_exe=exe).key
    )
    assert (
        plan_environment(asked, EnvType.CONDA, shelf).key
        == plan_environment(replace(asked), EnvType.CONDA, shelf).key
    )


def test_no_file_is_shared_with_the_cache(asked: EnvironmentSpec, root: Path) -> None:
    environment = prepare(asked, EnvType.CONDA, root=root)

    assert {
        path.stat().st_nlink for path in environment.path.rglob("*.py") if not path.is_symlink()
    } == {1}


@embedded_only
def test_an_edited_cache_reaches_no_environment(asked: EnvironmentSpec, root: Path) -> None:
    prepare(asked, EnvType.CONDA, root=root)
    cached = next(
        (root / "cache" / "conda" / "pkgs").glob(
            "envkit-demo-1.0-*/site-packages/envkit_demo/__init__.py"
        )
    )
    cached.write_text(cached.read_text().replace("1.0", "6.6"))
    again = prepare(replace(asked, requirements=()), EnvType.CONDA, root=root)

    assert ask(again.python, "import envkit_demo; print(envkit_demo.VERSION)") == "1.0"


def test_a_file_of_conda_that_is_changed_or_gone_has_it_built_again(
    asked: EnvironmentSpec, root: Path
) -> None:
    first = prepare(asked, EnvType.CONDA, root=root)
    next(first.path.glob("lib/python*/site-packages/envkit_demo/__init__.py")).unlink()
    found = [*conda_records.problems(first.path)]
    second = prepare(asked, EnvType.CONDA, root=root)

    assert len(found) == 1
    assert "envkit_demo/__init__.py is missing" in found[0]
    assert second.built
    assert [*conda_records.problems(second.path), *records.problems(second.path)] == []


def test_what_the_pip_section_puts_over_a_conda_package_counts(
    asked: EnvironmentSpec, root: Path, make_wheel: MakeWheel
) -> None:
    make_wheel("envkit-demo", "9.0", content="VERSION = '9.0'\n")
    spec = replace(asked, requirements=requirements("alpha==1.0", "envkit-demo==9.0"))
    environment = prepare(spec, EnvType.CONDA, root=root)

    assert ask(environment.python, "import envkit_demo; print(envkit_demo.VERSION)") == "9.0"
    assert [*conda_records.problems(environment.path)] == []


def test_a_store_with_an_odd_and_long_path_works(asked: EnvironmentSpec, tmp_path: Path) -> None:
    environment = prepare(asked, EnvType.CONDA, root=tmp_path / "ein Ördner #1" / ("long" * 30))

    assert ask(environment.python, "import envkit_demo, sys; print(sys.prefix)") == str(
        environment.path
    )
    said = subprocess.run(
        [environment.path / "bin" / "envkit-demo"], capture_output=True, text=True, check=True
    )
    assert said.stdout == "envkit-demo 1.0\n"


def test_a_model_without_conda_yaml_gets_its_python_from_conda(
    asked: EnvironmentSpec, root: Path, conda_channel: CondaChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONDA_CHANNEL_ALIAS", conda_channel.path.parent.as_uri())
    monkeypatch.setenv("CONDA_CHANNELS", conda_channel.path.name)
    environment = prepare(
        replace(asked, conda_channels=(), conda_specs=()), EnvType.CONDA, root=root
    )

    assert {*installed(environment.path)} == {"python"}


# --- locks


@embedded_only
def test_a_lock_holds_urls_and_digests_and_is_installed_without_a_solve(
    model: Path, copied_channel: CondaChannel
) -> None:
    conda_model(model, copied_channel, "envkit-demo<2")
    locked = lock_conda(model)
    for repodata in copied_channel.path.glob("*/repodata.json"):
        repodata.unlink()
    environment = prepare_env(model, "conda")

    assert {each["name"]: each["version"] for each in locked.packages} == {
        "python": copied_channel.python,
        "envkit-demo": "1.0",
    }
    assert all(each.sha256 for each in pixi_lock.read(locked.path, copied_channel.subdir))
    assert ask(environment.python, "import envkit_demo; print(envkit_demo.VERSION)") == "1.0"


@pytest.mark.parametrize("spec", ["envkit-demo=2", "pip"])
def test_a_lock_that_contradicts_conda_yaml_is_refused(
    spec: str, model: Path, conda_channel: CondaChannel
) -> None:
    lock_conda(conda_model(model, conda_channel, "envkit-demo<2"))
    conda_model(model, conda_channel, spec)

    with pytest.raises(
        InvalidFile, match=r"pixi\.lock: does not match .*`envkit lock MODEL --conda`"
    ):
        prepare_env(model, "conda")


def test_a_lock_for_another_platform_is_left_aside_and_that_is_told(
    model: Path, conda_channel: CondaChannel
) -> None:
    path = lock_conda(conda_model(model, conda_channel)).path
    path.write_text(path.read_text().replace(conda_channel.subdir, "win-arm64"))

    assert "has nothing for" in " ".join(prepare_env(model, "conda").notes)


@pytest.mark.parametrize("text", ["", "version: 7\nenvironments: [", "a: 1\n", "- 1\n"])
def test_a_malformed_lock_is_refused(text: str, model: Path, conda_channel: CondaChannel) -> None:
    (conda_model(model, conda_channel) / "pixi.lock").write_text(text)

    with pytest.raises(InvalidFile, match=r"pixi\.lock"):
        prepare_env(model, "conda")


@pytest.mark.parametrize("locked", [True, False])
def test_an_archive_that_was_exchanged_is_not_installed(
    locked: bool, model: Path, copied_channel: CondaChannel
) -> None:
    conda_model(model, copied_channel, "envkit-demo=1.0")
    if locked:
        lock_conda(model)
    archive = copied_channel.archive("envkit-demo-1.0")
    archive.write_bytes(copied_channel.archive("envkit-demo-2.0").read_bytes())

    with pytest.raises(BuildFailed, match=r"envkit-demo-1\.0-py_0\.conda has sha256"):
        prepare_env(model, "conda")


# --- what goes wrong


@pytest.mark.parametrize(
    ("specs", "said"),
    [
        (["numpy=1.26"], r"No candidates were found for numpy"),
        (["envkit-demo=1", "envkit-demo=2"], "envkit-demo 1"),
        (["envkit-demo-broken"], r"envkit-demo-missing >=1"),
        (["python=2.7"], "python"),
    ],
)
@embedded_only
def test_what_cannot_be_solved_is_explained(
    specs: list[str], said: str, asked: EnvironmentSpec, root: Path
) -> None:
    with pytest.raises(BuildFailed, match=said) as failed:
        prepare(replace(asked, conda_specs=tuple(specs)), EnvType.CONDA, root=root)

    assert asked.conda_channels[0] in str(failed.value)
    assert [*(root / "environments").iterdir()] == []


def test_another_patch_version_of_python_takes_the_place_unless_exactly_that_is_wanted(
    asked: EnvironmentSpec, root: Path, conda_channel: CondaChannel
) -> None:
    minor = conda_channel.python.rpartition(".")[0]
    other = replace(asked, conda_specs=(f"python={minor}.99", "envkit-demo=1.0"))
    told: list[str] = []
    environment = prepare(other, EnvType.CONDA, root=root, report=told.append)

    assert (
        ask(environment.python, "import platform; print(platform.python_version())")
        == conda_channel.python
    )
    assert (
        f"conda cannot give Python {minor}.99; another patch version is used in its place."
        in environment.notes
    )
    with pytest.raises(BuildFailed, match=rf"python[ =]{minor}\.99"):
        prepare(other, EnvType.CONDA, root=root, python_policy=PythonPolicy.EXACT)


@pytest.mark.parametrize("channel", ["file:///nowhere/at/all", "http://127.0.0.1:9/gone"])
@embedded_only
def test_a_channel_that_is_not_there_is_named(
    channel: str, asked: EnvironmentSpec, root: Path
) -> None:
    with pytest.raises(BuildFailed, match="channel_alias") as failed:
        prepare(replace(asked, conda_channels=(channel,)), EnvType.CONDA, root=root)

    assert channel in str(failed.value)


@pytest.mark.parametrize("spec", ["numpy>>1", "numpy===1", "numpy ; python_version < '3'"])
@embedded_only
def test_a_spec_that_conda_does_not_know_is_refused(
    spec: str, asked: EnvironmentSpec, root: Path
) -> None:
    with pytest.raises(InvalidFile, match=r"conda\.yaml, dependencies"):
        prepare(replace(asked, conda_specs=(spec,)), EnvType.CONDA, root=root)


@embedded_only
def test_a_package_whose_archive_is_gone_is_named(
    model: Path, copied_channel: CondaChannel
) -> None:
    conda_model(model, copied_channel, "envkit-demo=1.0")
    copied_channel.archive("envkit-demo-1.0").unlink()

    with pytest.raises(BuildFailed, match=r"envkit-demo-1\.0-py_0\.conda"):
        prepare_env(model, "conda")


def test_a_failed_pip_section_leaves_nothing(asked: EnvironmentSpec, root: Path) -> None:
    with pytest.raises(BuildFailed):
        prepare(
            replace(asked, requirements=requirements("nothing-like-it==1")),
            EnvType.CONDA,
            root=root,
        )

    assert [*(root / "environments").iterdir()] == []


@embedded_only
def test_without_py_rattler_the_extra_is_named(
    asked: EnvironmentSpec, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda _: None)

    with pytest.raises(ToolNotFound, match=r"envkit\[conda\]") as failed:
        prepare(asked, EnvType.CONDA, root=root)
    assert failed.value.exit_code == 7


def test_an_interpreter_cannot_be_chosen(asked: EnvironmentSpec, root: Path) -> None:
    with pytest.raises(InvalidArgument, match="its own Python"):
        prepare(asked, EnvType.CONDA, root=root, python=Path("/usr/bin/python3"))


# --- channels elsewhere


@pytest.mark.slow
@embedded_only
def test_a_channel_by_http_is_used_and_without_it_the_cache(
    asked: EnvironmentSpec, root: Path, conda_channel: CondaChannel
) -> None:
    with package_index.serve_folder(conda_channel.path) as host:
        served = replace(asked, conda_channels=(f"http://{host}/",))
        prepare(served, EnvType.CONDA, root=root)
    again = prepare(replace(served, requirements=()), EnvType.CONDA, root=root)

    assert "could not be reached" in again.notes[0]
    assert ask(again.python, "import envkit_demo; print(envkit_demo.VERSION)") == "1.0"


def contents(folder: Path) -> Mapping[Path, str]:
    return {path: path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}


@embedded_only
def test_a_login_reaches_the_channel_and_nothing_that_is_kept(
    asked: EnvironmentSpec, root: Path, conda_channel: CondaChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "s3cr3t-w0rd")
    with package_index.serve_folder(conda_channel.path, "anna:s3cr3t-w0rd") as host:
        by_name = replace(asked, conda_channels=(f"http://anna:${{PASSWORD}}@{host}/",))
        environment = prepare(by_name, EnvType.CONDA, root=root)
        wrong = replace(asked, conda_channels=(f"http://anna:wr0ng-w0rd@{host}/",), requirements=())
        with pytest.raises(BuildFailed, match="401") as failed:
            prepare(wrong, EnvType.CONDA, root=root / "other")

    assert installed(environment.path)["envkit-demo"]["url"].startswith(f"http://{host}/noarch/")
    assert [
        path for path, text in contents(root / "environments").items() if "s3cr3t-w0rd" in text
    ] == []
    assert "wr0ng-w0rd" not in str(failed.value)


@embedded_only
def test_names_lead_where_condarc_says(
    asked: EnvironmentSpec,
    root: Path,
    conda_channel: CondaChannel,
    own_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    condarc = own_home / "condarc-of-test"
    condarc.write_text(
        f"channel_alias: {conda_channel.path.parent.as_uri()}\n"
        f"default_channels: [{conda_channel.url}]\n"
        f"custom_channels: {{ours: {conda_channel.path.parent.parent.as_uri()}}}\n"
    )
    monkeypatch.setenv("CONDARC", str(condarc))
    name = conda_channel.path.name
    for channels in ((name,), ("defaults", "nodefaults")):
        environment = prepare(replace(asked, conda_channels=channels), EnvType.CONDA, root=root)
        assert installed(environment.path)["envkit-demo"]["url"].startswith(conda_channel.url)
    by_spec = replace(
        asked, conda_specs=(f"python={conda_channel.python}", f"{name}::envkit-demo=2")
    )
    environment = prepare(by_spec, EnvType.CONDA, root=root)

    assert installed(environment.path)["envkit-demo"]["version"] == "2.0"


@pytest.mark.slow
@embedded_only
def test_a_mirror_of_rattlers_settings_is_used(
    asked: EnvironmentSpec, root: Path, conda_channel: CondaChannel, own_home: Path
) -> None:
    settings = own_home / ".config" / "rattler" / "config.toml"
    settings.parent.mkdir(parents=True)
    with package_index.serve_folder(conda_channel.path) as host:
        settings.write_text(
            f'[mirrors]\n"https://conda.anaconda.org/conda-forge" = ["http://{host}/"]\n'
        )
        try:
            environment = prepare(
                replace(asked, conda_channels=("conda-forge",)), EnvType.CONDA, root=root
            )
        finally:
            settings.unlink()

    url = installed(environment.path)["envkit-demo"]["url"]
    assert url == "https://conda.anaconda.org/conda-forge/noarch/envkit-demo-1.0-py_0.conda"


@pytest.mark.slow
def test_a_channel_in_the_model_is_told_by_its_content(
    asked: EnvironmentSpec, root: Path, conda_channel: CondaChannel
) -> None:
    shutil.copytree(conda_channel.path, asked.directory / "channel")
    spec = replace(asked, conda_channels=("./channel",))
    first = prepare(spec, EnvType.CONDA, root=root)
    (asked.directory / "channel" / "new").touch()

    assert prepare(spec, EnvType.CONDA, root=root).path != first.path


# --- whole models


@pytest.fixture
def conda_forge(
    conda_channel: CondaChannel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CondaChannel:
    """What `conda-forge` means: the channel of this machine's files."""
    (tmp_path / "alias").mkdir()
    (tmp_path / "alias" / "conda-forge").symlink_to(conda_channel.path)
    monkeypatch.setenv("CONDA_CHANNEL_ALIAS", (tmp_path / "alias").as_uri())
    return conda_channel


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("name", MODELS)
def test_mlflows_own_models_are_rebuilt_and_predict_the_same(
    name: str, fixture_model: Callable[[str], FixtureModel], conda_forge: CondaChannel
) -> None:
    if "3.11.7" not in conda_forge.pythons:
        pytest.skip(
            "the model wants Python 3.11.7, of which this machine has none to make a "
            "conda package of"
        )
    found = fixture_model(name)
    path = (
        found.path / "conda.yaml"
    )  # MLflow lists xgboost too, which was not installed and has xgboost-cpu's files
    path.write_text(path.read_text().replace("  - xgboost==3.2.0\n", ""))

    assert {
        "predictions": predict(found.path, input_path=found.input, env_manager="conda")
    } == found.expected


LOADER = """
import json, os, sys
import envkit_demo


class Model:
    def predict(self, data):
        return [envkit_demo.VERSION, sys.prefix, os.environ["CONDA_PREFIX"], os.environ["MODE"]]


def _load_pyfunc(path):
    return Model()
"""


@embedded_only
def test_the_command_line_prepares_and_predicts(
    model: Path, conda_forge: CondaChannel, tmp_path: Path
) -> None:
    write_model(model, LOADER, env="conda.yaml")
    write_conda_yaml(
        model, ["conda-forge"], [f"python={conda_forge.python}", "pip", "envkit-demo=1.0"]
    )
    env = json.loads((model / "conda.yaml").read_text())
    (model / "conda.yaml").write_text(json.dumps({**env, "variables": {"MODE": "fast"}}))
    (tmp_path / "input.json").write_text('{"inputs": [1]}')
    envkit: list[str | Path] = [sys.executable, "-m", "envkit"]
    options = ["--env-manager", "conda", "--conda-exe", "embedded"]
    prepared = subprocess.run(
        [*envkit, "prepare-env", model, *options], capture_output=True, text=True, check=True
    )
    place = prepared.stdout.strip()
    argv = [*envkit, "predict", model, *options, "-i", tmp_path / "input.json"]
    answer = subprocess.run(argv, capture_output=True, text=True, check=True)

    assert "Building" in prepared.stderr
    assert "Building" not in answer.stderr
    assert json.loads(answer.stdout) == {"predictions": ["1.0", place, place, "fast"]}
