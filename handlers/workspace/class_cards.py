"""Class cards: posting a card, enrolling with its button (which anyone may click), and ending the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.domain import time_parsing
from bot.domain.courses import ClassCard
from bot.domain.forms import Choice, Form, FormProblems
from bot.domain.notices import Answer
from bot.domain.tasks import TaskKind
from bot.domain.time_parsing import Wanted
from bot.domain.workspaces import Workspace
from bot.messages.blocks import course_pages as drawn_courses
from bot.messages.blocks import courses as drawn
from bot.messages.blocks import kit, lists, replies
from bot.messages.blocks.buttons import open_buttons
from bot.messages.blocks.cards import format_opening
from bot.messages.blocks.forms import list_options
from bot.messages.blocks.kit import Element, Markup, fill, line, safe
from bot.messages.blocks.plans import format_timetable
from bot.messages.texts import courses as class_words
from bot.messages.texts import times
from bot.messages.texts import verbs as verb_words
from bot.messages.verb import Verb, list_former_verbs
from bot.services import course_changes, creation, naming, snapshots
from bot.services import course_readiness as readiness
from bot.services import courses as use_cases
from bot.services.accounts import find_account
from bot.services.creation import PersonalOffer
from bot.store import courses as class_rows
from bot.store import workspaces
from bot.support.cleaning import fold
from handlers.connections import format_titles, list_making_connections, require_connection
from handlers.linking import ask_for_username, offer_link
from handlers.requests import routes
from handlers.requests.command_line import Quoted, fold_word, join_words, parse_running_flags
from handlers.requests.request import Answered, InvalidFields, Request
from handlers.snapshots import read_cached_offer, refresh_lists, require_offer
from handlers.workspace import course_words as orders
from handlers.workspace import courses as verbs
from handlers.workspace.courses import require_teacher

#: Maximum number of templates to list if the one given is unknown.
MAX_TEMPLATES = 12
MAX_SUGGESTIONS = 3
MAX_SEATS: Final = 5_000
#: Maximum number of classes shown above the user's courses. Only the newest are shown.
MAX_CLASSES: Final = 8
MAX_TITLE_LENGTH: Final = 80
#: Minimum length of a class, in seconds. If it were shorter, its end would be announced before anyone had
#: enrolled.
MIN_CLASS_SECONDS: Final = 600.0


@routes.verb(
    Verb(
        usage="card [CONNECTION/TEMPLATE|NAME|TITLE]",
        summary="post a button that gives everyone in the channel their own workspace",
        more=(
            "`card` alone shows your classes and courses, and opens a form for another.",
            "In a class, *Show problems* says who is waiting, and *Stop all* ends it.",
            "`card TITLE` shows one course. In a course, workspaces are ready when a lesson begins.",
            "`card TITLE skip 24 Dec` leaves a lesson out; `card TITLE end` ends the class or course.",
        ),
        group="class",
        order=130,
        flags=None,
        accepts=("course", "words"),
        heard="course courses class classes lesson lessons",
        former={"courses [TITLE]": "card"},
        alone="Show my courses",
        does="Post a card for {rest}",
    )
)
async def post(request: Request) -> Answer:
    """Post a card in the channel of the request. Without arguments, show the user's courses."""
    services, surface = request.services, request.surface
    command = parse_card_command(request.text, services.commands)
    # The verb's former name was only for showing courses.
    is_former = any(fold_word(word) in list_former_verbs("workspace") for word in request.typed_words[:1])
    if is_former or not (command.what or command.flags):
        return await show_own_courses(request, command.what)
    zone = await services.store.zone(request.principal)
    if (answer := await _course_change(request, command)) is not None:
        return answer
    if surface.channel_id is None or surface.is_in_conversation:
        return replies.hint(class_words.IN_A_CHANNEL)
    stops_at = None if command.hours else read_end(command, zone, services.clock.now())
    today = datetime.fromtimestamp(services.clock.now(), zone).date()
    given = orders.build_timetable(command.hours, command.first, command.until or "", today)
    if command.hours and not given:
        command.problems["until" if command.until else "from"] = (
            "I can't read the course's days. Write them like `--from 7 January --until 12 February`; "
            "a course lasts a year at most."
        )
    others = await verbs.find_co_teachers(request, command.others) if command.others else frozenset()
    if not command.what:
        command.problems["what"] = request.fill(class_words.USAGE)
    if command.problems and surface.kind == "form":
        raise InvalidFields(command.problems)
    if command.problems:
        return replies.hint("\n".join(command.problems.values()))
    # ``CONNECTION`` and ``CONNECTION/TEMPLATE`` mean a template if the connection can create workspaces.
    # Anything else is a workspace's name.
    name, _, template = command.what.partition("/")
    connection = naming.find_connection(name, services.connections, is_whole=True)
    if connection is not None and connection in list_making_connections(services, "workspace"):
        draft = await _draft_from_template(request, connection, template.strip())
    else:
        draft = await _draft_from_name(request, command)
    given |= {"channel_id": surface.channel_id, "time_zone": zone.key, "stops_at": stops_at}
    given |= {"title": command.title or draft.title, "maximum": command.maximum, "co_teachers": others}
    card = await request.caller.run(use_cases.post, replace(draft, **given))
    reader = await request.find_zone()
    facts = await services.gatherer.describe_class(card, request.principal, zone=reader)
    then = request.fill("To see who isn't ready, or to end the class, type `{command}card`.")
    if command.hours:
        said = [fill(class_words.COURSE_POSTED, lessons=format_timetable(card, facts.now, facts.zone))]
        said += (
            [fill(class_words.CO_TEACHERS, who=await verbs.format_people(request, others))] if others else []
        )
        most, title = await request.caller.read(readiness.get_max_in_time, card), facts.connection_title
        said += [] if most is None else [fill(class_words.IN_TIME, count=f"{most:,}", title=title)]
        then = kit.join(said)
    elif stops_at is not None:
        then = kit.join([drawn.format_class_end(facts), then])
    channel = Markup(card.channel_id)
    posted = fill("Posting *{name}* in <#{channel}>.", name=card.title, channel=channel)
    return replies.answer(kit.join([posted, then]), drawn.list_end_buttons(facts))


