from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from envkit.analysis.source_file import SourceFiles
from envkit.capturing.places import Places
from envkit.capturing.requirements import Selection, select
from envkit.capturing.trace import (
    CodeLocation,
    DataFileRead,
    FileUse,
    MetadataLookup,
    ModuleImport,
    ModuleUse,
    PickledModule,
    Trace,
)
from envkit.installed.distributions import InstalledDistributions
from envkit.interpreters.facts import InterpreterFacts
from tests.builders.sites import Site

MARKERS = {
    "implementation_name": "cpython",
    "implementation_version": "3.11.7",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.11.7",
    "python_version": "3.11",
    "sys_platform": "linux",
}


class Case:
    """A model in an environment: what is installed, and which code imports what."""

    def __init__(self, site: Site, model: Path) -> None:
        self.site, self.model = site, model
        self.files: dict[str, str | None] = {}
        self.uses_of_modules: list[ModuleUse] = []
        self.uses_of_files: list[FileUse] = []

    def install(self, name: str, **more: object) -> None:
        module = name.replace("-", "_")
        files = more.pop("files", None) or {f"{module}.py": "import os\n"}
        self.site.install(name, files=files, **more)  # type: ignore[arg-type]
        for path in files:  # type: ignore[attr-defined]
            self.files[path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")] = (
                self.site.file(path)
            )

    def uses(
        self, module: str, *, by: str | None = None, line: int = 1, eager: bool = False
    ) -> None:
        """An import statement; `by` names an installed module, default the model's code.

        eager: in the top-level code of that module.
        """
        location = self.location(by, line)
        importing = ((str(location.file), line),) if eager else ()
        self.uses_of_modules.append(
            ModuleImport(module=module, phase="load", by=location, importing=importing)
        )

    def reads_file(self, path: str, *, by: str | None = None) -> None:
        """A data file is opened; `by` as for `uses`."""
        read = DataFileRead(path=path, phase="predict", by=self.location(by))
        self.uses_of_files.append(read)

    def looks_up(self, path: str, *, by: str | None = None) -> None:
        """Metadata are looked up by the name of a distribution; `by` as for `uses`."""
        lookup = MetadataLookup(path=path, phase="predict", by=self.location(by))
        self.uses_of_files.append(lookup)

    def on_behalf(self, module: str, *, artifact: bool) -> None:
        """An artifact names the module, or the runner imports it for the model's input."""
        if artifact:
            use: ModuleUse = PickledModule(module=module, phase="load")
        else:
            runner = CodeLocation(module="_envkit.data.requests.csv_request")
            use = ModuleImport(module=module, phase="load", by=runner)
        self.uses_of_modules.append(use)

    def location(self, module: str | None, line: int = 1) -> CodeLocation:
        file = self.files[module] if module else str(self.model / "model.py")
        return CodeLocation(module=module or "model", file=file, line=line)

    def select(self) -> Selection:
        facts = InterpreterFacts(
            executable="python",
            version="3.11.7",
            implementation="cpython",
            platform="linux-x86_64",
            stdlib=("/usr/lib/python3.11",),
            sys_path=(str(self.site.folder),),
            markers=MARKERS,
            tools={},
        )
        trace = Trace(
            interpreter=facts,
            files=self.files,
            module_uses=tuple(self.uses_of_modules),
            file_uses=tuple(self.uses_of_files),
        )
        installed = InstalledDistributions(facts.sys_path)
        places = Places(trace, installed, self.model)
        return select(trace, installed, places, SourceFiles())

    def names(self) -> tuple[list[str], list[str]]:
        """Requirements (with extras) and constraints."""
        selection = self.select()
        requirements = [
            f"{each.distribution.name}[{','.join(sorted(each.extras))}]"
            if each.extras
            else each.distribution.name
            for each in selection.requirements
        ]
        return requirements, [each.distribution.name for each in selection.constraints]


@pytest.fixture
def case(site: Site, tmp_path: Path) -> Case:
    return Case(site, tmp_path / "model")


def test_what_the_model_imports_is_required_and_its_dependencies_are_constraints(
    case: Case,
) -> None:
    case.install("soup", requires=["sieve>1"])
    case.install("sieve", version="2.0")
    case.install("unused")
    case.uses("soup")

    assert case.names() == (["soup"], ["sieve"])


def test_a_dependency_that_the_model_imports_itself_is_required(case: Case) -> None:
    case.install("soup", requires=["sieve"])
    case.install("sieve")
    case.uses("soup")
    case.uses("sieve")

    assert case.names() == (["sieve", "soup"], [])


