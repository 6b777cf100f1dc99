"""What each failure says, and that it survives a process boundary."""

from __future__ import annotations

import pickle

import pytest

from envkit import errors

SENTENCES = [
    (errors.InvalidArgument("`--jobs` must not be negative."), "`--jobs` must not be negative."),
    (errors.InvalidInput("`model` is empty."), "`model` is empty."),
    (
        errors.ModelNotFound("/m", "there is no such directory"),
        "No model at /m: there is no such directory.",
    ),
    (errors.InvalidFile("MLmodel", "", "is empty"), "MLmodel: is empty."),
    (
        errors.InvalidFile("MLmodel", "line 3", "is not valid YAML", "The file may be cut off."),
        "MLmodel, line 3: is not valid YAML. The file may be cut off.",
    ),
    (
        errors.PathOutsideModel("MLmodel", "code", "../x"),
        "MLmodel, code: '../x' is outside the model directory. "
        "Move everything that the model needs into it.",
    ),
    (errors.InputMismatch("The column `x` is missing."), "The column `x` is missing."),
    (
        errors.ModelRaised("load", "ValueError", "x", "Traceback …"),
        "The model raised ValueError while loading: x",
    ),
    (
        errors.ModelRaised("output", "KeyError", "", ""),
        "The model raised KeyError while writing its answer",
    ),
    (
        errors.ModelRaised("load", "ModuleNotFoundError", "No module named 'a'", ""),
        "The model raised ModuleNotFoundError while loading: No module named 'a'\n"
        "If another Python has that module, name it with `--python PATH/TO/python`. "
        "If the module is one of your own files, name its folder with `--code-path DIR`.",
    ),
    (
        errors.ModelDied("predict", -9, "was killed by SIGKILL"),
        "The model's process was killed by SIGKILL while predicting.",
    ),
    (
        errors.ModelTimedOut("predict", 0.9),
        "The model was still predicting after 0.9 s and was stopped. "
        "Allow more time with `--timeout SECONDS`.",
    ),
    (
        errors.IncompleteCapture(("no prediction was made", "a is not installed")),
        "The capture has warnings, so `--strict` wrote nothing:\n"
        "  - no prediction was made\n  - a is not installed",
    ),
    (
        errors.BuildFailed("install the requirements", "no wheel\n"),
        "Could not install the requirements.\nno wheel",
    ),
    (errors.BuildFailed("install the requirements", "\n"), "Could not install the requirements."),
    (
        errors.Unsolvable("solve", "numpy=99 is missing", ("numpy=99",)),
        "Could not solve.\nnumpy=99 is missing",
    ),
    (
        errors.PredictionFailed("input", "TypeError: x", "Traceback …"),
        "The model failed while reading its input: TypeError: x",
    ),
    (
        errors.UnsafeStore("/s", "belongs to another user", "Choose another folder."),
        "The environment store is not used: /s belongs to another user. Choose another folder.",
    ),
    (
        errors.InterpreterNotFound("3.7.1", ("pyenv", "PATH")),
        "Python 3.7.1 is not on this machine (looked in pyenv, PATH).\n"
        "Install it: `uv python install 3.7.1` or `pyenv install 3.7.1`.",
    ),
    (
        errors.InterpreterNotFound("3.7", ("PATH",), ("a", "b", "c", "d")),
        "Python 3.7 is not on this machine (looked in PATH).\na\nb\nc\n"
        "Install it: `uv python install 3.7` or `pyenv install 3.7`.",
    ),
    (
        errors.NotAnInterpreter("/bin/ls", "it is not a Python"),
        "/bin/ls is not a working Python interpreter: it is not a Python.",
    ),
    (errors.ToolNotFound("uv", "Install it."), "uv is not installed. Install it."),
    (
        errors.AddressUnavailable("port 1 of x", "in use", "Choose another."),
        "Cannot listen on port 1 of x: in use. Choose another.",
    ),
]


@pytest.mark.parametrize(("error", "sentence"), SENTENCES)
def test_a_failure_says_what_happened_and_then_what_to_do(
    error: errors.EnvkitError, sentence: str
) -> None:
    assert str(error) == sentence


@pytest.mark.parametrize("error", [error for error, _ in SENTENCES])
def test_a_failure_keeps_its_facts_when_it_is_pickled(error: errors.EnvkitError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


def test_the_sentence_of_each_failure_is_tested() -> None:
    bases = {errors.EnvkitError, errors.CaptureFailed, errors.Missing}
    concrete = {
        member
        for member in vars(errors).values()
        if isinstance(member, type) and issubclass(member, errors.EnvkitError)
    }

    assert {type(error) for error, _ in SENTENCES} == concrete - bases
