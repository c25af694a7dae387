"""Resolve which run a request is about: by a button's key, an id, a name, or because there is only one."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.moments import zone_of
from bot.domain.notices import Answer
from bot.domain.people import Account
from bot.domain.runs import Run
from bot.messages.blocks import lists, replies
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import runs as words
from bot.services import naming, runs
from handlers.linking.account import link_first
from handlers.linking.connections import makers
from handlers.request import Answered, Request
from handlers.waiting import look, unread


async def run_of(request: Request) -> Run:
    """Return the run; raises Answered with a question or a hint, or Refused.

    If several runs share a name, it is the newest; for stopping, the only one that is still going.
    """
    if request.target is not None:
        return await request.asked.see(runs.owned, request.verb, request.target)
    old, rows = await old_and_rows(request)
    if not request.name:
        return await _only(request, rows, old)
    found = naming.find_runs(request.name, rows, request.services.connections, is_stop=request.verb == "stop")
    if len(found) == 1:
        return found[0]
    if found:
        raise Answered(await _which(request, found))
    raise Answered(await _unknown(request, rows, old))


async def old_and_rows(request: Request) -> tuple[list[Account], list[Run]]:
    """Return accounts with outdated lists, then the runs; in this order, as a list may arrive in between."""
    old = await request.services.runs.stale(request.principal, besides=request.waited.looked)
    return old, await request.services.store.runs(request.principal)


async def nothing_yet(request: Request, old: Sequence[Account]) -> Answer:
    """Answer somebody without runs: link, wait for the list, or run something."""
    services = request.services
    able = makers(services, "job")
    if not able:
        return replies.hint(words.NO_CONNECTIONS)
    accounts = await services.store.accounts(request.principal)
    if not any(account.state == "active" and account.connection in able for account in accounts):
        return link_first(request, words.NOT_LINKED, able)
    looking = await look(request, services.runs, words.LOOKING_FOR_ANY, old=old)
    if not looking and request.waited.problem:
        return replies.problem(unread(request), request.reference)
    return replies.answer(looking or fill(words.NONE_YET, command=request.command))


async def _only(request: Request, rows: Sequence[Run], old: Sequence[Account]) -> Run:
    """Return the only run if no name was given; for stopping, the only one that is still going."""
    if not rows:
        raise Answered(await nothing_yet(request, old))
    wanted = [run for run in rows if run.is_going] if request.verb == "stop" else rows
    if len(wanted) == 1:
        return wanted[0]
    if not wanted:
        raise Answered(replies.hint(words.NONE_GOING))
    sentence = fill(words.WHICH_OF_ALL, command=request.command, verb=Markup(request.verb))
    raise Answered(replies.answer(sentence, await _buttons(request, wanted)))


async def _which(request: Request, found: Sequence[Run]) -> Answer:
    is_same = len({naming.fold(run.name) for run in found}) == 1
    sentence = fill(words.WHICH_TO_STOP if is_same else words.WHICH, name=request.name)
    return replies.hint(sentence, await _buttons(request, found))


async def _unknown(request: Request, rows: Sequence[Run], old: Sequence[Account]) -> Answer:
    """Say that there is no such run, suggest similar ones, and check again unless that was just done."""
    if not rows:
        return await nothing_yet(request, old)
    looking = await look(request, request.services.runs, words.LOOKING_FOR_IT, old=old)
    if looking:
        return replies.answer(looking)
    sentence = fill(words.UNKNOWN_NAME, name=request.name)
    near = naming.nearest_runs(request.name, rows)[: lists.FEW]
    more: list[str] = [unread(request)] if request.waited.problem else []
    if near:
        more.append(words.NEAREST)
    if not more:
        more = [fill(words.UNKNOWN_NEXT, command=request.command)]
    return replies.hint(sentence, await _buttons(request, near), more=" ".join(more))


async def _buttons(request: Request, runs: Sequence[Run]) -> list[dict[str, object]]:
    person = await request.services.store.person(request.principal)
    zone = zone_of(person.time_zone if person is not None else None)
    return lists.choices(request.verb, runs, request.services.clock.now(), zone)
