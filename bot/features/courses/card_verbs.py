"""Class cards: posting one, pressing it (it acts for whoever presses and answers only them), ending it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain import time_parsing
from bot.domain.forms import Form, FormProblems
from bot.domain.notices import Answer
from bot.domain.tasks import TaskKind
from bot.domain.time_parsing import Wanted
from bot.domain.workspaces import Workspace
from bot.features.courses import messages as drawn
from bot.features.courses import page_messages as drawn_courses
from bot.features.courses import readiness, use_cases, verbs
from bot.features.courses import store as class_rows
from bot.features.courses import texts as class_words
from bot.features.courses.message_context import of_class, of_courses
from bot.features.courses.model import ClassCard, QueuePosition
from bot.features.courses.verbs import trainers
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.buttons import open_buttons
from bot.messages.blocks.cards import opening
from bot.messages.blocks.kit import Element, Markup, fill, line, safe
from bot.messages.texts import times
from bot.services import creation, naming
from bot.store import workspaces
from handlers import routes
from handlers.command_line import Quoted, join_words, parse_running_flags
from handlers.connections import format_titles, list_making_connections, require_connection
from handlers.linking import ask_for_username
from handlers.request import Answered, InvalidFields, Request
from handlers.snapshots import refresh_lists, require_offer

#: How many templates are listed if an unknown one was requested.
NAMED = 12
#: How many names are suggested for one that isn't known.
NEAR = 3
MOST: Final = 5_000
TITLE_MOST: Final = 80
#: In a shorter class, its end would be announced before anybody has pressed.
SOONEST_SECONDS: Final = 600.0


@routes.action("card_form")
@routes.verb("workspace", "card", flags=None, accepts=("course", "words"))
async def post(request: Request) -> Answer:
    """Write a card for the channel that the request came from; without words, open its form."""
    services, surface = request.services, request.surface
    asked = card_command(request.text, services.commands)
    if not (asked.what or asked.flags):
        channel = "" if surface.is_in_conversation else surface.channel_id or ""
        usage = replies.hint(request.fill(class_words.USAGE), [drawn_courses.card_button()])
        return replace(usage, view=drawn_courses.card_form(channel))
    zone = await services.store.zone(request.principal)
    if (answer := await _course_change(request, asked)) is not None:
        return answer
    if surface.channel_id is None or surface.is_in_conversation:
        return replies.hint(class_words.IN_A_CHANNEL)
    stops_at = None if asked.hours else ends_at(asked, zone, services.clock.now())
    today = datetime.fromtimestamp(services.clock.now(), zone).date()
    given = verbs.timetable(asked.hours, asked.first, asked.until or "", today)
    if asked.hours and not given:
        asked.problems["until" if asked.until else "from"] = class_words.BAD_DAYS
    others = await verbs.co_teachers(request, asked.others) if asked.others else frozenset()
    if not asked.what:
        asked.problems["what"] = request.fill(class_words.USAGE)
    if asked.problems and surface.kind == "form":
        raise InvalidFields(asked.problems)
    if asked.problems:
        return replies.hint("\n".join(asked.problems.values()))
    # Of a template, ``CONNECTION`` or ``CONNECTION/TEMPLATE``, where things can be made; otherwise of a name.
    name, _, template = asked.what.partition("/")
    connection = naming.find_connection(name, services.connections, is_whole=True)
    if connection is not None and connection in list_making_connections(services, "workspace"):
        draft = await _made_from(request, connection, template.strip())
    else:
        draft = await _pattern(request, asked)
    given |= {"channel_id": surface.channel_id, "time_zone": zone.key, "stops_at": stops_at}
    given |= {"title": asked.title or draft.title, "maximum": asked.maximum, "trainers": others}
    card = await request.caller.run(use_cases.post, replace(draft, **given))
    facts, ends = await of_class(services.gatherer, card, request.principal), class_words.POSTED_NO_END
    if asked.hours:
        said = [fill(class_words.COURSE_POSTED, lessons=drawn.timetable(card, card.time_zone))]
        said += [] if asked.until else [request.fill(class_words.TWENTY_WEEKS, course=card.title)]
        said += [fill(class_words.CO_TEACHERS, who=await verbs.named(request, others))] if others else []
        most, title = await request.caller.read(readiness.in_time, card), facts.connection_title
        said += [] if most is None else [fill(class_words.IN_TIME, count=f"{most:,}", title=title)]
        ends = " ".join(said)
    elif stops_at is not None:
        end = drawn.end_words(facts.effects, is_any=card.spec is None)
        ends = fill(class_words.POSTED_ENDS, at=kit.moment_at(stops_at, facts.now), **end)
    channel = Markup(card.channel_id)
    posted = fill(class_words.POSTED, name=card.title, channel=channel, ends=Markup(ends))
    return replies.answer(posted, drawn.end_buttons(facts))


async def _course_change(request: Request, command: CardCommand) -> Answer | None:
    """Show or change one's own course that the words mean, or offer to; None if they are about a new card.

    What has flags posts one, but who gives hours to a title, and not to a name, is asked which they meant.
    """
    is_quoted = isinstance(next(iter(request.arguments), ""), Quoted)
    if not command.flags:
        # A title alone in quotes is that of a new card.
        what = " ".join(request.arguments) if is_quoted else command.what
        mine = await verbs.own(request, what.rstrip("?!. "))
        shown = [(card, is_taught) for card, is_taught, rest in mine if not rest]
        if shown and not is_quoted:
            return drawn_courses.rooms(await of_courses(request.services.gatherer, request.principal, shown))
        return await verbs.by_words(request, what)
    text = " ".join(f"{flag} {value}" for flag, value in command.flags)
    rows, services = (
        await request.services.store.perform(workspaces.workspaces, request.principal),
        request.services,
    )
    is_name = naming.find(command.what, rows, services.connections).kind != "near" or "*" in command.what
    if is_name or is_quoted:
        return None
    now, folded = services.clock.now(), command.what.casefold()
    every = [
        card for card, is_taught, rest in await verbs.own(request, command.what) if is_taught and not rest
    ]
    found = [
        (card, text) for card in every if card.pattern.casefold() != folded and verbs.order(card, text, now)
    ]
    again = f"card {command.about(Quoted(command.what))}"
    sentence = fill(class_words.ANOTHER_COURSE, name=command.what)
    post = kit.button(class_words.POST_ANOTHER, lists.SAY, again)
    return verbs.choice(request, sentence, found, [post]) if found else None


async def _pattern(request: Request, command: CardCommand) -> ClassCard:
    """Find the connection of a name: given after an @, the only one, or where the name is known.

    A name that no workspace of the person begins with may be a slip or a sentence: unless it is in quotes or
    a pattern, a card for it is offered, after those for the names that are like it.
    """
    services, what = request.services, command.what
    rows = await services.store.perform(workspaces.workspaces, request.principal)
    found = naming.find(what, rows, services.connections)
    is_deliberate = "*" in what or isinstance(next(iter(request.arguments), ""), Quoted)
    # Who has no workspaces can only mean those of others.
    is_sentence = len(request.arguments) > 1 and what.split() == list(request.arguments)
    is_strange = found.kind == "near" and not is_deliberate
    if is_strange and "/" in what:
        require_connection(request, what.partition("/")[0])
    if is_strange and (rows or is_sentence):
        near = [one.title for one in found.workspaces]
        commands = [f"card {command.about(name)}" for name in (*near[:NEAR], Quoted(what))]
        sentence = request.fill(class_words.UNKNOWN_NAME, name=what)
        raise Answered(replies.hint(sentence, lists.command_buttons(commands)))
    pattern, connection = naming.split_connection(what, services.connections)
    if connection is None and len(services.connections) == 1:
        connection = next(iter(services.connections))
    if connection is None:
        found = naming.find(pattern, rows, {})
        connection = found.workspaces[0].connection if found.kind == "one" else None
    if connection is None:
        known = format_titles(services, services.connections)
        sentence = request.fill(class_words.WHICH_CONNECTION, name=pattern, known=known)
        raise _wrong(request, sentence)
    return ClassCard(request.principal, "", connection, pattern[:TITLE_MOST], pattern=pattern)


async def _made_from(request: Request, connection: str, template: str) -> ClassCard:
    """Fill in the provider's own form with its defaults; only the name differs for each person."""
    title = request.services.title(connection)
    offer = await require_offer(
        request, connection, "workspace", asking=class_words.ASKING, nothing=class_words.NO_OFFER
    )
    values, form, label = creation.proposed(offer.form, template)
    if not form.fields:
        raise _wrong(request, request.fill(class_words.NO_TEMPLATES, title=title))
    known = _known(form)
    if template and not label:
        wanting = class_words.NO_SUCH_TEMPLATE if known else class_words.NO_TEMPLATES
        sentence = request.fill(wanting, title=title, name=template, known=known)
        raise _wrong(request, sentence)
    try:
        spec = offer.spec(values | {"name": "usher-class"})
    except FormProblems as wrong:
        if known and not template:
            sentence = request.fill(class_words.WHICH_TEMPLATE, title=title, known=known)
            raise _wrong(request, sentence) from None
        said = Markup(" ".join(safe(one) for one in wrong.problems.values()))
        sentence = fill(class_words.INCOMPLETE, title=title, problems=said)
        raise _wrong(request, sentence) from None
    shown = label or title
    return ClassCard(request.principal, "", connection, shown[:TITLE_MOST], template=shown, spec=spec)


