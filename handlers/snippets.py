"""Runs the code in a message as a job.

Anyone may have written the message, so the form shows all of its code. Nothing runs until the person who
chose the shortcut clicks *Run*, under that person's own account.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.domain.notices import Answer
from bot.domain.surfaces import Surface
from bot.messages.blocks import forms, limits, replies
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import fill
from bot.messages.texts import verbs
from bot.services.creation import COMMAND_FIELD, TEMPLATE_FIELD, PersonalOffer
from bot.store import accounts as account_rows
from bot.store import forms as form_rows
from bot.support.cleaning import has_invisible, unescape
from handlers.connections import list_commanding_connections
from handlers.dispatch import run_button
from handlers.forms import FormContext, make_form_view, restore_value
from handlers.linking import require_account
from handlers.requests import routes
from handlers.requests.command_line import decode_links
from handlers.requests.payload import find_value
from handlers.requests.request import Request
from handlers.snapshots import read_cached_offer, request_offer

_BLOCK_PATTERN: Final = re.compile(r"```(.*?)```", re.DOTALL)
_INLINE_PATTERN: Final = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Code:
    """The command found in a message, and who wrote the message if that isn't the user."""

    text: str
    author: str

    @property
    def as_payload(self) -> str:
        """Return the payload for a form or a deferred command."""
        return json.dumps([self.author, self.text], ensure_ascii=False)

    @classmethod
    def from_payload(cls, payload: str) -> Code:
        """Return the code stored in a payload; if the payload is unreadable, the code is empty."""
        try:
            author, text = json.loads(payload)
        except (ValueError, TypeError):
            return cls("", "")
        return cls(str(text), str(author))


@routes.shortcut("run_as_job")
async def run_as_job(request: Request) -> Answer:
    """Answer with a form containing the command, or say why there is no command."""
    services = request.services
    text = find_code(request.message)
    if not text:
        return replies.hint(verbs.NO_CODE)
    if has_invisible(text):
        return replies.hint(verbs.CODE_INVISIBLE)
    writer = str(request.message.get("user") or request.message.get("bot_id") or "")
    code = Code(text, "" if writer == request.principal.user_id else writer or "somebody")
    connections = list_commanding_connections(services)
    if not connections:
        return replies.hint("No connection here runs commands. Ask your Usher admin to add one.")
    accounts = await services.store.read(account_rows.list_accounts, request.principal)
    active = [
        name
        for name in connections
        if name in {account.connection for account in accounts if account.state == "active"}
    ]
    if not active:
        return replies.hint(
            fill(verbs.CODE_NOT_LINKED, titles=services.titles(connections)),
            services.make_link_buttons(connections),
        )
    if len(active) == 1:
        return await _open_form(request, active[0], code)
    if len(text) > limits.MAX_INPUT_LENGTH:
        titles = services.titles(active)
        return replies.hint(
            fill(verbs.CODE_TOO_LONG, length=len(text), title=titles, limit=limits.MAX_INPUT_LENGTH)
        )
    choices = [(name, services.title(name)) for name in active]
    return Answer(text=verbs.WHERE["job"], view=forms.code_choice_view(choices, code.text, code.author))


@routes.view(forms.CODE_CALLBACK)
async def open_chosen_form(request: Request) -> Answer:
    """Open the form of the chosen connection, with the command carried by the question."""
    code = Code(find_value(request.view, forms.CODE_FIELD).strip(), request.form_payload)
    press = ButtonValue("run_code", f"{find_value(request.view, forms.CODE_PLACE)}\n{code.as_payload}")
    surface = Surface(kind="button", interaction=request.surface.interaction)
    answer = await run_button(request.services, request.principal, surface, press)
    return replace(answer, view=answer.view or forms.answer_view(answer, "job"))


@routes.action("run_code")
async def open_connection_form(request: Request) -> Answer:
    """Open the form of a connection that was just chosen, or whose offer has just been read."""
    connection, _, payload = (request.target or "").partition("\n")
    code = Code.from_payload(payload)
    if not code.text or connection not in list_commanding_connections(request.services):
        return replies.hint(verbs.OUTDATED)
    return await _open_form(request, connection, code)


def find_code(message: Mapping[str, Any]) -> str:
    """Return the command in a message: all its code blocks or else its only inline code; "" if neither."""
    text = str(message.get("text") or "")
    words = _INLINE_PATTERN.findall(text)
    blocks = _BLOCK_PATTERN.findall(text) or (words if len(words) == 1 else [])
    return "\n".join(unescape(decode_links(block, is_code=True)).strip("\n") for block in blocks).strip()


async def _open_form(request: Request, connection: str, code: Code) -> Answer:
    services = request.services
    title = services.title(connection)
    form_context = FormContext(connection, "job", request.surface.channel_id or "", code.author)
    account = await require_account(request, connection)
    snapshot = await read_cached_offer(request, account)
    if snapshot is None and not request.is_live:
        return replies.hint(fill(verbs.CODE_LATER, title=title))
    if snapshot is None:
        external_id = services.ids.new("form")
        press = ButtonValue("run_code", f"{connection}\n{code.as_payload}").text
        then = replace(request.defer(""), press=press, view=external_id, folder="job")
        await request_offer(request, account, verbs.NO_OFFER_ANSWER, then=then)
        loading = forms.sentence_view("job", fill(verbs.LOADING, title=title), external_id=external_id)
        return Answer(text=fill(verbs.CODE_LATER, title=title), view=loading)
    offer = PersonalOffer(services.connections[connection], snapshot, "job", request.principal)
    given = await services.store.read(form_rows.find_form_values, request.principal, connection, "job")
    values = {name: restore_value(value) for name, value in given.items()}
    field = offer.form(values).field(COMMAND_FIELD)
    if field is None:
        # Forget the remembered template, as it may have its own command instead of a field for one.
        values.pop(TEMPLATE_FIELD, None)
        field = offer.form(values).field(COMMAND_FIELD)
    if field is None or (field.kind != "long_text" and "\n" in code.text):
        return replies.hint(fill(verbs.CODE_NO_PLACE, title=title, command=request.format_command("job")))
    limit = min(field.max_length or limits.MAX_INPUT_LENGTH, limits.MAX_INPUT_LENGTH)
    if len(code.text) > limit:
        return replies.hint(fill(verbs.CODE_TOO_LONG, length=len(code.text), title=title, limit=limit))
    return Answer(
        text=verbs.OPEN_FORM,
        view=make_form_view(offer, form_context, account, {**values, COMMAND_FIELD: code.text}),
    )
