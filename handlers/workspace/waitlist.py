"""Verbs of the waitlist: joining it, leaving it, questions about it, and requests for more."""

from typing import Final

from bot.domain.notices import Answer
from bot.domain.operations import OperationVerb
from bot.domain.people import Named, Principal
from bot.domain.surfaces import Where
from bot.domain.time_parsing import Moment
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.waitlist import WaitlistFacts
from bot.domain.workspaces import State
from bot.messages.blocks import kit, replies
from bot.messages.blocks import waitlist as drawn
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import times
from bot.messages.texts import waitlist as words
from bot.messages.verb import Effect, Offer, Verb
from bot.services import limit_requests
from bot.services import waitlist as use_cases
from bot.services.places_in_line import AlreadyWaiting
from bot.services.workspaces import require_workspace
from bot.support.errors import Refused
from handlers.requests import routes
from handlers.requests.payload import find_value
from handlers.requests.request import InvalidFields, Request
from handlers.workspace.operations import begin_for
from handlers.workspace.targets import read_workspace, require_by_name
from handlers.workspace.timers import read_moment, read_typed_time

DAY_SECONDS: Final = 86_400.0


@routes.verb(
    Verb(
        usage="queue NAME [until TIME]",
        summary="start a workspace, and wait for room if there is none",
        more=(
            "`start NAME and wait` does the same.",
            "Unless you name a time, I'll keep trying until 9:00 or 18:00, whichever comes next.",
            "`unqueue NAME` ends the wait.",
        ),
        order=40,
        effect=Effect.STARTS,
        accepts=("workspace", "time"),
        of_run="run",
        offer=Offer(
            text="This will start *{name}* on {title}, and wait for room if there is none.",
            button="Start {name} and wait",
        ),
        offer_at=Offer(button="Wait for room for {name} until {then}"),
    )
)
async def queue(request: Request) -> Answer:
    """Start a workspace, and wait for room if there is none; what runs needs none."""
    moment, workspace = await read_moment(request), await read_workspace(request)
    if workspace.state is State.RUNNING:
        return await begin_for(request, workspace, OperationVerb.START)
    return await _join(request, workspace.id, None if moment is None else moment.at)


@routes.action("keep_trying")
async def keep_trying(request: Request) -> Answer:
    """Wait until the time of the button, whose message becomes the place; the press is the consent."""
    moment = await read_moment(request)
    place = await request.caller.run(
        use_cases.join, request.target or "", None if moment is None else moment.at
    )
    is_message = request.surface.message_ts is not None
    return drawn.answer_place(place, request.services.clock.now(), replaces=is_message)


@routes.action("try_until")
async def open_form(request: Request) -> Answer:
    """Open the form for the end of a wait."""
    workspace = await request.caller.read(require_workspace, "start", request.target or "")
    view = drawn.build_form(drawn.UNTIL_FORM, workspace.id)
    return Answer(text=words.UNTIL_LABEL, blocks=(), view=view)


@routes.view(drawn.UNTIL_FORM)
async def submit_until(request: Request) -> Answer:
    """Wait until the typed time."""
    typed = find_value(request.view, "text").strip()
    found = await read_typed_time(request.services, request.principal, typed)
    if not isinstance(found, Moment):
        raise InvalidFields({"text": replies.explain_unread_time(found, typed, SOONEST_SECONDS)})
    return await _join(request, request.form_payload, found.at)


async def _join(request: Request, workspace_id: str, until: float | None) -> Answer:
    return _show_place(request, await request.caller.run(use_cases.join, workspace_id, until))


def _show_place(request: Request, place: WaitlistFacts) -> Answer:
    is_lasting = request.surface.where is Where.DIRECT and not request.surface.response_url
    return drawn.answer_place(place, request.services.clock.now(), is_lasting=is_lasting)


@routes.refusal("wait.already")
def answer_already_waiting(request: Request, refusal: Refused) -> Answer:
    """Answer a second start with the place in line."""
    assert isinstance(refusal, AlreadyWaiting), "it alone has this rule"
    return _show_place(request, refusal.place)


@routes.action("stop_waiting")
async def stop_waiting(request: Request) -> Answer:
    """Leave the line."""
    workspace, has_waited = await request.caller.run(use_cases.leave, request.target or "")
    return replies.answer(
        fill(words.LEFT_WAITLIST if has_waited else words.NOT_WAITING_FOR, name=workspace.title)
    )


