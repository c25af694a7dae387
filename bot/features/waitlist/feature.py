"""The declaration of the feature waitlist."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from bot.domain.notices import Answer, NewNotice
from bot.domain.operations import Operation, OperationVerb
from bot.domain.room import Wait
from bot.domain.workspaces import Workspace
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.services import waits as use_cases
from bot.services.asked import Asked
from bot.services.hours import HoursChangeHooks
from bot.store import waits
from bot.store.hooks import FindPlans, PausePlan, RecordedColumns
from bot.store.transaction import Row, Transaction
from handlers.intents import Order
from handlers.request import Request
from handlers.workspace import waits as verbs
from handlers.workspace.hours import HoursAnswerHooks
from handlers.workspace.wait_orders import read_waiting


class WaitlistHooks(Hooks, HoursChangeHooks, HoursAnswerHooks):
    """Entries of the waitlist follow the starts that they wait for."""

    def on_workspace_unlinked(self, tx: Transaction, workspace: Row, *, notify: bool) -> None:
        waits.unlink(tx, workspace, notify)

    def on_capacity_freed(self, tx: Transaction, connection: str, pause: float) -> None:
        waits.offer(tx, connection, pause)

    def on_operation_ended(
        self, tx: Transaction, ended: Operation, notices: Sequence[NewNotice]
    ) -> Sequence[NewNotice]:
        return waits.follow(tx, ended, notices)

    def on_operation_requested(
        self, tx: Transaction, caller: Asked, workspace: Workspace, verb: OperationVerb
    ) -> None:
        use_cases.keep_place(tx, caller, workspace, verb)

    def on_day_skipped(self, tx: Transaction, workspace: Workspace, stop_at: float) -> bool:
        return use_cases.end_with_hours(tx, workspace, stop_at)

    async def list_ending_plans(self, request: Request) -> Mapping[str, str]:
        return await verbs.list_ended_waits(request)

    async def find_turn(self, request: Request, workspace_id: str = "") -> Answer | None:
        return await verbs.find_place(request, workspace_id)

    def list_recorded_columns(self) -> Mapping[type, RecordedColumns]:
        return {Wait: (waits.WAITS, ("until", "state", "ended_at"))}

    def list_restored_plans(self) -> Mapping[str, tuple[FindPlans, PausePlan]]:
        return {"waits": (waits.find_open_entries, waits.close)}

    def read_order(self, words: Sequence[str], find_names: Callable[[], Collection[int]]) -> Order | None:
        return read_waiting(words, find_names)


FEATURE: Final = Feature(
    name="waitlist",
    summary="Start workspaces in turn when a connection has capacity again.",
    needs=("hours", "sentences"),
    due=(use_cases.WAITS,),
    hooks=WaitlistHooks(),
)
