"""The private addresses at which calendars read the lessons of people who have joined a course."""

from bot.domain.notices import Answer
from bot.features.calendars import messages as drawn
from bot.features.calendars import texts as words
from bot.features.calendars import use_cases
from bot.messages.blocks import replies
from bot.messages.blocks.kit import fill
from handlers import routes
from handlers.request import Request


@routes.action("course_calendar")
@routes.action("calendar_new")
async def show(request: Request) -> Answer:
    """Show the private address of one's lessons for a calendar, once; or replace it, if that is asked for."""
    renews = request.verb == "calendar_new"
    return drawn.answer_address(
        *await request.caller.run(use_cases.create_address, request.target or "", renews=renews)
    )


@routes.action("calendar_end")
async def end(request: Request) -> Answer:
    """End that address."""
    card = await request.caller.run(use_cases.end_address, request.target or "")
    return replies.answer(fill(words.ADDRESS_ENDED, course=card.title), replaces=True)
