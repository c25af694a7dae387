"""Remind people that the credential of a link ends, where its provider says when."""

from __future__ import annotations

from typing import Final

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account
from bot.domain.telling import reminder
from bot.reconciler.context import EnginePart

#: How many are reminded at once.
SOME: Final = 100


class Reminders(EnginePart):
    """Write the reminders that are due; rows say which, so a downtime delays and loses none."""

    async def step(self) -> int:
        """Write what is due; return how many accounts that was about."""
        found = await self._store.due_reminders(SOME)
        now = await self._store.now()
        for account in found:
            assert account.ends_at is not None, "who is reminded of an end has one"
            occasion, next_at = reminder(account.ends_at, now)
            can_link_again = occasion and account.connection in self._runtimes
            notices = [_notice(account, occasion)] if can_link_again else []
            await self._store.reminder_done(account, next_at, notices)
        return len(found)


def _notice(account: Account, occasion: str) -> NewNotice:
    body = {"connection": account.connection, "username": account.username, "ends_at": account.ends_at}
    # A renewed credential is a new one of the same account.
    when = f"{occasion}:{account.ends_at:.0f}"
    return NewNotice(account.id, NoticeKind.LINK_ENDING, when, account.principal, body)
