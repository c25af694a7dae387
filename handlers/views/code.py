"""The code of the link page was typed back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.blocks import replies
from bot.errors import Refused

if TYPE_CHECKING:
    from handlers.submission import Submission


async def handle(submission: Submission) -> dict[str, Any]:
    """Finish the linking; what is wrong is said at the field."""
    services = submission.services
    try:
        account = await services.accounts.confirm_code(submission.principal, submission.value("code"))
    except Refused as refusal:
        return submission.error("code", refusal.text)
    view = replies.linked_view(services.title(account.connection), account.username)
    return {"response_action": "update", "view": view}
