"""``/healthz``: the process is alive. ``/readyz``: it can work. ``/metrics``: what it does. No secrets."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping

from aiohttp import web
from pydantic import SecretStr

from bot.store.store import Store
from bot.support.errors import StoreError
from bot.web.metrics import CONTENT_TYPE, Metrics

#: How long the store may take to answer; seconds.
STORE_SECONDS = 2.0


class Health:
    """Answer whatever monitors the process.

    ``ready`` says by name whether what it depends on works: the connection to Slack, its background work.
    With ``metrics_token``, the metrics require it.
    """

    def __init__(
        self,
        *,
        store: Store,
        ready: Callable[[], Mapping[str, bool]],
        metrics: Metrics,
        metrics_token: SecretStr | None = None,
    ) -> None:
        self._metrics_token = metrics_token
        self._store = store
        self._ready = ready
        self._metrics = metrics

    def routes(self) -> list[web.RouteDef]:
        """Return the three routes."""
        return [
            web.get("/healthz", self._lives),
            web.get("/readyz", self._readiness),
            web.get("/metrics", self._figures),
        ]

    async def _lives(self, _request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def _readiness(self, _request: web.Request) -> web.Response:
        problem = await self._problem()
        checks = {"store": not problem, **self._ready()}
        is_ready = all(checks.values())
        answer: dict[str, object] = {"ready": is_ready, "checks": checks}
        if problem:
            answer["problems"] = {"store": problem}
        return web.json_response(answer, status=200 if is_ready else 503)

    async def _problem(self) -> str:
        """Return why the store can't be read and written, "" if it can."""
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._store.try_writing()
                await self._store.statistics()
        except StoreError as error:
            return str(error)
        except TimeoutError:
            return "the database doesn't answer"
        return ""

    async def _figures(self, request: web.Request) -> web.Response:
        if self._metrics_token is not None:
            wanted = f"Bearer {self._metrics_token.get_secret_value()}"
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given.encode(errors="surrogateescape"), wanted.encode()):
                headers = {"WWW-Authenticate": "Bearer"}
                return web.Response(status=401, text="This needs USHER_METRICS_TOKEN.", headers=headers)
        body = self._metrics.render(await self._count() or {})
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _count(self) -> Mapping[str, int] | None:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                return await self._store.statistics()
        except (StoreError, TimeoutError):
            return None