@routes.action("card_form")
async def open_form(request: Request) -> Answer:
    """Open the form for a card. If no form can be opened, say what to type."""
    usage = replies.hint(request.fill(class_words.USAGE), [drawn_courses.card_button()])
    return replace(usage, view=await _build_form(request))


@routes.action("card_page")
async def turn_page(request: Request) -> Answer:
    """Switch between the pages of an open form: for a course, and for a single class."""
    return Answer(text=verb_words.OPEN_FORM, view=await _build_form(request, request.target or ""))


async def _build_form(request: Request, page: str = "") -> dict[str, Any]:
    surface, has_choices = request.surface, bool(await list_choices(request, is_read=True))
    channel = "" if surface.is_in_conversation else surface.channel_id or ""
    return drawn_courses.build_card_form(channel, page, has_choices=has_choices)


@routes.options("template")
async def search_templates(request: Request) -> list[dict[str, Any]]:
    """Return the choices (see ``list_choices``) that match the text typed so far."""
    needle = fold(request.name)
    return list_options([one for one in await list_choices(request) if needle in fold(one.label)])


async def list_choices(request: Request, *, is_read: bool = False) -> list[Choice]:
    """List the things a teacher can give everyone: templates, then the teacher's own workspaces by name.

    Each choice's value is what could be typed after ``card``. If ``is_read`` is true, also ask for
    templates that aren't cached yet to be read.
    """
    services, found = request.services, list[Choice]()
    for connection in list_making_connections(services, "workspace"):
        account = await find_account(request.caller, connection)
        snapshot = None if account is None else await read_cached_offer(request, account)
        if account is not None and snapshot is None and is_read:
            await request.caller.run(snapshots.request_templates, account)
        if snapshot is None:
            # The templates aren't known yet. The form's own template field will list them.
            found += [] if account is None else [Choice(f"{connection}/", services.title(connection))]
            continue
        offer = PersonalOffer(services.connections[connection], snapshot, "workspace", request.principal)
        form, title = creation.propose_defaults(offer.form, "")[1], services.title(connection)
        templates = [Choice(f"{connection}/{one.value}", f"{one.label} · {title}") for one in _offered(form)]
        found += templates or ([Choice(f"{connection}/", title)] if form.fields else [])
    rows = await services.store.perform(workspaces.read_workspaces, request.principal)
    names = dict.fromkeys(one.title for one in rows if "/" not in one.title)
    return [*found, *(Choice(name, f"Everyone's own {name}") for name in names)]


