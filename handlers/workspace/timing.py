"""The time in a command: ``start notebook for 2h``, ``stop notebook at 6pm``."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from bot.domain import moments
from bot.domain.models.stopping import SOONEST_SECONDS
from bot.domain.moments import FARTHEST_SECONDS, Moment
from bot.messages.blocks import moments as answers
from bot.messages.blocks import replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.blocks.timers import LENGTHS
from bot.messages.texts import timers as words
from bot.services import naming
from handlers.language import vocabulary
from handlers.language.names import choose
from handlers.language.words import plain, without
from handlers.request import Answered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.domain.models import Answer, Principal
    from bot.domain.moments import Phrase, Unread
    from handlers.request import Request
    from handlers.services import Services

#: The words that announce until when something runs; the others announce when something is done.
_UNTIL: Final = frozenset({"for", "until", "till", "til", "'til"})


async def runs_until(request: Request) -> tuple[Request, Moment | None]:
    """Split until when something is to run off a request; raises Answered for what can't be used."""
    timeless, phrase = await _split(request)
    is_start = request.verb != "keep"
    if is_start and phrase is not None and phrase.lead and phrase.lead not in _UNTIL:
        raise Answered(await _example(words.START_LATER, timeless))
    return await _at(timeless, phrase)


async def happens_at(request: Request) -> tuple[Request, Moment | None]:
    """Split when something is to happen off a request; raises Answered for what can't be used."""
    timeless, phrase = await _split(request)
    if phrase is not None and phrase.lead in _UNTIL:
        raise Answered(await _example(words.STOP_FOR, timeless))
    return await _at(timeless, phrase)


async def lasts_longer(request: Request) -> tuple[Request, float]:
    """Split how much longer something is to run off a request; 0 if it doesn't say."""
    found = moments.longer(request.arguments)
    if found is None:
        return request, 0.0
    rows = await request.services.store.workspaces(request.principal)
    if naming.find_whole(request.name, rows, request.services.connections) is not None:
        return request, 0.0
    names, seconds = found
    return replace(request, arguments=names), seconds


async def typed_moment(services: Services, principal: Principal, text: str) -> Moment | Unread:
    """Return the moment that a text names in a person's zone, or why there is none."""
    person = await services.store.person(principal)
    zone = moments.zone_of(person.time_zone if person is not None else None)
    return moments.read(text, zone, await services.store.now(), soonest=SOONEST_SECONDS)


async def chosen_moment(
    services: Services, principal: Principal, minutes: str, typed: str
) -> Moment | Unread | None:
    """Return the moment that a form names, typed or as one of its lengths; None if it names nothing."""
    if not typed and minutes not in LENGTHS:
        return None
    return await typed_moment(services, principal, typed or f"{minutes} min")


def moment_at(second: float, now: float) -> Moment | None:
    """Return the moment that a button was drawn for, unless it has passed."""
    return Moment(second) if now < second <= now + FARTHEST_SECONDS else None


async def _read(request: Request, text: str) -> Moment:
    """Return the moment; raises Answered if there is none."""
    found = await typed_moment(request.services, request.principal, text)
    if isinstance(found, Moment):
        return found
    raise Answered(replies.hint(answers.unread(found, text, SOONEST_SECONDS)))


async def _example(template: str, request: Request) -> Answer:
    """Say what can't be timed so, with a command that can, for the workspace that was named."""
    rows = await request.services.store.workspaces(request.principal)
    found = choose(request.arguments, rows, request.services.connections).workspaces
    name = found[0].title if len(found) == 1 else request.name or "NAME"
    lead = Markup("at" if request.verb in {"stop", "suspend"} else "until")
    verb = Markup(request.verb)
    return replies.hint(fill(template, command=request.command, name=name, verb=verb, lead=lead))


def _repeats(given: Sequence[str]) -> bool:
    """Return whether words ask for something again and again: ``every day``, ``daily``."""
    folded = [plain(word) for word in given]
    return bool(vocabulary.DAILY.intersection(folded)) or any(
        first in vocabulary.EVERY and (then in vocabulary.OF_DAYS or then[:1].isdigit())
        for first, then in pairwise(folded)
    )


async def _split(request: Request) -> tuple[Request, Phrase | None]:
    """Split the time off; a workspace that is called like all of it is what is meant."""
    names, phrase = moments.split(request.arguments)
    is_repeated = _repeats(names)
    if phrase is None and not is_repeated:
        return request, None
    rows = await request.services.store.workspaces(request.principal)
    connections = request.services.connections
    if naming.find(request.name, rows, connections).kind == "one":
        return request, None
    if is_repeated and not choose(names, rows, connections).is_whole:
        once = without(names, vocabulary.DAILY | vocabulary.EVERY | vocabulary.OF_DAYS)
        if choose(once, rows, connections).is_whole:
            raise Answered(await _example(words.REPEATED, replace(request, arguments=once)))
    if phrase is None:
        return request, None
    if phrase.is_within and choose(names, rows, connections).unknown:
        # What follows it belongs to the time: `at 5 past 6`.
        return request, None
    return replace(request, arguments=names), phrase


async def _at(request: Request, phrase: Phrase | None) -> tuple[Request, Moment | None]:
    """Return the moment, and the request with it, so that whatever it is asked about keeps it."""
    if phrase is not None:
        moment = await _read(request, phrase.text)
        return replace(request, at=moment.at), moment
    if request.at is None:
        return request, None
    # From a button that was drawn for this time.
    drawn_for = moment_at(request.at, await request.services.store.now())
    if drawn_for is None:
        raise Answered(replies.hint(fill(words.PASSED, command=request.command, name="NAME")))
    return request, drawn_for
