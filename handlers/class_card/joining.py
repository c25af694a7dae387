"""A press of a class card's button: it acts for the presser, answers only them, and continues by itself."""

from __future__ import annotations

from bot.domain.classes import ClassCard, Queue
from bot.domain.notices import Answer
from bot.domain.workspaces import Workspace
from bot.messages.blocks import kit, replies
from bot.messages.blocks.buttons import open_buttons
from bot.messages.blocks.cards import opening
from bot.messages.blocks.limits import Markup, fill
from bot.messages.texts import classes as words
from bot.messages.texts import times
from bot.services import classes
from bot.services.classes import Press, workspace_stem
from handlers import routes
from handlers.linking.approvals import question
from handlers.request import Request
from handlers.waiting import look

#: Presses observed for a shorter time than this say nothing about how fast starts go.
ENOUGH_STARTS = 3


@routes.action("class_press")
@routes.verb("workspace", "press")
async def press(request: Request) -> Answer:
    """Handle a press, or continue one that waited: link first, then make, start or open their workspace."""
    surface, key = request.surface, request.target or request.name
    message_ts = surface.message_ts if surface.kind == "button" else None
    pressed = await request.asked.to(classes.press, key, message_ts=message_ts)
    if pressed.joined.result == "sought":
        looking = await _looking(request, pressed.card)
        if looking:
            return replies.answer(looking)
        # Whatever the list says now is all there is to know.
        pressed = await request.asked.to(classes.press, key, message_ts=message_ts, has_looked=True)
    card, wanted, done = pressed.card, pressed.target, pressed.joined
    match done.result:
        case "over":
            sentence = words.ENDED if card.spec is None else words.ENDED_NOT_MADE
            return replies.hint(fill(sentence, command=request.command))
        case "full":
            places = times.counted(card.maximum or 0, "place")
            return replies.hint(fill(words.FULL, places=places, who=await _poster(request, card)))
        case "noted" if wanted.waits_for == "unlinked":
            return await _linking(request, card, is_refused=wanted.is_refused)
    if wanted.workspace is None:
        return await _no_workspace(request, card, wanted.waits_for)
    if done.result == "running":
        return await _opened(request, wanted.workspace)
    return _on_its_way(request, card, wanted.workspace, pressed)


async def _poster(request: Request, card: ClassCard) -> Markup:
    names = await request.services.names.of(request.principal, card.principal)
    return kit.person(names[card.principal.key])


async def _no_workspace(request: Request, card: ClassCard, waits_for: str) -> Answer:
    template = words.MANY if waits_for == "many_workspaces" else words.NO_WORKSPACE
    sentence = fill(
        template,
        pattern=_sought(card),
        title=request.services.title(card.connection),
        who=await _poster(request, card),
        command=request.command,
    )
    return replies.hint(sentence)


async def _linking(request: Request, card: ClassCard, *, is_refused: bool) -> Answer:
    """Answer with the presser's own link; the press waits for it, and the trainer sees them waiting."""
    services = request.services
    title = services.title(card.connection)
    if card.connection not in {name for name, _ in services.linkable()}:
        if card.connection not in services.approvable():
            return replies.hint(fill(words.NOT_LINKED, title=title))
        asking = await question(request, card.connection, f"press {card.id}")
        answer = replies.answer(fill(words.NOT_LINKED_ASK, title=title), _buttons(asking))
        return Answer(text=answer.text, blocks=answer.blocks, view=asking.view)
    template = words.LINK_REFUSED if is_refused else words.NOT_LINKED
    buttons = replies.link_buttons([(card.connection, title)], f"press {card.id}")
    return replies.answer(fill(template, title=title), buttons)


def _buttons(answer: Answer) -> list[dict[str, object]]:
    return [one for one in kit.buttons_of(answer.blocks) if "value" in one]


def _sought(card: ClassCard) -> str:
    """Return what a person's workspace is called that a card is about."""
    return card.pattern or workspace_stem(card.title)


async def _looking(request: Request, card: ClassCard) -> str:
    """Have an outdated list of the presser's read again; the press continues afterwards."""
    return await look(
        request,
        request.services.workspaces,
        words.LOOKING,
        text=f"press {card.id}",
        connection=card.connection,
        pattern=_sought(card),
    )


async def _opened(request: Request, workspace: Workspace) -> Answer:
    """Return the workspace's address: to the presser alone, like every answer to a press."""
    facts = await request.services.gatherer.of_workspace(workspace)
    sentence = f"{fill(words.RUNNING, name=workspace.title)} {opening(facts)}"
    if facts.ide_url:
        return replies.opening(facts, sentence)
    return replies.answer(sentence, open_buttons(facts))


def _on_its_way(request: Request, card: ClassCard, workspace: Workspace, pressed: Press) -> Answer:
    wanted, done = pressed.target, pressed.joined
    template = words.MAKING if workspace.is_provisional else words.STARTING
    if done.result == "joined":
        template = words.ON_ITS_WAY
    title = request.services.title(card.connection)
    sentences = [fill(template, name=workspace.title, title=title)]
    if wanted.beside and workspace.is_provisional:
        sentences.append(fill(words.BESIDE, name=wanted.beside))
    if done.queue is not None:
        provider = request.services.connections.get(card.connection)
        sentences += _place(done.queue, provider.settings.starts_per_second if provider is not None else None)
    return replies.answer(" ".join([*sentences, words.GOES_ON]))


def _place(queue: Queue, per_second: float | None) -> list[str]:
    """Return how many come first and how long that takes: by the connection's limit, or the pace so far."""
    if not queue.ahead:
        return [words.FIRST]
    sentences = [fill(words.PLACE, place=Markup(str(queue.ahead + 1)))]
    rate = per_second
    if rate is None and queue.called >= ENOUGH_STARTS:
        rate = queue.called / max(queue.seconds, 1.0)
    if rate:
        sentences.append(fill(words.ESTIMATE, time=Markup(times.duration(max(queue.ahead / rate, 1.0)))))
    return sentences
