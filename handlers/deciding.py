"""Decide what a message leads to: from what was read to what is done, offered, answered or explained.

| how sure it is | shows | starts | ends | makes |
|---|---|---|---|---|
| a request, and exactly one thing is named or pointed at | done | done | done | offered unless typed |
| a guess: a slip, a wish, a question whether to | done | offered | offered | offered |
| several | a list | one button | one button | said |
| forbidden, or on a condition | answered | nothing | nothing | nothing |

What ends for good asks in any case. A question is answered.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bot.domain.accounts import Account
from bot.domain.errands import Outcome
from bot.domain.notices import Answer, Spoken
from bot.domain.operations import Operation, OperationVerb
from bot.domain.outages import Reached
from bot.domain.runs import Run
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.cards import FORMS
from bot.messages.blocks.kit import AGREED, Markup, Press, fill, safe
from bot.messages.texts import answers, problems, talk, times
from bot.services import naming
from bot.support.guards import guards
from handlers import acts, mistyped, routes, talking
from handlers.command_line import plain, written
from handlers.connections import makers
from handlers.language import vocabulary
from handlers.language.names import Names
from handlers.language.reading import READ, TIMED, Reading, read
from handlers.language.words import Manner
from handlers.linking import all_linked
from handlers.request import WORDS, Answered, Request
from handlers.snapshots import refresh_lists
from handlers.workspace import hours, targets, timers
from handlers.workspace.operations import all_at_once, as_it_is

#: The verbs that mean a person's default workspace: none of them takes anything away.
_FOLLOWS_DEFAULT: Final = frozenset({"start", "open", "resume", "status"})
#: They ask before they do anything.
_ASKS: Final = frozenset({"cancel", "remove"})
_ABOUT_RUNS: Final = vocabulary.OF_JOBS | vocabulary.OUTPUTS | vocabulary.RESULTS


@routes.text("words")
async def answer(request: Request) -> Answer:
    """Answer what a person wrote, or do it."""
    reading, rows = await _understood(request)
    authorised = request.verb
    request = replace(
        request,
        verb=reading.what if reading.kind == "verb" else WORDS,
        folder=reading.folder or request.folder,
        arguments=reading.words,
        manner=reading.manner,
    )
    request.spoken.what = reading.what
    if request.verb != authorised:
        # It was authorised as what was typed; something else may be meant.
        await request.asked.authorise(request.verb)
    if mistyped.suspected(request) and (sentence := await mistyped.token_in(request)):
        return replies.hint(sentence)
    if not reading.is_foreign:
        return await _decided(request, reading, rows)
    try:
        said = await _decided(request, reading, rows)
    except Answered as early:
        said = early.answer
    about = await request.heard()
    if about.says_english or not said.text or reading.what == "foreign":
        return said
    request.spoken.says_english = True
    return replies.with_remarks(said, [talk.IN_ENGLISH])


async def _understood(request: Request) -> tuple[Reading, Sequence[Workspace]]:
    """Return what was read, with the names of what the person has; their runs are read only where needed."""
    services, given, verbs = request.services, request.arguments, routes.verbs_of_folders()
    first = plain(given[0]) if given else "list"
    if not given or (first in verbs[request.folder] and (request.folder == "job" or first not in READ)):
        return read(given, request.folder, verbs), ()
    if (whole := await targets.typed(request)) is not None:
        return whole, whole.which.named
    rows = await services.store.workspaces(request.principal)
    reading = read(given, request.folder, verbs, Names(rows, (), services.connections))
    which = reading.which
    is_of_runs = {plain(word) for word in given} & _ABOUT_RUNS and reading.kind != "talk"
    if is_of_runs or which.unknown or (reading.kind == "nothing" and not which.workspaces):
        runs = await services.store.runs(request.principal)
        if runs:
            reading = read(given, request.folder, verbs, Names(rows, runs, services.connections))
    return reading, rows


async def _decided(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    others = {"question": answered, "several": _one_each, "nothing": _followed}
    if reading.kind == "talk":
        return await _talked(request, reading, rows)
    if reading.kind in others:
        return await others[reading.kind](request, reading, rows)
    if wrong := await mistyped.wrong_flags(request):
        return mistyped.unknown_flag(request, wrong)
    is_of_hours = reading.what == "hours" and (reading.hours or not reading.which.is_nothing)
    if reading.folder == "workspace" and (reading.what in READ or is_of_hours):
        return await _commanded(request, reading, rows)
    nature = routes.nature(request.folder, request.verb)
    if nature.does is routes.Does.MAKES and reading.manner is not Manner.TYPED:
        return await _offered_to_make(request)
    return await routes.run(request)


async def _offered_to_make(request: Request) -> Answer:
    """Offer what makes something so that it works: with names in place of *it*, and connections."""
    given, services = request.arguments, request.services
    named, _ = naming.leading_connection(given, services.connections)
    _, heard, _, spoken_runs = await talking.heard(request)
    points = bool(given) and plain(given[0]) in vocabulary.IT
    if request.verb == "run" and given and named is None:
        every = await services.store.runs(request.principal)
        state = next((vocabulary.RUN_STATES[word] for word in given if word in vocabulary.RUN_STATES), "")
        known = [run for run in every if run.name == given[0] or run.state == state]
        if known := spoken_runs if points else known:
            request.spoken.of_run(known[0].id)
            return lists.run_again(known[0], services.title(known[0].connection))
        places = tuple(makers(services, "job"))
        request = replace(request, arguments=(*places, *given)) if len(places) == 1 else request
    elif request.verb == "new" and named is None:
        request = replace(request, arguments=())
    if points and len(heard) == 1:
        if request.verb == "run":
            return await targets.one(request.about("workspace", "start", ()), heard[0])
        request = replace(request, arguments=(heard[0].title, *given[1:]))
    return talking.as_command(request)


async def _one_each(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    """Offer each of several requests on its own."""
    blocks: list[kit.Block] = []
    for part in reading.parts:
        try:
            # Each is only offered, whatever the message agreed to.
            flags = request.flags - {AGREED}
            one = replace(
                request, verb=part.what, arguments=part.words, manner=Manner.ASKED, flags=flags, target=None
            )
            said = await _commanded(one, replace(part, manner=Manner.ASKED), rows)
        except Answered as early:
            said = early.answer
        blocks += said.blocks
    named = dict.fromkeys(one.id for part in reading.parts for one in part.which.named)
    request.spoken.about = Spoken(tuple(named), takes_press=True)
    return kit.answer([kit.section(talk.ONE_EACH), *blocks])


# -- a verb and what it is about ---------------------------------------------------------------------------


async def _commanded(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    which = reading.which
    if reading.how or _is_unread_time(reading):
        named = which.named or ((await talking.heard(request, rows)).workspaces if which.points else [])
        request.spoken.of(named)
        if which.runs and not named:
            return talking.run_left_alone(request, which.runs[0])
        return talking.left_alone(request, reading, named or rows[:1], is_named=bool(named))
    if which.is_theirs:
        return talking.theirs(request, which.named)
    if reading.what == "cancel" and (which.is_nothing or which.points or which.is_all):
        return await acts.cancelled(request)
    if which.runs and not which.workspaces:
        return await _of_run(request, reading, which.runs[0], is_sure=not which.is_near)
    if reading.what == "hours" and which.is_nothing and (with_hours := await hours.having(request, rows)):
        is_sure = reading.manner is not Manner.ASKED
        return await hours.ordered_or_offered(request, with_hours, reading.hours, is_sure=is_sure)
    if reading.what in {"status", "hours"} and which.is_nothing:
        return await routes.run(replace(request, arguments=()))
    old: Sequence[Account] = ()
    if (which.unknown or which.is_near) and not which.is_all:
        reading, old, rows = await _read_again(request, reading)
        which = reading.which
    is_place = which.connections and not (which.workspaces or which.points or which.unknown)
    if is_place and reading.what == "status":
        return await answered(request, replace(reading, what="health"), rows)
    request = await timers.timed(request, reading)
    order = reading.hours or (await hours.once(request) if timers.starts_later(reading) else "")
    try:
        chosen, is_sure = await _chosen(request, reading, rows, old)
    except Answered:
        if not order or which.is_named or which.unknown or not rows:
            raise
        # Buttons that ask which would start them now.
        chosen, is_sure = rows, False
    return await _done(request, reading, chosen, order, is_sure=is_sure)


async def _read_again(
    request: Request, reading: Reading
) -> tuple[Reading, Sequence[Account], Sequence[Workspace]]:
    """Read names again that aren't known, and have outdated lists checked for them; raises Answered then."""
    old, rows = await targets.old_and_rows(request)
    runs = await request.services.store.runs(request.principal)
    names = Names(rows, runs, request.services.connections)
    again = read(request.given, request.folder, routes.verbs_of_folders(), names)
    if again.what != reading.what or reading.kind != again.kind:
        again = reading
    if rows and (again.which.unknown or again.which.is_near) and not again.which.is_beginning:
        promise = await refresh_lists(request, TaskKind.DISCOVER, answers.CHECKING, old=old)
        if promise:
            raise Answered(replies.answer(promise))
    return again, old, rows