@routes.verb(
    Verb(
        usage="unqueue [NAME]",
        summary="stop waiting for room",
        order=50,
        effect=Effect.ENDS,
        accepts=("workspace", "words"),
    )
)
async def unqueue(request: Request) -> Answer:
    """Leave the line: of a name, or of the person's only wait."""
    now = request.services.clock.now()
    if request.name:
        workspace = await require_by_name(request, request.name)
        return await stop_waiting(request.redirect("workspace", request.verb, (), workspace.id))
    own, last = await request.caller.read(use_cases.list_own_and_last, now - DAY_SECONDS)
    if len(own) == 1:
        return await stop_waiting(request.redirect("workspace", request.verb, (), own[0].workspace_id))
    if own:
        return replies.hint(words.WHICH_WAIT, [drawn.stop_button(one, at) for at, one in enumerate(own)])
    return replies.hint(words.NOT_WAITING, more="" if last is None else drawn.format_place(last, now))


@routes.verb(
    Verb(
        usage="waiting",
        summary="show who is waiting for room, and your place in line",
        more=("It shows how many people are waiting for what, and names nobody.",),
        order=60,
        effect=Effect.SHOWS,
    )
)
async def show_waitlist(request: Request) -> Answer:
    """Show the numbers of waiting people, one's own places, and the waits until recent grants.

    Who doesn't wait any more reads since when.
    """
    now = request.services.clock.now()
    found, (own, last) = await request.caller.read(use_cases.list_lines, now - DAY_SECONDS)
    places = [drawn.format_place(one, now) for one in own or filter(None, [last])]
    lines = []
    for row in found:
        title, what = (
            request.services.title(row["connection"]),
            words.WAITED_FOR.get(row["kind"], words.WAITED_FOR["room"]),
        )
        waiting_, got = (
            Markup(times.format_count(row[one], "person", "people")) for one in ("waiting", "got")
        )
        if row["waiting"]:
            since = kit.moment(row["since"], now)
            lines.append(fill(words.WAITLIST_LINE, title=title, what=what, count=waiting_, since=since))
        if row["got"]:
            waited = Markup(times.format_roughly(row["waited"]))
            lines.append(fill(words.LATELY, title=title, what=what, count=got, waited=waited))
    stops = [drawn.stop_button(own[0])] if len(own) == 1 else []
    # How long a line was goes with one's place in it, once that is over.
    small = [*(lines if places else []), request.fill(words.NOT_KNOWN)]
    return kit.message("\n".join(places or lines or [words.NOBODY_WAITING]), ["\n".join(small)], stops)


@routes.action("ask_for_more")
async def ask_for_more(request: Request) -> Answer:
    """Ask the people who change limits."""
    workspace = await request.caller.run(limit_requests.request_more, request.target or "")
    return replies.answer(request.fill(words.MORE_SENT, workspace))


@routes.action("more_done")
async def confirm_request(request: Request) -> Answer:
    """Notify the requester that their limit was changed."""
    return _confirm_contacted_person(
        await request.caller.run(limit_requests.answer_request, request.target or "")
    )


@routes.action("more_declined")
async def open_decline_form(request: Request) -> Answer:
    """Ask for a word."""
    view = drawn.build_form(drawn.DECLINE_FORM, request.target or "")
    return Answer(text=words.DECLINE_LABEL, blocks=(), view=view)


@routes.view(drawn.DECLINE_FORM)
async def decline_request(request: Request) -> Answer:
    """Notify the requester that it was declined."""
    return _confirm_contacted_person(
        await request.caller.run(
            limit_requests.answer_request, request.form_payload, find_value(request.view, "text")
        )
    )


def _confirm_contacted_person(person: Principal | None) -> Answer:
    named = None if person is None else kit.mention(Named(person.user_id))
    return replies.answer(fill(words.ANSWERED, person=named) if named else words.ANSWERED_ALREADY)


async def format_waits_to_end(request: Request) -> dict[str, str]:
    """Return the sentence about each wait that a change of hours ends, by workspace."""
    return {
        one.workspace_id: fill(words.LEFT_WAITLIST, name=one.name)
        for one in await request.caller.read(use_cases.list_own)
    }
