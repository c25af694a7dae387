"""The name of a workspace was typed to remove it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.blocks.limits import line
from bot.models import WishVerb
from bot.words import answers as words
from handlers.parsing import normalise

if TYPE_CHECKING:
    from handlers.submission import Submission


async def handle(submission: Submission) -> dict[str, Any]:
    """Write the wish down when the name is right; the card in the direct message tells the rest."""
    workspaces = submission.services.workspaces
    key = str(submission.view.get("private_metadata") or "")
    workspace = await workspaces.owned(submission.principal, "remove", key)
    if normalise(submission.value("name")) != normalise(workspace.title):
        sentence = words.REMOVE_OTHER_NAME.format(name=line(workspace.title))
        return submission.error("name", sentence)
    await workspaces.wish(
        submission.principal,
        workspace.id,
        WishVerb.REMOVE,
        interaction=submission.interaction,
        reference=submission.reference,
    )
    return {"response_action": "clear"}