async def show_own_courses(request: Request, title: str = "") -> Answer:
    """Show the user's courses with this title. If there are none, show all of the user's courses."""
    named = await verbs.find_own_courses(request, title) if title else []
    own = await request.caller.read(course_changes.list_own_courses)
    shown = [(card, is_teacher) for card, is_teacher, rest in named if not rest]
    if not shown:
        classes = await request.caller.read(course_changes.list_classes)
        classes = [pair for pair in classes if pair[1] and not pair[0].is_over(request.services.clock.now())]
        taught = [pair for pair in own if pair[1]]
        shown = [*classes[:MAX_CLASSES], *(taught if taught or classes else own)]
    if not shown:
        return replace(drawn_courses.show_no_courses(request.command), view=await _build_form(request))
    facts = await request.services.gatherer.describe_courses(request.principal, shown)
    return replies.with_button(drawn_courses.answer_courses(facts), drawn_courses.card_button())


async def _course_change(request: Request, command: CardCommand) -> Answer | None:
    """Show or change the user's course that the words name.

    If the words are about a new card, return None.
    """
    if command.flags:
        return None
    said = request.name or command.what
    mine = await verbs.find_own_courses(request, said.rstrip("?!. "))
    shown = [(card, is_teacher) for card, is_teacher, rest in mine if not rest]
    if not shown and _is_quoted(request):
        return None
    if not shown:
        if (answer := await verbs.change_by_words(request, said)) is not None or not mine:
            return answer
        # Only teachers get the usage below. Members see their courses and what they can do.
        shown = [(card, is_teacher) for card, is_teacher, _ in mine if not is_teacher]
    if shown:
        return drawn_courses.answer_courses(
            await request.services.gatherer.describe_courses(request.principal, shown)
        )
    return replies.hint(request.fill(class_words.COURSE_USAGE, course=mine[0][0].title))


def _is_quoted(request: Request) -> bool:
    """Return whether a name in quotes is given, followed by nothing but options."""
    first, *others = request.arguments or ("",)
    return isinstance(first, Quoted) and (not others or others[0].startswith("--"))


async def _draft_from_name(request: Request, command: CardCommand) -> ClassCard:
    """Draft a card for workspaces with a given name.

    The card's connection is the one named after an @ or, if none is named, the only connection or that of the
    user's own workspace with this name. If no workspace of the user's begins with the name, the name may be a
    typo or part of a sentence. Unless it is quoted or a pattern, the card is then only offered, after cards
    for similar names.
    """
    services, what = request.services, command.what
    rows = await services.store.perform(workspaces.read_workspaces, request.principal)
    found = naming.find(what, rows, services.connections)
    is_deliberate = "*" in what or _is_quoted(request)
    # If the user has no workspaces, the name can only be that of someone else's workspace.
    is_sentence = len(request.arguments) > 1 and not command.flags
    is_strange = not found.is_named and not is_deliberate
    if is_strange and "/" in what:
        require_connection(request, what.partition("/")[0])
    if is_strange and (rows or is_sentence):
        near = [one.title for one in found.rows]
        commands = [f"card {command.format_for(name)}" for name in (*near[:MAX_SUGGESTIONS], Quoted(what))]
        sentence = request.fill(class_words.UNKNOWN_NAME, name=what)
        raise Answered(replies.hint(sentence, lists.list_command_buttons(commands, services.clock.now())))
    pattern, connection = naming.split_connection(what, services.connections)
    if connection is None and len(services.connections) == 1:
        connection = next(iter(services.connections))
    if connection is None:
        own = naming.find(pattern, rows, {}).only
        connection = None if own is None else own.connection
    if connection is None:
        known = format_titles(services, services.connections)
        sentence = request.fill(class_words.WHICH_CONNECTION, name=pattern, known=known)
        raise _refuse_card(request, sentence)
    return ClassCard(request.principal, "", connection, pattern[:MAX_TITLE_LENGTH], pattern=pattern)


