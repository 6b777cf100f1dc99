"""Uses that a trace cannot see, inferred and added to it.

Imports of Python processes that were started without the tracer, the library that decompresses a
pickle, and names that `.pth` files put into `builtins`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from envkit.analysis import source_imports, survey
from envkit.analysis.source_file import SourceFile, SourceFiles
from envkit.analysis.syntax_nodes import text_of
from envkit.capturing import native
from envkit.capturing.places import Places
from envkit.capturing.static_inference import PHASE, modules_of, resolve
from envkit.capturing.trace import (
    BuiltinUse,
    CodeLocation,
    ModuleImport,
    PickledModule,
    Trace,
)
from envkit.installed.distributions import InstalledDistributions
from envkit.models.directory import ModelDirectory

LZ4 = "lz4"


def with_process_imports(
    trace: Trace,
    model: ModelDirectory,
    installed: InstalledDistributions,
    places: Places,
) -> Trace:
    """Add what the command lines of Python processes import that could not be traced."""
    commands = [("python", *words) for words in native.unseen(trace)]
    mentions = [
        mention for words in commands for mention in source_imports.imported_by_program(words)
    ]
    if not mentions:
        return trace
    modules = modules_of(trace, model, installed)
    resolved, _ = resolve(mentions, modules, installed, places)
    by = CodeLocation(module="python")
    imports = [
        ModuleImport(module=imported.module, phase=PHASE, by=by)
        for imported in resolved
        if not imported.mention.guarded
    ]
    return trace.with_uses(imports, {imported.module: imported.file for imported in resolved})


def with_lz4(trace: Trace, model: ModelDirectory) -> Trace:
    """Add lz4 for an artifact that it compressed.

    joblib imports it in any case, in a guard, so the import itself says nothing.
    """
    if trace.files.get(LZ4) is None:
        return trace
    if not any(survey.lz4_artifacts(model)):
        return trace
    return trace.with_uses([PickledModule(module=LZ4, phase="load")])


def with_builtin_names(
    trace: Trace,
    places: Places,
    sources: SourceFiles,
) -> Trace:
    """Add the files that put names into `builtins` which the model's own code has."""
    files = {name: file for name, file in trace.builtins.items() if file is not None}
    if not files:
        return trace
    return trace.with_uses(_builtin_uses(trace, places, sources, files))


def _builtin_uses(
    trace: Trace,
    places: Places,
    sources: SourceFiles,
    files: Mapping[str, str],
) -> Iterator[BuiltinUse]:
    for module, file in places.local_sources(trace).items():
        for name, line in _builtin_names(sources.file(file), files):
            by = CodeLocation(module=module, file=file, line=line)
            yield BuiltinUse(path=files[name], phase="load", by=by)


def _builtin_names(source: SourceFile, names: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield which of the names the code takes from `builtins`, with their lines."""
    own = set(_bound_names(source))
    imports_builtins = any(
        imported.module == "builtins" and not imported.names for imported in source.imports
    )
    for node in source.nodes:
        if isinstance(node, ast.Name) and node.id in names and node.id not in own:
            yield node.id, node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "builtins":
            for alias in node.names:
                if alias.name in names:
                    yield alias.name, node.lineno
        elif imports_builtins:
            # `builtins.name`, or `getattr(builtins, "name")`
            name = node.attr if isinstance(node, ast.Attribute) else text_of(node)
            if name is not None and name in names:
                yield name, getattr(node, "lineno", 0)


def _bound_names(source: SourceFile) -> Iterator[str]:
    """Yield the names that the code itself binds."""
    for node in source.nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
