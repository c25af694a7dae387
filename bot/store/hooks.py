"""Moments of the store at which features may act, each in the transaction of what happens."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from bot.domain.notices import NewNotice
from bot.domain.operations import Operation
from bot.domain.people import Person, Principal
from bot.domain.workspaces import Workspace
from bot.store.transaction import Row, Transaction
from bot.support.declarations import LayerHooks

#: A query with what is done with each row that it finds, given what was said when that began.
Stage = tuple[str, Callable[[Transaction, Row, Row], Any]]
#: Finds as many planned rows as a limit says; and pauses one of them for a cause.
FindPlans = Callable[[Transaction, int], Iterable[Any]]
PausePlan = Callable[[Transaction, Any, str], None]
#: For how many seconds nobody who was tried in vain is tried again because of a workspace that was stopped,
#: or of a run that ended: runs end often, and what they took up is rarely what somebody waits for.
STOP_PAUSE_SECONDS: Final = 60.0
RUN_PAUSE_SECONDS: Final = 300.0


class StoreHooks(LayerHooks):
    """The moments of the store; each method does nothing unless a feature's subclass has its own."""

    def on_workspace_found(self, tx: Transaction, workspace: Workspace) -> None:
        """Act when a workspace has a row again, or for the first time."""

    def on_workspace_replaced(self, tx: Transaction, former_id: str, workspace_id: str) -> None:
        """Act when another workspace was made in place of one."""

    def on_workspaces_merged(self, tx: Transaction, former_id: str, workspace_id: str) -> None:
        """Act when two rows turned out to be of one workspace, before the former one is deleted."""

    def on_workspace_unlinked(self, tx: Transaction, workspace: Row, *, notify: bool) -> None:
        """Act before a workspace's row is deleted with its account; notify its person if that is wanted."""

    def on_workspace_purged(self, tx: Transaction, workspace_id: str) -> None:
        """Act when a workspace is forgotten that has long been gone."""

    def on_accounts_settled(
        self, tx: Transaction, principal: Principal, connections: Collection[str] | None
    ) -> None:
        """Act when a person's accounts on some connections, or all (None), are linked with proof or end."""

    def on_capacity_freed(self, tx: Transaction, connection: str, pause: float) -> None:
        """Act when a workspace was stopped or a run ended, which took up capacity of a connection.

        Nobody is tried again because of that within ``pause`` seconds.
        """

    def on_request_done(self, tx: Transaction, principal: Principal) -> None:
        """Act when a request was done, besides those that an operation or a run shows."""

    def on_people_saved(self, tx: Transaction, people: Sequence[Person]) -> None:
        """Act when Slack's words about people were written."""

    def on_person_departed(self, tx: Transaction, principal: Principal) -> None:
        """Act when a person has left, or may not use Usher any more."""

    def on_operation_ended(
        self, tx: Transaction, ended: Operation, notices: Sequence[NewNotice]
    ) -> Sequence[NewNotice]:
        """Act when an operation ended; return the notices that its person gets of that."""
        return notices

    def should_send_notice(self, tx: Transaction, notice: NewNotice) -> bool:
        """Return whether a notice is sent as a message of its own; all features have to agree."""
        return True

    def is_assistant_allowed(self, tx: Transaction, principal: Principal, level: str) -> bool:
        """Return whether a person allows Slack's assistant to act at a level."""
        return False

    def find_waiting_texts(self, tx: Transaction, principal: Principal, connection: str) -> Sequence[str]:
        """Return the texts that a person's new account on a connection is to carry out, the oldest first."""
        return ()

    def count_waiting(self, tx: Transaction, since: float) -> Mapping[tuple[str, str], tuple[int, float]]:
        """Return the numbers of waiting people and the mean waits since then, by connection and kind."""
        return {}

    def find_planned_stop(self, tx: Transaction, workspace: Workspace) -> tuple[float, bool] | None:
        """Return the time of the stop that a plan has for a workspace, None for no plan.

        With it comes whether its person agreed that this ends the workspace for good.
        """
        return None

    def find_agreed_at(self, tx: Transaction, workspace_id: str) -> float:
        """Return the time at which a workspace's person last agreed to an end, 0 for never."""
        return 0.0

    def is_needed_after(self, tx: Transaction, workspace_id: str, at: float) -> bool:
        """Return whether a plan of its person needs a workspace beyond a time."""
        return False

    def is_plan_on(self, tx: Transaction, plan_id: str) -> bool:
        """Return whether a plan needs its workspace now."""
        return False

    def on_consent_withdrawn(self, tx: Transaction, card_id: str, principal_key: str) -> None:
        """Act when a person withdraws their consent to the end that a class sets for their workspace."""

    def list_restored_plans(self) -> Mapping[str, tuple[FindPlans, PausePlan]]:
        """Return the plans that are put on hold when a backup is restored, by the name of their count."""
        return {}

    def list_stages_after(self, cause: str, query: str) -> Sequence[Stage]:
        """Return the stages that come after the one with a query, of a fan-out by its cause."""
        return ()
