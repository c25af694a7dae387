"""The declaration of the feature waitlist."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.domain.notices import Answer, NewNotice
from bot.domain.operations import Operation, OperationVerb
from bot.domain.workspaces import Workspace
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.services import waitlist as use_cases
from bot.services.caller import Caller
from bot.services.hours import HoursChangeHooks
from bot.store import waitlist as store
from bot.store.hooks import FindPlans, PausePlan
from bot.store.transaction import Row, Transaction
from handlers.request import Request
from handlers.workspace import waitlist as verbs
from handlers.workspace.hours import HoursAnswerHooks


class WaitlistHooks(Hooks, HoursChangeHooks, HoursAnswerHooks):
    """Entries of the waitlist follow the starts that they wait for."""

    def count_waiting(self, tx: Transaction, since: float) -> Mapping[tuple[str, str], tuple[int, float]]:
        return store.count_waiting(tx, since)

    def on_workspace_unlinked(self, tx: Transaction, workspace: Row, *, notify: bool) -> None:
        store.unlink(tx, workspace, notify)

    def on_capacity_freed(self, tx: Transaction, connection: str, pause: float) -> None:
        store.offer_capacity(tx, connection, pause)

    def on_operation_ended(
        self, tx: Transaction, ended: Operation, notices: Sequence[NewNotice]
    ) -> Sequence[NewNotice]:
        return store.follow_attempt(tx, ended, notices)

    def on_operation_requested(
        self, tx: Transaction, caller: Caller, workspace: Workspace, verb: OperationVerb
    ) -> None:
        use_cases.keep_place(tx, caller, workspace, verb)

    def on_day_skipped(self, tx: Transaction, workspace: Workspace, stop_at: float) -> bool:
        return use_cases.end_with_hours(tx, workspace, stop_at)

    async def list_ending_plans(self, request: Request) -> Mapping[str, str]:
        return await verbs.format_waits_to_end(request)

    async def find_turn(self, request: Request, workspace_id: str = "") -> Answer | None:
        return await verbs.answer_single_place(request, workspace_id)

    def list_restored_plans(self) -> Mapping[str, tuple[FindPlans, PausePlan]]:
        return {"waits": (store.find_open_entries, store.close)}


FEATURE: Final = Feature(
    name="waitlist",
    summary="Start workspaces in turn when a connection has capacity again.",
    page="commands#waiting-for-room",
    needs=("hours",),
    due=(use_cases.WAITLIST_WORK,),
    hooks=WaitlistHooks(),
)
