"""Answers to people's own words: read, decided by the tables of ``decisions``, and run or offered."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from bot.domain.accounts import Account
from bot.domain.conversations import Referents
from bot.domain.notices import Answer
from bot.domain.runs import Run
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State, Workspace
from bot.features.hours.orders import read_order_hours
from bot.features.hours.verbs import apply_order, leave_out_days, list_with_hours
from bot.features.sentences import (
    chat,
    cleaning,
    decisions,
    follow_ups,
    proposals,
    questions,
    times,
    timing,
)
from bot.features.sentences.decisions import AnswerStyle, Confidence, RequestSubject, SelectionMode
from bot.features.sentences.ranker import rank
from bot.features.sentences.reading import Reading, add_placeholders, read
from bot.features.sentences.selection import Which
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.button_values import AGREED, ButtonValue
from bot.messages.blocks.kit import fill
from bot.messages.texts import answers, talk
from bot.messages.verb import Effect, find_verb, is_operation
from bot.services import naming
from bot.store import cards, operations, undoable_actions, workspaces
from bot.support.guards import guards
from bot.support.pool import run_beside_loop
from handlers import intents, routes, suggestions, typing_mistakes, vocabulary
from handlers.command_line import MAX_WORDS, fold_word, join_words
from handlers.connections import list_making_connections
from handlers.defaults import find_defaults
from handlers.dispatch import parse_request
from handlers.linking import require_links
from handlers.names import read_names
from handlers.request import WORDS, Answered, Manner, Request
from handlers.snapshots import filter_by_connection, refresh_lists
from handlers.workspace import confirmations, targets
from handlers.workspace.operations import do_at_once

#: The verbs that mean a person's default workspace: none of them takes anything away.
_FOLLOWS_DEFAULT: Final = frozenset({"start", "open", "resume", "status"})


@routes.text("sentences")
async def answer(request: Request) -> Answer:
    """Answer the words of a person, or run their request."""
    authorised, request = request.verb, await _clean_text(request)
    reading, rows = await _read_request(request)
    about = replace(request, typed_words=reading.said) if reading.said else request
    follow_up = await follow_ups.complete_follow_up(about, reading, rows)
    if isinstance(follow_up, Answer):
        return follow_up
    if follow_up is not None:
        request = replace(request, arguments=follow_up, typed_words=follow_up, text=join_words(follow_up))
        reading, rows = await _read_request(request)
    is_full = decisions.is_complete(reading, request.typed_words or request.arguments)
    is_elsewhere = is_full and reading.folder not in {"", request.folder}
    request = replace(
        request,
        verb=reading.what if reading.kind == "verb" and is_full else WORDS,
        folder=(reading.folder if is_full else "") or request.folder,
        arguments=reading.words if is_full else request.arguments,
        manner=reading.manner,
        # Some verbs read their text by themselves, as it would be typed.
        text=join_words((reading.what, *reading.words)) if is_elsewhere else request.text,
    )
    if is_full and request.verb != authorised:
        # It was authorised as what was typed; something else may be meant.
        await request.caller.authorise(request.verb)
    try:
        if not is_full:
            if request.surface.is_quoted:
                reading = replace(reading, how="quote")
            given, names = request.typed_words or request.arguments, await read_names(request, rows)
            reading = await run_beside_loop(rows, add_placeholders, reading, given, names)
            return await proposals.propose(request, reading, rank(reading.placeholder_words), rows)
        request.notes.what = reading.what
        result = await _answer_reading(request, reading, rows)
    except Answered as early:
        return early.answer
    return replies.with_remarks(result, describe_left_out(reading) if result.text else [])


async def _clean_text(request: Request) -> Request:
    """Return a request with its text cleaned, and own names for addresses of links labelled with them."""
    if routes.has_own_parser(request.folder, request.verb):
        return request
    text = cleaning.clean_message(request.text)
    # What is to be added is known by its address only.
    if request.verb != "add" and (labels := cleaning.list_labels(text)):
        names = await read_names(
            request, await request.services.store.perform(workspaces.read_workspaces, request.principal)
        )
        own = [label for label in labels if any(not span.connection for span in names.find_spans((label,)))]
        text = cleaning.show_labels(text, own)
    return request if text == request.text else parse_request(request, text)


async def _read_request(request: Request) -> tuple[Reading, Sequence[Workspace]]:
    """Return the reading of a request, and the workspaces; other names are read only where needed."""
    services, given, verbs = request.services, request.arguments, routes.list_verbs_by_folder()
    if (intent := await intents.read(request)) is not None:
        return Reading.from_intent(intent), ()
    first = fold_word(given[0]) if given else "list"
    if not given or (first in verbs[request.folder] and (request.folder == "job" or not is_operation(first))):
        reading = read(given, request.folder, verbs)
        # A time beside a run's name is none of its words.
        is_short = request.folder == "job" and len(given) <= MAX_WORDS
        is_timed = is_short and bool(times.find(given[1:]).places)
        if reading.is_full and not is_timed:
            return reading, ()
    rows = await services.store.perform(workspaces.read_workspaces, request.principal)
    return await run_beside_loop(
        rows, read, given, request.folder, verbs, await read_names(request, rows)
    ), rows


async def _answer_reading(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    if reading.intent is not None:
        return await reading.intent.answer(request)
    if reading.kind == "talk":
        return await _answer_chat(request, reading, rows)
    if reading.kind == "several":
        return await _offer_each(request, reading, rows)
    await typing_mistakes.refuse_flags(request)
    is_of_hours = reading.what == "hours" and (reading.hours or not reading.which.is_nothing)
    if reading.folder == "workspace" and (is_operation(reading.what) or is_of_hours):
        return await _run_command(request, reading, rows)
    effect = find_verb(request.folder, request.verb).effect
    sure = (
        Confidence.CLEAR if reading.manner is Manner.TYPED or effect is not Effect.MAKES else Confidence.GUESS
    )
    way = decisions.find_answer_style("one", sure, effect)
    return await (_offer_to_make if way is AnswerStyle.OFFERED else routes.run)(request)


async def _offer_to_make(request: Request) -> Answer:
    """Offer a complete command of a verb that makes something: with connections, and names for *it*."""
    given, services = request.arguments, request.services
    connection, _ = naming.split_leading_connection(given, services.connections)
    recent = (await chat.read_recent_referents(request)).workspaces
    if request.verb == "run" and given and connection is None:
        connections = tuple(list_making_connections(services, "job"))
        request = replace(request, arguments=(*connections, *given)) if len(connections) == 1 else request
    elif request.verb == "new" and connection is None:
        request = replace(request, arguments=())
    if given and fold_word(given[0]) in vocabulary.SINGULAR_PRONOUNS and len(recent) == 1:
        request = replace(request, arguments=(recent[0].title, *given[1:]))
    return suggestions.offer_as_command(request)


async def _offer_each(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    """Offer each of several requests on its own."""
    blocks: list[kit.Block] = []
    for part in reading.parts:
        try:
            # Each is only offered, even with ``--yes``.
            single = request.redirect("workspace", part.what, part.words)
            single = replace(single, manner=Manner.TENTATIVE, flags=request.flags - {AGREED})
            answer = await _run_command(single, replace(part, manner=Manner.TENTATIVE), rows)
        except Answered as early:
            answer = early.answer
        blocks += answer.blocks
    keys = dict.fromkeys(single.id for part in reading.parts for single in part.which.named)
    request.notes.about = Referents(tuple(keys), takes_press=True)
    return kit.answer([kit.section(talk.ONE_EACH), *blocks])


# -- a verb and what it is about ---------------------------------------------------------------------------


async def _run_command(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    which = reading.which
    match decisions.find_subject(reading):
        case RequestSubject.OTHERS:
            return chat.refuse_others_workspace(request, which.named)
        case RequestSubject.LAST_ACT:
            return await _cancel(request)
        case RequestSubject.RUN:
            return await _apply_to_run(request, reading, which.runs[0])
        case RequestSubject.HOURS if with_hours := await _list_with_hours(request, reading, rows):
            is_sure = reading.manner is not Manner.TENTATIVE
            if which.is_all and is_sure and not reading.is_question:
                return await leave_out_days(
                    request.redirect("workspace", "hours", ()), with_hours, reading.hours
                )
            return await _do_or_offer_hours(request, with_hours, reading.hours, is_sure=is_sure)
        case RequestSubject.HOURS | RequestSubject.OVERVIEW:
            return await routes.run(replace(request, arguments=()))
        case RequestSubject.CONNECTION:
            return await questions.answer_question(request, replace(reading, what="health"), rows)
    return await _apply_to_own(request, reading, rows)


async def _list_with_hours(
    request: Request, reading: Reading, rows: Sequence[Workspace]
) -> Sequence[Workspace]:
    """Return the workspaces whose hours are meant without a name: first what was spoken of."""
    heard = (
        (await chat.read_recent_referents(request, rows)).workspaces
        if read_order_hours(reading.hours)
        else ()
    )
    return heard or await list_with_hours(request, rows)


async def _do_or_offer_hours(
    request: Request, chosen: Sequence[Workspace], order: str, *, is_sure: bool
) -> Answer:
    """Apply an order about one workspace's hours; offer it for several, or where it is a guess."""
    request = request.redirect("workspace", "hours", ())
    if is_sure and len(chosen) == 1:
        return await apply_order(request, chosen[0], order)
    commands = [f"hours {join_words((one.title,))} {order}".rstrip() for one in chosen[: replies.MAX_CHOICES]]
    return suggestions.offer_commands(request, commands, talk.AS_COMMAND)


