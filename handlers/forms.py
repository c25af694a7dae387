"""Forms for new workspaces and runs: opening, filling in, redrawing, searching and submitting them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import structlog

from bot.domain.accounts import Account
from bot.domain.forms import Field, Form, FormProblems, Purpose, Spec, Value, Values
from bot.domain.notices import Answer
from bot.domain.people import Principal
from bot.domain.surfaces import Where
from bot.messages.blocks import forms, kit, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.texts import verbs
from bot.messages.verb import Verb
from bot.services import runs, snapshots
from bot.services.accounts import find_account
from bot.services.creation import PersonalOffer, find_choice
from bot.services.naming import find_connection, split_leading_connection
from bot.services.operation_requests import create_workspace
from bot.store import forms as form_rows
from bot.support.cleaning import fold
from bot.support.errors import Refused, StoreError
from handlers.connections import choose_making_connection, list_making_connections, require_leading_connection
from handlers.linking import require_account
from handlers.requests import routes, suggestions
from handlers.requests.command_line import join_words
from handlers.requests.payload import list_fields, parse_values
from handlers.requests.request import SILENT, InvalidFields, Request
from handlers.requests.services import Services
from handlers.snapshots import read_cached_offer, request_offer

log = structlog.get_logger(__name__)


#: Commands that open a form. If an account has to be linked first, the command runs again afterwards.
_OPENING_COMMANDS: Mapping[Purpose, str] = {"workspace": "new", "job": "job run"}


@routes.verb(
    Verb(
        usage="new [CONNECTION] [TEMPLATE]",
        summary="create a new workspace with a form",
        more=("The form shows what's available to you, filled in with your last choices.",),
        order=120,
        needs=("creation",),
        accepts=("template", "connection"),
        also="create make build provision",
        alone="New workspace",
        does="New workspace: {rest}",
    )
)
async def open_new_workspace_form(request: Request) -> Answer:
    """Open a connection's form, filled in with the values from last time.

    The words may name a template, too, as ``CONNECTION/TEMPLATE`` or as a separate word.
    """
    words = tuple(request.arguments)
    request.notes.is_question = True
    name, slash, template = words[0].partition("/") if words else ("", "", "")
    if slash and find_connection(name, request.services.connections, is_whole=True):
        words = tuple(word for word in (name, template, *words[1:]) if word)
    elif words and split_leading_connection(words, request.services.connections)[0] is None:
        offering = await find_offering(request, "workspace", " ".join(words))
        if len(offering) > 1:
            commands = [f"new {join_words((connection, *words))}" for connection in offering]
            return suggestions.offer_commands(request, commands)
        words = (*offering, *words)
    return await open_form(request, "workspace", words)


async def find_offering(request: Request, purpose: Purpose, name: str) -> list[str]:
    """Return the connections whose form, as last read, offers a choice with this name."""
    services, offering = request.services, list[str]()
    for connection in list_making_connections(services, purpose):
        account = await find_account(request.caller, connection)
        snapshot = None if account is None else await snapshots.load_templates(services.context, account)
        if snapshot is not None:
            offer = PersonalOffer(services.connections[connection], snapshot, purpose, request.principal)
            offering += [connection] if find_choice(offer.form({}), name) else []
    return offering


@routes.action("make")
async def open_form_of_button(request: Request) -> Answer:
    """Open the form that a button names."""
    named, _, connection = (request.target or "").partition(" ")
    purpose = next((known for known in _OPENING_COMMANDS if known == named), None)
    if purpose is None:
        return replies.hint(verbs.OUTDATED)
    text = request.text or f"{_OPENING_COMMANDS[purpose]} {connection}"
    return await open_form(replace(request, folder=purpose, text=text), purpose, (connection,))


async def open_form(request: Request, purpose: Purpose, words_given: tuple[str, ...] = ()) -> Answer:
    """Open a form. ``words_given`` may begin with a connection, followed by a template."""
    services = request.services
    connection = choose_making_connection(
        request,
        purpose,
        words_given,
        nowhere=verbs.NOWHERE[purpose],
        which=partial(_ask_for_connection, request, purpose),
    )
    template = " ".join(require_leading_connection(request, words_given)[1]) if words_given else ""
    form_context = FormContext(connection, purpose, request.surface.channel_id or "")
    account = await require_account(request, connection)
    snapshot = await read_cached_offer(request, account)
    if snapshot is None:
        return await _load_offer(request, form_context, account, template)
    given = dict(
        await services.store.read(form_rows.find_form_values, request.principal, connection, purpose)
    )
    values = {name: restore_value(value) for name, value in given.items()}
    offer = PersonalOffer(services.connections[connection], snapshot, purpose, request.principal)
    if template:
        choice = find_choice(offer.form({}), template)
        values |= {"template": template} if choice is None else {choice[0]: choice[1].value}
    advises = services.context.installation.is_administrator(request.principal)
    view = make_form_view(offer, form_context, account, values, advises=advises)
    if request.surface.where is Where.FORM:
        return Answer(text=verbs.OPEN_FORM, view=view)
    return _add_open_button(kit.fill(verbs.READY, title=services.title(connection)), form_context, view)


@routes.action("field")
async def redraw_form(request: Request) -> Answer:
    """Redraw an open form, because a field that other fields depend on has changed."""
    services = request.services
    form_context = FormContext.from_view(request.view, services)
    account, offer = await _require_offer(services, request.principal, form_context)
    entered = parse_values(request.view)
    values = {name: value for name, value in entered.items() if form_context.proposed.get(name) != value}
    view = make_form_view(offer, form_context, account, values)
    return Answer(text=verbs.OPEN_FORM, view=view)


@routes.options("field")
async def search_choices(request: Request) -> list[dict[str, Any]]:
    """Return the choices for a field of an open form that match the text typed so far."""
    services = request.services
    form_context = FormContext.from_view(request.view, services)
    _, offer = await _require_offer(services, request.principal, form_context)
    field_ = offer.form({**form_context.chosen, **parse_values(request.view)}).field(request.target or "")
    if field_ is None:
        return []
    needle = fold(request.name)
    matching = [
        choice for choice in field_.choices if needle in fold(choice.label) or needle in fold(choice.value)
    ]
    return forms.list_options(matching)


@routes.view("make")
async def submit_form(request: Request) -> Answer:
    """Request the workspace or run that a form describes, or show errors next to its fields."""
    form_context = FormContext.from_view(request.view, request.services)
    sent = request.caller.interaction
    _, offer = await _require_offer(request.services, request.principal, form_context, sent)
    values = parse_values(request.view)
    values = _list_emptied(request, offer.form(values)) | values
    try:
        spec = offer.spec(values)
    except FormProblems as error:
        raise InvalidFields(_place_errors(request, error)) from None
    await make(request, form_context, spec, offer.form(values), values)
    return SILENT


def _list_emptied(request: Request, form: Form) -> dict[str, Value]:
    """Return an empty value for each text field that the user has cleared, as Slack omits such fields."""
    displayed = {name for name, _ in list_fields(request.view)}
    emptied = (field_ for field_ in form.fields if field_.initial and field_.kind in {"text", "long_text"})
    return {field_.name: "" for field_ in emptied if field_.name in displayed}


async def make(request: Request, form_context: FormContext, spec: Spec, form: Form, values: Values) -> None:
    """Request the new workspace or run, and remember the values from the form."""
    services, caller = request.services, replace(request.caller, channel_id=form_context.channel_id or None)
    if form_context.purpose == "workspace":
        await caller.run(create_workspace, form_context.connection, spec)
    else:
        await caller.run(runs.launch_run, form_context.connection, spec)
    remembered = {
        field_.name: values[field_.name]
        for field_ in form.fields
        if field_.is_remembered and field_.name in values
    }
    try:
        await services.store.write(
            form_rows.remember, caller.principal, form_context.connection, form_context.purpose, remembered
        )
    except StoreError as error:
        # The request has been accepted, so don't fail now: after an error, the user would submit the form
        # again.
        log.warning("values not remembered", reference=request.reference, problem=error)


def _ask_for_connection(request: Request, purpose: Purpose, able: list[str]) -> Answer:
    services = request.services
    buttons = [
        kit.button(kit.line(services.title(name)), ButtonValue("make", f"{purpose} {name}", number=number))
        for number, name in enumerate(able)
    ]
    return replies.answer(verbs.WHERE[purpose], buttons)


def make_open_button(purpose: Purpose, connection: str) -> dict[str, Any]:
    """Return the button that opens a form. The button's value contains only keys."""
    return kit.button(verbs.OPEN_FORM, "make", f"{purpose} {connection}", style=kit.PRIMARY)