async def _draft_from_template(request: Request, connection: str, template: str) -> ClassCard:
    title = request.services.title(connection)
    offer = await require_offer(
        request, connection, "workspace", asking=class_words.READING_OFFER, nothing=class_words.NO_OFFER
    )
    values, form, label = creation.propose_defaults(offer.form, template)
    if not form.fields:
        raise _refuse_card(request, request.fill(class_words.NO_TEMPLATES, title=title))
    known = _list_choices(form)
    if template and not label:
        wanting = class_words.NO_SUCH_TEMPLATE if known else class_words.NO_TEMPLATES
        sentence = request.fill(wanting, title=title, name=template, known=known)
        raise _refuse_card(request, sentence)
    try:
        spec = offer.spec(values | {"name": "usher-class"})
    except FormProblems as wrong:
        if known and not template:
            sentence = request.fill(class_words.WHICH_TEMPLATE, title=title, known=known)
            raise _refuse_card(request, sentence) from None
        said = Markup(" ".join(safe(one) for one in wrong.problems.values()))
        sentence = fill(class_words.INCOMPLETE, title=title, problems=said)
        raise _refuse_card(request, sentence) from None
    shown = label or title
    return ClassCard(request.principal, "", connection, shown[:MAX_TITLE_LENGTH], template=shown, spec=spec)


def _refuse_card(request: Request, sentence: str) -> Exception:
    if request.surface.kind == "form":
        return InvalidFields({"what": sentence})
    return Answered(replies.hint(sentence))


def _list_choices(form: Form) -> Markup:
    return Markup(", ".join(f"`{line(one.label, 40)}`" for one in _offered(form)[:MAX_TEMPLATES]))


def _offered(form: Form) -> Sequence[Choice]:
    return next((one.choices for one in form.fields if one.choices), ())


@dataclass(slots=True)
class CardCommand:
    """A parsed ``card`` command: its template or name, its flags, and what is wrong with them, by flag."""

    what: str
    flags: Sequence[tuple[str, str]] = ()
    title: str = ""
    until: str | None = None
    maximum: int | None = None
    hours: Wanted | None = None
    first: str = ""
    others: str = ""
    problems: dict[str, str] = field(default_factory=dict)

    def format_for(self, what: str) -> str:
        """Return the words after the verb for the same command, but with another template or name."""
        return " ".join([join_words([what]), *(f"--{flag} {value}" for flag, value in self.flags)])


def parse_card_command(text: str, commands: Mapping[str, str]) -> CardCommand:
    """Parse a ``card`` command. A flag's value extends to the next flag, so titles need no quotes."""
    what, flags = parse_running_flags(text, commands)
    command = CardCommand(what, flags)
    for flag, value in flags:
        match flag:
            case "title":
                command.title = " ".join(value.split())
                if not 1 <= len(command.title) <= MAX_TITLE_LENGTH:
                    command.problems["title"] = fill(class_words.LONG_TITLE, most=MAX_TITLE_LENGTH)
            case "until":
                command.until = value
            case "from":
                command.first = value
            case "with":
                command.others = value or " "
            case "hours":
                command.hours, problem = orders.read_timetable(value)
                if problem:
                    command.problems["hours"] = problem
            case "max":
                is_number = value.isascii() and value.isdecimal() and len(value) < 6
                command.maximum = int(value) if is_number else 0
                if not 1 <= command.maximum <= MAX_SEATS:
                    command.problems["max"] = fill(class_words.BAD_MAX, most=MAX_SEATS)
            case _:
                command.problems[flag] = fill(class_words.BAD_FLAG, flag=flag)
    return command


