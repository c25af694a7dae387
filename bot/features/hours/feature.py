"""The declaration of the feature hours."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import NewNotice
from bot.domain.operations import Operation
from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.features.feature import Feature
from bot.features.hooks import Hooks
from bot.messages.blocks import hours as blocks
from bot.services.hours import HOURS_WORK, IDLE_PROMPT_WORK
from bot.services.hours_facts import add_rules
from bot.services.message_context import Gatherer
from bot.store import hours as store
from bot.store.hooks import FindPlans, PausePlan, Stage
from bot.store.transaction import Row, Transaction


class HoursHooks(Hooks):
    """Rules of hours follow their workspaces and people; a failed start is tried again."""

    def on_workspace_found(self, tx: Transaction, workspace: Workspace) -> None:
        store.link_rules(tx, workspace)

    def on_workspace_replaced(self, tx: Transaction, former_id: str, workspace_id: str) -> None:
        store.move_rules(tx, former_id, workspace_id)

    def on_workspaces_merged(self, tx: Transaction, former_id: str, workspace_id: str) -> None:
        store.move_rules(tx, former_id, workspace_id)

    def on_workspace_unlinked(self, tx: Transaction, workspace: Row, *, notify: bool) -> None:
        store.unlink(tx, workspace, notify)

    def on_workspace_purged(self, tx: Transaction, workspace_id: str) -> None:
        store.delete_rules(tx, workspace_id)

    def on_person_departed(self, tx: Transaction, principal: Principal) -> None:
        store.delete_rules_of_person(tx, principal)

    def on_operation_ended(
        self, tx: Transaction, ended: Operation, notices: Sequence[NewNotice]
    ) -> Sequence[NewNotice]:
        return store.follow_start(tx, ended, notices)

    def find_planned_stop(self, tx: Transaction, workspace: Workspace) -> tuple[float, bool] | None:
        return store.find_planned_stop(tx, workspace)

    def is_needed_after(self, tx: Transaction, workspace_id: str, at: float) -> bool:
        return store.is_needed_after(tx, workspace_id, at)

    def is_plan_on(self, tx: Transaction, plan_id: str) -> bool:
        return store.is_rule_on(tx, plan_id)

    async def extend_facts(
        self, gatherer: Gatherer, principal: Principal, views: Sequence[WorkspaceFacts]
    ) -> Sequence[WorkspaceFacts]:
        return await add_rules(gatherer, principal, views)

    def list_restored_plans(self) -> Mapping[str, tuple[FindPlans, PausePlan]]:
        return {"hours": (store.find_active_rules, store.pause)}

    def list_row_sentences(self, view: WorkspaceFacts) -> Sequence[str]:
        return blocks.format_lines(view)

    def list_stages_after(self, cause: str, query: str) -> Sequence[Stage]:
        return [store.RESUME_STAGE] if (cause, query) == ("active", "some_open_runs_of") else ()


FEATURE: Final = Feature(
    name="hours",
    summary="Start and stop workspaces at hours of the week.",
    page="commands#hours",
    needs=("preferences",),
    due=(HOURS_WORK, IDLE_PROMPT_WORK),
    hooks=HoursHooks(),
)