async def _load_offer(request: Request, form_context: FormContext, account: Account, template: str) -> Answer:
    services = request.services
    title = services.title(form_context.connection)
    external_id = services.ids.new("form") if request.surface.trigger_id else None
    text = f"{_OPENING_COMMANDS[form_context.purpose]} {form_context.connection} {template}".rstrip()
    await request_offer(
        request,
        account,
        "{title} hasn't told me what it offers. Try again in a minute.",
        buttons=[make_open_button(form_context.purpose, form_context.connection)],
        then=request.defer(text, view_external_id=external_id),
    )
    view = forms.sentence_view(
        form_context.purpose, kit.fill(verbs.LOADING, title=title), external_id=external_id
    )
    return _add_open_button(kit.fill(verbs.LOADING_ANSWER, title=title), form_context, view)


def _add_open_button(sentence: str, form_context: FormContext, view: dict[str, Any]) -> Answer:
    """Add a sentence and an *Open* button to a form, in case Slack doesn't open it right away."""
    answer = replies.answer(sentence, [make_open_button(form_context.purpose, form_context.connection)])
    return Answer(text=answer.text, blocks=answer.blocks, view=view)


async def _require_offer(
    services: Services, principal: Principal, form_context: FormContext, interaction: str = ""
) -> tuple[Account, PersonalOffer]:
    account = await find_account(services.create_caller(principal), form_context.connection)
    title = services.title(form_context.connection)
    if account is None or account.state != "active":
        sentence = f"Your {title} account is no longer linked. Close this and type `link`."
        raise Refused("account.none", sentence)
    snapshot = await snapshots.load_templates(services.context, account, interaction)
    if snapshot is None:
        raise Refused("form.outdated", verbs.OUTDATED)
    return account, PersonalOffer(
        services.connections[form_context.connection], snapshot, form_context.purpose, principal
    )


