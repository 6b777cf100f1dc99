"""What one artifact names, collected while its pickles are read."""

from __future__ import annotations

from dataclasses import dataclass, field

NOT_MODULES = frozenset(
    {"__main__", "__mp_main__", "builtins", "__builtin__", "copyreg", "copy_reg", "copy_reg "}
)
TORCHSCRIPT = "__torch__"  # top-level name of classes whose code is in the archive itself
MAX_NAME = 200


@dataclass(slots=True)
class PickleNames:
    """What one artifact names.

    Attributes:
        modules: By name, whether code in the artifact imports the module.
        globals: Module and name of each class and function that unpickling would fetch, in order.
        versions: By distribution, the version that the artifact records.
        opaque: Whether there is code that was not read.
        pythons: For each function, the oldest and the newest minor version of Python 3 that may
            have written it.
    """

    modules: dict[str, bool] = field(default_factory=dict)
    globals: dict[tuple[str, str], None] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    opaque: bool = False
    pythons: list[tuple[int, int]] = field(default_factory=list)

    def add(self, module: object, *, by_code: bool) -> None:
        """Add a module, if the value is the name of one."""
        if not isinstance(module, str) or module in NOT_MODULES:
            return
        parts = module.split(".")
        if parts[0] == TORCHSCRIPT or len(module) > MAX_NAME:
            return
        if all(map(str.isidentifier, parts)):
            self.modules[module] = by_code or self.modules.get(module, False)

    def fetch(self, module: str, name: str) -> None:
        """Add a class or function that loading the artifact would fetch."""
        if len(module) <= MAX_NAME and len(name) <= MAX_NAME:
            self.globals[module, name] = None
