"""One way to call the Workbench API: ``POST {server}/api/{method}`` with a bearer token, never redirected."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.output.streaming import Stream, open_stream
from bot.providers.posit.envelope import unwrap
from bot.providers.requests import Api, authorization
from bot.support import errors
from bot.support.http import MAX_BYTES, TOTAL_SECONDS, Http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.providers.base import Credential, SendWindow

#: A longer stream is no job's output; the actual output is at least a tenth of that.
STREAM_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Transport:
    """Call the methods of one server; ``root`` is its address without a trailing slash."""

    http: Http
    root: str

    async def call(
        self,
        method: str,
        credential: Credential | None,
        kwparams: Mapping[str, Any] | None = None,
        *,
        changes: bool = False,
        window: SendWindow | None = None,
        total: float = TOTAL_SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> Any:
        """Send once and return the unwrapped result; parameters that are None are left out.

        Without ``kwparams`` it is a GET, as in the reference for version, get_users and get_compute_envs.
        A call that ``changes`` something raises UnknownOutcome if nothing usable came back.
        """
        api = Api(self.http, f"{self.root}/api", scheme="Bearer")
        body = None if kwparams is None else _body(method, kwparams)
        response = await api.send(
            "GET" if kwparams is None else "POST",
            f"/{method}",
            credential,
            changes=changes,
            json_body=body,
            window=window,
            total=total,
            max_bytes=max_bytes,
        )
        return unwrap(response, changes=changes)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        credential: Credential,
        kwparams: Mapping[str, Any],
        *,
        idle_seconds: float | None = None,
    ) -> AsyncIterator[Stream]:
        """Open a stream; raises as ``call`` does for a refused read, and if the stream breaks off."""
        async with open_stream(
            self.http,
            "POST",
            f"{self.root}/api/{method}",
            headers=authorization(credential, "Bearer"),
            json_body=_body(method, kwparams),
            max_bytes=STREAM_BYTES,
            idle_seconds=idle_seconds,
        ) as opened:
            if opened.status != 200:
                response = await opened.whole()
                unwrap(response, changes=False)
                raise errors.BadAnswer(f"HTTP {opened.status} is no stream", status=opened.status)
            yield opened


def _body(method: str, kwparams: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in kwparams.items() if value is not None}
    return {"method": method, "kwparams": given}