def _wrong(request: Request, sentence: str) -> Exception:
    """Return what says that no card can be about what was typed: at its field, where it is in a form."""
    if request.surface.kind == "form":
        return InvalidFields({"what": kit.bare(sentence)})
    return Answered(replies.hint(sentence))


def _known(form: Form) -> Markup:
    """List the choices of the form's first field that has any."""
    offered = next((one.choices for one in form.fields if one.choices), ())
    return Markup(", ".join(f"`{line(one.label, 40)}`" for one in offered[:NAMED]))


@dataclass(slots=True)
class CardCommand:
    """Hold what to make or start, and the flags; ``problems`` says what is wrong, by the flag.

    In one line: ``card TEMPLATE|NAME --title TEXT --until 17:00 --max 60``.
    """

    what: str
    flags: Sequence[tuple[str, str]] = ()
    title: str = ""
    until: str | None = None
    maximum: int | None = None
    hours: Wanted | None = None
    first: str = ""
    others: str = ""
    problems: dict[str, str] = field(default_factory=dict)

    def about(self, what: str) -> str:
        """Return it as it is typed after the verb, for something else."""
        return " ".join([join_words([what]), *(f"--{flag} {value}" for flag, value in self.flags)])


def card_command(text: str, commands: Mapping[str, str]) -> CardCommand:
    """Parse a command: a flag's words reach to the next flag, so titles need no quotes."""
    what, flags = parse_running_flags(text, commands)
    command = CardCommand(what, flags)
    for flag, value in flags:
        match flag:
            case "title":
                command.title = " ".join(value.split())
                if not 1 <= len(command.title) <= TITLE_MOST:
                    command.problems["title"] = fill(class_words.LONG_TITLE, most=TITLE_MOST)
            case "until":
                command.until = value
            case "from":
                command.first = value
            case "with":
                command.others = value or " "
            case "hours":
                command.hours = time_parsing.read_hours(value)
                if not verbs.is_timetable(command.hours):
                    command.problems["hours"] = class_words.BAD_HOURS
            case "max":
                is_number = value.isascii() and value.isdecimal() and len(value) < 6
                command.maximum = int(value) if is_number else 0
                if not 1 <= command.maximum <= MOST:
                    command.problems["max"] = fill(class_words.BAD_MAX, most=MOST)
            case _:
                command.problems[flag] = fill(class_words.BAD_FLAG, flag=flag)
    return command


