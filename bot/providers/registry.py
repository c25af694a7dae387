"""The registry of providers: Usher's own, and those from other distributions.

Usher's own providers are modules or packages in this folder. Others are entry points in the group
``usher.providers``. A provider's code handles everyone's tokens, so Usher imports a distribution's code only
if a connection names that distribution.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any, Final, TypeGuard

from bot.providers.base import Provider
from bot.providers.words import clean
from bot.support.settings import SettingsError

#: Name of the entry point group in which a distribution declares its providers. An entry point's name is the
#: provider's kind.
ENTRY_POINT_GROUP: Final = "usher.providers"
#: The version of ``usher.provider`` that external providers must support.
API_VERSION: Final = 0
_PACKAGE: Final = __name__.rpartition(".")[0]
_REQUIRED_ATTRIBUTES: Final = ("kind", "title", "pace")


@cache
def find_provider_class(kind: str, source: str = "") -> type[Provider]:
    """Return a distribution's provider of this kind ("" means Usher's own), or raise SettingsError.

    The error lists all problems, each beginning with the settings key that it concerns.
    """
    if (ours := _find_own(kind)) is not None:
        if source:
            raise SettingsError([f".from: has to be left out: {kind} is Usher's own provider"])
        return ours
    brought = {
        _normalise_name(one.dist.name): one
        for one in entry_points(group=ENTRY_POINT_GROUP, name=kind)
        if one.dist
    }
    if found := brought.get(_normalise_name(source)):
        return _load_provider(found, _format_distribution(found.dist))
    if brought:
        raise SettingsError(
            [f".from: needs to be {_format_choices(brought)}, the distribution that brings {kind}"]
        )
    if source:
        raise SettingsError([f".from: {source} isn't installed, or doesn't bring a provider {kind}"])
    raise SettingsError([f".provider: needs one of {', '.join(sorted(list_provider_classes()))}"])


@cache
def list_provider_classes() -> Mapping[str, type[Provider]]:
    """Map the kind of each provider in this folder to its class."""
    return {kind: found for kind in sorted(_list_modules()) if (found := _find_own(kind)) is not None}


def list_installed() -> dict[str, str]:
    """Map each available kind to its distribution's name and version ("" for Usher's own).

    This imports nothing outside Usher. It leaves out a kind that several distributions provide.
    """
    brought: dict[str, list[str]] = {}
    for one in entry_points(group=ENTRY_POINT_GROUP):
        brought.setdefault(one.name, []).append(_format_distribution(one.dist))
    alone = {kind: names[0] for kind, names in brought.items() if len(names) == 1}
    return alone | dict.fromkeys(list_provider_classes(), "")


def find_distribution(kind: str, source: str) -> str:
    """Return the name and version of a provider's distribution, or "" for Usher's own providers."""
    if not source:
        # Avoid ``entry_points``, which reads the metadata of every installed package.
        return ""
    brought = (one.dist for one in entry_points(group=ENTRY_POINT_GROUP, name=kind) if one.dist)
    return next(
        (
            _format_distribution(one)
            for one in brought
            if _normalise_name(one.name) == _normalise_name(source)
        ),
        "",
    )


@cache
def _list_modules() -> frozenset[str]:
    return frozenset(
        module.name for module in pkgutil.iter_modules(importlib.import_module(_PACKAGE).__path__)
    )


def _find_own(kind: str) -> type[Provider] | None:
    """Return the provider defined in a module or package itself, ignoring base classes that it imports."""
    if kind not in _list_modules():
        return None
    place = f"{_PACKAGE}.{kind}"
    for value in vars(importlib.import_module(place)).values():
        if _is_provider(value) and f"{value.__module__}.".startswith(f"{place}.") and value.kind == kind:
            return value
    return None


def _is_provider(value: Any) -> TypeGuard[type[Provider]]:
    return inspect.isclass(value) and issubclass(value, Provider) and not inspect.isabstract(value)


def _load_provider(found: EntryPoint, where: str) -> type[Provider]:
    try:
        value = found.load()
    except Exception as error:  # noqa: BLE001 - importing another distribution's module may raise anything
        why = f"{type(error).__name__}: {clean(str(error))}"
        raise SettingsError([f".provider: {where} can't be imported: {why}"]) from None
    if not (inspect.isclass(value) and issubclass(value, Provider)):
        raise SettingsError([f".provider: {found.value} of {where} isn't a subclass of Provider"])
    if problems := find_problems(value, found.name):
        raise SettingsError([f".provider: {where} {problem}" for problem in problems])
    return value


def find_problems(value: type[Provider], name: str) -> list[str]:
    """Return the reasons why a third-party provider can't be used under a given name."""
    problems = [f"lacks {declared}" for declared in _REQUIRED_ATTRIBUTES if not hasattr(value, declared)]
    problems += [f"lacks the method {method}" for method in sorted(value.__abstractmethods__)]
    kind, api = getattr(value, "kind", name), value.api_version
    problems += [f"calls itself {kind}, not {name}"] if kind != name else []
    problems += [f"is written for API {api}, not {API_VERSION}"] if api != API_VERSION else []
    return problems


def _format_distribution(found: Distribution | None) -> str:
    return "" if found is None else f"{found.name} {found.version}"


def _normalise_name(name: str) -> str:
    """Return a distribution's name in its normalised form, for comparison (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _format_choices(brought: Mapping[str, EntryPoint]) -> str:
    return " or ".join(f'"{name}"' for name in sorted(brought))
