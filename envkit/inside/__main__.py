"""Load a model, let it predict, and report. Started as `PYTHON [-I] …/inside/__main__.py REQUEST.json`.

This docstring is the protocol between this program and the one that starts it.

*The request* is one JSON object:

    job              "trace": load, predict on the example, record what that needs. "predict": load, predict.
                     "describe": give the event `interpreter` and do nothing with any model; needs no other key.
                     "work": load, then answer questions over the socket `channel` (`worker`)
    journal          absolute path of the answer, a file that does not exist yet
    model            absolute path of the model directory
    python_function  the `python_function` flavor of the MLmodel file; for a model of R what takes its place
    flavors          all flavors
    metadata         may be missing; what the author says of the model, as far as it is texts
    signature        the model's signature or null; its parts may be JSON texts, as MLflow stores them
    example          null, or {"path", "type", "pandas_orient", …}: `saved_input_example_info` with an absolute path
    input            null, or {"path", "content_type": "json" | "csv"}: what to predict on (job predict)
    params           null, or an object: parameters that override those of the input (job predict)
    output           null, or the absolute path of the file that gets `{"predictions": …}`, whole or not at all
    typed            may be missing; the absolute path of a file for the answer with its types (`wire`; job trace)
    channel          the number of an inherited descriptor, a socket (job work)
    without_mlflow   may be missing; true: an installed MLflow is not to be had, only what `surface` supplies
    memory_bytes     null, or the most address space that the process may have
    limits           may be missing; an object of resource limits: names without `RLIMIT_` and numbers

*The answer* is the journal alone, JSON lines, one event each, appended as it happens: what was seen before a
crash survives it. The exit status and what is printed mean nothing. Events, by their key "event":

    interpreter   first event of a trace: executable, version, implementation, prefix, base_prefix, platform,
                  stdlib (folders), sys_path, markers (PEP 508), packages (versions of pip, setuptools, wheel)
    phase         name: "load", "input", "predict", "output"; the phase that begins
    module        module, file, importer, importer_file, line, phase, importing: a module that was not cached
                  was found and is about to run. Once per module. Modules of the standard library are left out.
                  importing: [file, line] of each frame, innermost first, through which the importer's own package
                  is being imported; empty when something called the importer later, and for a module of the
                  importer's own regular package
    import        the same keys: a module was asked for, cached or not, by an import statement or `importlib`.
                  Once per (importer, module). Left out: the standard library, and what stays within one
                  regular top-level package
    pickle        module, phase: a pickle names it
    builtin       name, path: a name in `builtins` that is not Python's own when the interpreter has started, and the
                  file of code that put it there: a module, a `.pth` file, or null
    variable      name, set, needed, reader, reader_file, line, phase: an environment variable was asked for; never
                  its value. needed: absence would raise there, as in `os.environ[name]`. Copying the whole
                  environment is not reading each variable. Left out: what the process set itself, or was given by
                  the traced process that started it
    file          path, reader, reader_file, line, phase: a file other than code that was opened for reading
    metadata      path, reader, reader_file, line, phase: the metadata of a distribution, asked for by its name
    library       path, reader, reader_file, line, phase: a native library that was loaded through `ctypes`; its
                  path or a name that the system resolves
    libraries     paths: all native libraries that are loaded at the end (Linux), extension modules among them,
                  without those of the standard library, the interpreter and the C library
    process       argv, program, reader, reader_file, line, phase: a program was started; program: its path, or null
                  when there is none. For a line of shell also each program that it names, with argv its name alone
    program       path, reader, reader_file, line, phase: a script that an interpreter was started with
    write         path, gone, reader, reader_file, line, phase: a path that was made or changed, or that it was tried
                  to; gone: was removed or renamed. Left out: below temporary folders but not in the home, bytecode
    connect       address ("host:port" or the path of a socket), phase: a connection that was tried
    module-files  files: {module: file or null}, at each phase's end: modules in `sys.modules` that no event
                  told of, without the standard library
    prediction    output: the answer to the example (job trace)
    uncompiled    paths: source files that were imported and have no bytecode (job predict, with limits)
    skipped       phase, why: there was no prediction to make
    unstreamed    why: the model can predict piece by piece, but raised on the example
    error         phase, kind, type, message, traceback: the last event when something raised. kind "input": what was
                  given to predict on is at fault; "output": the answer has no JSON form; "model": everything else
    done          the last event otherwise. A journal without error and done is that of a process that died

An event of another process than the first has its "pid": a fork, or a Python program of this
environment that a recorded process started. What such a program does without code of a file counts
as done by who started it.

The importer of a module, like the reader of a variable, is the nearest frame that belongs neither
to the import system, nor to the recording, nor to the standard library; a frame of the standard
library is taken only when there is no other. The loaders of this program act for the model, as
importers named `_envkit.loaders.…`.
"""

import os
import sys


def main() -> None:
    """Load the package from its folder, without a trace of it on `sys.path` or in `__main__`, and run."""
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
    sys.argv[:] = ["-c"]  # as the model would see them under `python -c`
    sys.modules["__main__"] = types.ModuleType("__main__")

    from _envkit.jobs import run  # type: ignore[import-not-found]

    run(request)


if __name__ == "__main__":
    main()
