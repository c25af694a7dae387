"""The private addresses at which calendars read the lessons of people who have joined a course."""

from bot.domain.notices import Answer
from bot.messages.blocks import calendars as drawn
from bot.messages.blocks import replies
from bot.messages.blocks.kit import fill
from bot.messages.texts import calendars as words
from bot.services import calendars
from handlers import routes
from handlers.request import Request


@routes.action("course_calendar")
@routes.action("calendar_new")
async def show(request: Request) -> Answer:
    """Show the private address of one's lessons for a calendar, once; or replace it, if that is asked for."""
    renews = request.verb == "calendar_new"
    return drawn.address(*await request.asked.to(calendars.address, request.target or "", renews=renews))


@routes.action("calendar_end")
async def end(request: Request) -> Answer:
    """End that address."""
    card = await request.asked.to(calendars.end, request.target or "")
    return replies.answer(fill(words.ENDED, course=card.title), replaces=True)
