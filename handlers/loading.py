"""Loads every module that declares verbs, renderers and the like, once per process."""

import pkgutil
from functools import cache
from importlib import import_module
from typing import Final

import handlers
from bot import services
from bot.messages import blocks
from bot.support import declarations

#: Name of the module that serves Slack's assistant. ``load`` skips it, because it has no declarations, and
#: its protocol types are slow to import. Only the process that serves the assistant imports it.
_PROTOCOL: Final = "handlers.assistant.web"


@cache
def load() -> None:
    """Import every module that declares rows, message facts, renderers or verbs."""
    for package in (services, blocks, handlers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name != _PROTOCOL:
                import_module(module.name)
    declarations.complete()
