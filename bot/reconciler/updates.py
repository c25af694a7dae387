"""Saving what a step learned, and telling people who wait when a deadline passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from bot.domain.notices import NoticeKind
from bot.domain.runs import ClaimedOperation, ClaimedRun, Update
from bot.reconciler import outcomes
from bot.store.store import Store

S = TypeVar("S", ClaimedOperation, ClaimedRun)


async def always(_step: ClaimedOperation | ClaimedRun) -> bool:
    """Return True: somebody always waits for it."""
    return True


class Updates(Generic[S]):
    """Save the updates of operations' or of runs' steps.

    ``late`` is the notice at a deadline; ``tells`` says whether somebody is waiting for it.
    ``held_seconds`` is the deadline that starts when something is held up.
    """

    def __init__(
        self,
        store: Store,
        save: Callable[[Update], Awaitable[bool]],
        late: NoticeKind,
        *,
        tells: Callable[[S], Awaitable[bool]] = always,
        held_seconds: float | None = None,
    ) -> None:
        self.save = save
        self.tells: Callable[[S], Awaitable[bool]] = tells
        self._store = store
        self._late = late
        self._held_seconds = held_seconds

    async def later(
        self, claimed: S, next_in: float, hold: str | None = None, *, deadline_in: float | None = None
    ) -> None:
        """Save that it continues later; ``hold`` as for ``held``."""
        await self.save_held(claimed, replace(claimed.update(next_in), deadline_in=deadline_in), hold)

    async def all_later(
        self, batch: Sequence[S], next_in: float, hold: str | None, *, deadline_in: float | None = None
    ) -> None:
        """Save that several continue later."""
        for claimed in batch:
            await self.later(claimed, next_in, hold, deadline_in=deadline_in)

    async def save_held(self, claimed: S, update: Update, hold: str | None) -> None:
        """Save an update of something that continues later; ``hold`` as for ``held``."""
        if hold and update.deadline_in is None:
            update = replace(update, deadline_in=self._held_seconds)
        await self.save(await self.held(claimed, update, hold))

    async def held(self, claimed: S, update: Update, hold: str | None) -> Update:
        """Return an update with what is holding it up, "" for nothing, None for as before."""
        if hold is not None and hold != (claimed.subject.hold or ""):
            update = replace(update, hold=hold, card_dirty=True)
        return await self.after_deadline(claimed, update)

    async def after_deadline(self, claimed: S, update: Update) -> Update:
        """Return an update whose next step is no later than the deadline, with the notice due then, if any.

        A person who has already been asked what to do isn't also told that it takes longer.
        """
        subject = claimed.subject
        if update.outcome is not None or subject.deadline_at is None:
            return update
        now = await self._store.now()
        if now < subject.deadline_at:
            return replace(update, next_in=min(update.next_in, subject.deadline_at - now))
        if subject.asked_at is not None:
            return update
        late = replace(update, deadline_passed=True, card_dirty=True)
        if not await self.tells(claimed):
            return late
        notice = outcomes.notice(subject, self._late, str(subject.deadline_number))
        return replace(late, notices=(*update.notices, notice))
