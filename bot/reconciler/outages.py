"""Connection outages. Each process detects them, and records them in rows that all processes read.

A connection also counts as down if its provider refuses the connection's own secret or the credentials of
several people.
"""

from collections.abc import Collection, Mapping
from typing import Final

import structlog

from bot.domain.notices import NewNotice, NoticeKind
from bot.reconciler.context import EngineContext, EnginePart
from bot.reconciler.keys import Keys
from bot.store import outages, pauses, work_items
from bot.store import refusals as refusal_rows
from bot.store.outages import OURS, PEOPLE
from bot.support.errors import StoreError

log = structlog.get_logger(__name__)


#: Keys of the messages sent when an outage begins and when it ends, for each kind of outage.
_MESSAGE_WORDS: Final = {
    "": ("away", "back"),
    OURS: ("locked_out", "let_in"),
    PEOPLE: ("people_out", "people_in"),
}


class Outages(EnginePart):
    """Records when outages begin and end, as observed by this process.

    All processes share the rows. The first process to get a response ends the outage for all of them.
    """

    def __init__(self, engine: EngineContext, keys: Keys) -> None:
        super().__init__(engine)
        self.refusals = {OURS: keys.lockouts, PEOPLE: keys.people_lockouts}
        #: The start time of each outage that was open when the rows were last read.
        self._current: Mapping[str, float] = {}
        #: Start times of outages that another process has closed although this process still observes them.
        #: If this process reopened them, the two would keep opening and closing the same outage.
        self._ended_elsewhere: dict[str, float] = {}

    def is_restless(self) -> bool:
        """Return whether there is an outage, or a change in a connection's health that isn't written yet."""
        healths = [runtime.health.answering.is_restless for runtime in self._runtimes.values()]
        return any([self._current, *self.refusals.values(), *healths])

    async def step(self, due: Collection[str] = ("outages",)) -> int:
        """Apply the stored pauses, and record when outages begin and end. Return how many outages changed.

        If ``due`` doesn't include outages, no other process has changed the rows, so they are read only
        during an outage.
        """
        is_due = "outages" in due
        try:
            if is_due:
                await self._take_pauses()
            for runtime in self._runtimes.values():
                has_changed = await runtime.health.answering.write(self._store)
                if has_changed and runtime.health.since is None:
                    await self._store.write(work_items.clear_silence, runtime.name)
            current = dict(await self._store.read(outages.list_outages)) if is_due or self._current else {}
            if not (current or self._current or self._ended_elsewhere or any(self._find_outages().values())):
                return 0
            self._take_over(current)
            self._current = current
            return await self._write_changes(current)
        except StoreError as error:
            log.warning("outage not written", problem=error)
            return 0

    async def _take_pauses(self) -> None:
        """Apply the pauses that providers have requested. Each process's ``ProviderCaller`` stores them."""
        for pause in await self._store.read(pauses.list_pauses):
            if (runtime := self._runtimes.get(pause.connection)) is not None:
                runtime.select_limits(pause.calls).learn(pause)

    def _take_over(self, current: Mapping[str, float]) -> None:
        """Take over the outages that other processes have recorded or ended since the rows were last read."""
        for name in current.keys() - self._current.keys():
            connection, suffix = _split_name(name)
            if connection in self._runtimes and suffix:
                self.refusals[suffix][connection] = current[name]
            elif connection in self._runtimes:
                self._runtimes[connection].health.resume(current[name])
        beginnings = self._find_outages()
        for name in self._current.keys() - current.keys():
            since = beginnings.get(name)
            if since is not None:
                self._ended_elsewhere[name] = since
                if name in self._runtimes:
                    self._runtimes[name].health.retry()

    def _find_outages(self) -> dict[str, float | None]:
        """Map each outage that this process observes to when it began. Map working connections to None."""
        beginnings: dict[str, float | None] = {}
        for name, runtime in self._runtimes.items():
            if runtime.health.answers:
                beginnings[name] = None
            elif runtime.health.is_doubtful and runtime.health.since is not None:
                beginnings[name] = runtime.health.since
        for suffix, refusals in self.refusals.items():
            beginnings |= {
                f"{name}{suffix}": since for name, since in refusals.items() if name in self._runtimes
            }
        return beginnings

    async def _write_changes(self, current: dict[str, float]) -> int:
        for name in list(current):
            # End outages of connections that are no longer configured. An outage without a connection ("") is
            # ended elsewhere.
            if _split_name(name)[0] not in {"", *self._runtimes}:
                await self._store.write(refusal_rows.end_outage, name, [])
                del current[name]
        changed = 0
        for name, since in self._find_outages().items():
            if since is None:
                self._ended_elsewhere.pop(name, None)
                if name in current:
                    await self._end(current, name)
                    changed += 1
            elif name not in current and self._ended_elsewhere.get(name) != since:
                await self._begin(current, name, since)
                changed += 1
        return changed

    async def _begin(self, current: dict[str, float], name: str, since: float) -> None:
        connection, suffix = _split_name(name)
        notices = self._build_notices(connection, _MESSAGE_WORDS[suffix][0], since, suffix)
        current[name] = await self._store.write(outages.begin_outage, name, since, notices)
        if not suffix:
            self._runtimes[connection].health.resume(current[name])

    async def _end(self, current: dict[str, float], name: str) -> None:
        connection, suffix = _split_name(name)
        until = None if suffix else await self._store.now()
        notices = self._build_notices(
            connection, _MESSAGE_WORDS[suffix][1], current[name], suffix, until=until
        )
        await self._store.write(refusal_rows.end_outage, name, notices)
        del current[name]

    def _build_notices(
        self, connection: str, what: str, since: float, kind: str, *, until: float | None = None
    ) -> list[NewNotice]:
        serves = self._runtimes[connection].provider.is_available_to
        body = {"connection": connection, "what": what, "since": since, "until": until}
        return [
            NewNotice(
                f"outage:{connection}{kind}:{principal.key}",
                NoticeKind.OUTAGE,
                f"{what}:{since:.3f}",
                principal,
                body,
            )
            for principal in self._installation.filter_administrators(serves)
        ]


def _split_name(name: str) -> tuple[str, str]:
    """Split an outage's name into connection and suffix.

    The suffix is "" if the connection isn't responding at all.
    """
    connection, separator, suffix = name.partition("#")
    return connection, separator + suffix