@pytest.mark.parametrize("artifact", [True, False])
def test_what_only_an_artifact_or_the_input_needs_is_a_constraint_if_something_requires_it(
    case: Case, artifact: bool
) -> None:
    case.install("learn", requires=["num"])
    case.install("num")
    case.on_behalf("learn", artifact=True)
    case.on_behalf("num", artifact=artifact)

    assert case.names() == (["learn"], ["num"])


def test_what_only_the_input_needs_is_required_if_nothing_else_requires_it(case: Case) -> None:
    case.install("learn")
    case.install("frames")
    case.on_behalf("learn", artifact=True)
    case.on_behalf("frames", artifact=False)

    assert case.names() == (["frames", "learn"], [])


def test_of_two_distributions_that_require_each_other_one_stays(case: Case) -> None:
    case.install("a", requires=["b"])
    case.install("b", requires=["a"])
    case.on_behalf("a", artifact=True)
    case.on_behalf("b", artifact=True)

    requirements, constraints = case.names()
    assert len(requirements) == 1
    assert len(constraints) == 1


def test_a_plugin_that_its_host_does_not_declare_is_required(case: Case) -> None:
    case.install("host")
    case.install("plugin", requires=["host"])
    case.uses("host")
    case.uses("plugin", by="host")

    assert case.names() == (["host", "plugin"], [])


def test_an_extra_is_required_if_it_is_the_reason_for_the_import(case: Case) -> None:
    case.install(
        "net", requires=['socks; extra == "socks"', 'zoo; extra == "all"'], extras=["socks", "all"]
    )
    case.install("socks")
    case.uses("net")
    case.uses("socks", by="net")

    assert case.names() == (["net[socks]"], ["socks"])


def test_an_extra_that_would_install_more_is_not_required(case: Case) -> None:
    case.install(
        "frames", requires=['arrow; extra == "all"', 'excel; extra == "all"'], extras=["all"]
    )
    case.install("arrow")
    case.install("excel")
    case.uses("frames")
    case.uses("arrow", by="frames")

    assert case.names() == (["arrow", "frames"], [])


FRAMES = {  # extras of a library, each with what it brings
    "parquet": ["frames[arrow]"],
    "feather": ["frames[arrow]"],
    "arrow": ["arrow"],
    "excel": ["xlread", "xlwrite"],
    "html": ["xmllib", "htmllib"],
    "xml": ["xmllib"],
    "trees": ["trees"],
    "cluster": ["trees", "absent"],
    "socks": ["socks"],
    "new": ["newer>=9"],
    "deep": ["deep"],
    "shared": ["base", "own"],
    "all": ["frames[arrow,excel,html,trees,socks]"],
    "test": ["socks", "xmllib"],
}


@pytest.mark.parametrize(
    ("used", "requirements"),
    [
        (["socks"], ["frames[socks]"]),  # `all` and `test` bring it, too
        (["arrow"], ["arrow", "frames"]),  # three extras bring it
        (["xlread"], ["frames", "xlread"]),  # the extra brings more
        (["xlread", "xlwrite"], ["frames[excel]"]),
        (
            ["xmllib"],
            ["frames", "xmllib"],
        ),  # `xml` brings it alone, but it may have been for `html`
        (["xmllib", "htmllib"], ["frames[html]"]),
        (["trees"], ["frames[trees]"]),  # `cluster` brings it, too, but has not its name
        (
            ["newer"],
            ["frames", "newer"],
        ),  # the extra asks for another version than the installed one
        (
            ["deep"],
            ["frames[deep]"],
        ),  # it brings what `deep` implies, which its name would bring as well
        (["own"], ["frames[shared]"]),  # `base` comes with the library anyway
        (["socks", "trees"], ["frames[socks,trees]"]),
    ],
)
def test_an_extra_is_required_if_only_it_matches_what_was_used(
    case: Case, used: list[str], requirements: list[str]
) -> None:
    lines = [f'{each}; extra == "{extra}"' for extra, brought in FRAMES.items() for each in brought]
    case.install("frames", requires=["base", *lines], extras=list(FRAMES))
    case.install("deep", requires=["deeper"])
    for name in (
        "arrow",
        "xlread",
        "xlwrite",
        "xmllib",
        "htmllib",
        "trees",
        "socks",
        "newer",
        "base",
        "own",
        "deeper",
    ):
        case.install(name)
    case.uses("frames")
    for name in used:
        case.uses(name, by="frames")

    assert case.names()[0] == requirements