def ends_at(command: CardCommand, zone: ZoneInfo, now: float) -> float | None:
    """Return when the class ends, in epoch seconds; None if no end was given.

    What is wrong with it is added to the command's problems.
    """
    given = command.until
    if given is None:
        return None
    found = time_parsing.read(given, zone, now, kind="time", soonest=SOONEST_SECONDS)
    if isinstance(found, time_parsing.Moment):
        return found.at
    command.problems["until"] = replies.unread(found, given, SOONEST_SECONDS)
    return None


#: Presses observed for a shorter time than this say nothing about how fast starts go.
ENOUGH_STARTS = 3


@routes.action("class_press")
@routes.action("class_join")
@routes.verb("workspace", "press", accepts=("course",))
async def press(request: Request) -> Answer:
    """Handle a press, or continue one that waited: link first, then make, start or open their workspace."""
    surface, key = request.surface, request.target or request.name
    # Only the card's own button says where the card stands.
    message_ts = surface.message_ts if request.verb == "class_press" else None
    pressed = await request.caller.run(use_cases.press, key, message_ts=message_ts)
    if pressed.result == "sought":
        # The press continues once an outdated list was read again.
        sought = pressed.card
        promise = await refresh_lists(
            request,
            TaskKind.DISCOVER,
            class_words.LOOKING,
            text=f"press {sought.id}",
            connection=sought.connection,
            pattern=_sought(request, sought),
        )
        if promise:
            return replies.answer(promise)
        # Whatever the list says now is all there is to know.
        pressed = await request.caller.run(use_cases.press, key, message_ts=message_ts, has_looked=True)
    card, wanted = pressed.card, pressed.target
    match pressed.result:
        case "over":
            return replies.hint(request.fill(drawn.words_of(card).over[card.spec is not None]))
        case "full":
            places = times.counted(card.maximum or 0, "place")
            who = await verbs.named(request, [card.principal.key])
            return replies.hint(fill(class_words.FULL, name=card.title, places=places, who=who))
        case "noted" if wanted.waits_for == "unlinked":
            return await _linking(request, card, is_refused=wanted.is_refused)
    if wanted.workspace is None:
        template = class_words.MANY if wanted.waits_for == "many_workspaces" else class_words.NO_WORKSPACE
        title, who = (
            request.services.title(card.connection),
            await verbs.named(request, [card.principal.key]),
        )
        return replies.hint(request.fill(template, pattern=_sought(request, card), title=title, who=who))
    if card.is_course:
        facts = await request.services.gatherer.of_workspace(wanted.workspace)
        rests = pressed.operation is not None and pressed.operation.rests
        made = await request.services.store.read(workspaces.workspace, wanted.workspace.id)
        ends = None if made is None else made.ends.counts
        is_soon = ends is not None and ends.because == "lesson"
        making = class_words.ENROLLED_SOON if is_soon else class_words.ENROLLED_MAKING
        making = class_words.ENROLLED_RESTS if rests else making
        now = fill(making, title=facts.connection_title) if wanted.workspace.is_provisional else ""
        is_on = pressed.result in {"started", "joined"}
        return drawn.joined(card, facts, class_words.ENROLLED_NOW if is_on else now)
    if pressed.result == "running":
        return await _opened(request, wanted.workspace)
    return _on_its_way(request, card, wanted.workspace, pressed)