async def _done(
    request: Request, reading: Reading, chosen: Sequence[Workspace], order: str, *, is_sure: bool
) -> Answer:
    """Do a verb to what was chosen, or offer it; ``order`` is what it says about hours."""
    verb, which = reading.what, reading.which
    request.spoken.of(chosen)
    timers.refuse(request, reading, chosen)
    does = routes.nature("workspace", verb).does
    if order or verb == "hours":
        is_sure = is_sure and reading.manner is not Manner.ASKED
        return await hours.ordered_or_offered(request, chosen, order, is_sure=is_sure)
    if len(chosen) == 1 and not which.is_all and len(which.workspaces) < 2:
        (workspace,) = chosen
        # Without a planned stop there is nothing to extend, and the answer says so.
        only_says = request.more > 0 and workspace.stop_at is None
        is_guess = (reading.manner is Manner.ASKED or not is_sure) and not only_says
        if verb == "start" and is_guess and workspace.state is State.RUNNING and request.at is None:
            return await routes.run(request.about("workspace", "open", (), workspace.id))
        if does is routes.Does.SHOWS or verb in _ASKS or not is_guess:
            manner = Manner.ASKED if is_guess and verb in _ASKS else request.manner
            said = await routes.run(replace(request, target=workspace.id, row=workspace, manner=manner))
            return replies.with_remarks(said, targets.unknown_remarks(which))
        offered = await targets.one(request, workspace)
        return replies.with_remarks(offered, targets.unknown_remarks(which))
    if does is routes.Does.SHOWS and not which.unknown:
        return await listed(request, chosen)
    if "yes" in request.flags and request.manner is Manner.TYPED and not which.unknown and not request.more:
        needed = await targets.needed(request, chosen)
        if targets.is_known(request):
            return await all_at_once(request, targets.verb_of(request), needed)
    return await targets.several(request, chosen, which)


