"""Slack took tokens back: the bot's own, or those of single people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.events.app_uninstalled import end_links

if TYPE_CHECKING:
    from handlers.occurrence import Occurrence


async def handle(occurrence: Occurrence) -> None:
    """End every link when the bot itself was shut out, else the links of the people who are named."""
    tokens = occurrence.event.get("tokens")
    if not occurrence.is_ours or not isinstance(tokens, dict):
        return
    if tokens.get("bot"):
        await end_links(occurrence, cause="uninstalled")
    elif tokens.get("oauth"):
        await end_links(occurrence, cause="left", users=frozenset(map(str, tokens["oauth"])))
