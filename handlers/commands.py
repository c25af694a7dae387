"""The grammar of typed commands: a verb or a synonym, followed by whatever the verb's usage allows.

    VERB [NAME [and NAME]…] [until 18:00 | for 2h | at 6pm | in 2 hours] [--FLAG]…

Text in this form is run immediately. If a name is incomplete or misspelled, Usher asks which name is meant.
Any other text is free text, which does nothing until a button is clicked. It is read by a separate module,
which isn't always installed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Final

from bot.domain import time_parsing
from bot.domain.notices import Answer
from bot.domain.time_parsing import Moment
from bot.domain.timers import SOONEST_SECONDS
from bot.domain.workspaces import Workspace
from bot.messages.blocks import replies
from bot.messages.blocks.button_values import AGREED
from bot.messages.texts import answers, cards, talk
from bot.messages.verb import (
    Effect,
    Verb,
    find_verb,
    is_operation,
    list_former_verbs,
    list_synonyms,
    list_verbs,
    to_present_name,
)
from bot.services import naming
from bot.store import workspaces
from bot.support.pool import run_beside_loop
from handlers.requests import routes, suggestions, typing_mistakes
from handlers.requests.command_line import Quoted, fold_word
from handlers.requests.request import Answered, Listed, Request, format_typed_name
from handlers.requests.vocabulary import RUNS, means_everything
from handlers.workspace import confirmations, operations, targets
from handlers.workspace.timers import read_typed_time

#: Words that people type before the time at which something should stop running.
_UNTIL_LEADS: Final = frozenset({"for", "until", "till", "til"})
_LONGER: Final = frozenset({"longer", "more"})
_NEVER_GUESSED: Final = frozenset({"forget", "remove"})
#: Minimum number of letters for a word to be read as the beginning of a name.
_MIN_BEGINNING: Final = 3
#: Slack's markers for bold and code. ``_END_SIGNS`` are punctuation marks that may end a command.
_MARKUP_SIGNS: Final = "*`"
_END_SIGNS: Final = ".!,;?"
#: Maximum number of words after a synonym of a verb, except for operations on workspaces. Longer text is read
#: as free text, because many synonyms also begin ordinary sentences.
_MAX_OWN_WORDS: Final = 2
#: Verbs to which ``_MAX_OWN_WORDS`` doesn't apply, because ordinary sentences hardly ever begin with their
#: synonyms.
_LONG: Final = frozenset({"alias", "usage"})
#: Characters that begin a flag or a program's own arguments. Some keyboards turn two hyphens into a dash.
_DASHES: Final = ("--", "\u2013", "\u2014")


@routes.text("words")
async def run_words(request: Request) -> Answer:
    """Run typed text as a command. If it isn't a command, treat it as free text."""
    try:
        if (command := await read_command(request)) is not None:
            return _add_present_verb(request, await routes.run(command))
    except Answered as early:
        return _add_present_verb(request, early.answer)
    try:
        read_free_text = routes.text.get("free")
        return await (_answer_unread(request) if read_free_text is None else read_free_text(request))
    except Answered as early:
        return early.answer


def _add_present_verb(request: Request, answer: Answer) -> Answer:
    former = fold_word(request.arguments[0]) if request.arguments else ""
    verb = list_former_verbs(request.folder).get(former)
    if verb is None:
        return answer
    line = request.fill("`{former}` is now `{command}{typed}`.", former=former, typed=verb.typed)
    return replies.with_remarks(answer, [line]) if answer.blocks else replies.hint(line)


async def read_command(request: Request) -> Request | None:
    """Return the request for a typed command, or None if the text isn't one. This may raise Answered."""
    given = request.arguments
    first, words = fold_word(given[0]) if given else "list", given[1:]
    name = first if first in list_verbs(request.folder) else list_synonyms(request.folder).get(first, "")
    former = list_former_verbs(request.folder).get(first)
    if former is not None and (former.takes_words or not words):
        name, words = former.name, (*former.words, *words)
        request = replace(request, flags=request.flags | former.flags)
    if not name:
        return None
    verb = find_verb(request.folder, name)
    can_act = (verb.effect is not Effect.SHOWS or verb.opposite is not None) and verb.flags is not None
    is_odd = _is_question(request) or (given and "~" in given[0])
    if can_act and (is_odd or (not verb.is_operation and not _is_one_order(request))):
        return None
    if not verb.is_operation and words and former is None and not _can_follow(verb, first, words):
        return None
    if name != request.verb:
        # So far, the user has been allowed to send text, but not yet to use this verb.
        await request.caller.authorise(name)
    if verb.is_operation:
        return await _read_operation(replace(request, verb=name, arguments=words), verb)
    if verb.effect is Effect.SHOWS and "course" not in verb.accepts:  # A title may end in a question mark.
        words = _strip_signs(words)
    request = replace(request, verb=name, arguments=words)
    if name == "list" and not RUNS.isdisjoint(map(fold_word, words)):
        request = request.redirect("job", name, words)
    await typing_mistakes.refuse_flags(request)
    return request


