"""The loading of every module that declares something, once at the start of a process."""

import pkgutil
from functools import cache
from importlib import import_module

import handlers
from bot import domain, services
from bot.messages import blocks
from bot.support import declarations


@cache
def load() -> None:
    """Import every module that declares kinds of messages, rows, drawings or verbs."""
    for package in (domain, services, blocks, handlers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    declarations.complete()