def read_end(command: CardCommand, zone: ZoneInfo, now: float) -> float | None:
    """Return when the class ends, in epoch seconds, or None if no end is given.

    If the end can't be read, return None and add an explanation to ``problems``.
    """
    given = command.until
    if given is None:
        return None
    found = time_parsing.read(given, zone, now, kind="time", soonest=MIN_CLASS_SECONDS)
    if isinstance(found, time_parsing.Moment):
        return found.at
    command.problems["until"] = replies.explain_unread_time(found, given, MIN_CLASS_SECONDS)
    return None


@routes.action("class_press")
@routes.action("class_join")
@routes.verb(
    Verb(
        usage="press CARD",
        summary="press a class card again once it can continue",
        order=150,
        is_hidden=True,
        accepts=("course",),
    )
)
async def enroll(request: Request) -> Answer:
    """Enroll the user, or continue an enrollment that was waiting for a link or a list."""
    surface, key = request.surface, request.target or request.name
    # Only a click on the card's own button tells in which message the card is.
    message_ts = surface.message_ts if request.verb == "class_press" else None
    pressed = await request.caller.run(use_cases.enroll, key, message_ts=message_ts)
    if pressed.result == "sought":
        # The list is outdated, so enrollment continues after it has been read again.
        sought = pressed.card
        promise = await refresh_lists(
            request,
            TaskKind.DISCOVER,
            "Looking for your workspace *{pattern}* on {title}. I'll carry on right after.",
            text=f"press {sought.id}",
            connection=sought.connection,
            pattern=_get_workspace_name(request, sought),
        )
        if promise:
            return replies.answer(promise)
        # The list has just been read, so go by what it contains.
        pressed = await request.caller.run(use_cases.enroll, key, message_ts=message_ts, is_list_fresh=True)
    card, wanted = pressed.card, pressed.target
    is_own = card.principal.key == request.principal.key
    match pressed.result:
        case "over":
            return replies.hint(request.fill(drawn.get_words(card).over[card.spec is not None]))
        case "full":
            places = times.format_count(card.maximum or 0, "place")
            who, template = await verbs.format_people(request, [card.principal.key]), class_words.FULL[is_own]
            return replies.hint(fill(template, name=card.title, places=places, who=who))
        case "noted" if wanted.waits_for == "unlinked":
            return await _offer_link(request, card, is_refused=wanted.is_refused)
    if wanted.workspace is None:
        is_many = wanted.waits_for == "many_workspaces"
        template = class_words.SEVERAL_MATCH if is_many else class_words.NO_WORKSPACE[is_own]
        title, who = (
            request.services.title(card.connection),
            await verbs.format_people(request, [card.principal.key]),
        )
        return replies.hint(
            request.fill(template, pattern=_get_workspace_name(request, card), title=title, who=who)
        )
    if card.is_course:
        facts = await request.services.gatherer.describe_workspace(wanted.workspace)
        rests = pressed.operation is not None and pressed.operation.creates_stopped
        made = await request.services.store.read(workspaces.find_workspace, wanted.workspace.id)
        ends = None if made is None else made.planned_stops.counts
        is_soon = ends is not None and ends.because == "lesson"
        making = class_words.ENROLLED_SOON if is_soon else class_words.ENROLLED_MAKING
        making = "I'm creating it now, without starting it." if rests else making
        now = fill(making, title=facts.connection_title) if wanted.workspace.is_provisional else ""
        is_on = pressed.result in {"started", "joined"}
        return drawn.answer_joined(card, facts, class_words.ENROLLED_NOW if is_on else now)
    if pressed.result == "running":
        return await _answer_running(request, wanted.workspace)
    return _answer_starting(request, wanted.workspace, pressed)


