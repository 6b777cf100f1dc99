"""A model that uses what a `.pth` file put into `builtins` needs the distribution of the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envkit.analysis.source_file import SourceFiles
from envkit.capturing.places import Places
from envkit.capturing.requirements import select
from envkit.capturing.trace import BuiltinUse
from envkit.capturing.unseen_uses import with_builtin_names
from envkit.installed.distributions import InstalledDistributions
from tests.builders.sites import Site
from tests.builders.traces import traced


@pytest.mark.parametrize(
    ("code", "required"),
    [
        ("x = HOOK", True),
        ("import builtins\nx = builtins.HOOK", True),
        ("from builtins import HOOK", True),
        ("import builtins\nx = getattr(builtins, 'HOOK')", True),
        ("HOOK = 1\nx = HOOK", False),
        ("def f(HOOK):\n    return HOOK", False),
        ("x = options.HOOK", False),
        ("x = 'HOOK'", False),
        ("x = 1", False),
        ("x = = 1", False),
    ],
)
@pytest.mark.parametrize("file", ["hook.py", "hook.pth"])
def test_the_model_s_code_decides_whether_a_builtin_name_is_needed(
    site: Site, tmp_path: Path, code: str, required: bool, file: str
) -> None:
    site.install("hooks", files={"hook.py": "", "hook.pth": "import hook\n"})
    installed = InstalledDistributions([str(site.folder)])
    trace, _ = traced(site)
    loader = tmp_path / "model" / "loader.py"
    loader.parent.mkdir(exist_ok=True)
    loader.write_text(code)
    trace = replace(
        trace, files={"loader": str(loader)}, builtins={"HOOK": site.file(file), "other": None}
    )
    places = Places(trace, installed, loader.parent)

    sources = SourceFiles()
    trace = with_builtin_names(trace, places, sources)

    selection = select(trace, installed, places, sources)

    assert [each.distribution.name for each in selection.requirements] == ["hooks"] * required
    for each in selection.requirements:
        (reason,) = each.reasons
        assert isinstance(reason, BuiltinUse)
        assert (reason.path, reason.by.module) == (site.file(file), "loader")
