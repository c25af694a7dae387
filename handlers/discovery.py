"""Find the handlers: every module of a folder that has a ``handle`` is one, under the module's name."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping
    from typing import TypeAlias

    Handler: TypeAlias = Callable[[Any], Coroutine[Any, Any, Any]]

COMMANDS: Final = "handlers.commands"
ACTIONS: Final = "handlers.actions"
VIEWS: Final = "handlers.views"
OPTIONS: Final = "handlers.options"
EVENTS: Final = "handlers.events"


@cache
def handlers_of(package: str) -> Mapping[str, Handler]:
    """Return the handlers of a folder by name; a module without ``handle`` is a fault of the program."""
    folder = importlib.import_module(package)
    return MappingProxyType(
        {
            module.name: importlib.import_module(f"{package}.{module.name}").handle
            for module in pkgutil.iter_modules(folder.__path__)
            if not module.ispkg and not module.name.startswith("_")
        }
    )


def verbs(command: str) -> Mapping[str, Handler]:
    """Return the verbs of a command's folder."""
    return handlers_of(f"{COMMANDS}.{command}")


def commands() -> list[str]:
    """Return the folders of commands."""
    folder = importlib.import_module(COMMANDS)
    return [module.name for module in pkgutil.iter_modules(folder.__path__) if module.ispkg]


def routes() -> dict[str, list[str]]:
    """Return everything that was found, for ``python -m bot routes``."""
    found = {f"command {command}": sorted(verbs(command)) for command in commands()}
    kinds = {"action": ACTIONS, "view": VIEWS, "options": OPTIONS, "event": EVENTS}
    return found | {kind: sorted(handlers_of(package)) for kind, package in kinds.items()}
