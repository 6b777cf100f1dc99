"""A model that is loaded in an environment of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from envkit import pyfunc
from envkit.errors import InvalidArgument, PredictionFailed
from envkit.pyfunc import LivePyFuncModel

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def model(ordered: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePyFuncModel]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENVKIT_HOME", str(tmp_path_factory.mktemp("store")))
        loaded = pyfunc.load_model(ordered, env_manager="uv", timeout=20)
    assert isinstance(loaded, LivePyFuncModel)
    with loaded:
        yield loaded


def test_a_live_model_predicts_in_its_own_environment(model: LivePyFuncModel) -> None:
    answer = model.predict([1, (2.5, b"x")])

    assert answer["data"] == [1, (2.5, b"x")]
    assert answer["params"] is None
    assert answer["prefix"] != sys.prefix


def test_what_the_model_raises_is_reported_and_the_process_continues(
    model: LivePyFuncModel,
) -> None:
    before = model.predict("pid")
    with pytest.raises(PredictionFailed, match="not today") as raised:
        model.predict("raise")

    assert "obeying.py" in raised.value.traceback
    assert model.predict("pid") == before


def test_a_process_that_dies_is_reported_and_replaced(model: LivePyFuncModel) -> None:
    before = model.predict("pid")
    with pytest.raises(PredictionFailed, match="status 7"):
        model.predict("die")

    assert model.predict("pid") != before


def test_an_answer_that_cannot_be_sent_is_reported(model: LivePyFuncModel) -> None:
    with pytest.raises(PredictionFailed, match="object"):
        model.predict("object")


def test_a_stream_comes_piece_by_piece_and_can_be_abandoned(model: LivePyFuncModel) -> None:
    assert [text for text, _ in model.predict_stream(["a", "b"])] == ["a", "b"]
    begun = model.predict_stream([str(number) for number in range(1000)])
    assert next(begun)[0] == "0"
    del begun
    assert model.predict(1)["data"] == 1
    with pytest.raises(PredictionFailed, match="not this one"):
        list(model.predict_stream(["a", "raise"]))


def test_threads_share_a_live_model(model: LivePyFuncModel) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(model.predict(n)["data"]))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == list(range(8))


def test_a_forked_process_neither_uses_nor_ends_a_live_model(model: LivePyFuncModel) -> None:
    before = model.predict("pid")
    child = os.fork()
    if not child:
        try:
            model.predict("pid")
        except InvalidArgument:
            model.close()  # as at the end of the interpreter
            os._exit(0)
        os._exit(1)

    assert os.waitpid(child, 0)[1] == 0
    assert model.predict("pid") == before


def test_a_live_model_outlives_the_thread_that_loaded_it(ordered: Path) -> None:
    models: list[Any] = []
    thread = threading.Thread(
        target=lambda: models.append(pyfunc.load_model(ordered, env_manager="uv"))
    )
    thread.start()
    thread.join()
    time.sleep(0.1)

    with models[0] as model:
        assert model.predict(1)["data"] == 1


def test_a_prediction_that_exceeds_the_timeout_is_stopped(ordered: Path) -> None:
    with pyfunc.load_model(ordered, env_manager="uv", timeout=1.0) as model:  # type: ignore[attr-defined]
        begun = time.monotonic()
        with pytest.raises(PredictionFailed, match="after 1 s"):
            model.predict("sleep")

        assert time.monotonic() - begun < 5
        assert model.predict(1)["data"] == 1


def test_a_closed_model_is_refused_and_its_process_has_ended(ordered: Path) -> None:
    model = pyfunc.load_model(ordered, env_manager="uv")
    number = model.predict("pid")
    assert isinstance(model, LivePyFuncModel)
    model.close()
    model.close()

    assert not Path(f"/proc/{number}").exists()
    with pytest.raises(InvalidArgument, match="closed"):
        model.predict(1)


def test_a_live_model_ends_with_a_killed_parent(ordered: Path) -> None:
    program = (
        "import sys, time; from envkit.pyfunc import load_model\n"
        "print(load_model(sys.argv[1], env_manager='uv').predict('pid'), flush=True)\n"
        "model = load_model(sys.argv[1], env_manager='uv')\n"
        "print(model.predict('pid'), flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, ordered], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert parent.stdout is not None
    numbers = [int(parent.stdout.readline()) for _ in range(2)]
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{numbers[1]}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert not any(Path(f"/proc/{number}").exists() for number in numbers)


@pytest.mark.slow
@pytest.mark.network
def test_predicted_tables_are_returned_as_tables(saved: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, np.nan]})
    with pyfunc.load_model(saved / "scaled", env_manager="uv") as model:  # type: ignore[attr-defined]
        pd.testing.assert_frame_equal(model.predict(frame), frame * 6)
