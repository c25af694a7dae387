"""Waiting for room: by a failed start's button or by words, and what is asked about it; asking for more."""

from typing import Final

from bot.domain.moments import Moment
from bot.domain.notices import Answer
from bot.domain.operations import OperationVerb
from bot.domain.people import Named, Principal
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import State
from bot.messages.blocks import kit, replies
from bot.messages.blocks import waits as drawn
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import times
from bot.messages.texts import waits as words
from bot.services import more, waits, workspaces
from bot.support.errors import Refused
from handlers import routes
from handlers.payload import value_in
from handlers.request import AtFields, Request
from handlers.workspace import hours
from handlers.workspace.operations import begin_for
from handlers.workspace.targets import workspace_of
from handlers.workspace.timers import moment_of, typed_moment

DAY: Final = 86_400.0


@routes.verb("workspace", "queue", effect=routes.Effect.STARTS, takes=("workspace", "time"))
async def queue(request: Request) -> Answer:
    """Start a workspace, and wait for room if there is none; what runs needs none."""
    moment, workspace = await moment_of(request), await workspace_of(request)
    if workspace.state is State.RUNNING:
        return await begin_for(request, workspace, OperationVerb.START)
    return await _joined(request, workspace.id, None if moment is None else moment.at)


@routes.action("keep_trying")
async def keep_trying(request: Request) -> Answer:
    """Wait for room until the time of the button; the press is the consent."""
    moment = await moment_of(request)
    return await _joined(request, request.target or "", None if moment is None else moment.at)


@routes.action("try_until")
async def open_form(request: Request) -> Answer:
    """Ask until when."""
    workspace = await request.asked.see(workspaces.owned, "start", request.target or "")
    view = drawn.form(drawn.UNTIL_FORM, workspace.id)
    return Answer(text=words.UNTIL_LABEL, blocks=(), view=view)


@routes.view(drawn.UNTIL_FORM)
async def form_sent(request: Request) -> Answer:
    """Wait until what was typed."""
    typed = value_in(request.view, "text").strip()
    found = await typed_moment(request.services, request.principal, typed)
    if not isinstance(found, Moment):
        raise AtFields({"text": kit.bare(replies.unread(found, typed, SOONEST_SECONDS))})
    return await _joined(request, request.carried, found.at)


async def _joined(request: Request, workspace_id: str, until: float | None) -> Answer:
    place = await request.asked.to(waits.join, workspace_id, until)
    return drawn.answer(place, request.services.clock.now())


@routes.refusal("wait.already")
def waits_already(request: Request, refusal: Refused) -> Answer:
    """Answer a second start with the place in line."""
    assert isinstance(refusal, waits.Waiting), "it alone has this rule"
    return drawn.answer(refusal.place, request.services.clock.now())


@routes.action("stop_waiting")
async def stop_waiting(request: Request) -> Answer:
    """Leave the line."""
    workspace, has_waited = await request.asked.to(waits.leave, request.target or "")
    return replies.answer(fill(words.LEFT if has_waited else words.NOT_WAITING_FOR, name=workspace.title))


@routes.verb("workspace", "waiting", effect=routes.Effect.SHOWS)
async def waiting(request: Request) -> Answer:
    """Say who waits by number, one's own places, and how long those waited who got what they waited for."""
    now = request.services.clock.now()
    found, own = await request.asked.see(waits.lines, now - DAY)
    said = [drawn.place(one, now, is_one=False) for one in own]
    for row in found:
        title, what = request.services.title(row["connection"]), words.FOR.get(row["kind"], words.FOR["room"])
        waiting_, got = (Markup(times.counted(row[one], "person", "people")) for one in ("waiting", "got"))
        if row["waiting"]:
            since = kit.moment(row["since"], now)
            said.append(fill(words.LINE, title=title, what=what, count=waiting_, since=since))
        if row["got"]:
            waited = Markup(times.roughly(row["waited"]))
            said.append(fill(words.LATELY, title=title, what=what, count=got, waited=waited))
    stops = [drawn.stop_button(own[0])] if len(own) == 1 else []
    return replies.hint("\n".join(said or [words.NOBODY]), stops, more=request.filled(words.NOT_KNOWN))


@routes.action("ask_for_more")
async def ask_for_more(request: Request) -> Answer:
    """Ask whoever changes limits."""
    workspace = await request.asked.to(more.ask, request.target or "")
    return replies.answer(request.filled(words.MORE_SENT, workspace))


@routes.action("more_done")
async def more_done(request: Request) -> Answer:
    """Tell whoever asked that their limit was changed."""
    return _answered(await request.asked.to(more.answer, request.target or ""))


@routes.action("more_declined")
async def more_declined(request: Request) -> Answer:
    """Ask for a word."""
    view = drawn.form(drawn.DECLINE_FORM, request.target or "")
    return Answer(text=words.DECLINE_LABEL, blocks=(), view=view)


@routes.view(drawn.DECLINE_FORM)
async def declined(request: Request) -> Answer:
    """Tell whoever asked that it was declined."""
    return _answered(await request.asked.to(more.answer, request.carried, value_in(request.view, "text")))


def _answered(person: Principal | None) -> Answer:
    named = None if person is None else kit.person(Named(person.user_id))
    return replies.answer(fill(words.ANSWERED, person=named) if named else words.ANSWERED_ALREADY)


async def _ends_with_hours(request: Request) -> dict[str, str]:
    """Return what is said of each wait that a change of hours ends, by workspace."""
    return {one.workspace_id: fill(words.LEFT, name=one.name) for one in await request.asked.see(waits.own)}


hours.PLANNED_BESIDE.append(_ends_with_hours)
