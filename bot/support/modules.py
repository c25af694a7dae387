"""Modules that add to the tables of others: nothing lists them, so all of a package are imported."""

import importlib
import pkgutil
from functools import cache
from types import ModuleType


@cache
def load(package: ModuleType) -> None:
    """Import every module of a package, once."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