async def _offer_link(request: Request, card: ClassCard, *, is_refused: bool) -> Answer:
    """Offer to link the user's account.

    Enrollment waits for the link, and the teacher sees who is waiting.
    """
    services = request.services
    title = services.title(card.connection)
    if card.connection not in services.linked_by("token"):
        if card.connection not in services.linked_by("admin"):
            return replies.hint(fill(class_words.NOT_LINKED, title=title))
        asking = await ask_for_username(request, card.connection, f"press {card.id}")
        buttons = [one for one in kit.iterate_buttons(asking.blocks) if "value" in one]
        answer = replies.answer(fill(class_words.NOT_LINKED_ASK, title=title), buttons)
        return Answer(text=answer.text, blocks=answer.blocks, view=asking.view)
    template = class_words.LINK_REFUSED if is_refused else class_words.NOT_LINKED
    sentence = fill(template, title=title)
    return await offer_link(request, sentence, [card.connection], f"press {card.id}", is_relink=is_refused)


def _get_workspace_name(request: Request, card: ClassCard) -> str:
    return card.pattern or use_cases.get_workspace_stem(
        request.caller.context.need(card.connection), card.title
    )


async def _answer_running(request: Request, workspace: Workspace) -> Answer:
    facts = await request.services.gatherer.describe_workspace(workspace)
    sentence = f"{fill(class_words.WORKSPACE_RUNNING, name=workspace.title)} {format_opening(facts)}".rstrip()
    return replies.answer(sentence, open_buttons(facts))


def _answer_starting(request: Request, workspace: Workspace, pressed: use_cases.JoinResult) -> Answer:
    template = class_words.MAKING if workspace.is_provisional else class_words.STARTING
    if pressed.result == "joined":
        template = "Your workspace *{name}* on {title} is already on its way."
    sentences = [request.fill(template, workspace)]
    if pressed.target.beside and workspace.is_provisional:
        sentences.append(fill(class_words.NAME_IN_USE, name=pressed.target.beside))
    return replies.answer(kit.join([*sentences, "I'll message you when it's ready."]))


@routes.action("class_post")
async def post_again(request: Request) -> Answer:
    """Post the card again, unless it is certain that it was posted."""
    again = await request.caller.run(use_cases.post_again, request.target or "")
    return replies.answer("I'm posting it again." if again else "It's already there.", replaces=True)


async def draw_stop_button(request: Request, card_id: str) -> Element:
    """Return the *Stop all* button for the card's teacher or an administrator. It asks for confirmation."""
    card = await require_teacher(
        request, card_id, request.caller.read(use_cases.require_teacher, "class_stop", card_id)
    )
    return drawn.stop_button(await request.services.gatherer.describe_class(card, request.principal))


@routes.action("class_problems")
async def show_problems(request: Request) -> Answer:
    """Show who is waiting and why. Only the teacher or an administrator may see this."""
    services, key = request.services, request.target or ""
    card, found = await require_teacher(request, key, request.caller.read(use_cases.list_problems, key))
    people = await services.gatherer.find_names(
        request.principal, *(one.participant.principal for one in found)
    )
    zone = await request.find_zone()
    facts = await services.gatherer.describe_class(card, request.principal, zone=zone)
    counts = await services.store.read(class_rows.count_members, key)
    return drawn.render_problems(replace(facts, people=people, counts=counts), found)


@routes.action("class_stop")
async def stop_all(request: Request) -> Answer:
    """End the class: tell participants, and in five minutes stop all workspaces that they don't keep."""
    key = request.target or ""
    if (card := await request.caller.read(use_cases.find_visible_card, key)).is_course:
        return await verbs.end_course(request, card)
    closed = await require_teacher(request, key, request.caller.run(use_cases.stop_all, key))
    if closed is None or closed.stops_at is None:
        return replies.hint("The class is already being ended.")
    at = await request.format_time(closed.stops_at)
    return replies.answer(fill(class_words.CLASS_CLOSED, title=closed.title, at=at), replaces=True)
