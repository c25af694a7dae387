"""Posting a class card: what it makes or starts is resolved first, with the trainer's own account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain import moments
from bot.domain.forms import Form, FormProblems
from bot.domain.notices import Answer
from bot.messages.blocks import lists, replies
from bot.messages.blocks.classes import at, end_words
from bot.messages.blocks.limits import Markup, fill, line, safe
from bot.messages.texts import classes as words
from bot.services import classes, making, naming
from bot.services.classes import Draft
from bot.services.gather import class_effects
from handlers import routes
from handlers.command_line import Quoted, running_flags, written
from handlers.linking.connections import makers, named
from handlers.request import Answered, Request
from handlers.waiting import offer_of

#: How many templates are listed if an unknown one was requested.
NAMED = 12
#: How many names are suggested for one that isn't known.
NEAR = 3
MOST: Final = 5_000
TITLE_MOST: Final = 80
#: In a shorter class, its end would be announced before anybody has pressed.
SOONEST_SECONDS: Final = 600.0


@routes.verb("workspace", "card", flags=None)
async def post(request: Request) -> Answer:
    """Write a card for the channel that the request came from."""
    services, surface = request.services, request.surface
    if surface.is_direct or not surface.channel_id:
        return replies.hint(words.IN_A_CHANNEL)
    asked = card_command(request.text, services.commands)
    person = await services.store.person(request.principal)
    zone = moments.zone_of(person.time_zone if person is not None else None)
    stops_at = ends_at(asked, zone, services.clock.now())
    if not asked.what:
        asked.problems.append(fill(words.USAGE, command=request.command))
    if asked.problems:
        return replies.hint("\n".join(asked.problems))
    draft = await _draft(request, asked)
    made = Draft(
        channel_id=surface.channel_id,
        connection=draft.connection,
        title=asked.title or draft.title,
        pattern=draft.pattern,
        template=draft.template,
        spec=draft.spec,
        maximum=asked.maximum,
        time_zone=zone.key,
        stops_at=stops_at,
    )
    card = await request.asked.to(classes.post, made)
    ends = words.POSTED_NO_END
    if stops_at is not None:
        end = end_words(
            class_effects(services.connections.get(card.connection), card), is_any=card.spec is None
        )
        ends = fill(words.POSTED_ENDS, at=at(card, stops_at, services.clock.now()), **end)
    return replies.answer(fill(words.POSTED, name=card.title, ends=Markup(ends)))


async def _draft(request: Request, command: CardCommand) -> Draft:
    """Tell templates from names: ``CONNECTION`` or ``CONNECTION/RECIPE``, where things can be made."""
    services = request.services
    name, slash, template = command.what.partition("/")
    connection = naming.find_connection(name, services.connections, is_whole=True)
    if connection is not None and connection in makers(services, "workspace"):
        return await _made_from(request, connection, template.strip() if slash else "")
    return await _pattern(request, command)


async def _pattern(request: Request, command: CardCommand) -> Draft:
    """Find the connection of a name: given after an @, the only one, or where the name is known.

    A name that no workspace of the person begins with may be a slip or a sentence: unless it is in quotes or
    a pattern, a card for it is offered, after those for the names that are like it.
    """
    services, what = request.services, command.what
    rows = await services.store.workspaces(request.principal)
    found = naming.find(what, rows, services.connections)
    is_deliberate = "*" in what or isinstance(next(iter(request.arguments), ""), Quoted)
    # Who has no workspaces can only mean those of others.
    is_sentence = len(request.arguments) > 1 and what.split() == list(request.arguments)
    if found.kind == "near" and (rows or is_sentence) and not is_deliberate:
        near = [one.title for one in found.workspaces]
        commands = [f"card {command.about(name)}" for name in (*near[:NEAR], Quoted(what))]
        sentence = fill(words.UNKNOWN_NAME, name=what, command=request.command)
        raise Answered(replies.hint(sentence, lists.command_buttons(commands)))
    pattern, connection = naming.split_connection(what, services.connections)
    if connection is None and len(services.connections) == 1:
        connection = next(iter(services.connections))
    if connection is None:
        found = naming.find(pattern, rows, {})
        connection = found.workspaces[0].connection if found.kind == "one" else None
    if connection is None:
        known = named(services, services.connections)
        sentence = fill(words.WHICH_CONNECTION, name=pattern, command=request.command, known=known)
        raise Answered(replies.hint(sentence))
    return Draft("", connection, pattern[:TITLE_MOST], pattern=pattern)


async def _made_from(request: Request, connection: str, template: str) -> Draft:
    """Fill in the provider's own form with its defaults; only the name differs for each person."""
    title = request.services.title(connection)
    offer = await offer_of(request, connection, "workspace", asking=words.ASKING, nothing=words.NO_OFFER)
    values, form, label = making.proposed(offer.form, template)
    if not form.fields:
        raise Answered(replies.hint(fill(words.NO_RECIPES, title=title, command=request.command)))
    known = _known(form)
    if template and not label:
        wanting = words.NO_SUCH_RECIPE if known else words.NO_RECIPES
        sentence = fill(wanting, title=title, name=template, known=known, command=request.command)
        raise Answered(replies.hint(sentence))
    try:
        spec = offer.spec(values | {"name": "usher-class"})
    except FormProblems as wrong:
        if known and not template:
            sentence = fill(
                words.WHICH_RECIPE,
                title=title,
                command=request.command,
                known=known,
            )
            raise Answered(replies.hint(sentence)) from None
        said = Markup(" ".join(safe(one) for one in wrong.problems.values()))
        sentence = fill(words.INCOMPLETE, title=title, problems=said)
        raise Answered(replies.hint(sentence)) from None
    shown = label or title
    return Draft("", connection, shown[:TITLE_MOST], template=shown, spec=spec)


