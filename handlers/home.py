"""A person's Home: opening it, turning its pages, switching to the totals and back."""

from __future__ import annotations

from bot.domain.notices import Answer
from bot.domain.people import HomeUse
from handlers import routes
from handlers.request import SILENT, Occurrence, Request


@routes.event("app_home_opened")
async def opened(occurrence: Occurrence) -> None:
    """Have the Home that somebody opened drawn; meanwhile Slack shows the last version."""
    event, services = occurrence.event, occurrence.services
    if (event.get("tab") or "home") != "home":
        return
    principal = services.actor(occurrence.payload)
    shown = event.get("view")
    seen = str(shown.get("hash") or "") if isinstance(shown, dict) else ""
    await services.homes.use(principal, HomeUse(seen=seen))
    decision = await services.authority.decide(principal, "home")
    if decision.allowed:
        # As long as there is nothing else to show, a Home itself says what Usher is.
        await services.contacts.meet(principal)
        await services.homes.read_lists(principal)


@routes.action("home")
async def turned(request: Request) -> Answer:
    """Turn to another page, to the totals or back; the next view shows it, and asks the policy again."""
    homes = request.services.homes
    part, _, page = (request.target or "").partition(" ")
    number = int(page) if page.isdecimal() and len(page) < 6 else 1
    if part == "refresh":
        await homes.read_lists(request.principal)
    else:
        await homes.use(request.principal, HomeUse(page=number, is_totals=part == "totals"))
    return SILENT
