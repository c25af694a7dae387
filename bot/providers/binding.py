"""Bind each verb of a provider that is built to whose secret acts, for as long as the call lasts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

from bot.providers.access import Access
from bot.providers.base import Provider
from bot.providers.credentials import Credential
from bot.support.cleaning import hide_secrets
from bot.support.errors import ProviderError
from bot.support.logs import redact_secrets

#: What ``Provider.credential_owner`` calls the verbs that are given an access, where it isn't their own name.
_CALL_NAMES: Final = {
    **dict.fromkeys(("status", "read_reason", "check_page"), "read"),
    "discover": "list",
    "create_stopped": "create",
}
_BOUND_METHODS: Final = (
    *("status", "read_reason", "check_page", "start", "stop", "remove", "discover", "read_offer"),
    *("create", "create_stopped", "list_names", "find_created", "read_creation_time"),
    *("launch_run", "find_run", "list_runs", "run_status", "stop_run", "run_output"),
    *("schedule", "revoke", "mint", "refresh", "read_account"),
)
#: The verbs that are given none: they check a credential, or use the connection's own, or nobody's.
_WITHOUT_ACCESS: Final = (
    *("check_credential", "probe", "read_warning"),
    *("check_username", "is_secret_accepted", "read_email", "find_user", "read_overview"),
)


def bind(provider: Provider) -> None:
    """Bind each verb's client to the secret that ``Provider.credential_owner`` declares."""
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
        with _hide_secrets(bound.api.secrets):
            return await getattr(type(provider), name)(provider, bound, *args, **options)

    return verb


def _bind_stream(provider: Provider, name: str, call: str) -> Callable[..., AsyncIterator[Any]]:
    @wraps(getattr(provider, name))
    async def verb(access: Access, *args: Any, **options: Any) -> AsyncIterator[Any]:
        bound = provider.bind_access(access, call)
        stream = getattr(type(provider), name)(provider, bound, *args, **options)
        try:
            while True:
                # Not across a yield: who reads is another call.
                with _hide_secrets(bound.api.secrets):
                    try:
                        one = await anext(stream)
                    except StopAsyncIteration:
                        return
                yield one
        finally:
            await stream.aclose()

    return verb


def _hide_arguments(provider: Provider, name: str) -> Callable[..., Awaitable[Any]]:
    @wraps(getattr(provider, name))
    async def verb(*args: Any, **options: Any) -> Any:
        given = next((one.secrets() for one in args if isinstance(one, Credential)), ())
        with _hide_secrets((*given, *provider.settings.secrets())):
            return await getattr(type(provider), name)(provider, *args, **options)

    return verb


@contextmanager
def _hide_secrets(secrets: Collection[str]) -> Iterator[None]:
    """Keep a call's secrets out of the log and the error that it raises; the response ends with it."""
    try:
        with redact_secrets(secrets):
            yield
    except ProviderError as error:
        error.message = hide_secrets(error.message.encode(errors="replace"), secrets).decode()
        error.args = (error.message,)
        error.response = None
        raise