async def _linking(request: Request, card: ClassCard, *, is_refused: bool) -> Answer:
    """Answer with the presser's own link; the press waits for it, and the trainer sees them waiting."""
    services = request.services
    title = services.title(card.connection)
    if card.connection not in {name for name, _ in services.list_linkable()}:
        if card.connection not in services.list_approvable():
            return replies.hint(fill(class_words.NOT_LINKED, title=title))
        asking = await ask_for_username(request, card.connection, f"press {card.id}")
        buttons = [one for one in kit.buttons_of(asking.blocks) if "value" in one]
        answer = replies.answer(fill(class_words.NOT_LINKED_ASK, title=title), buttons)
        return Answer(text=answer.text, blocks=answer.blocks, view=asking.view)
    template = class_words.LINK_REFUSED if is_refused else class_words.NOT_LINKED
    buttons = replies.link_buttons([(card.connection, title)], f"press {card.id}")
    return replies.answer(fill(template, title=title), buttons)


def _sought(request: Request, card: ClassCard) -> str:
    """Return what a person's workspace is called that a card is about."""
    return card.pattern or use_cases.workspace_stem(request.caller.context.need(card.connection), card.title)


async def _opened(request: Request, workspace: Workspace) -> Answer:
    """Return the workspace's address: to the presser alone, like every answer to a press."""
    facts = await request.services.gatherer.of_workspace(workspace)
    sentence = f"{fill(class_words.RUNNING, name=workspace.title)} {opening(facts)}".rstrip()
    if facts.ide_url:
        return replies.opening(facts, sentence)
    return replies.answer(sentence, open_buttons(facts))


