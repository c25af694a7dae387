"""Declarations of features, and how they are loaded."""

import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Final

import handlers
from bot import domain, features, services
from bot.features import FEATURES
from bot.features.hooks import Hooks
from bot.messages import blocks
from bot.reconciler.context import EngineContext
from bot.reconciler.tasks import TaskWorker
from bot.services.scheduled_work import ScheduledWork
from bot.support import declarations

#: The packages whose modules declare kinds of messages, drawings and verbs, those of the core first.
_PACKAGES: Final = (domain, services, blocks, handlers, features)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature: its name, a summary for operators, the features that it imports, and its additions.

    ``page`` is its page of the documentation with the anchor of its section, ``due`` the kinds of rows that
    come due, ``workers`` the classes that do tasks, and ``hooks`` its methods for moments.
    """

    name: str
    summary: str
    page: str
    needs: tuple[str, ...] = ()
    due: tuple[ScheduledWork[Any], ...] = ()
    workers: tuple[Callable[[EngineContext], TaskWorker], ...] = ()
    hooks: Hooks = field(default_factory=Hooks)


@cache
def load() -> tuple[Feature, ...]:
    """Import every module that declares something, and subscribe the hooks; return the features in order.

    Raises ValueError if a folder isn't in FEATURES.
    """
    for package in _PACKAGES:
        for name in _list_modules(package):
            import_module(name)
    folders = {module.name for module in pkgutil.iter_modules(features.__path__) if module.ispkg}
    if unlisted := folders.difference(FEATURES):
        raise ValueError(f"not in FEATURES: {', '.join(sorted(unlisted))}")
    declaring = (import_module(f"{features.__name__}.{name}.feature") for name in FEATURES)
    loaded: list[Feature] = [module.FEATURE for module in declaring]
    declarations.complete(feature.hooks for feature in loaded)
    return tuple(loaded)


def _list_modules(package: ModuleType) -> Iterator[str]:
    modules = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return (module.name for module in modules)
