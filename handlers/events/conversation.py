"""Messages to the bot, direct or by mention: the same verbs, without the slash."""

from __future__ import annotations

import re

from bot.domain.workspaces import Surface
from handlers import delivery, payload, routes
from handlers.dispatch import run_talk, run_text
from handlers.request import Occurrence
from handlers.welcome import introduced

_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^<>]*)?>")
#: What people say: plainly, with a file, by ``/me``, from a thread to all. Edits, joins and bots ask nothing.
_SAID = frozenset({None, "file_share", "me_message", "thread_broadcast"})


@routes.event("message_im")
async def direct_message(occurrence: Occurrence) -> None:
    """Run the words as a command; ignore messages that no person wrote."""
    if not is_said(occurrence):
        return
    text = str(occurrence.event.get("text") or "").strip()
    await converse(occurrence, payload.surface_of_message(occurrence.payload, is_direct=True), text)


@routes.event("app_mention")
async def mentioned(occurrence: Occurrence) -> None:
    """Run the words after the mention as a command; only their author sees the answer."""
    if not is_said(occurrence):
        return
    installation = occurrence.installation
    bot = installation.bot_user_id if installation is not None else None
    mention = re.compile(rf"<@{re.escape(bot)}(?:\|[^<>]*)?>") if bot else _MENTION
    text = mention.sub("", str(occurrence.event.get("text") or ""), count=1).strip()
    await converse(occurrence, payload.surface_of_message(occurrence.payload, is_direct=False), text)


def is_said(occurrence: Occurrence) -> bool:
    """Return whether a person has just written it: no bot, no edit, nothing of Slack's own."""
    event = occurrence.event
    return bool(
        event.get("subtype") in _SAID
        and not event.get("bot_id")
        and not event.get("bot_profile")
        and not event.get("hidden")
        and "edited" not in event
    )


async def converse(occurrence: Occurrence, surface: Surface, text: str) -> None:
    """Run the words and write the answer into the outbox; raises StoreError if that failed."""
    services = occurrence.services
    principal = services.actor(occurrence.payload)
    if text or not occurrence.event.get("files"):
        answer = await run_text(services, principal, surface, text or "help")
    else:
        answer = await run_talk(services, principal, surface, "file")
    answer = await introduced(services, principal, answer)
    if not answer.text:
        return
    await services.store.add_notices([delivery.reply_notice(answer, surface, principal, services.ids)])
    services.wake()
