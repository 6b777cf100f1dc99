"""Which of the distributions that a library imported it can do without.

Libraries try to import much: accelerators, other libraries' types, plugins. What they import while
they are imported themselves, and inside a guard that catches its absence, they used only because it
happened to be installed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from envkit.analysis.source_file import SourceFiles
from envkit.capturing.module_to_distribution import DistributionUse
from envkit.capturing.named_engines import words_of_model
from envkit.capturing.places import Places
from envkit.capturing.trace import ModuleImport, Trace
from envkit.installed.distribution import Distribution

Frame = tuple[str, int]  # file and line
Pair = tuple[Distribution | None, Distribution]  # who uses, and what


class OptionalImports:
    """Answers questions about the imports of one trace."""

    def __init__(
        self,
        uses: Iterable[DistributionUse],
        trace: Trace,
        places: Places,
        sources: SourceFiles,
        engines: frozenset[str] = frozenset(),
    ) -> None:
        """`engines`: words that may name a library, in addition to those of the model's files."""
        self._engines = engines
        self._uses = tuple(uses)
        self._trace, self._places, self._sources = trace, places, sources
        self._answers: dict[DistributionUse, bool] = {}
        self._guarded_pairs: dict[Pair, bool] = {}
        self._vendored: dict[Distribution, frozenset[str]] = {}

    def is_needed(self, use: DistributionUse) -> bool:
        """Whether the library that uses a distribution cannot do without it."""
        if use not in self._answers:
            self._answers[use] = self._is_needed(use)
        return self._answers[use]

    def _is_needed(self, use: DistributionUse) -> bool:
        if self._has_vendored_copy(use):
            return False
        if use.distribution in self._named_by_the_model:
            return True
        return not self._can_do_without(use)

    def _has_vendored_copy(self, use: DistributionUse) -> bool:
        """Whether the library has a copy of the module, for where that is not installed."""
        library = use.user
        if library is None:
            return False
        if library not in self._vendored:
            self._vendored[library] = frozenset(_vendored(library))
        return _top_level(use) in self._vendored[library]

    @cached_property
    def _named_by_the_model(self) -> frozenset[Distribution]:
        """Distributions whose module a word of the model names, as one names an engine."""
        words = self._engines | words_of_model(self._trace, self._places, self._sources)
        named = (use for use in self._uses if use.user is not None)
        return frozenset(use.distribution for use in named if _top_level(use) in words)

    def _can_do_without(self, use: DistributionUse) -> bool:
        """Whether the library works if the import fails.

        It does if it imports the distribution in a guard while it is imported itself: what it
        imports of it later and unguarded, it imports knowing that it is installed.
        """
        imported = use.use
        if not isinstance(imported, ModuleImport):
            return False
        if not imported.importing and self._is_imported_by_that_line(imported):
            return False
        pair = (use.user, use.distribution)
        if pair not in self._guarded_pairs:
            imports = self._imports_between[pair]
            self._guarded_pairs[pair] = any(map(self._is_guarded, imports))
        return self._guarded_pairs[pair]

    @cached_property
    def _imports_between(self) -> Mapping[Pair, list[ModuleImport]]:
        imports: dict[Pair, list[ModuleImport]] = defaultdict(list)
        for use in self._uses:
            if isinstance(use.use, ModuleImport):
                imports[use.user, use.distribution].append(use.use)
        return imports

    def _is_imported_by_that_line(self, imported: ModuleImport) -> bool:
        """Whether the source of the line that ran imports the module.

        If not, compiled code that the line calls did: it imports a part of the package that it was
        called with, or a name in a pickle.
        """
        if imported.by.file is None:
            return True
        source = self._sources.file(imported.by.file)
        if not source.imports:  # there is no source to read, or all is imported by name
            return True
        top_level = imported.module.partition(".")[0]
        if top_level in source.imported_at.get(imported.by.line, ()):
            return True
        return imported.by.line in source.importing_calls

    def _is_guarded(self, imported: ModuleImport) -> bool:
        """Whether the import may fail without harm."""
        if not imported.importing:
            return False
        for number, frame in enumerate(imported.importing):
            if self._is_in_guard(frame):
                inner = imported.importing[:number]
                if not any(map(self._runs_without_guard, inner)):
                    return True
                break
        return self._is_by_compiled_code(imported)

    def _is_in_guard(self, frame: Frame) -> bool:
        file, line = frame
        return self._sources.file(file).is_import_guarded(line)

    def _runs_without_guard(self, frame: Frame) -> bool:
        """Whether the line also runs when no guard is around it.

        It does if it is an import statement at the top level of a module that must be importable.
        """
        file, line = frame
        source = self._sources.file(file)
        return line in source.unconditional_imports.values() and file in self._must_import

    def _is_by_compiled_code(self, imported: ModuleImport) -> bool:
        """Whether compiled code made the import: the source of its line imports another module."""
        file, line = imported.importing[0]
        modules = self._sources.file(file).imported_at.get(line)
        if modules is None:
            return False
        return imported.module.partition(".")[0] not in modules

    @cached_property
    def _must_import(self) -> frozenset[str]:
        """The files of modules that must be importable for the model to work.

        These are the modules that the model or the runner imports itself, the packages around them,
        and what their top level imports. To find them all takes long, and is rarely needed.
        """
        return frozenset(self._files_that_must_import())

    def _files_that_must_import(self) -> Iterator[str]:
        files = self._trace.files
        modules = {use.module for use in self._uses if use.user is None}
        for module in filter(None, modules):
            for package in _with_packages(module):
                file = files.get(package)
                if file is None:
                    continue
                yield file
                for imported in self._sources.file(file).unconditional_imports:
                    imported_file = files.get(imported)
                    if imported_file is not None:
                        yield imported_file


def _vendored(library: Distribution) -> Iterator[str]:
    """Yield the top-level modules of which a library has copies below `_vendor`."""
    for path in library.record:
        if "_vendor/" not in path:
            continue
        below = path.rpartition("_vendor/")[2]
        name, _, rest = below.partition("/")
        if rest == "__init__.py":
            yield name
        elif not rest and name.endswith(".py"):
            yield name.removesuffix(".py")


def _top_level(use: DistributionUse) -> str | None:
    if use.module is None:
        return None
    return use.module.partition(".")[0]


def _with_packages(module: str) -> Iterator[str]:
    """Yield `a`, `a.b` and `a.b.c` for `a.b.c`."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])
