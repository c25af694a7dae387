"""The folders of features, and the imports between modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.project.repository import ROOT, files, named, python_files, tree

_FOLDER = re.compile(r"bot/features/(\w+)/")
_STATEMENT = re.compile(r"^-- name: (\w+)", re.MULTILINE)
#: The methods of a transaction that run a statement by its name.
_RUNS = frozenset({"all", "one", "run", "run_each"})


@cache
def modules() -> dict[str, str]:
    """Return the file of each module, by its name."""
    files = map(named, python_files("bot", "handlers"))
    return {file.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): file for file in files}


def list_imports(source: ast.Module) -> Iterator[str]:
    """Return the files of the modules that a module imports, wherever in it."""
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            yield from (modules()[one.name] for one in node.names if one.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                file = modules().get(f"{node.module}.{one.name}") or modules().get(node.module)
                if file is not None:
                    yield file


def find_feature(file: str) -> str:
    """Return the feature whose folder a file is in, "" for a file of the core."""
    found = _FOLDER.match(file)
    return found[1] if found else ""


@cache
def find_foreign_statements() -> frozenset[tuple[str, str]]:
    """Return the modules that run a named statement of a feature, not being its own, with its name."""
    owners = {
        name: find_feature(file)
        for file in map(named, files())
        if file.endswith(".sql") and find_feature(file)
        for name in _STATEMENT.findall((ROOT / file).read_text(encoding="utf-8"))
    }
    return frozenset(
        (path, node.args[0].value)
        for path in modules().values()
        for node in ast.walk(tree(ROOT / path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _RUNS
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "tx"
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
        if owners.get(node.args[0].value, find_feature(path)) != find_feature(path)
    )


@cache
def find_imports() -> frozenset[tuple[str, str]]:
    """Return the imports between features, and those of features by the core (""), as pairs."""
    found = {
        (find_feature(path), find_feature(target))
        for path in modules().values()
        for target in list_imports(tree(ROOT / path))
    }
    return frozenset((one, other) for one, other in found if other and one != other)
