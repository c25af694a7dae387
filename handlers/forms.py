"""Forms for what people make (workspaces, runs of jobs): opened, filled, redrawn, searched and submitted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from bot.domain.accounts import Account
from bot.domain.conversations import Referents
from bot.domain.forms import Field, Form, FormProblems, Purpose, Spec, Value, Values
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Where
from bot.messages.blocks import forms, kit, replies
from bot.messages.texts import verbs
from bot.services import runs, snapshots
from bot.services.accounts import own
from bot.services.creation import PersonalOffer, find_choice
from bot.services.naming import find_connection, leading_connection
from bot.services.operation_requests import create_workspace
from bot.store import forms as form_rows
from bot.support.cleaning import fold
from bot.support.errors import Refused, StoreError
from handlers import routes, suggestions
from handlers.command_line import written
from handlers.connections import leading, maker_of, makers
from handlers.defaults import find_defaults
from handlers.linking import linked
from handlers.payload import list_fields, parse_values
from handlers.request import SILENT, InvalidFields, Request
from handlers.services import Services
from handlers.snapshots import ask_for_offer, known_offer

log = structlog.get_logger(__name__)


#: What a person would have typed to open a form, for *Link*.
_VERBS: Mapping[Purpose, str] = {"workspace": "new", "job": "job run"}


@routes.verb("workspace", "new", accepts=("connection", "template"))
async def new(request: Request) -> Answer:
    """Open the form of the requested connection, filled with what was chosen last time.

    A template may be given as for a class card: ``CONNECTION/TEMPLATE``.
    """
    given = tuple(request.arguments)
    request.notes.about = Referents(ask="which")
    name, slash, template = given[0].partition("/") if given else ("", "", "")
    if slash and find_connection(name, request.services.connections, is_whole=True):
        given = tuple(word for word in (name, template, *given[1:]) if word)
    elif given and leading_connection(given, request.services.connections)[0] is None:
        offering = await find_offering(request, "workspace", " ".join(given))
        if len(offering) > 1:
            commands = [f"new {written((one, *given))}" for one in offering]
            return suggestions.offered(request, commands)
        given = (*offering, *given)
    return await open_form(request, "workspace", given)


async def find_offering(request: Request, purpose: Purpose, said: str) -> list[str]:
    """Return the connections whose form has a choice of this name, as far as their offers are known."""
    services, found = request.services, list[str]()
    for connection in makers(services, purpose):
        account = await own(request.caller, connection)
        known = None if account is None else await snapshots.templates(services.context, account)
        if known is not None:
            offer = PersonalOffer(services.connections[connection], known, purpose, request.principal)
            found += [connection] if find_choice(offer.form({}), said) else []
    return found


@routes.action("make")
async def make_pressed(request: Request) -> Answer:
    """Open the form that the button names."""
    purpose, _, connection = (request.target or "").partition(" ")
    for known in PURPOSES:
        if purpose == known:
            text = request.text or f"{_VERBS[known]} {connection}"
            return await open_form(replace(request, folder=known, text=text), known, (connection,))
    return replies.hint(verbs.OUTDATED)


async def open_form(request: Request, purpose: Purpose, words_given: tuple[str, ...] = ()) -> Answer:
    """Answer with the form; ``words_given`` are the connection and a template, both optional."""
    services = request.services
    words_given = await _usual(request, purpose, words_given)
    connection = maker_of(
        request, purpose, words_given, nowhere=verbs.NOWHERE[purpose], which=partial(_where, request, purpose)
    )
    template = " ".join(leading(request, words_given)[1]) if words_given else ""
    making = FormContext(connection, purpose, request.surface.channel_id or "")
    account = await linked(request, connection)
    snapshot = await known_offer(request, account)
    if snapshot is None:
        return await _loading(request, making, account, template)
    given = dict(await services.store.read(form_rows.remembered, request.principal, connection, purpose))
    values = {name: value_of(value) for name, value in given.items()}
    offer = PersonalOffer(services.connections[connection], snapshot, purpose, request.principal)
    if template:
        found = find_choice(offer.form({}), template)
        values |= {"template": template} if found is None else {found[0]: found[1].value}
    advises = services.context.installation.is_administrator(request.principal)
    view = view_of(offer, making, account, values, advises=advises)
    if request.surface.where is Where.FORM:
        return Answer(text=verbs.OPEN_FORM, view=view)
    return _with_button(kit.fill(verbs.READY, title=services.title(connection)), making, view)


async def _usual(request: Request, purpose: Purpose, given: tuple[str, ...]) -> tuple[str, ...]:
    """Complete what was given from the person's defaults, as far as those still exist."""
    wanted = await find_defaults(request)
    named = find_connection(given[0], request.services.connections) if given else wanted.connection
    is_usual = named == wanted.connection and named in makers(request.services, purpose)
    if len(given) > 1 or not is_usual:
        return given
    template = wanted.template if purpose == "workspace" else ""
    return (wanted.connection, template) if template else (wanted.connection,)


