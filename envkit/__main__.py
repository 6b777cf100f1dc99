"""The `envkit` program, also `python -m envkit`.

An interrupt that comes while the rest is being imported must not end in a traceback of Python's. So
it is seen to before anything else; from then on it raises `KeyboardInterrupt` as usual, which the
command line expects. To be terminated, or to lose the terminal, is an end like others: what was
begun is undone first, temporary folders go.
"""

import _signal  # type: ignore[import-not-found]  # `signal` itself takes longer than all of this
import gc

INTERRUPTED = 130
# commands make many objects and few cycles: the usual 700 cost a tenth of their time
OBJECTS = 10_000


def main() -> None:
    """Run the command that the words of the command line name."""
    usual = _signal.getsignal(_signal.SIGINT)
    if usual is not _signal.SIG_IGN:  # started in the background, deaf to it
        _signal.signal(_signal.SIGINT, _end)
    gc.set_threshold(OBJECTS)
    from envkit.cli.main import main as program

    _signal.signal(_signal.SIGINT, usual)
    for number in (_signal.SIGTERM, _signal.SIGHUP):
        if _signal.getsignal(number) is _signal.SIG_DFL:
            _signal.signal(number, _leave)
    try:
        program(prog_name="envkit")
    except KeyboardInterrupt:  # before a command was chosen
        _end()


def _end(*_: object) -> None:
    import os

    os.write(2, b"Interrupted.\n")
    os._exit(INTERRUPTED)


def _leave(number: int, _: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
