"""Requests for more of a limit: to the people who change limits at the provider, answered once."""

from typing import Final

from bot.domain import causes, policy
from bot.domain.notices import NewNotice
from bot.domain.people import Principal
from bot.domain.waitlist import WaitlistKind
from bot.domain.workspaces import Workspace
from bot.services.caller import Caller
from bot.services.workspaces import require_operation
from bot.store import operations, workspaces
from bot.store.notices import add_notices, is_written
from bot.store.transaction import Transaction
from bot.support.errors import Refused

#: So many of a group are asked at most.
MAX_LIMIT_CONTACTS: Final = 20
policy.declare(policy.AccessRule("named", "limit"), "more_answer")


def _list_limit_contacts(caller: Caller, of: Workspace) -> list[Principal]:
    """Return the people to ask for more: those of the owner's own Slack workspace."""
    names, owner = caller.context.need(of.connection).settings.changes_limits, of.principal
    named = [name.rpartition(":") for name in sorted(caller.context.installation.groups.expand(names))]
    here = dict.fromkeys(user for team, _, user in named if team in {"", owner.team_id})
    return [Principal(owner.enterprise_id, owner.team_id, user) for user in here][:MAX_LIMIT_CONTACTS]


def request_more(tx: Transaction, caller: Caller, operation_id: str) -> Workspace:
    """Request more of a limit at which a start failed; return its workspace. Raises Refused."""
    failed = require_operation(tx, caller, "more", operation_id)
    workspace = workspaces.find_workspace(tx, failed.workspace_id)
    those = _list_limit_contacts(caller, workspace) if workspace is not None else []
    if workspace is None or not those:
        raise Refused("more.nobody", cause="nobody_to_ask", title=caller.context.title(failed.connection))
    if caller.is_first_delivery(tx):
        said = (failed.cause or "").partition(":")[2].strip(": ")[: causes.MESSAGE_LIMIT]
        body = {"connection": failed.connection, "person": failed.principal.key, "operation": failed.id}
        body |= {"name": workspace.title, "said": said}
        add_notices(
            tx, [NewNotice(failed.id, WaitlistKind.LIMIT_REQUEST, one.key, one, body) for one in those]
        )
        caller.record(tx, "workspace.limit_request", workspace)
    return workspace


def answer_request(
    tx: Transaction, caller: Caller, operation_id: str, word: str | None = None
) -> Principal | None:
    """Notify a requester that it was done, or declined with a word; return them, None if answered before."""
    failed, unknown = (
        operations.find_operation(tx, operation_id),
        Refused("action.unknown", cause="no_act"),
    )
    workspace = workspaces.find_workspace(tx, failed.workspace_id) if failed is not None else None
    if failed is None or workspace is None:
        raise unknown
    those = frozenset(one.key for one in _list_limit_contacts(caller, workspace))
    target = policy.Target("limit", failed.id, failed.principal, delegates=those)
    caller.check(tx, "more_answer", target, hidden_as=unknown)
    if caller.principal.key not in those:
        raise unknown
    if is_written(tx, failed.id, WaitlistKind.LIMIT_ANSWER, "end") or not caller.is_first_delivery(tx):
        return None
    body = {"workspace": workspace.id, "connection": failed.connection, "word": word}
    body |= {"by": caller.principal.user_id}
    add_notices(tx, [NewNotice(failed.id, WaitlistKind.LIMIT_ANSWER, "end", failed.principal, body)])
    caller.record(tx, "workspace.limit_answer", workspace, done="yes" if word is None else "no")
    return failed.principal