@routes.action("field")
async def redrawn(request: Request) -> Answer:
    """Redraw an open form after a change to a field that others depend on."""
    services = request.services
    making = FormContext.of_view(request.view, services)
    account, offer = await _known(services, request.principal, making)
    entered = parse_values(request.view)
    values = {name: value for name, value in entered.items() if making.proposed.get(name) != value}
    view = view_of(offer, making, account, values)
    return Answer(text=verbs.OPEN_FORM, view=view)


@routes.options("field")
async def choices(request: Request) -> list[dict[str, Any]]:
    """Return a field's choices in an open form for the letters typed so far."""
    services = request.services
    making = FormContext.of_view(request.view, services)
    _, offer = await _known(services, request.principal, making)
    asked = offer.form({**making.chosen, **parse_values(request.view)}).field(request.target or "")
    if asked is None:
        return []
    needle = fold(request.name)
    found = [one for one in asked.choices if needle in fold(one.label) or needle in fold(one.value)]
    return forms.options(found)


@routes.view("make")
async def submitted(request: Request) -> Answer:
    """Make what a submitted form describes; errors are shown at their fields."""
    making = FormContext.of_view(request.view, request.services)
    _, offer = await _known(request.services, request.principal, making)
    values = parse_values(request.view)
    try:
        spec = offer.spec(values)
    except FormProblems as wrong:
        raise InvalidFields(_at_fields(request, wrong)) from None
    await make(request, making, spec, offer.form(values), values)
    return SILENT


async def make(request: Request, making: FormContext, spec: Spec, form: Form, values: Values) -> None:
    """Write what to make, and remember what was filled in."""
    services, caller = request.services, replace(request.caller, channel_id=making.channel_id or None)
    if making.purpose == "workspace":
        await caller.run(create_workspace, making.connection, spec)
    else:
        await caller.run(runs.launch, making.connection, spec)
    kept = {one.name: values[one.name] for one in form.fields if one.remembers and one.name in values}
    try:
        await services.store.write(
            form_rows.remember, caller.principal, making.connection, making.purpose, kept
        )
    except StoreError as error:
        # It has been accepted: anybody who was told otherwise would ask for a second one.
        log.warning("values not remembered", reference=request.reference, problem=error)


def _where(request: Request, purpose: Purpose, able: list[str]) -> Answer:
    services = request.services
    buttons = [
        kit.button(
            kit.line(services.title(name)), kit.ButtonValue("make", f"{purpose} {name}", number=number)
        )
        for number, name in enumerate(able)
    ]
    return replies.answer(verbs.WHERE[purpose], buttons)


def open_button(purpose: Purpose, connection: str) -> dict[str, Any]:
    """Return the button that opens a form; its value is only keys."""
    return kit.button(verbs.OPEN_FORM, "make", f"{purpose} {connection}", style=kit.PRIMARY)


async def _loading(request: Request, making: FormContext, account: Account, template: str) -> Answer:
    """Have the offer read, and say so; the waiting command then fills the form that is open."""
    services = request.services
    title = services.title(making.connection)
    external_id = services.ids.new("form") if request.surface.trigger_id else None
    text = f"{'new' if making.purpose == 'workspace' else 'run'} {making.connection} {template}".rstrip()
    await ask_for_offer(
        request,
        account,
        verbs.NO_OFFER_ANSWER,
        buttons=[open_button(making.purpose, making.connection)],
        then=replace(request.defer(text), view=external_id, folder=making.purpose),
    )
    view = forms.sentence_view(making.purpose, kit.fill(verbs.LOADING, title=title), external_id=external_id)
    return _with_button(kit.fill(verbs.LOADING_ANSWER, title=title), making, view)


def _with_button(sentence: str, making: FormContext, view: dict[str, Any]) -> Answer:
    """Return the form, with words and a button in case it can't be opened right away."""
    answer = replies.answer(sentence, [open_button(making.purpose, making.connection)])
    return Answer(text=answer.text, blocks=answer.blocks, view=view)


