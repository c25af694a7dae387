"""Typed commands, the core's own grammar: a verb, the workspace or the words that it takes, and a time.

    VERB [NAME] [until 18:00 | for 2h | at 6pm | in 2 hours]

A verb with the whole name of one workspace is run at once. Anything else is a sentence, after which nothing
is done without a press (``handlers.sentences``).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain import time_parsing
from bot.domain.notices import Answer
from bot.domain.time_parsing import Moment
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import Workspace
from bot.messages.blocks import replies
from bot.messages.verb import Effect, Verb, find_verb, list_synonyms, list_verbs
from bot.services import naming
from bot.store import workspaces
from bot.support.pool import run_beside_loop
from handlers import routes, sentences, typing_mistakes, vocabulary
from handlers.command_line import drop_words, fold_word
from handlers.defaults import find_defaults
from handlers.request import Answered, Manner, Request
from handlers.workspace import confirmations, targets
from handlers.workspace.timers import read_typed_time

#: The words before the time until when something runs.
_UNTIL_LEADS: Final = frozenset({"for", "until", "till"})
_LONGER: Final = frozenset({"longer", "more"})
_NEVER_GUESSED: Final = frozenset({"forget", "remove"})
_FOLLOWS_DEFAULT: Final = frozenset({"start", "open", "resume", "status"})
#: So many letters of a name are its beginning.
_MIN_BEGINNING: Final = 3
_EVERY: Final = ("all",)
#: The most words of a command that begins with another word for a verb that reads its words by itself.
_MAX_OTHER_WORDS: Final = 3


@routes.text("words")
async def run_words(request: Request) -> Answer:
    """Run a typed command; whatever isn't one is answered, or offered as buttons (``handlers.sentences``)."""
    try:
        command = await read_command(request)
    except Answered as early:
        return early.answer
    return await (sentences.answer(request) if command is None else routes.run(command))


async def read_command(request: Request) -> Request | None:
    """Return a typed command, read by the grammar alone; None for what isn't one; raises Answered."""
    given = drop_words(request.arguments[:1], vocabulary.PLEASE_WORDS) + request.arguments[1:]
    if len(given) > 1 and fold_word(given[-1]) in vocabulary.PLEASE_WORDS:
        given = given[:-1]
    first = fold_word(given[0]) if given else "list"
    name = first if first in list_verbs(request.folder) else list_synonyms(request.folder).get(first, "")
    verb = find_verb(request.folder, name)
    if not name or (name != first and not verb.is_operation and len(given) > _MAX_OTHER_WORDS):
        return None
    if request.surface.is_quoted and verb.effect is not Effect.SHOWS:
        return None
    if name != request.verb:
        # It was authorised as words.
        await request.caller.authorise(name)
    manner = Manner.TYPED if name == first else Manner.PARAPHRASED
    request = replace(request, verb=name, arguments=given[1:], manner=manner)
    if not verb.is_operation:
        await typing_mistakes.refuse_flags(request)
        return request
    return await _read_operation(request, verb)


async def _read_operation(request: Request, verb: Verb) -> Request | None:
    """Return the request of an operation on one workspace; None unless each of its words is read."""
    given = request.arguments
    if not given:
        only = await _find_only(request)
        return (
            request.redirect("workspace", "list", ())
            if only is None
            else await _add_workspace(request, only, ())
        )
    if given == _EVERY and verb.bulk.text:
        own = await request.services.store.perform(workspaces.read_workspaces, request.principal)
        raise Answered(await confirmations.offer_for_several(request, own, is_named=False, besides=()))
    if verb.name == "keep" and fold_word(given[-1]) in _LONGER:
        return await _read_longer(request, given[:-1])
    for at in range(len(given), 0, -1):
        text, name = " ".join(given[at:]), " ".join(given[:at])
        if text and not (verb.takes_time and _is_time_of(verb, text)):
            continue
        workspace = await targets.find_by_whole_name(request, name)
        if workspace is None:
            continue
        if text:
            time = await read_typed_time(request.services, request.principal, text)
            if not isinstance(time, Moment):
                raise Answered(replies.hint(replies.explain_unread_time(time, text, SOONEST_SECONDS)))
            request = replace(request, at=time.at, moment=time)
        return await _add_workspace(request, workspace, given[:at])
    return await _read_beginning(request, verb)


async def _read_beginning(request: Request, verb: Verb) -> Request | None:
    """Return the request about the only name that begins so; what ends something needs the whole name."""
    if verb.effect is Effect.ENDS:
        return None
    own = await request.services.store.perform(workspaces.read_workspaces, request.principal)
    match = await run_beside_loop(own, naming.find_workspace, request.name, own, request.services.connections)
    is_found = match.kind == "one" and len(request.name) >= _MIN_BEGINNING
    return await _add_workspace(request, match.workspaces[0], request.arguments) if is_found else None


async def _read_longer(request: Request, given: Sequence[str]) -> Request | None:
    """Return the request to run a workspace some time longer: ``keep NAME 1h longer``."""
    for at in range(len(given) - 1, 0, -1):
        seconds = time_parsing.length(" ".join(given[at:]).removeprefix("for "))
        if seconds and (workspace := await targets.find_by_whole_name(request, " ".join(given[:at]))):
            return replace(await _add_workspace(request, workspace, given[:at]), more=seconds)
    return None


def _is_time_of(verb: Verb, text: str) -> bool:
    """Return whether words are a time that a verb takes: until when it runs, if it starts something."""
    kind = time_parsing.time_kind(text)
    lead = fold_word(text.partition(" ")[0])
    if verb.offer_at.button.endswith("until {then}"):
        return kind == "length" or (bool(kind) and lead in _UNTIL_LEADS)
    return bool(kind) and lead != "for"


async def _add_workspace(request: Request, workspace: Workspace, words: Sequence[str]) -> Request:
    request.notes.what = request.verb
    request.notes.note_workspaces([workspace])
    request = replace(request, arguments=tuple(words), target=workspace.id, row=workspace)
    await typing_mistakes.refuse_flags(request)
    return request


async def _find_only(request: Request) -> Workspace | None:
    """Return a person's only workspace, None to show all of several; raises Answered with a question."""
    old, rows = await targets.read_stale_and_rows(request)
    if not rows:
        raise Answered(await targets.answer_without_workspaces(request, old))
    if len(rows) == 1 and request.verb not in _NEVER_GUESSED:
        return rows[0]
    default = (await find_defaults(request)).workspace_id if request.verb in _FOLLOWS_DEFAULT else ""
    if usual := next((row for row in rows if row.id == default), None):
        return usual
    if request.verb == "status":
        return None
    raise Answered(targets.ask_which_of_all(request, rows))
