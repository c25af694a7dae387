"""The waitlist: showing, joining and leaving it, with verbs and buttons."""

from dataclasses import replace
from typing import Final

from bot.domain.notices import Answer
from bot.domain.time_parsing import Moment
from bot.domain.timers import SOONEST_SECONDS
from bot.messages.blocks import kit, replies
from bot.messages.blocks import waitlist as drawn
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import times
from bot.messages.texts import waitlist as words
from bot.services import waitlist as use_cases
from bot.services.workspaces import require_workspace
from handlers.dispatch import show_place
from handlers.requests import routes
from handlers.requests.payload import find_value
from handlers.requests.request import SILENT, InvalidFields, Request
from handlers.workspace.timers import read_typed_time

DAY_SECONDS: Final = 86_400.0


async def join(request: Request, workspace_id: str, until: float | None) -> Answer:
    """Start a workspace. If there is no capacity, wait for it until the given time."""
    return await show_place(request, await request.caller.run(use_cases.join, workspace_id, until))


@routes.action("keep_trying")
async def keep_trying(request: Request) -> Answer:
    """Wait for capacity until the time that the button carries. Clicking it counts as consent."""
    moment = await request.read_moment()
    place = await request.caller.run(
        use_cases.join, request.target or "", None if moment is None else moment.at
    )
    is_message = request.surface.message_ts is not None
    return drawn.answer_place(
        place, request.services.clock.now(), await request.find_zone(), replaces=is_message
    )


@routes.action("try_until")
async def open_form(request: Request) -> Answer:
    """Open the form that asks how long to wait. If it can't be opened, say what to type."""
    workspace = await request.caller.read(require_workspace, "start", request.target or "")
    typed = replies.hint(request.fill(words.UNTIL_TYPED, workspace))
    return replace(typed, view=drawn.build_form(workspace.id))


@routes.view(drawn.UNTIL_FORM)
async def submit_until(request: Request) -> Answer:
    """Wait for capacity until the time typed in the form."""
    typed = find_value(request.view, "text").strip()
    found = await read_typed_time(request.services, request.principal, typed)
    if not isinstance(found, Moment):
        raise InvalidFields({"text": replies.explain_unread_time(found, typed, SOONEST_SECONDS)})
    return await join(request, request.form_payload, found.at)


@routes.action("stop_waiting")
async def stop_waiting(request: Request) -> Answer:
    """Leave the waitlist. If a message was only about this wait, the answer replaces it."""
    workspace, left = await request.caller.run(use_cases.leave, request.target or "")
    sentence = fill(words.LEFT_WAITLIST if left else words.NOT_WAITING_FOR, name=workspace.title)
    is_alone = request.press is not None and request.press.number is None and not request.press.mark
    return replies.answer(sentence, replaces=is_alone)


async def leave(request: Request, workspace_id: str) -> Answer | None:
    """Take a workspace off the waitlist. If it wasn't waiting, return None."""
    beside = request.is_read_with_cards
    workspace, left = await request.caller.run(use_cases.leave, workspace_id, is_read_with_place=beside)
    if beside and left == "stops":
        return SILENT
    return replies.answer(fill(words.LEFT_WAITLIST, name=workspace.title)) if left else None


async def show_waitlist(request: Request) -> Answer:
    """Show how many people are waiting, the user's own places, and how long others have waited recently."""
    now, zone = request.services.clock.now(), await request.find_zone()
    found, own, last = await request.caller.read(use_cases.list_lines, now - DAY_SECONDS)
    places = [drawn.format_place(one, now, zone) for one in own or filter(None, [last])]
    lines = []
    for row in found:
        title, what = (
            request.services.title(row["connection"]),
            words.WAITED_FOR.get(row["kind"], "room"),
        )
        waiting_, got = (
            Markup(times.format_count(row[one], "person", "people")) for one in ("waiting", "got")
        )
        if row["waiting"]:
            since = kit.since(row["since"], now, zone)
            lines.append(fill(words.WAITLIST_LINE, title=title, what=what, count=waiting_, since=since))
        if row["got"]:
            waited = Markup(times.format_roughly(row["waited"]))
            lines.append(fill(words.LATELY, title=title, what=what, count=got, waited=waited))
    stops = [drawn.stop_button(one, at if len(own) > 1 else None) for at, one in enumerate(own)]
    # Only people who have, or recently had, a place in line see how long the lines are.
    small = [*(lines if places else []), request.fill(words.NOT_KNOWN)]
    return kit.message(
        kit.join(places or lines or ["Nobody is waiting for room."], "\n"), [kit.join(small, "\n")], stops
    )
