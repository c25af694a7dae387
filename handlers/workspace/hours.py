"""Working hours: set and shown by a verb, turned off, resumed and moved by buttons."""

from collections.abc import Iterable
from dataclasses import replace

from bot.domain import hours as rules
from bot.domain.hours import Rule, Wanted
from bot.domain.notices import Answer
from bot.domain.workspaces import Workspace, planned_mode
from bot.messages.blocks import hours as drawn
from bot.messages.blocks import kit, replies
from bot.messages.blocks.kit import AGREED, Markup, fill, line
from bot.messages.blocks.lists import SAY
from bot.messages.texts import cards
from bot.messages.texts import hours as words
from bot.services import hours
from bot.services.workspaces import effects
from bot.support.errors import Refused
from handlers import routes
from handlers.command_line import written
from handlers.request import Request
from handlers.workspace.targets import named, workspace_of


@routes.verb("workspace", "hours", flags=(AGREED,), does=routes.Does.MAKES)
async def show(request: Request) -> Answer:
    """Show the hours of one workspace or of all, set some, or turn them off or on."""
    given = request.arguments
    if request.target is not None:
        return await _answered(request, await workspace_of(request), words.KEPT)
    if not given:
        return await _all(request)
    turned = {"off": turn_off, "on": resume}.get(given[-1].casefold()) if len(given) > 1 else None
    if turned is not None:
        return await turned(replace(request, target=(await named(request, " ".join(given[:-1]))).id))
    name, wanted = _split(given)
    if not name or (wanted is None and any(":" in word or word[0] == "-" for word in given[1:])):
        return _hint(request, words.UNREADABLE, words.USAGE, given[0] if name else "NAME")
    workspace = await named(request, name)
    if wanted is None:
        return await _answered(request, workspace, words.KEPT)
    try:
        asked, agreed = request.asked, AGREED in request.flags
        replaced = await asked.to(hours.add, workspace.id, wanted, agreed=agreed)
    except Refused as refusal:
        if refusal.rule != "workspace.ends":
            raise
        return _question(request, workspace)
    return await _answered(request, workspace, words.SET, replaced)


def _split(given: tuple[str, ...]) -> tuple[str, Wanted | None]:
    """Split a workspace's name from the hours that follow it."""
    found = ((" ".join(given[:at]), rules.read(" ".join(given[at:]))) for at in range(len(given)))
    return next((pair for pair in found if pair[1] is not None), (" ".join(given), None))


def _question(request: Request, workspace: Workspace) -> Answer:
    """Ask whether a stop may end a workspace for good; the button says the same command with consent."""
    services = request.services
    what = effects(services.context, workspace)
    lost = Markup(cards.LOST[what[planned_mode(what)]])
    title = services.title(workspace.connection)
    sentence = fill(words.ASK, name=workspace.title, title=title, lost=lost)
    command = f"hours {written(request.arguments)} --{AGREED}"
    return replies.answer(sentence, [kit.button(cards.END_THEN, SAY, command, style=kit.DANGER)])


async def _answered(
    request: Request, workspace: Workspace, template: str, replaced: Iterable[Rule] = ()
) -> Answer:
    """Say a workspace's hours as they are, with what can be done about them."""
    request.spoken.of([workspace])
    facts = await request.services.gatherer.of_workspace(workspace)
    if not facts.hours:
        none = fill(words.NONE, name=workspace.title, title=facts.connection_title)
        return _hint(request, none, words.NONE_NEXT, workspace.title)
    former = "; ".join(map(drawn.said, replaced))
    more = [fill(words.REPLACED, hours=former)] if former else []
    return replies.answer(*drawn.of_one(template, facts, more))


async def _all(request: Request) -> Answer:
    services = request.services
    workspaces = await services.store.workspaces(request.principal)
    every = await services.gatherer.of_all(request.principal, workspaces)
    rows = [drawn.of_one(words.KEPT, facts) for facts in every if facts.hours]
    return drawn.of_all(rows) if rows else _hint(request, words.NONE_OF_ALL, words.NONE_NEXT, "NAME")


def _hint(request: Request, sentence: str, more: str, name: str) -> Answer:
    typed = Markup(line(written((name,))))
    return replies.hint(sentence, more=fill(more, command=request.command, typed=typed))


@routes.action("hours_off")
async def turn_off(request: Request) -> Answer:
    """End a workspace's hours."""
    workspace = await request.asked.to(hours.end, request.target or "")
    title = request.services.title(workspace.connection)
    return replies.answer(fill(words.OFF, name=workspace.title, title=title), replaces=True)


@routes.action("hours_on")
async def resume(request: Request) -> Answer:
    """Let a workspace's hours come again."""
    return await _answered(request, await request.asked.to(hours.rest, request.target or ""), words.SET)


@routes.action("hours_move")
async def move(request: Request) -> Answer:
    """Move a person's hours to their time zone."""
    zone = await request.asked.to(hours.move)
    return replies.answer(fill(words.MOVED_DONE, zone=zone), replaces=True)


@routes.action("hours_stay")
async def stay(_request: Request) -> Answer:
    """Leave a person's hours in the zone that they have."""
    return replies.answer(words.MOVED_NOT, replaces=True)