async def _apply_to_own(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    """Find the workspaces that are meant and the time, and do or offer it."""
    which, old = reading.which, list[Account]()
    if (which.unknown or which.is_near) and not which.is_all:
        reading, old, rows = await _read_fresh_names(request, reading)
        which = reading.which
    request = await timing.read_time(request, reading)
    order = reading.hours or (await timing.write_once(request) if timing.is_planned_start(reading) else "")
    try:
        chosen, is_sure = await _choose_workspaces(request, reading, rows, old)
    except Answered:
        if not order or which.is_named or which.unknown or not rows:
            raise
        # Buttons that ask which would start them now.
        chosen, is_sure = rows, False
    return await _do_or_offer(request, reading, chosen, order, is_sure=is_sure)


async def _read_fresh_names(
    request: Request, reading: Reading
) -> tuple[Reading, list[Account], Sequence[Workspace]]:
    """Read names again that aren't known, and have outdated lists checked for them; raises Answered then."""
    old, rows = await targets.read_stale_and_rows(request)
    names = await read_names(request, rows)
    fresh = await run_beside_loop(
        rows, read, request.typed_words, request.folder, routes.list_verbs_by_folder(), names
    )
    if fresh.what != reading.what or reading.kind != fresh.kind:
        fresh = reading
    if rows and (fresh.which.unknown or fresh.which.is_near) and not fresh.which.is_beginning:
        connections = _list_connections(request, fresh)
        await require_links(request, connections)
        old = filter_by_connection(old, connections)
        promise = await refresh_lists(request, TaskKind.DISCOVER, answers.CHECKING, old=old)
        if promise:
            raise Answered(replies.answer(promise))
    return fresh, old, rows


def _list_connections(request: Request, reading: Reading) -> list[str]:
    """Return the connections that words name, by themselves or after a name (``NAME@CONNECTION``)."""
    names = [_get_object_text(reading), *request.typed_words]
    after = [naming.split_connection(name, request.services.connections)[1] for name in names]
    return [*reading.which.connections, *(connection for connection in after if connection is not None)]


async def _do_or_offer(
    request: Request, reading: Reading, chosen: Sequence[Workspace], order: str, *, is_sure: bool
) -> Answer:
    """Run or offer a verb for the chosen workspaces; ``order`` is its order about hours."""
    verb, which = reading.what, reading.which
    request.notes.note_workspaces(chosen)
    timing.refuse(request, reading, chosen)
    is_sure = is_sure and reading.manner is not Manner.TENTATIVE and decisions.has_exact_names(reading)
    if order or verb == "hours":
        return await _do_or_offer_hours(request, chosen, order, is_sure=is_sure)
    is_single = len(chosen) == 1 and not which.is_all and len(which.workspaces) < 2
    is_agreed = "yes" in request.flags and request.manner is Manner.TYPED and not request.more
    # Without a planned stop there is nothing to extend, and the answer says so.
    is_extending_nothing = request.more > 0 and is_single and chosen[0].stop_at is None
    confidence = decisions.find_confidence(
        which, is_single=is_single, is_clear=is_sure or is_extending_nothing, is_agreed=is_agreed
    )
    match decisions.find_answer_style(
        "one" if is_single else "several", confidence, decisions.find_kind(verb)
    ):
        case AnswerStyle.DONE | AnswerStyle.QUESTION as way:
            (workspace,) = chosen
            manner = Manner.TENTATIVE if way is AnswerStyle.QUESTION else request.manner
            return await routes.run(replace(request, target=workspace.id, row=workspace, manner=manner))
        case AnswerStyle.OFFERED:
            (workspace,) = chosen
            instead = {"start": "open", "stop": "status"}.get(verb) if request.at is None else None
            if instead and not await confirmations.filter_needed(request, chosen):
                return await routes.run(request.redirect("workspace", instead, (), workspace.id))
            if "share" in request.flags and request.at is None:
                return suggestions.offer_as_command(request.redirect("workspace", verb, (workspace.title,)))
            return await confirmations.offer_for_one(request, workspace)
        case AnswerStyle.LIST:
            return await questions.answer_list(request, chosen)
        case AnswerStyle.AT_ONCE if confirmations.can_do_several(request):
            needed = await confirmations.filter_needed(request, chosen)
            return await do_at_once(request, confirmations.find_verb(request), needed)
    return await confirmations.offer_for_several(
        request, chosen, is_named=bool(which.workspaces), besides=which.besides
    )


async def _choose_workspaces(
    request: Request, reading: Reading, rows: Sequence[Workspace], old: Sequence[Account]
) -> tuple[Sequence[Workspace], bool]:
    """Return the workspaces of a verb, and whether they are certain; raises Answered with a question."""
    which, effect = reading.which, find_verb("workspace", reading.what).effect
    match decisions.find_selection_mode(reading):
        case SelectionMode.NAMED:
            connections = which.connections
            groups = [
                await targets.filter_by_connections(request, group, connections, rows)
                for group in which.workspaces
            ]
            if many := next((group for group in groups if len(group) > 1), None):
                raise Answered(targets.ask_which_of_these(request, many, rows, _get_object_text(reading)))
            by_id = {group[0].id: group[0] for group in groups}
            return list(by_id.values()), len(by_id) == 1
        case SelectionMode.ALL:
            candidates = [
                workspace for workspace in rows if which.connections in {(), (workspace.connection,)}
            ]
            fitting = [
                workspace
                for workspace in candidates
                if not which.state or targets.is_in(workspace, which.state)
            ]
            recent = (await chat.read_recent_referents(request, rows)).workspaces if which.is_rest else ()
            besides = {workspace.id for workspace in which.besides or recent}
            return [workspace for workspace in fitting if workspace.id not in besides], False
        case SelectionMode.UNKNOWN:
            await require_links(request, which.connections)
            others = _drop_ruled_out(rows, which)
            if reading.when or reading.hours:
                # No run takes a time, so that none is suggested.
                request = replace(request, text=_get_object_text(reading))
            raise Answered(await targets.answer_unknown_name(request, _get_object_text(reading), others, old))
        case SelectionMode.POINTED:
            chosen, is_sure = await _resolve_pronoun(request, reading, _drop_ruled_out(rows, which))
            return chosen, is_sure and not which.besides
    # The only one is as good as a name; the only other one isn't.
    is_sure = reading.manner is not Manner.TENTATIVE and (effect is not Effect.ENDS or len(rows) == 1)
    return [await _choose_default(request, _drop_ruled_out(rows, which))], is_sure and not which.besides


def _drop_ruled_out(rows: Sequence[Workspace], which: Which) -> list[Workspace]:
    """Return the workspaces that aren't ruled out: ``stop not report``."""
    return [workspace for workspace in rows if workspace not in which.besides]


def _get_object_text(reading: Reading) -> str:
    """Return the words in the place of a name, without courtesy around them."""
    given = [word for word in reading.words if not word.startswith("--")]
    while given and fold_word(given[0]) in vocabulary.BEFORE_A_NAME:
        given = given[1:]
    return " ".join(given).rstrip(",;:!?….") or " ".join(reading.which.unknown)


async def _resolve_pronoun(
    request: Request, reading: Reading, rows: Sequence[Workspace]
) -> tuple[Sequence[Workspace], bool]:
    """Return the workspaces that *it*, *the second one* or *the one on the hub* means in the conversation."""
    which = reading.which
    recent = await chat.read_recent_referents(request, rows)
    named, workspaces_ = recent.workspaces, recent.resolve(which, rows)
    if which.place:
        if not workspaces_:
            raise Answered(chat.answer_no_such_entry(request, recent.listed))
        return workspaces_, True
    if recent.runs and which.points and not named:
        answer = await _apply_to_run(request, reading, recent.runs[0])
        raise Answered(replies.with_remarks(answer, describe_left_out(reading)))
    if not workspaces_ and which.points == "them":
        workspaces_ = await _list_last_done(request, rows)
    was_pointed_at = bool(workspaces_)
    if not workspaces_:
        connections = which.connections
        workspaces_ = (
            await targets.list_on_connections(request, connections, rows) if connections else list(rows)
        )
    fitting = await confirmations.filter_needed(request, workspaces_)
    if which.points == "them":
        if was_pointed_at or (len(fitting) == 2 and all(workspace in fitting for workspace in named)):
            return workspaces_, False
        # One button would be an answer to something else.
        raise Answered(targets.ask_which_of_all(request, fitting if len(fitting) > 1 else rows))
    if len(workspaces_) == 1:
        is_there = bool(which.connections) and reading.manner is Manner.TYPED
        return workspaces_, bool(named) or is_there or len(rows) == 1
    if (named or which.connections) and len(fitting) == 1:
        return fitting, False
    raise Answered(targets.ask_which_of_all(request, fitting or workspaces_ or rows))


async def _list_last_done(request: Request, rows: Sequence[Workspace]) -> list[Workspace]:
    """Return the workspaces of the last acts here if these are several."""
    conversation = (request.surface.channel_id or "", request.surface.thread_ts or "")
    keys = {
        row.subject
        for row in await request.services.store.read(
            undoable_actions.list_recent_actions, request.principal, *conversation
        )
    }
    matching = [row for row in rows if row.id in keys]
    return matching if len(matching) > 1 else []


async def _choose_default(request: Request, rows: Sequence[Workspace]) -> Workspace:
    """Return the workspace of a request without a name: the only, the default or the last one; or ask."""
    if not rows:
        old, rows = await targets.read_stale_and_rows(request)
        if not rows:
            raise Answered(await targets.answer_without_workspaces(request, old))
    is_free = request.verb not in {"forget", "remove"}
    if len(rows) == 1 and is_free:
        return rows[0]
    if request.verb in _FOLLOWS_DEFAULT:
        default_id = (await find_defaults(request)).workspace_id
        default = next((workspace for workspace in rows if workspace.id == default_id), None)
        if default is not None:
            return default
    effect = find_verb("workspace", request.verb).effect
    recent = (await chat.read_recent_referents(request, rows)).workspaces
    if len(recent) == 1 and effect is not Effect.ENDS:
        return recent[0]
    fitting = await confirmations.filter_needed(request, rows)
    is_offered = (
        effect is Effect.ENDS
        and is_free
        and find_verb("workspace", confirmations.find_verb(request)).offer.button
    )
    if is_offered and len(fitting) == 1:
        raise Answered(await confirmations.offer_for_one(request, fitting[0]))
    raise Answered(targets.ask_which_of_all(request, fitting or rows))


async def _apply_to_run(request: Request, reading: Reading, run: Run) -> Answer:
    """Apply a verb of workspaces to a run."""
    verb = find_verb("workspace", reading.what).of_run.removeprefix("run")
    request.notes.note_run(run.id)
    if reading.when is not None or reading.more or reading.hours:
        return timing.answer_only_stops(request, [run.name])
    if reading.what in {"start", "restart", "resume"}:
        return lists.run_again(run, request.services.title(run.connection))
    if not verb:
        return suggestions.offer_commands(request, ["job list"])
    is_guess = reading.manner is Manner.TENTATIVE or not decisions.has_exact_names(reading)
    redirected = request.redirect("job", verb, (run.name,), run.id)
    return await routes.run(replace(redirected, manner=Manner.TENTATIVE if is_guess else Manner.TYPED))


# -- what refers to what was said before ---------------------------------------------------------------------


async def _answer_chat(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    if reading.what == "undo":
        is_stop = fold_word(request.typed_words[0]) == "stop"
        stop = read(("stop", "it"), "workspace", routes.list_verbs_by_folder())
        stopped = partial(_run_command, replace(request, verb="stop"), stop, rows)
        return await chat.decline_or_undo(request, stopped if is_stop else None)
    if reading.what not in {"yes", "nothing", "again"}:
        return suggestions.answer_chat(request, reading.what)
    about, named, _, runs = await chat.read_recent_referents(request)
    if reading.what == "again":
        return await _repeat_last(request, about, named)
    if reading.what == "nothing":
        request.notes.note_workspaces(named)
        return suggestions.answer_chat(request, "nothing")
    if about.takes_press:
        request.notes.about = about
        titles = [workspace.title for workspace in named]
        titles += [request.services.title(about.connection)] if about.connection else []
        return chat.answer_needs_click(request, [*titles, *(run.name for run in runs)])
    if about.ask and about.ask != "which":
        await request.services.store.write(cards.queue_messages, about.question, changed=True)
        request.notes.note_workspaces(named)
        return await _do_agreed(request, ButtonValue.from_text(about.ask))
    if about.ask == "which" and named:
        return targets.ask_which_of_all(replace(request, verb=about.verb or "status"), named)
    request.notes.note_workspaces(named)
    return chat.answer_unasked_yes(request, [workspace.title for workspace in named])


@guards("The policy decides, the audit remembers")
async def _do_agreed(request: Request, press: ButtonValue) -> Answer:
    """Run the action of an offered button; so far only words were authorised."""
    pressed = request.to_button_request(press)
    handler = routes.find_button_handler(pressed, press.name)
    assert handler is not None, "what was offered exists"
    await request.caller.authorise(pressed.verb)
    return await handler(pressed)


async def _cancel(request: Request) -> Answer:
    """Cancel the last workspace of the conversation if it is starting; otherwise undo the last action."""
    about, named, _, recent_runs = await chat.read_recent_referents(request)
    if len(named) == 1 and not about.ask and not about.takes_press:
        latest = await request.services.store.read(operations.find_latest_operation, named[0].id)
        if latest is not None and latest.is_open and not latest.verb.brings_down:
            request.notes.note_workspaces(named)
            return await routes.run(replace(request, target=named[0].id))
        if named[0].stop_at is not None:
            request.notes.note_workspaces(named)
            return await routes.run(request.redirect("workspace", "keep", (), named[0].id))
    if recent_runs and not named:
        run = recent_runs[0]
        request.notes.note_run(run.id)
        return await routes.run(request.redirect("job", "stop", (run.name,), run.id))
    return await chat.decline_or_undo(request)


async def _repeat_last(request: Request, about: Referents, named: Sequence[Workspace]) -> Answer:
    """Repeat the last request, or start the workspace that has failed; otherwise show everything."""
    if len(named) != 1:
        return await routes.run(request.redirect("workspace", "list", ()))
    request.notes.note_workspaces(named)
    verb = about.verb if about.verb in {"start", "restart", "resume", "open", "status"} else "status"
    verb = "start" if named[0].state is State.FAILED else verb
    return await routes.run(request.redirect("workspace", verb, (), named[0].id))


def describe_left_out(reading: Reading) -> list[str]:
    """Return sentences about words that name nothing, and about those that aren't understood."""
    which = reading.which
    if reading.how or which.is_theirs or reading.kind not in {"verb", "question", "several"}:
        return []
    unknown = [word for word in which.unknown if not any(word in phrase.split() for phrase in which.left_out)]
    parts = [
        (talk.SEVERAL_UNKNOWN, unknown[:5] if which.workspaces else []),
        (talk.LEFT_OUT, which.left_out[:5]),
    ]
    return [fill(template, names=suggestions.format_bold(names)) for template, names in parts if names]
