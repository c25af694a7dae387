"""Run a job: with a form, or written in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.command_line import command_line
from handlers.launching import checked_words, launched, launched_by_name, runs_named_jobs
from handlers.making import open_form

if TYPE_CHECKING:
    from bot.models import Answer
    from handlers.request import Request


async def handle(request: Request) -> Answer:
    """Open the form; with flags, or with the program's own words after ``--``, launch it at once."""
    told = command_line(request.text, request.services.commands)
    if told.flags or told.tail is not None:
        return await launched(request, told)
    checked_words(request, told)
    if len(told.words) > 1 and runs_named_jobs(request, told.words[0]):
        return await launched_by_name(request, told.words[0], " ".join(told.words[1:]))
    return await open_form(request, "job", told.words)
