"""Builds that are killed or interrupted at any moment: the next one works."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.environments.env_type import EnvType
from envkit.environments.environment import Environment
from envkit.environments.store import store
from envkit.installed import records
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.environments import prepare
from tests.builders.programs import descendants
from tests.builders.requirements import requirements, texts

TRIALS = 15
MANY_TRIALS = 100
MODULES = 150

BUILDER = """
import json, os, signal, sys, time
from pathlib import Path
from envkit.environments import prepare as preparing
from envkit.environments.store import store
from envkit.environments.env_type import EnvType
from envkit.environments.environment_choice import EnvironmentChoice
from envkit.models.environment_spec import EnvironmentSpec
from tests.builders.requirements import options, requirements
facts = json.loads(sys.argv[1])
spec = EnvironmentSpec(
    directory=Path(facts["directory"]),
    python=facts["python"],
    requirements=requirements(*facts["requirements"]),
    constraints=requirements(*facts["constraints"]),
    options=options(*facts["options"]),
)
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
exec(facts["before"])
print("go", flush=True)
try:
    choice = EnvironmentChoice(manager=EnvType(facts["manager"]))
    environment = preparing.prepare(spec, choice, root=Path(facts["root"]))
except KeyboardInterrupt:
    sys.exit(130)
print(json.dumps({"built": environment.built, "python": str(environment.python)}))
"""


@pytest.fixture
def wide(spec: EnvironmentSpec, make_wheel: Callable[..., Path]) -> EnvironmentSpec:
    """A spec with many files, so that there are many moments to be killed at."""
    make_wheel("wide", "1.0", modules=MODULES)
    return replace(spec, requirements=requirements("alpha==1.0", "wide==1.0"))


def start(
    spec: EnvironmentSpec, root: Path, before: str = "", manager: EnvType = EnvType.UV
) -> subprocess.Popen[str]:
    """Start a process that builds, and wait until it begins."""
    facts = {
        "directory": str(spec.directory),
        "python": spec.python,
        "requirements": texts(spec.requirements),
        "constraints": texts(spec.constraints),
        "options": texts(spec.options),
        "root": str(root),
        "before": before,
        "manager": manager.value,
    }
    path = str(Path(store.__file__).parents[3])
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILDER, json.dumps(facts)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
    )
    assert builder.stdout is not None
    assert builder.stdout.readline() == "go\n"
    return builder


def end(builder: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a builder; gives status and output (`communicate` loses what was read ahead)."""
    assert builder.stdout is not None
    assert builder.stderr is not None
    with builder:
        said = builder.stdout.read() or builder.stderr.read()
    return builder.returncode, said


def kill(builder: subprocess.Popen[str], *, whole: bool) -> None:
    """Kill a builder; with `whole`, all its processes at once, as a power cut does."""
    victims = [builder.pid]
    if whole:
        builder.send_signal(signal.SIGSTOP)
        victims += descendants(builder.pid)
    for victim in victims:
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    end(builder)


def assert_whole(environment: Environment) -> None:
    assert list(records.problems(environment.path)) == []
    code = (
        f"import alpha, beta, wide, importlib; [importlib.import_module(f'wide_{{n}}') for "
        f"n in range({MODULES})]"
    )
    subprocess.run([environment.python, "-I", "-c", code], check=True)


@pytest.mark.e2e
@pytest.mark.parametrize("manager", [EnvType.UV, EnvType.VIRTUALENV])
@pytest.mark.parametrize("whole", [True, False], ids=["everything", "the parent alone"])
@pytest.mark.parametrize("trials", [TRIALS, pytest.param(MANY_TRIALS, marks=pytest.mark.slow)])
def test_killed_at_random_moments(
    manager: EnvType, whole: bool, trials: int, wide: EnvironmentSpec, root: Path
) -> None:
    chance = random.Random(f"{manager}{whole}")
    length = 0.35 if manager is EnvType.UV else 2.0
    if trials == TRIALS and manager is EnvType.VIRTUALENV:
        trials = 2
    for number in range(trials):
        here = root / str(number % 3)
        builder = start(wide, here, manager=manager)
        time.sleep(chance.uniform(0, length))
        kill(builder, whole=whole)
        assert_whole(prepare(wide, manager, root=here))
        if number % 3 == 2:
            wide = replace(
                wide, constraints=(*wide.constraints, *requirements(f"unused=={number}"))
            )


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("store.removal.remove = die", id="before anything"),
        pytest.param(
            "from envkit.environments.installers.uv import Uv; Uv.create = die",
            id="before the environment",
        ),
        pytest.param(
            "from envkit.environments.installers.uv import Uv; Uv.install = die",
            id="before the packages",
        ),
        pytest.param("import shutil; shutil.rmtree = die", id="before the papers are removed"),
        pytest.param("store._check = die", id="before the check"),
        pytest.param("store.ready_marker.write = die", id="before the marker"),
        pytest.param("os.fsync = die", id="inside the marker"),
        pytest.param("Path.replace = die", id="before the marker has its name"),
    ],
)
def test_killed_at_each_step(moment: str, wide: EnvironmentSpec, root: Path) -> None:
    prepare(
        wide, EnvType.UV, root=root / "warm"
    )  # its knowledge of interpreters, not to die while it is written
    (root / "store").mkdir()
    (root / "warm" / "interpreters.json").rename(root / "store" / "interpreters.json")
    status, _ = end(start(wide, root / "store", before=moment))
    environment = prepare(wide, EnvType.UV, root=root / "store")

    assert status == -signal.SIGKILL
    assert environment.built
    assert_whole(environment)


