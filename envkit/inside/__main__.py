"""Load a model, let it predict, and report: `PYTHON [-I] …/inside/__main__.py REQUEST.json`.

This docstring is the protocol between this program and its parent: the request, the journal, and
the messages of a worker. Objects are JSON; "may be missing" is said of every key that may be.

REQUEST

    job: string             "trace": load the model, predict on its example, record what that needs.
                            "predict": load and predict. "work": load, then answer the
                            questions of the parent over the socket `channel`
    journal: string         absolute path of the journal, a file that does not exist yet
    model: string           absolute path of the model directory
    python_function: object the `python_function` flavor of the MLmodel file; for an R model, what
                            stands in for it
    flavors: object         all flavors of the MLmodel file
    metadata: object        may be missing; metadata of the MLmodel file that are strings
    signature: object or null
                            of the MLmodel file; its parts may be JSON texts, as MLflow stores them
    is_signature_from_type_hint: boolean
                            may be missing; of the MLmodel file: the type hint of `predict` defines
                            the input
    type_hint_from_example: boolean
                            may be missing; of the MLmodel file: the input has the form of the
                            example in `input_example.json`
    example: object or null `saved_input_example_info` of the MLmodel file, and `path`: absolute
    input: object or null   what to predict on (job predict): `path` and `content_type` ("json",
                            "csv" or "parquet")
    params: object or null  parameters that override those of the input (job predict)
    output: string or null  absolute path of the file that gets `{"predictions": …}`, whole or not
                            at all (job predict)
    typed: string           may be missing; absolute path of the file that gets the answer with its
                            types, as `data.wire` writes it (job trace)
    channel: integer        the number of an inherited descriptor, a stream socket (job work)
    without_mlflow: boolean may be missing; true: an installed MLflow is hidden, and what
                            `author.fake_mlflow` supplies takes its place
    memory_bytes: integer or null
                            the most address space that the process may have
    limits: object          may be missing; resource limits: names without `RLIMIT_` and integers

JOURNAL

The answer is the journal alone: JSON lines in ASCII, one event each, appended as it happens, so
that what was seen before a crash survives it. The exit status and what is printed mean nothing.
Each event has the key `event`, its name, and the fields listed here. The lists use these groups:

    PHASE                   phase: string. "start", "load", "input", "predict" or "output"
    IMPORTER                importer: string, importer_file: string or null, line: integer,
                            importing: list of [string, integer]
    READER                  reader: string, reader_file: string or null, line: integer

An importer or a reader is the module, with file and line, whose code is the nearest frame that
belongs neither to the import system, nor to the recording, nor to the standard library; a frame of
the standard library only when there is no other; an empty string when there is no frame at all. The
loaders of this program act for the model, as importers named `_envkit.loaders.…`. `importing` has
the file and line of each frame, innermost first, through which the importer's own package is being
imported. It is empty when something called the importer later, and for a module that the importer's
own regular package contains.

    phase                   name: string
        A phase begins: "load", "input", "predict" or "output".
    module                  module: string, file: string or null, IMPORTER, PHASE
        A module that was not cached was found and is about to run; or the code of a file runs as a
        module without an import. Once per module. Without modules of the standard library.
    import                  module: string, file: string or null, IMPORTER, PHASE
        An import statement or `importlib` named a module, cached or not. Once per importer and
        module. Without the standard library, and without imports within one regular top-level
        package.
    pickle                  module: string, PHASE
        A pickle names the module.
    builtin                 name: string, path: string or null
        A name in `builtins` that is not Python's own when the interpreter has started, and the file
        whose code put it there: a module, a `.pth` file, or null when it is unknown.
    variable                name: string, set: boolean, needed: boolean, READER, PHASE
        An environment variable was read; its value is never recorded. set: whether it has one.
        needed: its absence would raise there, as in `os.environ[name]`. Copying the whole
        environment is not reading each variable. Without variables that the process set itself, or
        got from the traced process that started it.
    file                    path: string, READER, PHASE
        A file that is not code was opened for reading.
    metadata                path: string, READER, PHASE
        The metadata of a distribution were read by its name.
    library                 path: string, READER, PHASE
        A native library was loaded through `ctypes`; a path, or a name that the system resolves.
    libraries               paths: list of strings
        All native libraries that are loaded at the end (Linux), extension modules among them,
        without those of the standard library, the interpreter and the C library.
    process                 argv: list of strings, program: string or null, READER, PHASE
        A program was started. program: its path, or null when it does not exist. For a line of
        shell there is also one event for each program that the line names, with only its name in
        `argv`.
    program                 path: string, READER, PHASE
        An interpreter of this environment was started with this script.
    write                   path: string, gone: boolean, READER, PHASE
        A path was made or changed, or that was tried. gone: it was removed or renamed. Without
        bytecode, and without temporary folders unless they are in the home folder.
    connect                 address: string, PHASE
        A connection was tried: "host:port", or the path of a socket.
    module-files            files: object of strings or nulls
        At the end of each phase: the modules in `sys.modules` that no event has named, with their
        files. Without the standard library.
    prediction              output: JSON value
        The answer to the example (job trace). Infinities are the strings "Infinity" and
        "-Infinity".
    uncompiled              paths: list of strings
        Source files that were imported and have no bytecode (job predict, with `limits`).
    skipped                 phase: string, why: string
        There is nothing to predict on; the phase is "predict".
    unstreamed              why: string
        The model can predict piece by piece but raised an exception on the example: its class.
    error                   phase: string, kind: string, type: string, message: string,
                            traceback: string
        The last event when something raised an exception. kind: "input" when the data to predict on
        are at fault, "output" when the answer cannot be written as JSON, else "model".
    done                    (no fields)
        The last event otherwise. A journal without `error` and `done` is that of a process that
        died.

An event of another process than the first has the field `pid`, an integer, too: of a fork, or of a
Python program of this environment that a recorded process started. What such a program does in code
that has no file counts as done by whoever started it.

MESSAGES OF A WORKER

A message has a header, a JSON object in ASCII, and a body of any bytes. Before them go their
lengths: 4 and 8 bytes, big-endian. What the worker sends has the key `event`:

    ready                   streamable: boolean, uncompiled: list of strings
        Once, when the model has loaded. streamable: it can predict piece by piece. uncompiled: as
        the journal's event of that name; empty without `limits`.
    answer                  (no fields)
        The body is the answer as JSON: `{"predictions": …}`, or the bare answer to a chat request.
    piece                   (no fields)
        The body is one piece of a stream as JSON.
    end                     (no fields)
        The stream is complete, or was stopped.
    error                   phase: string, kind: string, type: string, message: string,
                            traceback: string
        The question failed. The fields are those of the journal's event, and the phase is "sent"
        when the error came after the answer. When the request is at fault there are also
        status: integer and code: string, as HTTP and MLflow define them, and misfit: boolean,
        whether the request does not match the signature.

What the parent sends has the key `ask`:

    predict                 content_type: string
        The body is a request: "json", "csv" or "parquet". The worker sends `answer` or `error`.
        With "typed", body and answer are values as `data.wire` writes them; the body is a pair of
        data and parameters, and errors have no `status`.
    stream                  content_type: string
        The same. The worker sends any number of `piece`, then `end` or `error`.
    stop                    (no fields)
        No more pieces are wanted. A stream on its way ends with `end`; nothing else is sent.

The worker answers one question at a time. What fails while the model loads goes to the journal, as
in all jobs, and the process ends. It also ends when the parent closes the socket.
"""

import os
import sys


def main() -> None:
    """Load the package from its folder and run it, unseen by the model."""
    folder = os.path.dirname(os.path.abspath(__file__))
    if sys.path and os.path.abspath(sys.path[0]) == folder:
        del sys.path[0]  # before the first import, which could find a file of this folder

    import types
    from importlib.util import module_from_spec, spec_from_file_location

    init = os.path.join(folder, "__init__.py")
    spec = spec_from_file_location("_envkit", init, submodule_search_locations=[folder])
    assert spec is not None
    sys.modules["_envkit"] = module_from_spec(spec)
    request = sys.argv[1]
    sys.argv[:] = ["-c"]  # what the model would see under `python -c`
    sys.modules["__main__"] = types.ModuleType("__main__")

    from _envkit.jobs import run  # type: ignore[import-not-found]

    run(request)


if __name__ == "__main__":
    main()
