"""Names that say whether a module is installed, in code of any length."""

from __future__ import annotations

import ast
import time

from envkit.analysis.presence import PresenceTests

SECONDS = 5.0  # 0.1 s here; looking at all names again for each took minutes
MANY = 20_000


def test_names_bound_to_each_other_take_linear_time() -> None:
    lines = [f"has_{number} = has_{number + 1}" for number in range(MANY)]
    module = ast.parse("\n".join([*lines, f"has_{MANY} = find_spec('a')"]))
    start = time.monotonic()

    presence = PresenceTests(module.body)
    assert presence.holds_only_if_present(ast.Name("has_0", ast.Load()))
    assert time.monotonic() - start < SECONDS


def test_a_circle_of_names_says_nothing() -> None:
    module = ast.parse("has_a = has_b\nhas_b = has_a")

    assert not PresenceTests(module.body).holds_only_if_present(ast.Name("has_a", ast.Load()))
