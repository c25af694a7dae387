"""Changed files, which take the place of the true ones in one process and nowhere else.

A change of functions alone is put into the live functions, wherever they are known by name. A change of more
(a constant, a table, a class, a decorator) is loaded in place of the true file, in a process that hasn't
imported it yet. The queries are read changed.
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

from tests.mutants.generate import has_queries
from tests.project.repository import ROOT, list_store

Key = tuple[str, str, int]
Change = tuple[CodeType, CodeType]
#: What has code of its own, like a function, and is run once where it stands in a module or a class.
_COMPREHENSIONS = frozenset({"<dictcomp>", "<genexpr>", "<listcomp>", "<setcomp>"})


def compare(file: str, text: str) -> list[Change] | None:
    """Return the functions that another text of a file changes, before and after; None if it changes more."""
    if has_queries(file):
        return []  # they are read when they are needed first, and cached
    path = str(ROOT / file)
    return _compare(compile_text((ROOT / file).read_text(encoding="utf-8"), path), compile_text(text, path))


def compile_text(text: str, path: str) -> CodeType:
    """Return the code of a module's text."""
    return compile(text, path, "exec", dont_inherit=True)


def _compare(old: CodeType, new: CodeType) -> list[Change] | None:
    """Compare the code of modules and of classes, which is run once."""
    if not _is_same(old, new):
        return None
    found: list[Change] = []
    for before, after in zip(_nested_code(old), _nested_code(new), strict=True):
        if before.co_name in _COMPREHENSIONS and not _is_deeply_same(before, after):
            return None
        if before.co_flags & CO_OPTIMIZED:
            found += _compare_functions(before, after)
        else:
            inner = _compare(before, after)
            if inner is None:
                return None
            found += inner
    if any(before.co_freevars != after.co_freevars for before, after in found if _is_outermost(before)):
        return None  # it would need other cells than it has
    return found


def _compare_functions(old: CodeType, new: CodeType) -> list[Change]:
    """Pair a function, and those within it, which may live already: decorators return them."""
    if _is_deeply_same(old, new):
        return []
    pairs = list(zip(_nested_code(old), _nested_code(new), strict=False))
    if [before.co_qualname for before, _ in pairs] != [after.co_qualname for _, after in pairs]:
        pairs = []  # what is made within is made anew by the outer one
    return [(old, new), *(change for pair in pairs for change in _compare_functions(*pair))]


def _is_outermost(code: CodeType) -> bool:
    return "<locals>" not in code.co_qualname


def _nested_code(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _is_deeply_same(old: CodeType, new: CodeType) -> bool:
    return _is_same(old, new) and all(
        _is_deeply_same(*pair) for pair in zip(_nested_code(old), _nested_code(new), strict=True)
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


def find_affected(file: str, text: str) -> set[str]:
    """Return the functions whose work another text of a file may change, as ``FILE::NAME``."""
    if has_queries(file):
        return _find_callers(_find_changed_queries(file, text))
    changed = compare(file, text)
    if changed:
        return {f"{file}::{old.co_qualname}" for old, _ in changed}
    return {f"{file}::{code.co_qualname}" for code in _read_code(file)}


def find_changed(file: str, before: str) -> set[str]:
    """Return the functions of a file that differ from those in a former text of it, as ``FILE::NAME``."""
    if not file.endswith(".py"):
        return find_affected(file, before) if has_queries(file) and before else set()
    former = {code.co_qualname: code for code in walk_code(compile_text(before, file))}
    return {
        f"{file}::{code.co_qualname}"
        for code in _read_code(file)
        if code.co_qualname not in former or not _is_same(former[code.co_qualname], code)
    }


def _find_changed_queries(file: str, text: str) -> set[str]:
    """Return the names of the queries that another text changes, themselves or in a part that they use."""
    before, after = map(_split_queries, ((ROOT / file).read_text("utf-8"), text))
    names = {name for name, query in before.items() if after.get(name) != query}
    texts = [path.read_text("utf-8") for path in list_store("*.sql")]
    every = {name: query for one in texts for name, query in _split_queries(one).items()}
    return names | {name for part in names for name, query in every.items() if f"{{{part}}}" in query}


def _split_queries(text: str) -> dict[str, str]:
    _, *parts = re.split(r"^-- (?:name|part): (\w+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _find_callers(queries: set[str]) -> set[str]:
    """Return the functions of the store that name any of these queries."""
    files = [str(path.relative_to(ROOT)) for path in list_store("*.py")]
    return {
        f"{file}::{code.co_qualname}"
        for file in files
        for code in _read_code(file)
        if not queries.isdisjoint(value for value in code.co_consts if isinstance(value, str))
    }


@functools.cache
def _read_code(file: str) -> tuple[CodeType, ...]:
    """Return the code of all functions of a module."""
    return tuple(walk_code(compile_text((ROOT / file).read_text("utf-8"), file)))


class LiveFunctions:
    """The functions of this process by their code, and its caches."""

    def __init__(self, files: Iterable[str]) -> None:
        """Import these modules, as far as nobody did, and list all functions."""
        for file in files:
            if file.endswith(".py"):
                importlib.import_module(_module(file))
        gc.unfreeze()
        self._functions: dict[Key, list[FunctionType]] = {}
        self._caches: list[Any] = []
        for one in gc.get_objects():
            if type(one) is FunctionType:
                self._functions.setdefault(_key(one.__code__), []).append(one)
            elif isinstance(one, functools._lru_cache_wrapper):
                self._caches.append(one)
        gc.freeze()

    def apply(self, file: str, text: str) -> None:
        """Give the live functions the changed code, and empty the caches."""
        for old, new in compare(file, text) or ():
            for function in self._functions.get(_key(old), []):
                if old.co_freevars == new.co_freevars:
                    function.__code__ = new
        if has_queries(file):
            _replace_content(ROOT / file, text)
        for cache in self._caches:
            if str(getattr(cache, "__module__", "")).startswith(("bot.", "handlers.")):
                cache.cache_clear()


def _module(file: str) -> str:
    folder = "providers/usher-coder/"
    return file.removeprefix(folder).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def load_instead(file: str, text: str) -> None:
    """Let this process load another text in place of a module's file."""
    name = _module(file)
    if name in sys.modules:
        raise RuntimeError(f"{name} was imported before its mutant could be")
    sys.meta_path.insert(0, _Finder(name, str(ROOT / file), text))


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_data(self, path: str) -> bytes:
        return self._text.encode()

    def path_stats(self, path: str) -> Any:
        """Raise OSError: without a time of the source nothing compiled is used, and nothing is kept."""
        raise OSError


class _Finder(PathFinder):
    def __init__(self, name: str, path: str, text: str) -> None:
        self._name = name
        self._loader = _Loader(name, path, text)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is not None:
            found.loader = self._loader
        return found


def _replace_content(file: Path, text: str) -> None:
    """Let this process read another text in place of a file's content."""
    true_open = builtins.open

    def open_replaced(path: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if isinstance(path, (str, Path)) and Path(path) == file:
            data = io.BytesIO(text.encode())
            return data if "b" in mode else io.TextIOWrapper(data, encoding="utf-8")
        return true_open(path, mode, *rest, **options)

    builtins.open = open_replaced
    pathlib.Path.open = open_replaced


def walk_code(code: CodeType) -> Iterator[CodeType]:
    """Return some code and all that is nested in it."""
    yield code
    for nested in _nested_code(code):
        yield from walk_code(nested)
