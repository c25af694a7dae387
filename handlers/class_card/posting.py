"""Posting a class card: what it makes or starts is resolved first, with the trainer's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.domain import moments
from bot.domain.models import Answer, FormProblems
from bot.messages.blocks import offers, replies
from bot.messages.blocks.classes import at, end_words
from bot.messages.blocks.limits import Markup, fill, line, safe
from bot.messages.texts import classes as words
from bot.services import filling, naming
from bot.services.classes import Draft
from bot.services.gather import class_effects
from handlers import routes
from handlers.class_card.command import TITLE_MOST, card_command, ends_at
from handlers.command_line import Quoted
from handlers.linking.connections import makers, named
from handlers.request import Answered
from handlers.waiting import offer_of

if TYPE_CHECKING:
    from bot.domain.models import Form
    from handlers.class_card.command import CardCommand
    from handlers.request import Request

#: How many templates are listed if an unknown one was requested.
NAMED = 12
#: How many names are suggested for one that isn't known.
NEAR = 3


@routes.verb("workspace", "card", flags=None)
async def post(request: Request) -> Answer:
    """Write a card for the channel that the request came from."""
    services, surface = request.services, request.surface
    if surface.is_direct or not surface.channel_id:
        raise Answered(replies.hint(words.IN_A_CHANNEL))
    asked = card_command(request.text, services.commands)
    person = await services.store.person(request.principal)
    zone = moments.zone_of(person.time_zone if person is not None else None)
    stops_at = ends_at(asked, zone, services.clock.now())
    if not asked.what:
        asked.problems.append(fill(words.USAGE, command=request.command))
    if asked.problems:
        raise Answered(replies.hint("\n".join(asked.problems)))
    draft = await _draft(request, asked)
    card = await services.classes.post(
        request.principal,
        Draft(
            channel_id=surface.channel_id,
            connection=draft.connection,
            title=asked.title or draft.title,
            pattern=draft.pattern,
            template=draft.template,
            spec=draft.spec,
            maximum=asked.maximum,
            time_zone=zone.key,
            stops_at=stops_at,
        ),
        interaction=surface.interaction,
        reference=request.reference,
    )
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
        raise Answered(replies.hint(sentence, offers.command_buttons(commands)))
    pattern, connection = naming.split_connection(what, services.connections)
    if connection is None and len(services.connections) == 1:
        connection = next(iter(services.connections))
    if connection is None:
        found = naming.find(pattern, rows, {})
        connection = found.workspaces[0].connection if found.kind == "one" else None
    if connection is None:
        known = named(services.connections)
        sentence = fill(words.WHICH_CONNECTION, name=pattern, command=request.command, known=known)
        raise Answered(replies.hint(sentence))
    return Draft("", connection, pattern[:TITLE_MOST], pattern=pattern)


async def _made_from(request: Request, connection: str, template: str) -> Draft:
    """Fill in the provider's own form with its defaults; only the name differs for each person."""
    title = request.services.title(connection)
    offer = await offer_of(request, connection, "workspace", asking=words.ASKING, nothing=words.NO_OFFER)
    values, form, label = filling.proposed(offer.form, template)
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
                connection=connection,
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