def _is_unread_time(reading: Reading) -> bool:
    """Return whether a time stands there that can't be read: ``at 5 past 6``."""
    return (
        reading.when is not None
        and reading.when.is_within
        and any(word[:1].isdigit() or plain(word) == "past" for word in reading.which.unknown)
    )


async def _chosen(
    request: Request, reading: Reading, rows: Sequence[Workspace], old: Sequence[Account]
) -> tuple[Sequence[Workspace], bool]:
    """Return what a verb is about, and whether that is sure; raises Answered with a question or a hint."""
    which, verb = reading.which, reading.what
    does = routes.nature("workspace", verb).does
    if which.is_described and does is routes.Does.ENDS:
        raise Answered(talking.described(request, _after_verb(reading), which.named))
    if which.workspaces:
        places = which.connections
        groups = [await targets.at_places(request, group, places, rows) for group in which.workspaces]
        if many := next((group for group in groups if len(group) > 1), None):
            raise Answered(targets.which_of_these(request, many, rows, _after_verb(reading)))
        found = {group[0].id: group[0] for group in groups}
        is_started = which.is_beginning and reading.manner is Manner.TYPED and does is routes.Does.STARTS
        is_sure = (not which.is_near or is_started) and not which.unknown and not which.left_out
        return list(found.values()), is_sure and len(found) == 1
    if which.is_all and which.unknown:
        raise Answered(talking.left_alone(request, replace(reading, how="if"), rows[:1], is_named=False))
    if which.is_all or (which.state and not which.unknown):
        there = [one for one in rows if which.connections in {(), (one.connection,)}]
        fitting = [one for one in there if not which.state or targets.is_in(one, which.state)]
        return [one for one in fitting if one not in which.besides], False
    if which.unknown:
        await all_linked(request, which.connections)
        raise Answered(await targets.unknown(request, _after_verb(reading), rows, old))
    if which.place or which.points or which.connections:
        return await _pointed(request, reading, rows)
    return [await _usual(request, rows)], reading.manner is not Manner.ASKED and does is not routes.Does.ENDS


