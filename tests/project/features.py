"""The folders of features, and the imports between modules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.project.repository import ROOT, named, python_files, tree

_FOLDER = re.compile(r"bot/features/(\w+)/")


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
def find_imports() -> frozenset[tuple[str, str]]:
    """Return the imports between features, and those of features by the core (""), as pairs."""
    found = {
        (find_feature(path), find_feature(target))
        for path in modules().values()
        for target in list_imports(tree(ROOT / path))
    }
    return frozenset((one, other) for one, other in found if other and one != other)