def _is_question(request: Request) -> bool:
    last = request.arguments[-1] if request.arguments else ""
    return not isinstance(last, Quoted) and last.endswith("?")


def _is_one_order(request: Request) -> bool:
    return {"\n", "~"}.isdisjoint(request.text.strip())


def _strip_signs(words: Sequence[str]) -> tuple[str, ...]:
    plain = [word if isinstance(word, Quoted) else word.strip(_MARKUP_SIGNS) or word for word in words]
    if plain and not isinstance(plain[-1], Quoted):
        plain[-1] = plain[-1].rstrip(_END_SIGNS) or plain[-1]
    return tuple(plain)


def _can_follow(verb: Verb, first: str, words: Sequence[str]) -> bool:
    if "verb" in verb.accepts and len(words) > 1:
        return any(
            fold_word(words[0]) in table for table in (list_verbs(verb.command), list_synonyms(verb.command))
        )
    if verb.flags is None:  # A form's fields and a program may follow.
        words = [*takewhile(lambda word: isinstance(word, Quoted) or not word.startswith(_DASHES), words)]
    is_long = len(words) > _MAX_OWN_WORDS and verb.name not in _LONG
    return verb.takes_words and (first == verb.name or not is_long)


async def _answer_unread(request: Request) -> Answer:
    if is_operation(request.verb) and request.arguments[1:]:
        return await targets.answer_name(request, " ".join(request.arguments[1:]))
    return suggestions.answer_unread(request)


async def _read_operation(request: Request, verb: Verb) -> Request | None:
    """Return the request for an operation on one workspace, or None if some words can't be understood.

    If the words name several workspaces, carry out the verb for them and raise Answered with the results. If
    the words are ambiguous, raise Answered with a question.
    """
    given = request.arguments
    if verb.name == "keep" and given and fold_word(given[-1]) in _LONGER:
        return await _read_longer(request, given[:-1])
    splits: list[tuple[tuple[str, ...], str]] = []
    for words, time in _iterate_splits(verb, given):
        splits.append((words, time))
        if means_everything(words) and verb.bulk.text:
            raise Answered(await _answer_all(await _add_time(request, None, time)))
        if words and (workspace := await targets.find_by_whole_name(request, " ".join(words))):
            return await _add_workspace(request, workspace, words, time)
    if not splits[-1][0]:
        # A synonym on its own (*close*, *end*) is too ambiguous.
        first = fold_word(request.typed_words[0]) if request.typed_words else ""
        is_verb = not first or to_present_name(request.folder, first) == verb.name
        return await _read_without_name(request, splits[-1][1]) if is_verb else None
    if every := next((one for one in splits if means_everything(one[0])), None):
        if verb.effect is Effect.SHOWS:
            return request.redirect("workspace", "list", every[0])
        return await _read_without_name(request, every[1])
    listed = request.notes.listed = await targets.read_stale_and_rows(request)
    if verb.effect is not Effect.SHOWS and not _is_one_order(request):
        return None
    return await _read_names(request, verb, splits, listed)


async def _answer_all(request: Request) -> Answer:
    rows = await request.services.store.perform(workspaces.read_workspaces, request.principal)
    own = [one for one in rows if one.is_own]
    if AGREED in request.flags or not confirmations.can_do_several(request):
        return await operations.run_for_several(request, own)
    return await confirmations.offer_for_several(request, own, is_named=False)