GUARDED: Mapping[str, str] = {
    "try": "try:\n    import fast\nexcept ImportError:\n    fast = None\n",
    "tuple": "try:\n    import fast\nexcept (ModuleNotFoundError, OSError):\n    fast = None\n",
    "bare": "try:\n    import fast\nexcept:\n    fast = None\n",
    "suppress": "import contextlib\nwith contextlib.suppress(ImportError): import fast\n",
}


@pytest.mark.parametrize("how", GUARDED)
def test_what_a_library_tries_to_import_while_it_is_imported_is_optional(
    case: Case, how: str
) -> None:
    case.install("frames", files={"frames.py": GUARDED[how]})
    case.install("fast")
    case.uses("frames")
    case.uses("fast", by="frames", line=2, eager=True)

    assert case.names() == (["frames"], [])
    assert [each.distribution.name for each in case.select().optional] == ["fast"]


def test_an_unguarded_import_after_a_guarded_one_is_optional_too(case: Case) -> None:
    case.install("frames", files={"frames.py": GUARDED["try"] + "if fast:\n    import fast.more\n"})
    case.install("fast")
    case.uses("frames")
    case.uses("fast", by="frames", line=6, eager=True)
    case.uses("fast", by="frames", line=2, eager=True)

    assert case.names() == (["frames"], [])


@pytest.mark.parametrize(
    ("needs", "inner", "expected"),
    [
        ("import frames.inner\n", "import fast\n", ["fast", "frames"]),
        ("import frames.inner\n", "if True: import fast\n", ["frames"]),
        ("", "import fast\n", ["frames"]),
    ],
)
def test_a_guard_does_not_count_for_a_module_that_is_also_imported_without_it(
    case: Case, needs: str, inner: str, expected: list[str]
) -> None:
    """A package guards the import of a part of itself that another part, which is used, needs."""
    init = "import contextlib\nwith contextlib.suppress(ImportError):\n    import frames.inner\n"
    core = f"import os\n{needs}"
    case.install(
        "frames",
        files={"frames/__init__.py": init, "frames/inner.py": inner, "frames/core.py": core},
    )
    case.install("fast")
    case.uses("frames.core")
    case.uses("fast", by="frames.inner", eager=True)
    guard = (str(case.files["frames"]), 3)
    last = case.uses_of_modules[-1]
    assert isinstance(last, ModuleImport)
    case.uses_of_modules[-1] = replace(last, importing=(*last.importing, guard))

    assert case.names()[0] == expected


def test_what_compiled_code_imports_while_it_is_imported_is_left_to_its_metadata(
    case: Case,
) -> None:
    case.install(
        "arrow", files={"arrow.py": "import arrow_core\n"}
    )  # compiled: has no frame of its own
    case.install("fast")
    case.uses("arrow")
    case.uses("fast", by="arrow", line=1, eager=True)

    assert case.names() == (["arrow"], [])


CALLED = GUARDED["try"] + "def f():\n    return fast.compute()\n"


def test_what_compiled_code_imports_when_a_library_calls_it_is_not_required(
    case: Case,
) -> None:
    case.install("frames", files={"frames.py": CALLED})
    case.install("fast")
    case.uses("frames")
    case.uses("fast", by="frames", line=2, eager=True)
    case.uses("fast.inner", by="frames", line=6)

    assert case.names() == (["frames"], [])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("f(engine='fast')", ["frames[fast]"]),
        ("get(proxy='fast5h://host:1')", ["frames[fast]"]),
        ("f(engine='faster')", ["frames"]),
        ("fast = 1", ["frames"]),
    ],
)
def test_an_engine_that_the_model_s_code_names_is_not_optional(
    case: Case, said: str, expected: list[str]
) -> None:
    case.install(
        "frames", requires=['fast; extra == "fast"'], extras=["fast"], files={"frames.py": CALLED}
    )
    case.install("fast")
    case.model.mkdir()
    (case.model / "model.py").write_text(said, encoding="utf-8")
    case.files["model"] = str(case.model / "model.py")
    case.uses("frames")
    case.uses("fast", by="frames", line=2, eager=True)

    assert case.names()[0] == expected


def test_the_extra_of_a_requirement_that_brings_the_importer_is_required(case: Case) -> None:
    case.install("net", requires=["low", 'socks; extra == "socks"'], extras=["socks"])
    case.install("low")
    case.install("socks")
    case.uses("net")
    case.uses("socks", by="low")

    assert case.names() == (["net[socks]"], ["low", "socks"])


def test_a_module_of_which_the_library_has_a_vendored_copy_is_not_required(case: Case) -> None:
    case.install("tools", files={"tools/__init__.py": "", "tools/_vendor/fast/__init__.py": ""})
    case.install("fast")
    case.uses("tools")
    case.uses("fast", by="tools")

    assert case.names() == (["tools"], [])


