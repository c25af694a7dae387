"""The one way to call the API: the token is in the address, and in nothing that is reported about a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.providers.base import SendWindow
from bot.providers.requests import Api
from bot.support import errors
from bot.support.http import TOTAL_SECONDS

#: Statuses that mean an exhausted quota when something is started; assumed, because no document says so.
_QUOTA = {402, 403}
NO_ROOM = "This connection can't hold more workspaces. Remove one you don't need, then try again."


@dataclass(frozen=True, slots=True)
class Transport:
    """Call the API of one account."""

    api: Api
    token: SecretStr

    async def read(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        window: SendWindow | None = None,
        total: float = TOTAL_SECONDS,
    ) -> dict[str, Any]:
        """Send a GET once and return the object in the response; ``path`` is already percent-encoded."""
        asked = {**(query or {}), **self._credential}
        response = await self.api.call("GET", path, None, query=asked, window=window, total=total)
        return response.json_object()

    async def change(
        self, method: str, path: str, fields: Mapping[str, str] | None = None, *, starts: bool = False
    ) -> dict[str, Any]:
        """Send a change once; return the object in the response, empty if it is something else.

        A request that was sent without a usable answer raises UnknownOutcome. ``starts``: it uses the
        account's quota, and is refused if that is exhausted.
        """
        form = None if fields is None else aiohttp.FormData(dict(fields), default_to_multipart=True)
        try:
            response = await self.api.call(method, path, None, form=form, query=self._credential)
        except errors.PermanentError as refusal:
            if not (starts and refusal.status in _QUOTA):
                raise
            if not refusal.is_quoted:
                raise errors.LimitReached(NO_ROOM) from None
            raise errors.LimitReached(refusal.message, status=refusal.status) from None
        answer = response.json() if response.body.strip() else {}
        return answer if isinstance(answer, dict) else {}

    @property
    def _credential(self) -> dict[str, str]:
        return {"access_token": self.token.get_secret_value()}
