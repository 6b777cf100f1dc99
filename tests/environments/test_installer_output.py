"""What installers print, as states of a step; the lines are real ones."""

from __future__ import annotations

from envkit.child.progress import State
from envkit.environments.installers.output import Listener

UV = """\
Using Python 3.11.7 environment at: v
Resolved 4 packages in 403ms
Downloading pandas (11.8MiB)
Downloading numpy (15.6MiB)
 Downloaded numpy
 Downloaded pandas
Prepared 4 packages in 4.36s
Installed 4 packages in 368ms
 + numpy==2.1.0
"""
PIP = """\
Looking in indexes: https://pypi.org/simple
Collecting numpy==2.1.0
  Downloading numpy-2.1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl (16.3 MB)
Collecting six
  Downloading six-1.17.0-py2.py3-none-any.whl (11 kB)
Installing collected packages: six, numpy
Successfully installed numpy-2.1.0 six-1.17.0
"""
MIB = 1024**2


def heard(text: str) -> list[State]:
    states: list[State] = []
    listener = Listener(states.append)
    for line in text.splitlines():
        listener(line)
    return states


def test_uvs_downloads_add_up_and_are_followed_by_the_installation() -> None:
    both = int(11.8 * MIB) + int(15.6 * MIB)
    states = heard(UV)

    assert [(state.what, state.done, state.total) for state in states] == [
        ("Downloading pandas", 0, int(11.8 * MIB)),
        ("Downloading numpy", 0, both),
        ("Downloading", int(15.6 * MIB), both),
        ("Downloading", both, both),
        ("Installing 4 packages", 0, 0),
        ("", 0, 0),
    ]
    assert [state.line for state in states if state.line] == [
        "Downloading pandas (11.8 MiB)",
        "Downloading numpy (15.6 MiB)",
        "Installed 4 packages in 368ms",
    ]


def test_pips_downloads_come_one_after_the_other() -> None:
    first, second, installing = heard(PIP)

    assert (first.done, first.total) == (0, 16_300_000)
    assert (second.done, second.total) == (16_300_000, 16_311_000)
    assert second.what.startswith("Downloading six-1.17.0")
    assert installing.what == "Installing 2 packages"


def test_other_lines_mean_nothing() -> None:
    assert heard("Downloading\nDownloading x\nPrepared\n\n  Downloading x (many B)\n") == []
