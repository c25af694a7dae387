"""Typed commands, the core's own grammar: a verb, the workspace or the words that it takes, and a time.

    VERB [NAME] [until 18:00 | for 2h | at 6pm | in 2 hours]

A verb with the whole name of one workspace is run at once. Anything else is for the feature that understands
people's own words; without one, a command is read by this grammar, and what it can't read is explained.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain.notices import Answer
from bot.domain.time_parsing import Moment
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import Workspace
from bot.messages.blocks import replies
from bot.messages.texts import answers, cards
from bot.messages.verb import Effect, Verb, find_verb, list_synonyms, list_verbs
from bot.store import workspaces
from handlers import intents, routes, typing_mistakes, vocabulary
from handlers.command_line import fold_word
from handlers.request import Answered, Manner, Request
from handlers.suggestions import answer_unknown_word, suggest_verbs, write_command
from handlers.workspace import confirmations, targets
from handlers.workspace.timers import read_typed_time

#: The words before the time of a start, until when it runs, and of any other verb, at which it's done.
_UNTIL_LEADS: Final = frozenset({"for", "until", "till"})
_AT_LEADS: Final = frozenset({"at", "by", "in", "until", "till"})
_EVERY: Final = ("all",)


@routes.text("words")
async def run_words(request: Request) -> Answer:
    """Run a typed command, or leave its words to the reader of sentences."""
    if (exact := await read_exact(request)) is not None:
        return await routes.run(exact)
    return await (routes.text.get("sentences") or _run_by_grammar)(request)


async def read_exact(request: Request) -> Request | None:
    """Return the request of a verb with the whole name of one workspace; None for anything else."""
    if request.folder != "workspace" or len(request.arguments) != 2:
        return None
    verb, (first, name) = find_verb("workspace", request.verb), request.arguments
    if not verb.is_operation or first.casefold() != verb.name or fold_word(name) in _list_other_words():
        return None
    if intents.read_order(request.arguments, set[int]) is not None or await intents.read(request) is not None:
        return None
    workspace = await targets.find_by_whole_name(request, name)
    return None if workspace is None else await _add_workspace(request, workspace, request.arguments[1:])


def _list_other_words() -> frozenset[str]:
    """Return the words that have a meaning although a workspace has such a name."""
    return vocabulary.list_everyday_words() | vocabulary.JOB_WORDS


async def _add_workspace(request: Request, workspace: Workspace, words: Sequence[str]) -> Request:
    request.notes.what = request.verb
    request.notes.note_workspaces([workspace])
    request = replace(request, arguments=tuple(words), target=workspace.id, row=workspace)
    await typing_mistakes.refuse_flags(request)
    return request


async def _run_by_grammar(request: Request) -> Answer:
    """Run a command by the grammar alone; answer what can't be read."""
    first = fold_word(request.arguments[0]) if request.arguments else "list"
    name = first if first in list_verbs(request.folder) else list_synonyms(request.folder).get(first, "")
    if not name:
        rest = request.arguments[1:]
        near = [write_command(request, verb, *rest) for verb in suggest_verbs(request, first)]
        return answer_unknown_word(request, answers.UNKNOWN_VERB, first, near)
    if name != request.verb:
        # It was authorised as words.
        await request.caller.authorise(name)
    manner = Manner.TYPED if name == first else Manner.PARAPHRASED
    request = replace(request, verb=name, arguments=request.arguments[1:], manner=manner)
    verb = find_verb(request.folder, name)
    if not verb.is_operation:
        await typing_mistakes.refuse_flags(request)
        return await routes.run(request)
    request = await _read_time(request, verb)
    if request.arguments == _EVERY and verb.bulk.text:
        own = await request.services.store.perform(workspaces.read_workspaces, request.principal)
        return await confirmations.offer_for_several(request, own, is_named=False, besides=())
    workspace = await _find_workspace(request)
    return await routes.run(await _add_workspace(request, workspace, request.arguments))


async def _read_time(request: Request, verb: Verb) -> Request:
    """Return a request with the time at the end of its words; raises Answered for one that can't be read."""
    leads = _UNTIL_LEADS if verb.effect is Effect.STARTS else _AT_LEADS
    for at, word in enumerate(request.arguments):
        if fold_word(word) not in leads:
            continue
        text = " ".join(request.arguments[at:])
        time = await read_typed_time(request.services, request.principal, text)
        if not isinstance(time, Moment):
            raise Answered(replies.hint(replies.explain_unread_time(time, text, SOONEST_SECONDS)))
        if not verb.takes_time:
            title = " ".join(request.arguments[:at])
            raise Answered(replies.hint(request.fill(cards.ONLY_STOPS, name=title, typed=title)))
        return replace(request, arguments=request.arguments[:at], at=time.at, moment=time)
    return request


async def _find_workspace(request: Request) -> Workspace:
    """Return the workspace that is named, or the only one; raises Answered with a question."""
    if request.arguments:
        return await targets.require_by_name(request, request.name)
    old, rows = await targets.read_stale_and_rows(request)
    if not rows:
        raise Answered(await targets.answer_without_workspaces(request, old))
    if len(rows) == 1 and request.verb != "remove":
        return rows[0]
    raise Answered(targets.ask_which_of_all(request, rows))