def make_form_view(
    offer: PersonalOffer,
    form_context: FormContext,
    account: Account,
    values: Values,
    *,
    advises: bool = False,
) -> dict[str, Any]:
    """Build the form, filled in with those values that are still offered.

    If ``advises`` is true and the form has advice for administrators, the advice replaces the form's note.
    """
    form, provider = offer.form(values), offer.provider
    form = replace(form, note=form.advice or form.note) if advises else form
    fitting = {field_.name: values[field_.name] for field_ in form.fields if _is_offered(field_, values)}
    values_shown = {field_.name: field_.initial for field_ in form.fields if field_.initial} | fitting
    return forms.make_view(
        form,
        purpose=form_context.purpose,
        metadata=form_context.to_metadata(form, values_shown),
        title=provider.settings.title,
        username=account.username,
        values=fitting,
        has_people=not provider.has_link_method("none"),
    )


def _is_offered(field_: Field, values: Values) -> bool:
    value = values.get(field_.name)
    if value is None or forms.is_typed(field_):
        return value is not None
    offered = {choice.value for choice in field_.choices}
    return set(value if isinstance(value, tuple) else (value,)) <= offered


def _place_errors(request: Request, error: FormProblems) -> dict[str, str]:
    fields = dict(list_fields(request.view))
    first = next(iter(fields.values()), "")
    errors: dict[str, str] = {}
    for name, sentence in error.problems.items():
        block_id = fields.get(name, first)
        errors[block_id] = f"{errors[block_id]} {sentence}" if block_id in errors else sentence
    return errors


@dataclass(frozen=True, slots=True)
class FormContext:
    """The connection and purpose of a form, and other context that an open form carries in its metadata.

    Whenever the context is used, the person's access to the connection is checked again.
    """

    connection: str
    purpose: Purpose
    channel_id: str = ""
    #: Values entered so far that other fields depend on. Slack's search requests don't include them.
    chosen: Mapping[str, Value] = field(default_factory=dict)
    #: Defaults proposed for text fields. Until the user edits a field, its default follows the choices in
    #: other fields.
    proposed: Mapping[str, Value] = field(default_factory=dict)

    def to_metadata(self, form: Form, values: Values) -> dict[str, Any]:
        """Return the form's metadata, which includes the values that other fields depend on."""
        chosen = {
            field_.name: values[field_.name]
            for field_ in form.fields
            if field_.has_dependents and field_.name in values
        }
        proposed = {
            field_.name: field_.initial
            for field_ in form.fields
            if forms.is_typed(field_) and field_.initial and values.get(field_.name) == field_.initial
        }
        return asdict(replace(self, chosen=chosen, proposed=proposed))

    @classmethod
    def from_view(cls, view: Mapping[str, Any], services: Services) -> FormContext:
        """Read an open form's context from its metadata.

        Raise Refused if the form is outdated or its connection was removed.
        """
        try:
            metadata = json.loads(str(view.get("private_metadata") or ""))
            connection, purpose = str(metadata["connection"]), metadata["purpose"]
            channel_id = str(metadata.get("channel_id") or "")
            chosen, proposed = (
                {str(name): restore_value(value) for name, value in dict(metadata.get(key) or {}).items()}
                for key in ("chosen", "proposed")
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Refused("form.outdated", verbs.OUTDATED) from None
        if purpose not in ("workspace", "job") or connection not in list_making_connections(
            services, purpose
        ):
            raise Refused("form.outdated", verbs.OUTDATED)
        return cls(connection, purpose, channel_id, chosen, proposed)


def restore_value(value: Any) -> Value:
    """Return a remembered value with its original type, because the store returns tuples as lists."""
    return tuple(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
