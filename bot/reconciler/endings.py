"""How a wish's end is written: one notice, one audit row, the card, all in the step's own transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.models import AuditEntry, Call, NewNotice, NoticeKind, Outcome, Update, WishVerb

if TYPE_CHECKING:
    from bot.models import Wish

#: A wish ends once, so its end is one occasion.
END = "end"
#: What is told when a wish came true that does not end in something that runs.
_DONE = {
    WishVerb.STOP: NoticeKind.STOPPED,
    WishVerb.FORCE: NoticeKind.STOPPED,
    WishVerb.SUSPEND: NoticeKind.SUSPENDED,
    WishVerb.REMOVE: NoticeKind.REMOVED,
}


def ended(
    wish: Wish, outcome: Outcome, cause: str | None = None, claim: str = "", *, hides: bool = False
) -> Update:
    """Return the update that ends a wish and tells its person; ``claim`` is the step's own.

    ``hides`` takes the workspace off the list with it: there is none, or none any more.
    """
    return Update(
        wish.id,
        0.0,
        start_call=None if wish.verb.brings_down else _settled(wish.start_call, outcome),
        stop_call=_settled(wish.stop_call, outcome) if wish.verb.brings_down else None,
        hold="",
        outcome=outcome,
        cause=cause,
        card_dirty=True,
        notices=[notice(wish, _kind(wish, outcome), END, cause)],
        audit=[audit(wish, f"wish.{wish.verb}", str(outcome), cause)],
        claim=claim,
        hides=hides,
        asked_at=wish.asked_at,
    )


def notice(wish: Wish, kind: NoticeKind, occasion: str, cause: str | None = None) -> NewNotice:
    """Return a notice about a wish; its body holds keys of rows only."""
    body = {"wish": wish.id, "workspace": wish.workspace_id, "connection": wish.connection}
    if cause is not None:
        body["cause"] = cause
    if wish.channel_id is not None:
        body["channel_id"] = wish.channel_id
    return NewNotice(wish.id, kind, occasion, wish.principal, body)


def audit(
    wish: Wish, action: str, result: str, cause: str | None = None, *, acts: str = "person"
) -> AuditEntry:
    """Return the row that remembers what was done for a wish; ``acts`` says with whose secret."""
    detail = {"wish": wish.id, "connection": wish.connection, "reference": wish.reference}
    if cause is not None:
        detail["cause"] = cause
    if acts != "person":
        detail["acts"] = acts
    return AuditEntry(wish.principal.key, action, wish.workspace_id, result, detail)


def _kind(wish: Wish, outcome: Outcome) -> NoticeKind:
    match outcome:
        case Outcome.FULFILLED:
            return _DONE.get(wish.verb, NoticeKind.READY)
        case Outcome.REFUSED:
            return NoticeKind.REFUSED
        case _:  # Called off is told as what did not happen.
            return NoticeKind.FAILED


def _settled(call: Call, outcome: Outcome) -> Call | None:
    """Take a call of unknown outcome for accepted when what it asked for is there."""
    return Call.ACCEPTED if outcome is Outcome.FULFILLED and call in (Call.CALLING, Call.UNKNOWN) else None
