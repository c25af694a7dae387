"""A person's Home: opening it, turning its pages, and its buttons."""

from bot.domain.notices import Answer
from bot.domain.surfaces import Where
from bot.features.home.model import HomeUse
from bot.features.home.use_cases import read_lists, record_use, request_redraw
from bot.services.caller import Caller
from handlers import routes
from handlers.event_request import EventRequest
from handlers.request import SILENT, Request


@routes.event("app_home_opened")
async def open_home(occurrence: EventRequest) -> None:
    """Queue the opened Home to be rendered; meanwhile Slack shows the last version."""
    event, services = occurrence.event, occurrence.services
    if (event.get("tab") or "home") != "home":
        return
    principal = services.resolve_principal(occurrence.payload)
    shown = event.get("view")
    seen = str(shown.get("hash") or "") if isinstance(shown, dict) else ""
    caller = services.create_caller(principal)
    await caller.run(record_use, HomeUse(seen=seen))
    if (await caller.decide("home")).allowed:
        # As long as there is nothing else to show, a Home itself says what Usher is.
        await services.greeted.mark_greeted(principal)
        await caller.run(read_lists)


@routes.outcome_displays(Where.HOME)
async def show_answer(caller: Caller, answer: Answer | None) -> None:
    """Queue somebody's Home to be rendered again with the answer to their press in it."""
    await caller.run(
        record_use, HomeUse(answer=answer.as_body() if answer is not None and answer.text else None)
    )


@routes.outcome_displays(Where.FORM)
async def show_form_result(caller: Caller, _: Answer | None) -> None:
    """Queue somebody's Home to be rendered again, as a form's result shows in it."""
    await caller.run(request_redraw)


@routes.action("home")
async def turn_page(request: Request) -> Answer:
    """Turn to another page, to the totals or back; the next view shows it, and asks the policy again."""
    part, _, page = (request.target or "").partition(" ")
    number = int(page) if page.isdecimal() and len(page) < 6 else 1
    if part == "refresh":
        await request.caller.run(read_lists)
    else:
        await request.caller.run(record_use, HomeUse(page=number, is_totals=part == "totals"))
    return SILENT
