"""Looks up requests that Usher has accepted, for example to see if a newer one has overtaken another."""

from bot.domain.accepted_requests import DELIVERY_SECONDS, RECENT_SECONDS, AcceptedRequest
from bot.domain.people import Principal
from bot.domain.workspaces import Workspace
from bot.store.tables import ACCEPTED_REQUESTS
from bot.store.transaction import Transaction


def list_requests_of(tx: Transaction, principal: Principal, interaction: str) -> list[AcceptedRequest]:
    """Return a person's requests from one interaction (such as a click) within the last two minutes."""
    since = tx.now() - RECENT_SECONDS
    who = {"principal": principal.key, "interaction": interaction}
    return ACCEPTED_REQUESTS.query(tx, "requests_of", **who, since=since)


def was_overtaken(
    tx: Transaction, principal: Principal, workspace_id: str, interaction: str, sent_at: float
) -> bool:
    """Return whether a newer request for a workspace has already been accepted.

    ``sent_at`` is when the earlier request was sent. If Slack doesn't say when the newer one was sent, use an
    estimate based on when it was carried out.
    """
    which = {"principal": principal.key, "subject": workspace_id, "interaction": interaction}
    return tx.one("was_overtaken", **which, since=sent_at, delivery=DELIVERY_SECONDS) is not None


def was_asked(tx: Transaction, workspace: Workspace, since: float) -> bool:
    """Return whether a workspace's owner has made any request about it since a given time."""
    who = {"principal": workspace.principal.key, "subject": workspace.id}
    return tx.one("was_asked", **who, since=since) is not None