def _on_its_way(
    request: Request, card: ClassCard, workspace: Workspace, pressed: use_cases.JoinResult
) -> Answer:
    wanted = pressed.target
    template = class_words.MAKING if workspace.is_provisional else class_words.STARTING
    if pressed.result == "joined":
        template = class_words.ON_ITS_WAY
    sentences = [request.fill(template, workspace)]
    if wanted.beside and workspace.is_provisional:
        sentences.append(fill(class_words.BESIDE, name=wanted.beside))
    if pressed.queue is not None:
        settings = request.caller.context.need(card.connection).settings
        sentences += _place(pressed.queue, settings.starts_per_second)
    return replies.answer(" ".join([*sentences, class_words.NEEDED_AFTER]))


def _place(queue: QueuePosition, per_second: float | None) -> list[str]:
    """Return how many come first and how long that takes: by the connection's limit, or the pace so far."""
    if not queue.ahead:
        return [class_words.FIRST]
    sentences = [fill(class_words.PLACE, place=Markup(str(queue.ahead + 1)))]
    rate = per_second
    if rate is None and queue.called >= ENOUGH_STARTS:
        rate = queue.called / max(queue.seconds, 1.0)
    if rate:
        sentences.append(
            fill(class_words.ESTIMATE, time=Markup(times.duration(max(queue.ahead / rate, 1.0))))
        )
    return sentences


@routes.action("class_post")
async def post_again(request: Request) -> Answer:
    """Send the card again, unless it is known to have been posted."""
    again = await request.caller.run(use_cases.post_again, request.target or "")
    return replies.answer(class_words.POSTED_AGAIN if again else class_words.STANDS_ALREADY, replaces=True)


@routes.button("class_stop")
async def stop_button(request: Request, card_id: str) -> Element:
    """Return *Stop all* with its question, for the card's trainer or an administrator."""
    card = await trainers(request, card_id, request.caller.read(use_cases.owned, "class_stop", card_id))
    return drawn.stop_button(await of_class(request.services.gatherer, card, request.principal))


@routes.action("class_problems")
async def show_problems(request: Request) -> Answer:
    """Tell the trainer, and nobody else, who is waiting and why."""
    return await problems_of(request, request.target or "")


async def problems_of(request: Request, key: str) -> Answer:
    """Return the same about a card."""
    services = request.services
    card, found = await trainers(request, key, request.caller.read(use_cases.problems_of, key))
    people = await services.names.of(request.principal, *(one.press.principal for one in found))
    facts = await of_class(services.gatherer, card, request.principal)
    counts = await services.store.read(class_rows.class_counts, key)
    return drawn.problems_of(replace(facts, people=people, counts=counts), found)


@routes.action("class_stop")
async def stop_all(request: Request) -> Answer:
    """End the class: participants are told now, and what they don't keep is stopped five minutes later."""
    services, key = request.services, request.target or ""
    if (card := await request.caller.read(use_cases.seen, key)).is_course:
        return await trainers(request, key, verbs.changed(request, card, ("end", {}, {})))
    closed = await trainers(request, key, request.caller.run(use_cases.stop_all, key))
    if closed is None or closed.stops_at is None:
        return replies.hint(class_words.CLOSED_ALREADY)
    return replies.answer(fill(class_words.CLOSED, at=kit.moment_at(closed.stops_at, services.clock.now())))
