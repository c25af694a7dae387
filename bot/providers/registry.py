"""The registry of providers: Usher's own, and those from other distributions.

Usher's own providers are packages in this folder. Others are entry points in the group ``usher.providers``. A
provider's code handles everyone's tokens, so Usher imports a distribution's code only if a connection names
that distribution.
"""

import importlib
import inspect
import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Final

from bot.providers.base import Provider
from bot.providers.words import clean
from bot.support.settings import SettingsError

#: Name of the entry point group in which a distribution declares its providers. An entry point's name is the
#: provider's kind.
ENTRY_POINT_GROUP: Final = "usher.providers"
#: The version of ``usher.provider`` that external providers must support.
API_VERSION: Final = 0
#: Maps the kinds of Usher's own providers to their classes. Each class is in the package
#: ``bot.providers.KIND``.
_OWN_CLASSES: Final = {
    "jupyterhub": "JupyterHub",
    "posit": "PositProvider",
    "saturn": "Saturn",
    "sphere": "SphereProvider",
}


@cache
def find_provider_class(kind: str, source: str = "") -> type[Provider]:
    """Return a distribution's provider of this kind ("" means Usher's own), or raise SettingsError.

    The error lists all problems, each beginning with the settings key that it concerns.
    """
    if kind in _OWN_CLASSES:
        if source:
            raise SettingsError([f".from: has to be left out: {kind} is Usher's own provider"])
        return _import_own(kind)
    brought = _list_entry_points(kind)
    if found := brought.get(_normalise_name(source)):
        return _load_provider(found, _format_distribution(found.dist))
    if brought:
        choices = " or ".join(f'"{name}"' for name in sorted(brought))
        raise SettingsError([f".from: needs to be {choices}, the distribution that brings {kind}"])
    if source:
        raise SettingsError([f".from: {source} isn't installed, or doesn't bring a provider {kind}"])
    raise SettingsError([f".provider: needs one of {', '.join(_OWN_CLASSES)}"])


@cache
def list_provider_classes() -> Mapping[str, type[Provider]]:
    """Map the kind of each of Usher's own providers to its class."""
    return {kind: _import_own(kind) for kind in _OWN_CLASSES}


def list_installed() -> dict[str, str]:
    """Map each available kind to its distribution's name and version ("" for Usher's own).

    This imports nothing outside Usher. It leaves out a kind that several distributions provide.
    """
    brought: dict[str, list[str]] = {}
    for one in entry_points(group=ENTRY_POINT_GROUP):
        brought.setdefault(one.name, []).append(_format_distribution(one.dist))
    alone = {kind: names[0] for kind, names in brought.items() if len(names) == 1}
    return alone | dict.fromkeys(_OWN_CLASSES, "")


def find_distribution(kind: str, source: str) -> str:
    """Return the name and version of the distribution ``source``, or "" if it doesn't bring this provider."""
    found = _list_entry_points(kind).get(_normalise_name(source))
    return "" if found is None else _format_distribution(found.dist)


def _import_own(kind: str) -> type[Provider]:
    found: type[Provider] = getattr(importlib.import_module(f"bot.providers.{kind}"), _OWN_CLASSES[kind])
    return found


def _list_entry_points(kind: str) -> dict[str, EntryPoint]:
    """Map the normalised name of each distribution that brings this provider to its entry point."""
    found = entry_points(group=ENTRY_POINT_GROUP, name=kind)
    return {_normalise_name(one.dist.name): one for one in found if one.dist}


def _load_provider(found: EntryPoint, where: str) -> type[Provider]:
    try:
        value = found.load()
    except Exception as error:  # noqa: BLE001 - importing another distribution's module may raise anything
        why = f"{type(error).__name__}: {clean(str(error))}"
        raise SettingsError([f".provider: {where} can't be imported: {why}"]) from None
    if not (inspect.isclass(value) and issubclass(value, Provider)):
        raise SettingsError([f".provider: {found.value} of {where} isn't a subclass of Provider"])
    problems = [f"lacks {one}" for one in ("kind", "title", "pace") if not hasattr(value, one)]
    problems += [f"lacks the method {method}" for method in sorted(value.__abstractmethods__)]
    kind, api = getattr(value, "kind", found.name), value.api_version
    problems += [f"calls itself {kind}, not {found.name}"] if kind != found.name else []
    problems += [f"is written for API {api}, not {API_VERSION}"] if api != API_VERSION else []
    if problems:
        raise SettingsError([f".provider: {where} {problem}" for problem in problems])
    return value


def _format_distribution(found: Distribution | None) -> str:
    return "" if found is None else f"{found.name} {found.version}"


def _normalise_name(name: str) -> str:
    """Return a distribution's name in its normalised form, for comparison (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
