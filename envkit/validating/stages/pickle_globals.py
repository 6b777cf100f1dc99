"""What pickles may import: which classes and functions hold values, and which are dangerous.

Sources: the documentation of `pickle`
(https://docs.python.org/3/library/pickle.html#restricting-globals) and the lists of picklescan and
fickling, which name what has been used in attacks.
"""

from __future__ import annotations

import sys
from collections.abc import Collection

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
        ("enum", "bltns"),
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
        ("typing", "stdlib_re"),
        ("yaml", "unsafe_load"),
    }
)
# modules whose names no class or function has
LEADING = frozenset(
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
# attributes that lead to every class and module
REACHING = frozenset({"__globals__", "__subclasses__", "__getattribute__"})
HARMLESS = frozenset(
    {
        ("os", "PathLike"),
        ("platform", "uname_result"),
        ("posixpath", "basename"),
        ("posixpath", "dirname"),
        ("posixpath", "join"),
        ("posixpath", "splitext"),
        ("threading", "Lock"),
    }
)
# classes and functions whose names are those of modules, besides `datetime.datetime` and the like
NAMED_AS_MODULES = frozenset({("datetime", "time")})
# of the standard library: modules, and which of their names; () for all
VALUES = {
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
    "base64": ("b64decode", "b64encode", "urlsafe_b64decode", "urlsafe_b64encode"),
    "binascii": ("hexlify", "unhexlify"),
    "contextlib": ("closing", "contextmanager", "nullcontext", "suppress"),
    "copy": ("copy", "deepcopy"),
    "hashlib": ("md5", "sha1", "sha256", "sha512"),
    "html": ("escape", "unescape"),
    "inspect": ("Parameter", "Signature", "_ParameterKind", "_empty", "signature"),
    "json": ("JSONDecoder", "JSONEncoder", "dumps", "loads"),
    "json.decoder": ("JSONDecodeError", "JSONDecoder"),
    "json.encoder": ("JSONEncoder",),
    "logging": (
        "Filter",
        "Formatter",
        "Logger",
        "LoggerAdapter",
        "NullHandler",
        "PercentStyle",
        "RootLogger",
        "StrFormatStyle",
        "StringTemplateStyle",
        "getLogger",
    ),
    "math": (),
    "numbers": (),
    "struct": ("Struct",),
    "_struct": ("Struct", "calcsize", "pack", "unpack"),
    "textwrap": ("dedent", "fill", "indent", "shorten", "wrap"),
    "time": ("monotonic", "perf_counter", "sleep", "struct_time", "time"),
    "unicodedata": ("category", "normalize"),
    "warnings": ("warn",),
    "zlib": ("adler32", "compress", "crc32", "decompress"),
    "_bisect": ("bisect_left", "bisect_right", "insort_left", "insort_right"),
    "_hashlib": ("openssl_md5", "openssl_sha1", "openssl_sha256", "openssl_sha512"),
    "_heapq": ("heapify", "heappop", "heappush", "nlargest", "nsmallest"),
    "_io": ("BytesIO", "StringIO"),
    "_json": ("encode_basestring_ascii", "scanstring"),
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
    # the fields of a named tuple's class
    "_collections": ("_tuplegetter",),
    "pathlib": (),
    "random": ("Random", "SystemRandom"),
    "re": ("_compile", "compile"),
    "sre_compile": ("_compile",),
    "statistics": (),
    "string": (),
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
    "zoneinfo": ("ZoneInfo",),
    "abc": (),
    # has a rule of its own
    "__main__": (),
    "builtins": (),
    "__builtin__": (),
}


def is_dangerous(module: str, name: str) -> bool:
    """Whether what is imported can run or change anything by itself."""
    top = module.partition(".")[0]
    first, *others = name.split(".")
    if (module, first) in DANGEROUS or (top == "numpy" and "f2py" in module):
        return True
    # a module that a harmless one imports, and what is in it: `joblib.memory`, `os.system`
    if not LEADING.isdisjoint((first, *others)):
        return True
    # a module that one of the standard library imports: `enum.sys`, `collections._sys.modules`
    if top in sys.stdlib_module_names and _leads_through_module(module, first, others):
        return True
    if not REACHING.isdisjoint(others):
        return True
    return top in DANGEROUS_MODULES and (module, name) not in HARMLESS


def _leads_through_module(module: str, first: str, others: list[str]) -> bool:
    """Whether a name of a module is a module that it imports, or leads through one."""
    if not sys.stdlib_module_names.isdisjoint(others):
        return True
    imported = first.lstrip("_")
    if first == module.rpartition(".")[2] or (module, first) in NAMED_AS_MODULES:
        return False
    return first in sys.stdlib_module_names or (
        imported != first and imported in sys.stdlib_module_names
    )


def is_plain(module: str, name: str, others: Collection[tuple[str, str]] = ()) -> bool:
    """Whether it is a value of the standard library. others: what else the pickle imports."""
    if (module, name) == ("builtins", "getattr"):
        return False
    # how `int | None` is pickled; `reduce` calls whatever function it gets
    if (module, name) == ("_functools", "reduce"):
        return ("_operator", "or_") in others
    if module in ("posixpath", "ntpath"):
        return (module, name) in HARMLESS
    # where functions of `operator` are written in C
    if module == "_operator":
        return name in ("or_", *VALUES["operator"])
    # `collections.abc` counts as `collections`
    names = VALUES.get("collections" if module.startswith("collections.") else module)
    return names is not None and (not names or name in names)
