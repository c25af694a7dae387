"""The providers: each file or package here adds one, which is found by its class attribute ``kind``."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from bot.providers.base import Provider
from bot.providers.connection import ConnectionSettings
from bot.support.http import Http
from bot.support.settings import SettingsError

__all__ = ["build", "provider_classes"]


@cache
def provider_classes() -> Mapping[str, type[Provider]]:
    """Return every provider of this folder by its kind; raise TypeError if two share one."""
    found: dict[str, type[Provider]] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if not (inspect.isclass(value) and issubclass(value, Provider)) or inspect.isabstract(value):
                continue
            if found.setdefault(value.kind, value) is not value:
                raise TypeError(f"two providers are called {value.kind}")
    return MappingProxyType(found)


def build(settings: ConnectionSettings, http: Http) -> Provider:
    """Create the provider of one connection; raise SettingsError if there is none of that kind.

    From then on, no response contains the connection's own secrets.
    """
    known = provider_classes()
    if settings.provider not in known:
        raise SettingsError(
            [f"connections.{settings.name}.provider: needs one of {', '.join(sorted(known))}"]
        )
    http.hide(settings.secrets())
    return known[settings.provider](settings, http)
