"""Do something to several workspaces with one press: each row is read and authorised again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.domain.moments import FARTHEST_SECONDS
from bot.domain.notices import Answer
from bot.domain.workspaces import OperationVerb, Workspace
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.limits import Markup, fill, line, safe
from bot.messages.texts import answers, cards, problems, talk
from bot.services import workspaces
from bot.support.errors import NotLinked, Refused, UsherError
from handlers import routes
from handlers.request import SILENT, Request
from handlers.workspace.beside import beside_card
from handlers.workspace.offering import mode_then, stamp


@dataclass(slots=True)
class _Done:
    """Hold what became of each: the names of those begun, and sentences about the others.

    ``has_cards`` is whether some were left out of the names, because their cards say it to whoever asked.
    """

    names: list[str] = field(default_factory=list)
    has_cards: bool = False
    remarks: list[str] = field(default_factory=list)


@routes.action(lists.SEVERAL)
async def pressed(request: Request) -> Answer:
    """Do what the button said, and no more: what has changed since is left alone."""
    verb, *stamps = (request.target or "").split() or [""]
    if verb not in (talk.DO_SEVERAL if request.at is None else talk.DO_SEVERAL_AT):
        return replies.hint(talk.NOTHING_DONE)
    if request.at is not None:
        now = await request.services.store.now()
        if not now < request.at <= now + FARTHEST_SECONDS:
            return replies.hint(fill(cards.PASSED, command=request.command, name=answers.EXAMPLE))
    done = _Done()
    for one in stamps:
        key, _, _ = one.partition(".")
        try:
            workspace = await request.services.workspaces.owned(request.principal, verb, key)
        except Refused:
            done.remarks.append(talk.GONE)
            continue
        if await stamp(request, workspace) != one.rstrip("!"):
            done.remarks.append(await _as_it_is(request, workspace))
            continue
        await _do(request, verb, workspace, done, agreed=one.endswith("!"))
    return _answer(verb, done, request.at)


async def _as_it_is(request: Request, workspace: Workspace) -> str:
    """Say what is under way for a workspace that has changed since, or else what state it is in."""
    operation = await request.services.store.latest_operation(workspace.id)
    if operation is not None and operation.is_open:
        return fill(answers.JOINED[operation.verb], name=workspace.title)
    return lists.in_its_state(request.services.clock.now(), workspace, talk.CHANGED)


async def all_at_once(request: Request, verb: str, workspaces: Sequence[Workspace]) -> Answer:
    """Do it to several without a question: the person said ``--yes`` beforehand."""
    done = _Done()
    for workspace in workspaces:
        await _do(request, verb, workspace, done, agreed=True)
    return _answer(verb, done, request.at)


async def _do(request: Request, verb: str, workspace: Workspace, done: _Done, *, agreed: bool) -> None:
    services, key = request.services, workspace.id
    interaction = f"{request.surface.interaction}/{key}" if request.surface.interaction else ""
    asked = replace(request.asked, interaction=interaction)
    try:
        timer = None
        if request.at is not None:
            mode = mode_then(verb, workspace)
            timer = workspaces.made(services.context, workspace, request.at, mode, agreed=agreed)
        if verb == "forget":
            await services.personal_list.forget(request.principal, key, interaction=interaction)
        elif verb == "keep" and timer is None:
            await asked.to(workspaces.keep, key)
        elif verb in {"keep", "stop", "suspend"} and timer is not None:
            await asked.to(workspaces.set, key, timer)
        else:
            begun = OperationVerb.START if verb == "resume" else OperationVerb(verb)
            accepted = await services.workspaces.begin(
                request.principal,
                key,
                begun,
                interaction=interaction,
                reference=request.reference,
                channel_id=request.surface.channel_id,
                agreed=agreed,
                timer=timer,
            )
            if request.shows_cards_here:
                done.has_cards = True
                said = beside_card(request, workspace, begun, accepted)
                done.remarks += [said] if said else []
                return
    except NotLinked:
        raise
    except UsherError as error:
        why = error.text if isinstance(error, Refused) else problems.sentence(error)
        done.remarks.append(fill(talk.NOT_DONE, name=workspace.title, why=Markup(safe(why))))
    else:
        done.names.append(f"*{line(workspace.title)}*")


def _answer(verb: str, done: _Done, at: float | None) -> Answer:
    head = talk.NOTHING_DONE
    if done.names:
        *first, last = done.names
        names = f"{', '.join(first)} and {last}" if first else last
        head = fill(talk.DOING[verb], names=Markup(names))
        if at is not None:
            head = fill(talk.DOING_AT[verb], names=Markup(names), at=kit.day_moment(at))
    remarks = list(dict.fromkeys(done.remarks))
    if done.has_cards and not done.names:
        return replies.answer("\n".join(remarks)) if remarks else SILENT
    answer = replies.hint(head, more="\n".join(remarks))
    return replace(answer, replaces=False)