def _after_verb(reading: Reading) -> str:
    """Return what stands where a name would, without courtesy around it."""
    given = [word for word in reading.words if not word.startswith("--")]
    while given and plain(given[0]) in vocabulary.BEFORE_A_NAME:
        given = given[1:]
    return " ".join(given).rstrip(",;:!?….") or " ".join(reading.which.unknown)


async def _pointed(
    request: Request, reading: Reading, rows: Sequence[Workspace]
) -> tuple[Sequence[Workspace], bool]:
    """Return what *it*, *the second one* or *the one on the hub* is: by what was last spoken of."""
    which = reading.which
    _, named, listed, runs = await talking.heard(request, rows)
    if which.place:
        one = counted(listed, which.place)
        if one is None:
            raise Answered(talking.not_counted(request, listed))
        return [one], True
    if runs and which.points and not named:
        raise Answered(await _of_run(request, reading, runs[0], is_sure=True))
    at = [one for one in named or rows if which.connections in {(), (one.connection,)}]
    if which.connections and not at:
        at = await targets.there(request, which.connections, rows)
    if which.points == "other" and len(named) == 1:
        at = [one for one in listed or rows if one not in named]
    fitting = await targets.needed(request, at)
    if which.points == "them" and (named or len(fitting) == 2):
        return at, False
    if len(at) == 1:
        return at, bool(named) or (bool(which.connections) and reading.manner is Manner.TYPED)
    if named and len(fitting) == 1:
        return fitting, False
    raise Answered(targets.which_of_all(request, fitting or at or rows))


async def _usual(request: Request, rows: Sequence[Workspace]) -> Workspace:
    """Return what is meant without a name: the only one, the default, or what was pointed at; or ask."""
    if not rows:
        old, rows = await targets.old_and_rows(request)
        if not rows:
            raise Answered(await targets.nothing_yet(request, old))
    is_free = request.verb not in {"forget", "remove"}
    if len(rows) == 1 and is_free:
        return rows[0]
    if request.verb in _FOLLOWS_DEFAULT:
        wanted = await request.services.store.preferences(request.principal)
        usual = next((one for one in rows if one.id == wanted.workspace_id), None)
        if usual is not None:
            return usual
    does = routes.nature("workspace", request.verb).does
    heard = (await talking.heard(request, rows)).workspaces
    if len(heard) == 1 and does is not routes.Does.ENDS:
        return heard[0]
    fitting = await targets.needed(request, rows)
    is_offered = does is routes.Does.ENDS and is_free and targets.verb_of(request) in talk.DO_ONE
    if is_offered and len(fitting) == 1:
        raise Answered(await targets.one(request, fitting[0]))
    raise Answered(targets.which_of_all(request, fitting or rows))


