"""What pickles may fetch: which classes and functions hold values, and which can do anything.

Sources: the documentation of `pickle`
(https://docs.python.org/3/library/pickle.html#restricting-globals) and the lists of picklescan and
fickling, which name what has been used in attacks.
"""

from __future__ import annotations

import sys

DANGEROUS_MODULES = frozenset(
    [
        "_posixsubprocess",
        "_pickle",
        "_xxsubinterpreters",
        "aifc",
        "asyncio",
        "bdb",
        "cgi",
        "code",
        "codeop",
        "commands",
        "concurrent",
        "ctypes",
        "doctest",
        "ensurepip",
        "ftplib",
        "http",
        "httplib",
        "idlelib",
        "importlib",
        "imaplib",
        "lib2to3",
        "marshal",
        "multiprocessing",
        "nntplib",
        "nt",
        "ntpath",
        "os",
        "pdb",
        "pickle",
        "pip",
        "pkgutil",
        "platform",
        "poplib",
        "popen2",
        "posix",
        "posixpath",
        "profile",
        "pstats",
        "pty",
        "pydoc",
        "requests",
        "runpy",
        "shelve",
        "shutil",
        "signal",
        "site",
        "smtplib",
        "socket",
        "socketserver",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "telnetlib",
        "threading",
        "timeit",
        "trace",
        "turtle",
        "unittest",
        "urllib",
        "urllib2",
        "venv",
        "webbrowser",
        "wsgiref",
        "xmlrpc",
        "zipapp",
        "zipimport",
    ]
)
DANGEROUS = frozenset(
    {
        *(
            (module, name)
            for module in ("builtins", "__builtin__")
            for name in [
                "eval",
                "exec",
                "compile",
                "open",
                "input",
                "breakpoint",
                "__import__",
                "apply",
                "execfile",
                "globals",
                "locals",
                "vars",
                "delattr",
                "setattr",
                "help",
            ]
        ),
        ("functools", "reduce"),
        ("logging.config", "listen"),
        ("numpy", "load"),
        ("numpy", "loadtxt"),
        ("numpy.lib.npyio", "load"),
        ("numpy.lib._npyio_impl", "load"),
        ("numpy.testing._private.utils", "runstring"),
        ("operator", "methodcaller"),
        ("pandas", "eval"),
        ("pandas", "read_pickle"),
        ("pandas.core.computation.eval", "eval"),
        ("pandas.io.pickle", "read_pickle"),
        ("joblib", "load"),
        ("joblib.numpy_pickle", "load"),
        ("cloudpickle", "load"),
        ("cloudpickle", "loads"),
        ("dill", "load"),
        ("dill", "loads"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("torch.serialization", "load"),
        ("torch.utils.collect_env", "run"),
        ("types", "FunctionType"),
        ("yaml", "unsafe_load"),
    }
)
LEADING = frozenset(  # modules that a class or function is never called after
    [
        "__builtins__",
        "builtins",
        "ctypes",
        "importlib",
        "multiprocessing",
        "os",
        "posix",
        "pty",
        "runpy",
        "shutil",
        "socket",
        "subprocess",
        "sys",
    ]
)
# parts of a class that lead to all others
REACHING = frozenset({"__globals__", "__subclasses__", "__getattribute__"})
HARMLESS = frozenset({("os", "PathLike"), ("platform", "uname_result"), ("threading", "Lock")})
VALUES = {  # of the standard library: modules, and which of their names; () for all
    "_codecs": ("encode",),
    "array": ("array", "_array_reconstructor"),
    "collections": (),
    "copyreg": ("_reconstructor", "__newobj__", "__newobj_ex__", "__reduce_ex__"),
    "copy_reg": ("_reconstructor", "__newobj__"),
    "dataclasses": (),
    "datetime": (),
    "decimal": (),
    "enum": (),
    "fractions": (),
    "functools": ("partial", "partialmethod", "lru_cache", "_lru_cache_wrapper", "cached_property"),
    "ipaddress": (),
    "itertools": (),
    "math": (),
    "numbers": (),
    "operator": (
        "itemgetter",
        "attrgetter",
        "add",
        "sub",
        "mul",
        "truediv",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "getitem",
    ),
    "_collections": ("_tuplegetter",),  # the fields of a named tuple's class
    "pathlib": (),
    "random": ("Random", "SystemRandom"),
    "re": ("_compile", "compile"),
    "sre_compile": ("_compile",),
    "statistics": (),
    "string": (),
    "time": ("struct_time",),
    "types": (
        "MappingProxyType",
        "SimpleNamespace",
        "GenericAlias",
        "MethodType",
        "CodeType",
        "CellType",
        "UnionType",
    ),
    "typing": (),
    "uuid": (),
    "weakref": (),
    "zoneinfo": (),
    "abc": (),
    "__main__": (),  # the model's own, saved from a script
    "builtins": (),
    "__builtin__": (),
}


def is_dangerous(module: str, name: str) -> bool:
    """Whether what is fetched can do anything by itself."""
    top = module.partition(".")[0]
    first, *others = name.split(".")
    if (module, first) in DANGEROUS or (top == "numpy" and "f2py" in module):
        return True
    if LEADING.intersection((first, *others)):
        # a module that a harmless one imports, and what is in it: `joblib.memory`, `os.system`
        return True
    if (
        others
        and top in sys.stdlib_module_names
        and any(each in sys.stdlib_module_names for each in others)
    ):
        return True  # by way of a module that another one imports: `collections`, `abc.sys`
    return bool(REACHING.intersection(others)) or (
        top in DANGEROUS_MODULES and (module, name) not in HARMLESS
    )


def is_plain(module: str, name: str) -> bool:
    """Whether it is a value of the standard library."""
    known = VALUES.get(
        module, VALUES.get(module.partition(".")[0]) if module.startswith("collections.") else None
    )
    return (
        known is not None
        and (not known or name in known)
        and (module, name) != ("builtins", "getattr")
    )
