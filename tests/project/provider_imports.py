"""A helper that lists what built-in providers import from the rest of Usher."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType


def list_foreign_names(path: Path, own: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of everything that a file imports from ``bot``, except from its own package.

    A name that is read from a module counts as well: ``base.Provider`` belongs to ``bot.providers.base``.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module)) if _is_foreign(module, own):
                for one in node.names:
                    found = getattr(import_module(module), one.name, None)
                    if isinstance(found, ModuleType):
                        if _is_foreign(found.__name__, own):
                            modules[one.asname or one.name] = found.__name__
                    else:
                        yield module, one.name
            case ast.Import():
                for one in node.names:
                    if _is_foreign(one.name, own):
                        yield one.name, "*"
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in modules:
                yield modules[name], attribute


def _is_foreign(module: str, own: str) -> bool:
    is_ours = module.partition(".")[0] in {"bot", "handlers", "playground"}
    return is_ours and module != own and not module.startswith(f"{own}.")
