"""A patched file takes the place of the true one, in one process and nowhere else.

What only changes functions is put into the functions that live, wherever they are known by name: each gets
the patched code. What changes more (a constant, a table, a class, a decorator) is loaded in place of the
true file, in a process that hasn't imported it yet. Files that are no modules are read patched.
"""

import builtins
import functools
import gc
import importlib
import io
import pathlib
import re
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from tests.project.repository import ROOT

#: Read when it is needed first, and remembered: it can be patched in a process that knows it.
_READ_LATE = frozenset({"bot/store/queries.sql"})
Key = tuple[str, str, int]
Change = tuple[CodeType, CodeType]


def changes(file: str, patched: str) -> list[Change] | None:
    """Return the functions that a patch changes, as they are and patched; None if it changes more."""
    if file in _READ_LATE:
        return []
    if not file.endswith(".py"):
        return None
    path = str(ROOT / file)
    return _changes(compiled((ROOT / file).read_text(encoding="utf-8"), path), compiled(patched, path))


def compiled(text: str, path: str) -> CodeType:
    return compile(text, path, "exec", dont_inherit=True)


def _changes(old: CodeType, new: CodeType) -> list[Change] | None:
    """Compare what is run once: the code of modules and of classes."""
    if not _is_same(old, new):
        return None
    found: list[Change] = []
    for before, after in zip(_inner(old), _inner(new), strict=True):
        if before.co_flags & CO_OPTIMIZED:
            found += _changes_of_function(before, after)
        else:
            inner = _changes(before, after)
            if inner is None:
                return None
            found += inner
    if any(before.co_freevars != after.co_freevars for before, after in found if _is_outer(before)):
        return None  # it would need other cells than it has
    return found


def _changes_of_function(old: CodeType, new: CodeType) -> list[Change]:
    """Pair a function, and those within it, which may live already: decorators return them."""
    if _is_deeply_same(old, new):
        return []
    pairs = list(zip(_inner(old), _inner(new), strict=False))
    if [before.co_qualname for before, _ in pairs] != [after.co_qualname for _, after in pairs]:
        pairs = []  # what is made within is made anew by the outer one
    return [(old, new), *(change for pair in pairs for change in _changes_of_function(*pair))]


def _is_outer(code: CodeType) -> bool:
    return "<locals>" not in code.co_qualname


