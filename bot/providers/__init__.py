"""The providers: each is a module or package here, named by its ``kind`` and imported when asked for."""

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache

from bot.providers.base import Provider
from bot.providers.connection import ConnectionSettings
from bot.support.http import Http
from bot.support.settings import SettingsError

__all__ = ["build", "provider_class", "provider_classes"]


@cache
def provider_class(kind: str) -> type[Provider] | None:
    """Return the provider of a kind, None if there is none."""
    if kind not in _modules():
        return None
    for value in vars(importlib.import_module(f"{__name__}.{kind}")).values():
        if inspect.isclass(value) and issubclass(value, Provider) and not inspect.isabstract(value):
            return value
    return None


@cache
def provider_classes() -> Mapping[str, type[Provider]]:
    """Return every provider of this folder by its kind."""
    found = {kind: provider_class(kind) for kind in _modules()}
    return {kind: provider for kind, provider in found.items() if provider is not None}


@cache
def _modules() -> frozenset[str]:
    return frozenset(module.name for module in pkgutil.iter_modules(__path__))


def build(settings: ConnectionSettings, http: Http) -> Provider:
    """Create the provider of one connection; raise SettingsError if there is none of that kind.

    From then on, no response contains the connection's own secrets.
    """
    provider = provider_class(settings.provider)
    if provider is None:
        raise SettingsError(
            [f"connections.{settings.name}.provider: needs one of {', '.join(sorted(provider_classes()))}"]
        )
    http.hide(settings.secrets())
    return provider(settings, http)
