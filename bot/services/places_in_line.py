"""The effect of a request to start or stop a workspace that is on the waitlist."""

from bot.domain.operations import OperationVerb
from bot.domain.waitlist import WaitlistEntry, WaitlistFacts, WaitlistState
from bot.domain.workspaces import Workspace
from bot.services.caller import Caller
from bot.store import waitlist as rows
from bot.store.transaction import Transaction
from bot.support.errors import Refused


def describe_entry(tx: Transaction, caller: Caller, wait: WaitlistEntry) -> WaitlistFacts:
    """Return the facts about a waitlist entry, including its place in line."""
    allowed = caller.context.need(wait.connection).settings.failures_allowed
    return rows.describe(tx, wait, caller.context.title(wait.connection), allowed)


class AlreadyWaiting(Refused):
    """The refusal to start a workspace that is already on the waitlist; the reply gives its place in line."""

    def __init__(self, place: WaitlistFacts) -> None:
        super().__init__("wait.already", cause="wait_already", title=place.title)
        self.place = place


def keep_place(tx: Transaction, caller: Caller, workspace: Workspace, verb: OperationVerb) -> None:
    """Refuse to start a workspace that is on the waitlist (AlreadyWaiting); before a stop, end its entry."""
    known = rows.find_entry_of_workspace(tx, workspace.id)
    if known is None or known.state is WaitlistState.GRANTED:
        return
    if not verb.brings_down:
        raise AlreadyWaiting(describe_entry(tx, caller, known))
    rows.end(tx, known)