def test_a_distribution_whose_metadata_the_model_looks_up_is_required(case: Case) -> None:
    folder = case.site.install("meta", files={"meta.py": ""})
    case.site.install("asked", files={"asked.py": ""})
    case.install("library")
    case.uses("library")
    for name, by in (("meta", None), ("asked", "library")):
        case.looks_up(str(folder.with_name(f"{name}-1.0.dist-info") / "METADATA"), by=by)

    assert case.names() == (["library", "meta"], [])


def test_a_plugin_that_its_host_loads_by_name_while_it_is_imported_is_required(case: Case) -> None:
    case.install("host", files={"host.py": "import importlib\nimportlib.import_module(name)\n"})
    case.install("plugin")
    case.uses("host")
    case.uses("plugin", by="host", line=2, eager=True)

    assert case.names() == (["host", "plugin"], [])


def test_what_a_library_tries_to_import_when_it_is_called_is_required(case: Case) -> None:
    case.install("frames", files={"frames.py": GUARDED["try"]})
    case.install("fast")
    case.uses("frames")
    case.uses("fast", by="frames", line=2, eager=False)

    assert case.names() == (["fast", "frames"], [])


def test_what_an_optional_distribution_imports_is_not_required_either(case: Case) -> None:
    case.install("frames", files={"frames.py": GUARDED["try"]})
    case.install("fast")
    case.install("deep")
    case.uses("frames")
    case.uses("fast", by="frames", line=2, eager=True)
    case.uses("deep", by="fast")

    assert case.names() == (["frames"], [])


def test_markers_are_evaluated_for_the_traced_interpreter(case: Case) -> None:
    case.install(
        "soup",
        requires=[
            "old; python_version < '3'",
            "win; sys_platform == 'win32'",
            "new; os_name == 'posix'",
        ],
    )
    for name in ("old", "win", "new"):
        case.install(name)
    case.uses("soup")

    assert case.names() == (["soup"], ["new"])


def test_an_unmet_dependency_is_reported(case: Case) -> None:
    case.install("soup", requires=["sieve>=3", "gone"])
    case.install("sieve", version="2.0")
    case.uses("soup")

    assert [str(each) for each in case.select().unmet] == [
        "soup requires `gone`, but it is not installed",
        "soup requires `sieve>=3`, but 2.0 is installed",
    ]


def test_local_code_is_not_required_and_reported_if_it_is_outside_the_model(
    case: Case, tmp_path: Path
) -> None:
    case.files["own"] = str(case.model / "code" / "own.py")
    case.files["helpers"] = str(tmp_path / "helpers.py")
    case.files["json"] = "/usr/lib/python3.11/json/__init__.py"
    for module in ("own", "helpers", "json"):
        case.uses(module)

    selection = case.select()
    assert (selection.requirements, selection.constraints) == ((), ())
    assert [each.module for each in selection.outside] == ["helpers"]


def test_a_distribution_of_which_only_data_is_read_is_required(case: Case) -> None:
    case.install("tables", files={"tables/rates.csv": "a,1"})
    case.reads_file(case.site.file("tables/rates.csv"))

    assert case.names() == (["tables"], [])


def test_reading_the_metadata_of_a_distribution_does_not_use_it(case: Case) -> None:
    case.install("host")
    case.install("other")
    case.uses("host")
    case.reads_file(case.site.file("other-1.0.dist-info/METADATA"), by="host")

    assert case.names() == (["host"], [])


def test_a_file_that_belongs_to_nothing_and_that_the_model_reads_is_reported(
    case: Case, tmp_path: Path
) -> None:
    case.reads_file(str(tmp_path / "notes.txt"))
    case.reads_file(str(case.model / "own.txt"))
    case.reads_file("/etc/hosts")

    assert [each.file for each in case.select().outside] == [str(tmp_path / "notes.txt")]


def test_a_constraint_names_the_distributions_that_require_it(case: Case) -> None:
    case.install("frame", requires=["numbers", "dates"])
    case.install("numbers")
    case.install("dates", requires=["numbers", "frame"])
    case.uses("frame")

    selection = case.select()

    assert {each.distribution.name: each.implied_by for each in selection.constraints} == {
        "numbers": ("dates", "frame"),
        "dates": ("frame",),
    }


def test_credentials_in_metadata_are_not_shown(case: Case) -> None:
    case.install("frame", requires=["gone @ https://me:secret@host/gone.whl"])
    case.uses("frame")

    assert "secret" not in str(case.select().unmet)
