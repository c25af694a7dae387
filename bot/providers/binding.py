"""Wraps a provider's methods so that each call uses the right secret and no result reveals a secret."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, Final

from bot.domain.observations import Observed
from bot.domain.runs import DiscoveredRun, ObservedRun
from bot.providers.access import Access
from bot.providers.answers import Listing
from bot.providers.base import Provider
from bot.providers.credentials import Credential
from bot.providers.facets import DiscoveredWorkspace
from bot.support.cleaning import hide_secrets
from bot.support.errors import ProviderError
from bot.support.logs import redact_secrets

#: Maps methods to the call names that ``Provider.credential_owner`` expects. For example, ``status`` counts
#: as ``read``. If a method isn't listed here, such as ``start``, its own name is the call name.
_CALL_NAMES: Final = {
    **dict.fromkeys(("status", "read_reason", "check_page"), "read"),
    **dict.fromkeys(("discover", "read_allowances"), "list"),
    "create_stopped": "create",
    "is_name_in_use": "list_names",
}
_BOUND_METHODS: Final = (
    *("status", "read_reason", "check_page", "start", "stop", "extend", "remove", "discover", "read_offer"),
    *("create", "create_stopped", "list_names", "is_name_in_use", "find_created", "read_creation_time"),
    *("launch_run", "find_run", "list_runs", "run_status", "stop_run", "run_output"),
    *("revoke", "mint", "refresh", "read_account", "read_allowances"),
)
#: Names of methods whose result may contain text from the provider.
_QUOTING: Final = frozenset({"read_reason", "start", "stop", "remove"})
#: Names of methods that take no ``Access``. They check a credential, use the connection's own credential, or
#: need none.
_WITHOUT_ACCESS: Final = (
    *("check_credential", "probe", "read_warning"),
    *("check_username", "is_secret_accepted", "read_email", "find_user", "read_overview"),
)


def bind(provider: Provider) -> None:
    """Bind each method's client to the secret that ``Provider.credential_owner`` declares for it."""
    for name in _BOUND_METHODS:
        if hasattr(provider, name):
            make = _bind_stream if name == "run_output" else _bind_method
            setattr(provider, name, make(provider, name, _CALL_NAMES.get(name, name)))
    for name in _WITHOUT_ACCESS:
        if hasattr(provider, name):
            setattr(provider, name, _hide_arguments(provider, name))


def _bind_method(provider: Provider, name: str, call: str) -> Callable[..., Awaitable[Any]]:
    @wraps(getattr(provider, name))
    async def verb(access: Access, *args: Any, **options: Any) -> Any:
        bound = provider.bind_access(access, call)
        try:
            with redact_secrets(bound.api.secrets):
                result = await getattr(type(provider), name)(provider, bound, *args, **options)
        except ProviderError as error:
            _hide_in_error(error, bound.api.secrets, provider)
            raise
        if isinstance(result, str):
            return provider.hide_tokens(result) if name in _QUOTING else result
        return _hide_tokens(provider, result)

    return verb


def _bind_stream(provider: Provider, name: str, call: str) -> Callable[..., AsyncIterator[Any]]:
    @wraps(getattr(provider, name))
    async def verb(access: Access, *args: Any, **options: Any) -> AsyncIterator[Any]:
        bound = provider.bind_access(access, call)
        stream = getattr(type(provider), name)(provider, bound, *args, **options)
        try:
            while True:
                # Leave the context before each yield, so that it isn't active while the consumer's code runs.
                try:
                    with redact_secrets(bound.api.secrets):
                        one = await anext(stream)
                except StopAsyncIteration:
                    return
                except ProviderError as error:
                    _hide_in_error(error, bound.api.secrets, provider)
                    raise
                yield one
        finally:
            await stream.aclose()

    return verb


def _hide_arguments(provider: Provider, name: str) -> Callable[..., Awaitable[Any]]:
    @wraps(getattr(provider, name))
    async def verb(*args: Any, **options: Any) -> Any:
        given = next((one.secrets() for one in args if isinstance(one, Credential)), ())
        secrets = (*given, *provider.settings.secrets())
        try:
            with redact_secrets(secrets):
                return await getattr(type(provider), name)(provider, *args, **options)
        except ProviderError as error:
            _hide_in_error(error, secrets, provider)
            raise

    return verb


def _hide_tokens(provider: Provider, result: Any) -> Any:
    if isinstance(result, Observed):
        detail = result.detail and provider.hide_tokens(result.detail)
        reason = result.reason and provider.hide_tokens(result.reason)
        is_same = (detail, reason) == (result.detail, result.reason)
        return result if is_same else replace(result, detail=detail, reason=reason)
    if isinstance(result, Listing):
        result[:] = [_hide_tokens(provider, item) for item in result]
    elif isinstance(result, Mapping):
        return {key: _hide_tokens(provider, item) for key, item in result.items()}
    elif isinstance(result, (DiscoveredWorkspace, DiscoveredRun)):
        return replace(result, observed=_hide_tokens(provider, result.observed))
    elif isinstance(result, ObservedRun) and result.detail:
        return replace(result, detail=provider.hide_tokens(result.detail))
    return result


def _hide_in_error(error: ProviderError, secrets: Collection[str], provider: Provider) -> None:
    """Remove secrets from the error that a call raises."""
    error.message = hide_secrets(error.message.encode(errors="replace"), secrets).decode()
    if not error.is_ours:
        error.message = provider.hide_tokens(error.message)
    error.args = (error.message,)
    error.response = None
