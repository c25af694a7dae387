"""Buttons that bring back what an answer says was changed; and *Undo* of earlier releases."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from bot.domain.notices import Answer
from bot.messages.blocks import replies
from bot.messages.texts import answers
from handlers.requests import routes
from handlers.requests.request import Answered, Request

_T = TypeVar("_T")


def read_carried(request: Request, read: Callable[[Any], _T]) -> tuple[str, _T]:
    """Return the key of a button, and what it carries after that, as ``read`` understands its JSON.

    Raises Answered for what no button of this release carries.
    """
    key, _, text = (request.target or "").partition(" ")
    try:
        return key, read(json.loads(text))
    except (ValueError, TypeError):
        raise Answered(replies.hint(request.fill(answers.OLD_BUTTON))) from None


@routes.action("undo")
async def answer_former_undo(request: Request) -> Answer:
    """Answer *Undo* in a message of an earlier release, with what there is instead."""
    return replies.hint(request.fill(answers.NO_UNDO))