def _known(form: Form) -> Markup:
    """List the choices of the form's first field that has any."""
    offered = next((one.choices for one in form.fields if one.choices), ())
    return Markup(", ".join(f"`{line(one.label, 40)}`" for one in offered[:NAMED]))


@dataclass(slots=True)
class CardCommand:
    """Hold what to make or start, and the flags; ``problems`` are sentences about what is wrong.

    In one line: ``card RECIPE|NAME --title TEXT --until 17:00 --max 60``.
    """

    what: str
    title: str = ""
    until: str | None = None
    maximum: int | None = None
    problems: list[str] = field(default_factory=list)

    def about(self, what: str) -> str:
        """Return it as it is typed after the verb, for something else."""
        given = [("title", self.title), ("until", self.until), ("max", self.maximum)]
        flags = [f"--{flag} {value}" for flag, value in given if value]
        return " ".join([written([what]), *flags])


def card_command(text: str, commands: Mapping[str, str]) -> CardCommand:
    """Parse a command: a flag's words reach to the next flag, so titles need no quotes."""
    what, flags = running_flags(text, commands)
    command = CardCommand(what)
    for flag, value in flags:
        _take(command, flag, value)
    return command


def _take(command: CardCommand, flag: str, value: str) -> None:
    match flag:
        case "title":
            command.title = " ".join(value.split())
            if not 1 <= len(command.title) <= TITLE_MOST:
                command.problems.append(fill(words.LONG_TITLE, most=TITLE_MOST))
        case "until":
            command.until = value
        case "max":
            is_number = value.isascii() and value.isdecimal() and len(value) < 6
            command.maximum = int(value) if is_number else 0
            if not 1 <= command.maximum <= MOST:
                command.problems.append(fill(words.BAD_MAX, most=MOST))
        case _:
            command.problems.append(fill(words.BAD_FLAG, flag=flag))


def ends_at(command: CardCommand, zone: ZoneInfo, now: float) -> float | None:
    """Return when the class ends, in epoch seconds; None if no end was given.

    What is wrong with it is added to the command's problems.
    """
    given = command.until
    if given is None:
        return None
    found = moments.read(given, zone, now, kind="time", soonest=SOONEST_SECONDS)
    if isinstance(found, moments.Moment):
        return found.at
    command.problems.append(replies.unread(found, given, SOONEST_SECONDS))
    return None
