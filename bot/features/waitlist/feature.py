"""The declaration of the feature waitlist."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.domain.notices import NewNotice
from bot.domain.operations import Operation
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.store import waits
from bot.store.hooks import FindPlans, PausePlan
from bot.store.transaction import Row, Transaction


class WaitlistHooks(Hooks):
    """Entries of the waitlist follow the starts that they wait for."""

    def on_workspace_unlinked(self, tx: Transaction, workspace: Row, *, notify: bool) -> None:
        waits.unlink(tx, workspace, notify)

    def on_capacity_freed(self, tx: Transaction, connection: str, pause: float) -> None:
        waits.offer(tx, connection, pause)

    def on_operation_ended(
        self, tx: Transaction, ended: Operation, notices: Sequence[NewNotice]
    ) -> Sequence[NewNotice]:
        return waits.follow(tx, ended, notices)

    def list_restored_plans(self) -> Mapping[str, tuple[FindPlans, PausePlan]]:
        return {"waits": (waits.find_open_entries, waits.close)}


FEATURE: Final = Feature(
    name="waitlist",
    summary="Start workspaces in turn when a connection has capacity again.",
    needs=("hours", "sentences"),
    hooks=WaitlistHooks(),
)