async def _known(
    services: Services, principal: Principal, making: FormContext
) -> tuple[Account, PersonalOffer]:
    """Return the person's account and its offer; raises Refused if either is gone."""
    account = await own(services.create_caller(principal), making.connection)
    title = services.title(making.connection)
    if account is None or account.state != "active":
        sentence = verbs.NOT_LINKED.format(
            title=title, command=f"{services.find_slash_command('workspace')} "
        )
        raise Refused("account.none", sentence)
    snapshot = await snapshots.templates(services.context, account)
    if snapshot is None:
        raise Refused("form.outdated", verbs.OUTDATED)
    return account, PersonalOffer(
        services.connections[making.connection], snapshot, making.purpose, principal
    )


def view_of(
    offer: PersonalOffer, making: FormContext, account: Account, values: Values, *, advises: bool = False
) -> dict[str, Any]:
    """Return the form as it is shown, with the values that may still be shown; ``advises`` administrators."""
    form, provider = offer.form(values), offer.provider
    form = replace(form, note=form.advice or form.note) if advises else form
    fitting = {one.name: values[one.name] for one in form.fields if _fits(one, values)}
    shown = {one.name: one.initial for one in form.fields if one.initial} | fitting
    return forms.make_view(
        form,
        purpose=making.purpose,
        metadata=making.metadata(form, shown),
        title=provider.settings.title,
        username=account.username,
        values=fitting,
        has_people=not provider.links_by("none"),
        author=making.author,
    )


def _fits(one: Field, values: Values) -> bool:
    """Return whether a value may be shown again: only if it is still offered."""
    value = values.get(one.name)
    if value is None or forms.is_typed(one):
        return value is not None
    offered = {choice.value for choice in one.choices}
    return set(value if isinstance(value, tuple) else (value,)) <= offered


def _at_fields(request: Request, wrong: FormProblems) -> dict[str, str]:
    """Return the errors at their fields; an error of a hidden field goes to the first."""
    shown = dict(list_fields(request.view))
    first = next(iter(shown.values()), "")
    errors: dict[str, str] = {}
    for name, sentence in wrong.problems.items():
        place = shown.get(name, first)
        errors[place] = f"{errors[place]} {sentence}" if place in errors else sentence
    return errors


PURPOSES: tuple[Purpose, ...] = ("workspace", "job")


@dataclass(frozen=True, slots=True)
class FormContext:
    """Say what a form is for. The form carries it as keys, and it is authorised again each time."""

    connection: str
    purpose: Purpose
    channel_id: str = ""
    #: Who wrote the message that the command is from; empty for the person's own words.
    author: str = ""
    #: Values that other fields depend on: a search arrives without the contents of the form's inputs.
    chosen: Mapping[str, Value] = field(default_factory=dict)
    #: The defaults of text fields: left unchanged, they follow the choices in other fields.
    proposed: Mapping[str, Value] = field(default_factory=dict)

    def metadata(self, form: Form, values: Values) -> dict[str, Any]:
        """Return it as the form carries it, with the values that its other fields depend on."""
        chosen = {one.name: values[one.name] for one in form.fields if one.redraws and one.name in values}
        proposed = {
            one.name: one.initial
            for one in form.fields
            if forms.is_typed(one) and one.initial and values.get(one.name) == one.initial
        }
        return {
            "connection": self.connection,
            "purpose": self.purpose,
            "channel_id": self.channel_id,
            **({"author": self.author} if self.author else {}),
            "chosen": chosen,
            "proposed": proposed,
        }

    @classmethod
    def of_view(cls, view: Mapping[str, Any], services: Services) -> FormContext:
        """Read it back from a form; raises Refused for one of an earlier release or of a lost connection."""
        try:
            metadata = json.loads(str(view.get("private_metadata") or ""))
            connection, purpose = str(metadata["connection"]), metadata["purpose"]
            channel_id, author = (str(metadata.get(key) or "") for key in ("channel_id", "author"))
            chosen, proposed = (
                {str(name): value_of(value) for name, value in dict(metadata.get(key) or {}).items()}
                for key in ("chosen", "proposed")
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Refused("form.outdated", verbs.OUTDATED) from None
        if purpose not in ("workspace", "job") or connection not in makers(services, purpose):
            raise Refused("form.outdated", verbs.OUTDATED)
        return cls(connection, purpose, channel_id, author, chosen, proposed)


def value_of(value: Any) -> Value:
    """Return a remembered value in its original type: tuples come back from the store as lists."""
    return tuple(str(one) for one in value) if isinstance(value, (list, tuple)) else str(value)
