"""*Open the form* was pressed, or the connection that something is made at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.blocks import replies
from bot.words import forms as words
from handlers.making import PURPOSES, open_form

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Open the form that the button names."""
    purpose, _, connection = (request.target or "").partition(" ")
    for known in PURPOSES:
        if purpose == known:
            return await open_form(replace(request, folder=known), known, (connection,))
    return replies.problem(words.OUTDATED, request.reference)
