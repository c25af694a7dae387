"""A username was named that an administrator is to approve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.blocks import kit, limits
from bot.blocks.limits import fill
from bot.errors import Refused
from bot.words import approvals as words

if TYPE_CHECKING:
    from handlers.submission import Submission


async def handle(submission: Submission) -> dict[str, Any]:
    """Ask the administrators; what is wrong is said at the field."""
    services = submission.services
    connection, _, text = str(submission.view.get("private_metadata") or "").partition(" ")
    # What waits for the link: keys and words of ours, which run with the rights that the person has then.
    waiting = {
        "text": text,
        "folder": "workspace",
        "principal": submission.principal.key,
        "interaction": submission.interaction,
    }
    username = submission.value("username").strip()
    try:
        asked = await services.approvals.ask(
            submission.principal,
            connection,
            username,
            interaction=submission.interaction,
            waiting=waiting if text else None,
        )
    except Refused as refusal:
        return submission.error("username", refusal.text)
    sentence = fill(words.ASKED, title=services.title(connection), username=asked.username)
    view = {
        "type": "modal",
        "title": kit.plain(words.ASK_TITLE, limits.TITLE),
        "blocks": [kit.section(sentence)],
    }
    return {"response_action": "update", "view": view}