def _inner(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _is_deeply_same(old: CodeType, new: CodeType) -> bool:
    return _is_same(old, new) and all(
        _is_deeply_same(*pair) for pair in zip(_inner(old), _inner(new), strict=True)
    )


def _is_same(old: CodeType, new: CodeType) -> bool:
    """Return whether two do the same, wherever they stand, apart from the functions within."""
    return _content(old) == _content(new)


def _content(code: CodeType) -> tuple[Any, ...]:
    constants = [_constant(one) for one in code.co_consts]
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_name, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return (*counts, *names, code.co_code, code.co_exceptiontable, constants)


def _constant(value: object) -> object:
    if isinstance(value, CodeType):
        return "code"
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return type(value), repr(value)


def _key(code: CodeType) -> Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def touched(file: str, patched: str) -> set[str]:
    """Return the functions that a patch may change the work of, as ``FILE::NAME``."""
    found = changes(file, patched)
    if file in _READ_LATE:
        return _asking(_differing_queries(file, patched))
    if found:
        return {f"{file}::{old.co_qualname}" for old, _ in found}
    beside = [file] if file.endswith(".py") else _modules(Path(file).parent)
    return {f"{one}::{code.co_qualname}" for one in beside for code in _code_in(one)}


def differing(file: str, before: str) -> set[str]:
    """Return the functions of a file that weren't the same in a former text of it, as ``FILE::NAME``."""
    if not file.endswith(".py"):
        return touched(file, before)
    former = {code.co_qualname: code for code in within(compiled(before, file))}
    return {
        f"{file}::{code.co_qualname}"
        for code in _code_in(file)
        if code.co_qualname not in former or not _is_same(former[code.co_qualname], code)
    }


def _differing_queries(file: str, patched: str) -> set[str]:
    """Return the names of the queries, or of the parts of some, that a patch changes."""
    split = re.compile(r"^-- (?:name|part): (\w+)$", re.MULTILINE).split
    (_, *old), (_, *new) = split((ROOT / file).read_text("utf-8")), split(patched)
    before, after = dict(zip(old[::2], old[1::2], strict=True)), dict(zip(new[::2], new[1::2], strict=True))
    names = {name for name, text in before.items() if after.get(name) != text}
    return names | {one for name in names for one, text in before.items() if f"{{{name}}}" in text}


def _asking(queries: Iterable[str]) -> set[str]:
    """Return the functions of the store that run any of these queries."""
    wanted = set(queries)
    return {
        f"{file}::{code.co_qualname}"
        for file in _modules(Path("bot/store"))
        for code in _code_in(file)
        if any(one in wanted for one in code.co_consts if isinstance(one, str))
    }


def _modules(folder: Path) -> list[str]:
    return [str(one.relative_to(ROOT)) for one in sorted((ROOT / folder).glob("*.py"))]


@functools.cache
def _code_in(file: str) -> tuple[CodeType, ...]:
    """Return the code of all functions of a module."""
    return tuple(within(compiled((ROOT / file).read_text("utf-8"), file)))


class Living:
    """Know the functions of this process by their code, and what remembers answers."""

    def __init__(self, files: Iterable[str]) -> None:
        """Look at these modules, which are imported if nobody did."""
        for file in files:
            if file.endswith(".py"):
                importlib.import_module(_module(file))
        gc.unfreeze()
        self._functions: dict[Key, list[FunctionType]] = {}
        self._remembering: list[Any] = []
        for one in gc.get_objects():
            if type(one) is FunctionType:
                self._functions.setdefault(_key(one.__code__), []).append(one)
            elif isinstance(one, functools._lru_cache_wrapper):
                self._remembering.append(one)
        gc.freeze()

    def apply(self, file: str, patched: str) -> None:
        """Give the living functions the patched code, and let everything be asked anew."""
        for old, new in changes(file, patched) or ():
            for function in self._functions.get(_key(old), []):
                if old.co_freevars == new.co_freevars:
                    function.__code__ = new
        if not file.endswith(".py"):
            serve(file, patched)
        for one in self._remembering:
            if str(getattr(one, "__module__", "")).startswith(("bot.", "handlers.")):
                one.cache_clear()


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def serve(file: str, patched: str) -> None:
    """Let this process load or read a patched file in place of the true one."""
    if file.endswith(".py"):
        name = _module(file)
        if name in sys.modules:
            raise RuntimeError(f"{name} was imported before its patch could be")
        sys.meta_path.insert(0, _Finder(name, str(ROOT / file), patched))
    else:
        _read_patched(ROOT / file, patched)


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, patched: str) -> None:
        super().__init__(name, path)
        self._patched = patched

    def get_data(self, path: str) -> bytes:
        return self._patched.encode()

    def path_stats(self, path: str) -> Any:
        """Know no time of its source: nothing compiled is used, and nothing is kept."""
        raise OSError


class _Finder(PathFinder):
    def __init__(self, name: str, path: str, patched: str) -> None:
        self._name = name
        self._loader = _Loader(name, path, patched)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None:
            found.loader = self._loader
        return found


def _read_patched(file: Path, patched: str) -> None:
    true_open = builtins.open

    def open_patched(path: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if isinstance(path, (str, Path)) and Path(path) == file:
            data = io.BytesIO(patched.encode())
            return data if "b" in mode else io.TextIOWrapper(data, encoding="utf-8")
        return true_open(path, mode, *rest, **options)

    builtins.open = open_patched
    pathlib.Path.open = open_patched


def within(code: CodeType) -> Iterator[CodeType]:
    """Return some code and all that is in it."""
    yield code
    for one in _inner(code):
        yield from within(one)
