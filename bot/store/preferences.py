"""Preferences: what people want to be told, and whether that includes a new notice."""

from dataclasses import replace

from bot.domain.notices import NewNotice, News, NoticeKind, is_wanted
from bot.domain.people import Principal
from bot.domain.preferences import Preferences
from bot.domain.runs import RunState
from bot.store import tables
from bot.store.transaction import Transaction

#: How a run ends that didn't fail.
_WELL = frozenset({RunState.SUCCEEDED, RunState.CANCELLED})


def preferences(tx: Transaction, principal: Principal) -> Preferences:
    """Return a person's preferences; what they are at first if they never changed them."""
    return tables.PREFERENCES.one(tx, principal=principal) or Preferences()


def save_preferences(tx: Transaction, principal: Principal, wanted: Preferences) -> None:
    """Set a person's preferences."""
    tables.PREFERENCES.put(tx, wanted, principal=principal)


def wants(tx: Transaction, new: NewNotice) -> bool:
    """Return whether a person wants a new notice as a message of its own, by their preferences."""
    return new.kind.topic is None or is_wanted(_news(tx, new), preferences(tx, new.principal))


def _news(tx: Transaction, new: NewNotice) -> News:
    news, workspace_id = News(new.kind), new.body.get("workspace")
    if new.kind.subject == "operation":
        operation = tables.OPERATIONS.row(tx, id=new.subject)
        if operation is None:
            return news
        workspace_id = operation["workspace_id"]
        # What hours start has no card; it is as if it had one that was sent without a sound.
        news = replace(news, has_card=operation["planned_for"] is not None)
    elif new.kind is NoticeKind.JOB_ENDED:
        run = tables.RUNS.row(tx, id=new.subject)
        if run is None:
            return news
        news = replace(news, is_failure=run["state"] not in _WELL)
    row = tables.WORKSPACES.row(tx, id=workspace_id) if workspace_id else None
    if row is not None and new.kind in {NoticeKind.READY, NoticeKind.STOPPED_ELSEWHERE}:
        chosen = row["tells_ready" if new.kind is NoticeKind.READY else "tells_stopped"]
        news = replace(news, chosen=None if chosen is None else bool(chosen))
    return replace(news, has_card=news.has_card or tx.one("has_card", subject=new.subject) is not None)
