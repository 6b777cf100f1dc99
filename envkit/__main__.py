"""The `envkit` program, also `python -m envkit`.

An interrupt during the imports must not end in a traceback, so a handler is installed before
anything else; afterwards SIGINT raises `KeyboardInterrupt` as usual, which the command line
handles. SIGTERM and SIGHUP end the program like any exit: what was begun is undone, temporary
folders are removed.
"""

import _signal  # type: ignore[import-not-found]  # `signal` takes longer to import than everything here
import gc

INTERRUPTED = 130

# Commands make many objects and few cycles: with Python's threshold of 700 they spend a tenth of
# their time collecting.
OBJECTS = 10_000


def main() -> None:
    """Run the command that the command line names."""
    handler = _signal.getsignal(_signal.SIGINT)
    # A shell makes programs in the background ignore SIGINT; they continue to.
    if handler is not _signal.SIG_IGN:
        _signal.signal(_signal.SIGINT, _exit_interrupted)
    gc.set_threshold(OBJECTS)
    from envkit.cli.main import main as program  # after the handler

    _signal.signal(_signal.SIGINT, handler)
    for number in (_signal.SIGTERM, _signal.SIGHUP):
        if _signal.getsignal(number) is _signal.SIG_DFL:
            _signal.signal(number, _exit_by_signal)
    try:
        program(prog_name="envkit")
    except KeyboardInterrupt:  # before click handles it
        _exit_interrupted()


def _exit_interrupted(*_: object) -> None:
    import os  # already imported by Python itself

    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)


def _exit_by_signal(number: int, _: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
