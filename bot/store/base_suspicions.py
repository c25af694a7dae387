"""What the store promises of credentials that were refused and may be good all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.models import Account, AuditEntry, NewNotice


class SuspicionStore(Protocol):
    """Keep what is known of refusals: rows, so that a restart forgets none."""

    async def suspect_account(self, account_id: str, secret: str, audit: Sequence[AuditEntry] = ()) -> bool:
        """Write down since when an active account's secret is refused; False when it was, or is another."""

    async def suspects(self) -> list[Account]:
        """Return the active accounts whose secret was refused, longest not looked at first."""

    async def claim_look(self, account_id: str, every: float) -> float | None:
        """Grant a look at a suspected account, once in ``every`` seconds; None for not now.

        Returns the seconds since the last look of this suspicion, 0 for its first.
        """

    async def count_refusal(
        self, account_id: str, secret: str, seconds: float, least: float, notice: NewNotice | None = None
    ) -> float:
        """Add to the time that refusals have lasted (``least`` at least); return it, 0 when it is over.

        The notice is written when its person waits for something of the account: a wish, a run, a command.
        """

    async def trust_account(self, account_id: str, secret: str) -> bool:
        """End a suspicion: wishes, runs, reads and tasks of the account go on at once."""

    async def suspicion_totals(self, since: float, enough: int) -> Mapping[str, tuple[int, int]]:
        """Return for each connection with a suspicion how many accounts are refused, of how many lately read.

        Refused are those that ``count_refusal`` has counted; ``since`` is from when on a read is late enough.
        Whoever was read is counted up to ``enough``.
        """
