"""Outages of connections: administrators are told once when one begins, and once when it is over.

A connection whose own secret is refused is also out of order, until the secret is accepted again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.domain.models import NewNotice, NoticeKind
from bot.reconciler.context import EngineContext, EnginePart
from bot.support.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.reconciler.runtimes import Runtime

log = structlog.get_logger(__name__)


#: The suffixes, in the store, of outages of a connection's own secret and of its people's credentials.
OURS = "#secret"
PEOPLE = "#people"


class Outages(EnginePart):
    """Record what this process learns about its connections; nothing is read while nothing changes."""

    def __init__(self, engine: EngineContext, people: Mapping[str, float | None]) -> None:
        """``people``: since when people's credentials are refused, None once they are accepted again."""
        super().__init__(engine)
        self._refusals = (
            (OURS, engine.keys.lockouts, "locked_out", "let_in"),
            (PEOPLE, people, "people_out", "people_in"),
        )
        #: Current outages as far as this process knows; None until it has looked.
        self._current: dict[str, float] | None = None

    async def step(self) -> int:
        """Begin and end outages from the connections' health; return how many changed."""
        try:
            current = await self._known()
            return await self._changed(current) + await self._refused(current)
        except StoreError as error:
            log.warning("outage not written", problem=type(error).__name__)
            return 0

    async def _known(self) -> dict[str, float]:
        """Return the current outages; initially those left by an earlier process."""
        if self._current is None:
            self._current = dict(await self._store.outages())
            for name, since in self._current.items():
                if name in self._runtimes:
                    self._runtimes[name].health.resume(since)
        return self._current

    async def _changed(self, current: dict[str, float]) -> int:
        changed = 0
        for name in list(current):
            if name.partition("#")[0] not in self._runtimes:
                await self._store.end_outage(name, [])
                del current[name]
        for name, runtime in self._runtimes.items():
            since = runtime.health.since
            if runtime.health.is_doubtful and since is not None and name not in current:
                await self._begin(current, runtime, since)
                changed += 1
            elif runtime.health.answers and name in current:
                await self._end(current, runtime)
                changed += 1
        return changed

    async def _refused(self, current: dict[str, float]) -> int:
        changed = 0
        for suffix, refusals, out, back in self._refusals:
            for connection, since in refusals.items():
                runtime, name = self._runtimes.get(connection), f"{connection}{suffix}"
                if runtime is None or (since is None) != (name in current):
                    continue
                changed += 1
                if since is not None:
                    notices = self._messages(runtime, out, since, suffix)
                    current[name] = await self._store.begin_outage(name, since, notices)
                else:
                    notices = self._messages(runtime, back, current[name], suffix)
                    await self._store.end_outage(name, notices)
                    del current[name]
        return changed

    async def _begin(self, current: dict[str, float], runtime: Runtime, since: float) -> None:
        notices = self._messages(runtime, "away", since)
        current[runtime.name] = await self._store.begin_outage(runtime.name, since, notices)
        runtime.health.resume(current[runtime.name])

    async def _end(self, current: dict[str, float], runtime: Runtime) -> None:
        notices = self._messages(runtime, "back", current[runtime.name], until=await self._store.now())
        await self._store.end_outage(runtime.name, notices)
        del current[runtime.name]

    def _messages(
        self, runtime: Runtime, what: str, since: float, kind: str = "", *, until: float | None = None
    ) -> list[NewNotice]:
        """Return a message for each administrator: once per outage, as its beginning is the occasion."""
        body = {"connection": runtime.name, "what": what, "since": since, "until": until}
        return [
            NewNotice(
                f"outage:{runtime.name}{kind}:{principal.user_id}",
                NoticeKind.OUTAGE,
                f"{what}:{since:.3f}",
                principal,
                body,
            )
            for principal in self._installation.administrating()
        ]