def _iterate_splits(verb: Verb, given: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the ways to split these words into a name and a time.

    The words are first taken as typed, then without formatting or punctuation around them. Times are looked
    for only when needed, because most commands name a workspace but no time.
    """
    yield from _split_times(verb, given)
    plain = _strip_signs(given)
    if plain != given:
        yield from _split_times(verb, plain)


def _split_times(verb: Verb, given: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    yield given, ""
    for at in range(len(given) - 1, -1, -1) if "time" in verb.accepts else ():
        if isinstance(given[at], Quoted):
            break
        text = " ".join(given[at:])
        if _is_time_of(verb, text):
            yield given[:at], text


def _is_time_of(verb: Verb, text: str) -> bool:
    """Return whether the text is a time that the verb accepts.

    For a verb that starts something, this is the time to stop it.
    """
    if time_parsing.is_now(text):
        return True
    kind = time_parsing.time_kind(text)
    lead = _find_lead(text)
    if verb.runs_until and lead not in _UNTIL_LEADS:
        return kind == "length" and lead not in time_parsing.LEADS  # *In two hours* says when to begin.
    return bool(kind)


def _find_lead(text: str) -> str:
    return time_parsing.normalize_word(fold_word(text.partition(" ")[0]))


async def _read_names(
    request: Request, verb: Verb, splits: Sequence[tuple[tuple[str, ...], str]], listed: Listed
) -> Request | None:
    """Return the request for the workspaces whose full names the user typed.

    For a verb that only shows something, the beginning of a name is enough. For several workspaces, raise
    Answered with the results. If names are ambiguous or only similar, raise Answered with a question.
    """
    connections, (old, own) = request.services.connections, listed
    for words, time in splits:
        usernames = await targets.read_usernames(request, *words)
        matches = await run_beside_loop(own, naming.split_names, words, own, connections, usernames)
        if not matches:
            continue
        for name, same in matches.items():
            if len(same) > 1:
                about = await _add_time(request, same[0], time)
                raise Answered(await targets.ask_which_of_these(about, same, own, name))
        chosen = [*{one.id: one for same in matches.values() for one in same}.values()]
        if len(chosen) == 1:
            return await _add_workspace(request, chosen[0], words, time)
        if verb.effect is Effect.SHOWS:
            return request.redirect("workspace", "list", words)
        await typing_mistakes.refuse_flags(request)
        about = await _add_time(request, chosen[0], time)
        about.notes.note_workspaces(chosen)
        raise Answered(await operations.run_for_several(about, chosen))
    for words, time in splits:
        name = " ".join(words)
        if len(name) < _MIN_BEGINNING:
            continue
        match = await targets.match_name(request, name, own)
        if match.only is not None and verb.effect is Effect.SHOWS:
            return await _add_workspace(request, match.only, words, time)
        if match.kind != "near":
            about = await _add_time(request, match.rows[0], time)
            raise Answered(await targets.ask_which_of_these(about, match.rows, own, name))
        if naming.split_connection(name, connections)[1] is not None:
            raise Answered(await targets.answer_unknown_name(request, name, own, old, match.rows))
    return None


async def _read_longer(request: Request, given: Sequence[str]) -> Request | None:
    """Return the request for ``keep NAME 1h longer``, or None if the words don't have this form."""
    for at in range(1, len(given)):
        seconds = time_parsing.length(" ".join(given[at:]).removeprefix("for "))
        if seconds and (workspace := await targets.find_by_whole_name(request, " ".join(given[:at]))):
            return replace(await _add_workspace(request, workspace, given[:at], ""), more=seconds)
    return None


async def _add_workspace(request: Request, workspace: Workspace, words: Sequence[str], time: str) -> Request:
    request.notes.note_workspaces([workspace])
    request = replace(request, arguments=tuple(words), target=workspace.id, row=workspace)
    if request.flags:
        await typing_mistakes.refuse_flags(request)
    return await _add_time(request, workspace, time)


async def _add_time(request: Request, workspace: Workspace | None, text: str) -> Request:
    if not text or time_parsing.is_now(text):
        return request
    verb = find_verb("workspace", request.verb)
    if _find_lead(text) in _UNTIL_LEADS and not verb.runs_until:
        typed = answers.EXAMPLE if workspace is None else format_typed_name(workspace.title)
        raise Answered(replies.hint(request.fill(cards.STOP_FOR, verb=verb.name, typed=typed)))
    time = await read_typed_time(request.services, request.principal, text)
    if not isinstance(time, Moment):
        raise Answered(replies.hint(replies.explain_unread_time(time, text, SOONEST_SECONDS)))
    return replace(request, at=time.at, moment=time)


async def _read_without_name(request: Request, time: str) -> Request:
    """Return the request for the user's only workspace. If it isn't clear which one is meant, raise Answered.

    With several workspaces, ``status`` shows all of them, and ``cancel`` takes the only one that has
    something to cancel. Other verbs ask the user to choose. The most recently used workspaces come first.
    """
    request = await _add_time(request, None, time)
    old, rows = await targets.read_stale_and_rows(request)
    if not rows:
        raise Answered(await targets.answer_without_workspaces(request, old))
    own = [row for row in rows if row.is_own]
    if len(own) == 1 and request.verb not in _NEVER_GUESSED:
        return await _add_workspace(request, own[0], (), "")
    if request.verb == "status":
        return request.redirect("workspace", "list", ())
    needed = await confirmations.filter_needed(request, rows)
    if request.verb == "cancel" and len(needed) == 1:
        return await _add_workspace(request, needed[0], (), "")
    if request.verb == "cancel" and not needed:
        raise Answered(replies.hint(request.fill(talk.NONE_AT_ALL)))
    by_use = sorted(needed or rows, key=lambda row: -(row.used_at or 0.0))
    raise Answered(await targets.ask_which_of_all(request, by_use))
