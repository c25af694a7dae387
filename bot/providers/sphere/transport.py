"""One way to call the API: the token in the address, and in nothing that is said about a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.providers.requests import error_of
from bot.support import errors
from bot.support.http import TOTAL_SECONDS, Http, multipart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from bot.providers.base import SendWindow
    from bot.support.http import Response

#: Statuses that stand for a used-up quota where something is to be started; assumed, as no document says it.
_QUOTA = {402, 403}
NO_ROOM = "the account's limit of workspaces is reached"


@dataclass(frozen=True, slots=True)
class Transport:
    """Call the API of one account; ``root`` is its address without a trailing slash."""

    http: Http
    root: str
    token: SecretStr

    async def read(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        window: SendWindow | None = None,
        total: float = TOTAL_SECONDS,
    ) -> dict[str, Any]:
        """Send a GET once and return the object that it answers; ``path`` is percent-encoded already."""
        response = await self.http.request(
            "GET",
            f"{self.root}/api/v1{path}",
            headers={"Accept": "application/json"},
            query={**(query or {}), **self._credential},
            total=total,
            send_until=None if window is None else window.until,
        )
        if not 200 <= response.status < 300:
            raise error_of(response, "base_url", changes=False)
        return response.json_object()

    async def change(
        self, method: str, path: str, fields: Mapping[str, str] | None = None, *, starts: bool = False
    ) -> dict[str, Any]:
        """Send a change once; return the object that it answers, empty where it answers something else.

        What was sent and brought nothing usable raises UnknownOutcome. ``starts``: it takes a place of the
        account's quota, and is refused where there is none.
        """
        try:
            response = await self.http.request(
                method,
                f"{self.root}/api/v1{path}",
                headers={"Accept": "application/json"},
                form=None if fields is None else multipart(fields),
                query=self._credential,
            )
        except errors.BadAnswer as error:
            raise errors.UnknownOutcome(error.message, status=error.status) from None
        if not 200 <= response.status < 300:
            refusal = error_of(response, "base_url", changes=True)
            if starts and response.status in _QUOTA:
                said = NO_ROOM if refusal.message.startswith("HTTP ") else refusal.message
                raise errors.LimitReached(said, status=response.status)
            raise refusal
        return _answer(response)

    @property
    def _credential(self) -> dict[str, str]:
        return {"access_token": self.token.get_secret_value()}


def _answer(response: Response) -> dict[str, Any]:
    if not response.body.strip():
        return {}
    try:
        answer = response.json()
    except errors.BadAnswer as error:
        # A page or rubbish: something else may have answered in the server's place.
        raise errors.UnknownOutcome(error.message, status=response.status) from None
    return answer if isinstance(answer, dict) else {}