def test_killed_while_an_unfit_environment_is_removed(wide: EnvironmentSpec, root: Path) -> None:
    first = prepare(wide, EnvType.UV, root=root)
    marker = (first.path / store.MARKER).read_text()
    (first.path / store.MARKER).write_text(marker.replace(first.key, "x" * 64))
    status, _ = end(start(wide, root, before="import shutil; shutil.rmtree = die"))

    assert status == -signal.SIGKILL
    assert not (first.path / store.MARKER).exists()
    assert_whole(prepare(wide, EnvType.UV, root=root))


SLOW_INSTALLER = """
from envkit.environments.installers.uv import Uv
def install(self, plan, workshop):
    script = "sleep 1; mkdir -p late; echo late >> late/file; sleep 0.3; echo late >> late/file"
    workshop.run(["/bin/sh", "-c", f"cd '{workshop.place}' && touch begun && " + script], "be slow")
Uv.install = install
"""


def wait_for(pattern: str, root: Path) -> None:
    for _ in range(500):
        if list(root.glob(pattern)):
            return
        time.sleep(0.01)
    raise AssertionError(f"{pattern} did not appear")


def test_an_orphaned_installer_still_holds_the_lock(wide: EnvironmentSpec, root: Path) -> None:
    builder = start(wide, root, before=SLOW_INSTALLER)
    wait_for("environments/*/begun", root)
    kill(builder, whole=False)
    said: list[str] = []
    started = time.monotonic()
    environment = prepare(wide, EnvType.UV, root=root, report=said.append)

    assert time.monotonic() - started > 1
    assert any("Waiting" in each for each in said)
    assert_whole(environment)
    time.sleep(0.5)
    assert not (environment.path / "late").exists()


@pytest.mark.parametrize("interrupts", [1, 2, 3])
def test_interrupts_end_the_installer_and_leave_no_environment(
    wide: EnvironmentSpec, root: Path, interrupts: int
) -> None:
    builder = start(wide, root, before=SLOW_INSTALLER)
    wait_for("environments/*/begun", root)
    for _ in range(interrupts):
        builder.send_signal(signal.SIGINT)
        time.sleep(0.05)
    end(builder)
    started = time.monotonic()
    environment = prepare(wide, EnvType.UV, root=root)

    assert builder.returncode != 0
    assert environment.built
    assert_whole(environment)
    assert time.monotonic() - started < 5


def test_what_a_second_interrupt_left_is_removed_by_the_next_run_of_another_key(
    wide: EnvironmentSpec, root: Path
) -> None:
    prepare(replace(wide, constraints=()), EnvType.UV, root=root)
    status, _ = end(start(wide, root, before=INTERRUPTED_WHILE_REMOVING))
    left = [
        each for each in (root / "environments").iterdir() if not (each / store.MARKER).exists()
    ]
    prepare(replace(wide, constraints=()), EnvType.UV, root=root)

    assert status == 130
    assert len(left) == 1
    assert not left[0].exists()


INTERRUPTED_WHILE_REMOVING = """
from envkit.environments.installers.uv import Uv
import shutil
def interrupt(*_, **__):
    raise KeyboardInterrupt
Uv.install = interrupt
shutil.rmtree = interrupt
"""


def together(specs: Sequence[EnvironmentSpec], root: Path) -> list[dict[str, object]]:
    builders = [start(spec, root) for spec in specs]
    ends = [end(builder) for builder in builders]
    assert [status for status, _ in ends] == [0] * len(specs), ends
    return [json.loads(output) for _, output in ends]


def test_sixteen_processes_with_one_key_build_once(wide: EnvironmentSpec, root: Path) -> None:
    answers = together([wide] * 16, root)

    assert sorted(bool(answer["built"]) for answer in answers) == [False] * 15 + [True]
    assert len({answer["python"] for answer in answers}) == 1
    assert_whole(prepare(wide, EnvType.UV, root=root))


def test_processes_with_different_keys_all_build(wide: EnvironmentSpec, root: Path) -> None:
    specs = [replace(wide, constraints=requirements(f"unused=={number}")) for number in range(4)]

    assert all(answer["built"] for answer in together(specs, root))