async def _of_run(request: Request, reading: Reading, run: Run, *, is_sure: bool) -> Answer:
    """Do to a run what a verb of workspaces says about it."""
    verb = {"stop": "stop", "cancel": "stop", "open": "status", "status": "status"}.get(reading.what, "")
    request.spoken.of_run(run.id)
    if reading.what in {"start", "restart", "resume"}:
        if reading.when is not None:
            return timers.only_stops(request, [run.name])
        return lists.run_again(run, request.services.title(run.connection))
    if not verb:
        return talking.offered(request, ["job list"])
    is_guess = reading.manner is Manner.ASKED or not is_sure
    asked = request.about("job", verb, (run.name,), run.id)
    return await routes.run(replace(asked, manner=Manner.ASKED if is_guess else Manner.TYPED))


# -- what refers to what was said before ---------------------------------------------------------------------


async def _talked(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    if reading.what == "undo":
        is_stop = plain(request.given[0]) == "stop"
        stop = read(("stop", "it"), "workspace", routes.verbs_of_folders())
        said = await acts.no(request, or_verb=is_stop)
        return said or await _commanded(replace(request, verb="stop"), stop, rows)
    if reading.what not in {"yes", "nothing", "again"}:
        return talking.small_talk(request, reading.what)
    about, named, _, runs = await talking.heard(request)
    if reading.what == "again":
        return await _again(request, about, named)
    if reading.what == "nothing":
        request.spoken.of(named)
        return talking.small_talk(request, "nothing")
    if about.takes_press:
        request.spoken.about = about
        titles = [one.title for one in named]
        titles += [request.services.title(about.connection)] if about.connection else []
        return talking.takes_press(request, [*titles, *(run.name for run in runs)])
    if about.ask and about.ask != "which":
        request.spoken.of(named)
        return await _agreed(request, Press.of_text(about.ask))
    if about.ask == "which" and named:
        return targets.which_of_all(replace(request, verb=about.what or "status"), named)
    request.spoken.of(named)
    return talking.not_asked(request, [one.title for one in named])


@guards("The policy decides, the audit remembers")
async def _agreed(request: Request, press: Press) -> Answer:
    """Do what was offered with a button; so far only words were authorised."""
    pressed = request.pressed(press)
    handler = routes.pressed(pressed, press.name)
    assert handler is not None, "what was offered exists"
    await request.asked.authorise(pressed.verb)
    return await handler(pressed)


async def _again(request: Request, about: Spoken, named: Sequence[Workspace]) -> Answer:
    """Do once more what was last done, or start what has failed; otherwise show everything."""
    if len(named) != 1:
        return await routes.run(request.about("workspace", "list", ()))
    request.spoken.of(named)
    verb = about.what if about.what in {"start", "restart", "resume", "open", "status"} else "status"
    verb = "start" if named[0].state is State.FAILED else verb
    return await routes.run(request.about("workspace", verb, (), named[0].id))


async def _followed(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    """Answer words without a verb: by what was spoken of before, by the names in them, or with hints."""
    which, about = reading.which, await request.heard()
    if which.is_theirs and which.named:
        return talking.theirs(request, which.named)
    is_short = not which.unknown
    if is_short and about.what in READ and _goes_on(reading, about):
        points = which if which.place or which.is_named else replace(which, points=which.points or "it")
        manner = Manner.ASKED if which.points == "other" else Manner.SAID
        again = replace(
            reading, kind="verb", what=about.what, folder="workspace", manner=manner, which=points
        )
        return await _commanded(replace(request, verb=about.what), again, rows)
    if which.named and reading.when is not None and is_short:
        return timers.only_stops(request, [one.title for one in which.named])
    if reading.what == "same" and which.named and about.what in READ:
        again = replace(reading, kind="verb", what=about.what, manner=Manner.ASKED)
        return await _commanded(replace(request, verb=about.what), again, rows)
    guess = await _mistyped_verb(request, reading, rows)
    is_clear = is_short and not which.is_near and (which.is_named or bool(which.points))
    if guess is not None and not is_clear:
        return guess
    if which.is_named or (is_short and (which.points or which.state)):
        follows = about.what == "health" if not which.named else about.what in {"why", "since", "until"}
        asked = about.what if follows and is_short else "state"
        request.spoken.what = asked
        return await answered(request, replace(reading, kind="question", what=asked), rows)
    if reading.is_foreign:
        return talking.small_talk(request, "foreign")
    if request.folder == "job" and len(request.arguments) == 1:
        return await routes.run(request.about("job", "status", request.arguments))
    return talking.not_understood(request)


def _goes_on(reading: Reading, about: Spoken) -> bool:
    """Return whether words answer the question which one, or say another place or time for the same."""
    which = reading.which
    if about.ask == "which" and (which.named or which.place or which.points or which.connections):
        return True
    if reading.when is not None:
        return bool(about.workspaces) and not which.named and about.what in TIMED
    return bool(which.place) or which.points == "other"


async def _mistyped_verb(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer | None:
    """Return what is offered where the first word may be a verb with a slip; None if it can't."""
    near = talking.near(request, plain(request.arguments[0])) if request.arguments else []
    if not near:
        return None
    if near[0] in READ and request.folder == "workspace" and not request.flags:
        names = Names(rows, (), request.services.connections)
        guessed = read((near[0], *reading.words[1:]), "workspace", routes.verbs_of_folders(), names)
        if guessed.how:
            return talking.left_alone(request, guessed, rows[:1], is_named=False)
        if guessed.verb and guessed.which.is_named:
            guessed = replace(guessed, manner=Manner.ASKED)
            return await _commanded(replace(request, verb=near[0], arguments=guessed.words), guessed, rows)
    return talking.unknown_verb(request)


_UP: Final = frozenset({State.RUNNING, State.STARTING})
#: What is asked about one workspace, beyond its state.
_MORE: Final = frozenset({"why", "since", "until", "length"})


async def answered(request: Request, reading: Reading, rows: Sequence[Workspace]) -> Answer:
    """Answer a question; what it mentions is never changed."""
    which = reading.which
    named = which.named
    if which.is_theirs:
        return talking.theirs(request, named)
    if which.connections and named:
        there = [one for one in named if one.connection in which.connections]
        named = there or named
    runs = list(which.runs)
    if not named and not runs and not which.quoted:
        named, runs = await _asked_about(request, reading, rows)
    if reading.topic:
        return await _on_topic(request, reading.topic, named)
    is_of_run = reading.what in {"result", "output"} and not named
    if runs or is_of_run:
        return await _of_runs(request, reading, runs)
    if named:
        request.spoken.of(named)
        return await _of_workspaces(request, reading, named)
    if which.connections and reading.what == "health":
        request.spoken.about = Spoken(connection=which.connections[0])
        return await health(request, which.connections[0])
    if which.quoted:
        old, rows = await targets.old_and_rows(request)
        return await targets.unknown(request.about("workspace", "status", ()), which.quoted, rows, old)
    is_about_yours = which.connections or which.state or which.is_all or reading.kind != "question"
    is_strange = any(plain(word) not in vocabulary.OF_LISTS for word in which.unknown)
    if which.unknown and not is_about_yours and (reading.what != "list" or is_strange):
        if reading.is_foreign:
            return talking.small_talk(request, "foreign")
        more = request.filled(answers.UNKNOWN_VERB_HELP)
        return replies.hint(talk.NOTHING_NAMED, more=more)
    await all_linked(request, which.connections)
    narrowed = [which.state] if which.state and reading.what == "list" else []
    narrowed += [written((connection,)) for connection in which.connections]
    return await routes.run(request.about("workspace", "list", tuple(narrowed)))


async def _asked_about(
    request: Request, reading: Reading, rows: Sequence[Workspace]
) -> tuple[list[Workspace], list[Run]]:
    """Return what a question that names nothing is about: what was last spoken of, if it points there."""
    which = reading.which
    is_open = reading.what in _MORE or bool(reading.topic)
    points = bool(which.points or which.place)
    is_about_all = not points and (bool(which.connections) or not is_open)
    if is_about_all or (which.state and not which.points) or (which.unknown and not reading.topic):
        return [], []
    _, named, listed, runs = await talking.heard(request, rows)
    if which.place:
        one = counted(listed, which.place)
        named = [one] if one is not None else []
    elif which.points == "other" and len(named) == 1:
        named = [one for one in listed or rows if one not in named]
    elif is_open and len(named) > 1 and not which.points:
        named = []
    if which.connections:
        named = [one for one in named if one.connection in which.connections]
    if named or runs:
        return named, [] if named else runs
    return (list(rows) if len(rows) == 1 and is_open and not reading.topic else []), []


def counted(listed: Sequence[Workspace], place: int) -> Workspace | None:
    """Return what stands at a place of a list, counted from its end if negative; None if nothing does."""
    at = place - 1 if place > 0 else len(listed) + place
    return listed[at] if 0 <= at < len(listed) else None


async def _of_workspaces(request: Request, reading: Reading, named: Sequence[Workspace]) -> Answer:
    if len(named) > 1:
        return await listed(request, named)
    (workspace,) = named
    about = request.about("workspace", "status", request.arguments, workspace.id)
    if reading.what not in _MORE:
        return await routes.run(about)
    services = request.services
    latest = await services.store.latest_operation(workspace.id)
    said = {"why": _why, "since": _since, "length": _since, "until": _until}[reading.what]
    return await as_it_is(about, workspace, more=said(request, workspace, latest))


async def listed(request: Request, named: Sequence[Workspace]) -> Answer:
    """Return a list of exactly these workspaces."""
    only = {
        "what": answers.WORKSPACES,
        "words": written([one.title for one in named]),
        "rows": [one.id for one in named],
    }
    return lists.workspace_list(await request.services.gatherer.of_all(request.principal, named), only=only)


def _why(request: Request, workspace: Workspace, latest: Operation | None) -> str:
    """Say why a workspace is as it is, as far as that is known."""
    now, title = request.services.clock.now(), request.services.title(workspace.connection)
    at = kit.moment_at(latest.ended_at or latest.created_at, now) if latest is not None else ""
    since = kit.moment(latest.created_at, now) if latest is not None else ""
    names = {"name": workspace.title, "title": title, "at": at, "since": since}
    if latest is not None and latest.is_open:
        held = f" {kit.held(latest.hold, now)}" if latest.hold else ""
        return fill(talk.WHY_UNDER_WAY, held=Markup(held), **names, **FORMS[latest.verb])
    # Then its state has just said so.
    is_said = workspace.state is State.FAILED and workspace.reason is not None
    if latest is not None and latest.outcome in {Outcome.FAILED, Outcome.REFUSED}:
        is_said &= problems.word_of(latest.cause) == "provider_failed"
        page = request.services.context.need(workspace.connection).page_url(workspace.remote_id)
        cause = safe(problems.sentence(latest.cause or "", title, has_page=bool(page)))
        cause = Markup("" if is_said else cause)
        return fill(talk.WHY_FAILED, cause=cause, **names, **FORMS[latest.verb]).strip()
    if is_said:
        return ""
    brought_down = latest is not None and latest.verb.brings_down and latest.outcome is Outcome.FULFILLED
    if workspace.state in _UP:
        if latest is not None and not brought_down and latest.verb is not OperationVerb.CREATE:
            return fill(talk.WHY_UP, **names)
        return fill(talk.WHY_UP_ELSEWHERE, **names)
    if problems.condition(workspace, title):
        return fill(talk.WHY_DETAIL, **names)
    if workspace.state is State.FAILED:
        return fill(talk.WHY_BROKEN, **names)
    if brought_down and latest is not None:
        return fill(talk.WHY_TIMER if latest.planned_for is not None else talk.WHY_STOPPED, **names)
    if workspace.up_at is not None:
        return fill(talk.WHY_ELSEWHERE, **(names | {"at": kit.moment_at(workspace.up_at, now)}))
    return fill(talk.WHY_UNKNOWN, **names)


def _since(request: Request, workspace: Workspace, latest: Operation | None) -> str:
    """Say since when a workspace is in its state, and how long that is."""
    now = request.services.clock.now()
    ended = latest.ended_at if latest is not None and latest.outcome is Outcome.FULFILLED else None
    if latest is not None and latest.is_open:
        return request.filled(talk.SINCE_BEGUN, workspace, since=kit.moment(latest.created_at, now))
    is_up = workspace.state is State.RUNNING
    if latest is not None and ended is not None and latest.verb.brings_down is is_up:
        ended = None
    if (since := ended or (workspace.started_at if is_up else workspace.down_at)) is not None:
        length = times.duration(max(now - since, 60.0))
        return request.filled(talk.SINCE, workspace, since=kit.moment(since, now), length=length)
    if not is_up and workspace.up_at is not None:
        return request.filled(talk.SINCE_LAST_UP, workspace, at=kit.moment_at(workspace.up_at, now))
    return request.filled(talk.SINCE_UNKNOWN, workspace)


def _until(request: Request, workspace: Workspace, latest: Operation | None) -> str:
    """Say what ends a workspace; when it is planned, its state says so."""
    if latest is not None and latest.is_open:
        return fill(talk.UNTIL_DONE, **FORMS[latest.verb])
    if workspace.state not in _UP:
        return request.filled(talk.UNTIL_DOWN, workspace)
    if workspace.stop_at is not None:
        return request.filled(talk.UNTIL, workspace, at=kit.day_moment(workspace.stop_at))
    if workspace.ends_at is not None:
        return request.filled(talk.UNTIL_ENDS, workspace, at=kit.day_moment(workspace.ends_at))
    typed, command = talking.typed_name(workspace.title), request.command_of("workspace")
    return request.filled(talk.UNTIL_NONE, workspace, typed=typed, command=command)


async def _of_runs(request: Request, reading: Reading, runs: Sequence[Run]) -> Answer:
    """Answer about a run: the one that is named or was spoken of, otherwise the newest."""
    if not runs:
        runs = (await talking.heard(request)).runs or await request.services.store.runs(request.principal)
    if not runs:
        return await routes.run(request.about("job", "status", ()))
    run = runs[0]
    request.spoken.of_run(run.id)
    if reading.what == "output":
        return await routes.run(request.about("job", "logs", (run.name,), run.id))
    return lists.run_status(await request.services.gatherer.of_run(run))


async def _on_topic(request: Request, topic: str, named: Sequence[Workspace]) -> Answer:
    """Answer what can't be done here, below the workspace that is meant."""
    said = talking.fact_of(request, topic)
    if len(named) != 1:
        return replies.hint(said)
    request.spoken.of(named)
    return await as_it_is(request, named[0], more=said)


async def health(request: Request, connection: str) -> Answer:
    """Say whether a connection answers."""
    services = request.services
    found = (await services.store.reached()).get(connection, Reached(connection))
    now, since, answered_at = services.clock.now(), found.silent_since, found.answered_at
    template = talk.CONNECTION_UP
    if since is not None:
        template = talk.CONNECTION_AWAY
    elif answered_at is not None:
        template = talk.CONNECTION_ANSWERED
    sentence = fill(
        template,
        title=services.title(connection),
        since=kit.moment(since or now, now),
        at=kit.moment_at(answered_at or now, now),
    )
    return replies.hint(sentence, lists.command_buttons([f"list {written((connection,))}"]))
