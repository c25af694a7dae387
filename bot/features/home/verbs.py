"""A person's Home, opened and turned, and what is pressed in it."""

from bot.domain.notices import Answer
from bot.domain.surfaces import Where
from bot.features.home.model import HomeUse
from bot.features.home.use_cases import read_lists, show_again, use
from bot.services.caller import Caller
from handlers import routes
from handlers.event_request import EventRequest
from handlers.request import SILENT, Request


@routes.event("app_home_opened")
async def opened(occurrence: EventRequest) -> None:
    """Have the Home that somebody opened drawn; meanwhile Slack shows the last version."""
    event, services = occurrence.event, occurrence.services
    if (event.get("tab") or "home") != "home":
        return
    principal = services.resolve_principal(occurrence.payload)
    shown = event.get("view")
    seen = str(shown.get("hash") or "") if isinstance(shown, dict) else ""
    caller = services.create_caller(principal)
    await caller.run(use, HomeUse(seen=seen))
    if (await caller.decide("home")).allowed:
        # As long as there is nothing else to show, a Home itself says what Usher is.
        await services.greeted.mark_greeted(principal)
        await caller.run(read_lists)


@routes.outcome_displays(Where.HOME)
async def answered(caller: Caller, answer: Answer | None) -> None:
    """Have somebody's Home drawn again with the answer to what they pressed in it."""
    await caller.run(use, HomeUse(answer=answer.as_body() if answer is not None and answer.text else None))


@routes.outcome_displays(Where.FORM)
async def submitted(caller: Caller, _: Answer | None) -> None:
    """Have somebody's Home drawn again, as what a form did shows in it."""
    await caller.run(show_again)


@routes.action("home")
async def turned(request: Request) -> Answer:
    """Turn to another page, to the totals or back; the next view shows it, and asks the policy again."""
    part, _, page = (request.target or "").partition(" ")
    number = int(page) if page.isdecimal() and len(page) < 6 else 1
    if part == "refresh":
        await request.caller.run(read_lists)
    else:
        await request.caller.run(use, HomeUse(page=number, is_totals=part == "totals"))
    return SILENT
