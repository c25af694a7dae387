"""Undo: the verb takes the last request back, the button its own."""

from dataclasses import replace

from bot.domain.message_context import ActionFacts
from bot.domain.notices import Answer
from bot.domain.operations import Operation, OperationVerb
from bot.domain.undoable_actions import Undone
from bot.domain.work_items import Outcome
from bot.features.undo import texts as words
from bot.features.undo import use_cases
from bot.features.undo.use_cases import UndoneAction
from bot.messages.blocks import buttons, cards, kit, replies
from bot.messages.blocks import runs as run_blocks
from bot.messages.blocks.cards import VERB_FORMS
from bot.messages.blocks.kit import Markup, fill
from bot.messages.texts import cards as card_words
from bot.messages.verb import Effect, Verb, find_action
from bot.services.feasibility import get_stop_effects
from handlers import routes
from handlers.request import Request, format_typed_name


@routes.action("undo")
async def undo_by_button(request: Request) -> Answer:
    """Undo the action of a button; its answer is replaced, while a card is rendered again in any case."""
    found = await request.caller.run(use_cases.undo, request.target or "", leads_back=True)
    is_answer = found.action is not None and found.action.id == request.target
    is_back = found.inverse.undone is Undone.BACK
    return replace(answer_undo(request, found), replaces=is_answer and is_back)


def add_undo(request: Request, answer: Answer) -> Answer:
    """Add *Undo* to the answer to one action that can be undone."""
    done = [*request.notes.actions.values()]
    if len(done) != 1 or not done[0].can_be_undone or answer.in_channel or not answer.text:
        return answer
    if answer.shows:
        return answer  # It is drawn again, and has the way back among its own buttons.
    (action,) = done
    if not action.has_way_back:
        return replace(answer, offers=action.id)
    return replace(
        replies.with_button(answer, kit.button(card_words.UNDO, "undo", action.id)), offers=action.id
    )


def answer_undo(request: Request, found: UndoneAction) -> Answer:
    """Answer with the result of an undo, and the opposite request if that is one of its own."""
    action, undone = found.action, found.inverse.undone
    if found.workspace is not None:
        request.notes.note_workspaces([found.workspace])
    elif found.work_item is not None:
        request.notes.note_run(found.work_item.id)
    if undone is Undone.LED:
        return _show_opposite(request, found)
    if undone is Undone.NOTHING:
        return replies.hint(words.NOTHING_TO_UNDO if action is None else words.NOTHING_LEFT)
    if action is not None and undone is Undone.BACK:
        facts = ActionFacts(
            action, request.services.title(action.connection), found.workspace, found.work_item
        )
        return cards.answer_undone(facts, found.inverse.then)
    if found.work_item is not None and undone is not Undone.CHANGED:
        return _answer_under_way(request, found)
    assert action is not None, "only what is under way is no action"
    name = found.workspace.title if found.workspace is not None else action.name
    about = {"name": name, "title": request.services.title(action.connection)}
    if undone is Undone.CHANGED:
        return replies.hint(fill(words.CHANGED_SINCE if name else words.CHANGED_UNNAMED, **about))
    about |= {"typed": format_typed_name(name), "job": request.format_command("job")}
    instead = find_action(action.kind).instead
    return replies.hint(words.NO_WAY_BACK, more=request.fill(instead, None, **about))


def _show_opposite(request: Request, found: UndoneAction) -> Answer:
    """Say the request that had been sent, and the one that leads back."""
    work_item = found.work_item
    assert work_item is not None, "something was sent for it"
    back = VERB_FORMS[OperationVerb.START if found.inverse.then == "start" else OperationVerb.STOP]
    if isinstance(work_item, Operation):
        verb, name = (
            VERB_FORMS[work_item.asked_verb]["verb"],
            found.workspace.title if found.workspace else "",
        )
    else:
        verb, name = Markup(card_words.LAUNCH["verb"]), work_item.name
    template = words.LED_START if found.inverse.then == "start" else words.LED_STOP
    title = request.services.title(work_item.connection)
    return replies.answer(fill(template, verb=verb, name=name, title=title, end=back["end"]))


def _answer_under_way(request: Request, found: UndoneAction) -> Answer:
    work_item, then = found.work_item, found.inverse.then
    assert work_item is not None, "it is about one"
    title = request.services.title(work_item.connection)
    if not isinstance(work_item, Operation):
        is_stop = bool(work_item.requested_stop) or (
            found.action is not None and found.action.kind != "job.run"
        )
        template = words.DONE_ALREADY if work_item.is_open else words.ENDED_ALREADY
        forms = VERB_FORMS[OperationVerb.STOP] if is_stop else card_words.LAUNCH
        if is_stop and work_item.is_open:
            template = words.UNDER_WAY
        back = [run_blocks.stop_run_button(work_item)] if then else []
        return replies.hint(fill(template, **forms, name=work_item.name, title=title), back)
    name = found.workspace.title if found.workspace is not None else found.action.name if found.action else ""
    forms = {**VERB_FORMS[work_item.asked_verb], "name": name, "title": title}
    sentence = fill(words.UNDER_WAY if work_item.is_open else words.DONE_ALREADY, **forms)
    if work_item.outcome is Outcome.FULFILLED and not work_item.has_called:
        sentence = fill(words.WAS_DOWN if work_item.verb.brings_down else words.WAS_SO, **forms)
    if then and found.workspace is not None:
        button = buttons.stop_button(
            found.workspace, get_stop_effects(request.services.context, found.workspace)
        )
        if then == "start":
            press = buttons.make_change(then, found.workspace)
            button = kit.button(words.START_AGAIN, press, style=kit.PRIMARY)
        return replies.hint(sentence, [button])
    instead = find_action(f"workspace.{work_item.verb}").instead
    more = request.fill(instead, None, typed=format_typed_name(name), **forms)
    return replies.hint(f"{sentence} {words.NO_WAY_BACK}", more=more)


@routes.verb(
    Verb(
        usage="undo",
        summary="take back your last request",
        order=95,
        effect=Effect.ENDS,
        also="revert",
        alone="Take back your last request",
    )
)
async def undo(request: Request) -> Answer:
    """Take the last request back."""
    found = await request.caller.run(use_cases.undo, "")
    return answer_undo(request, found)
