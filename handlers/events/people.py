"""People who joined, changed or left, and revoked access."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.slack.people import person_of
from bot.support.errors import Refused
from handlers import routes
from handlers.principal import of_user

if TYPE_CHECKING:
    from collections.abc import Container

    from handlers.request import Occurrence

log = structlog.get_logger(__name__)


@routes.event("team_join")
@routes.event("user_change")
async def user_changed(occurrence: Occurrence) -> None:
    """Store the person; end every link of somebody who left (the nightly sync covers lost events)."""
    services = occurrence.services
    user = occurrence.event.get("user")
    if not occurrence.is_ours or not isinstance(user, dict):
        return
    try:
        principal = of_user(user, occurrence.enterprise_id)
    except Refused:
        log.warning("a changed user could not be read")
        return
    person = person_of(user, principal, services.clock.now())
    await services.store.save_people([person])
    if not person.is_deleted:
        return
    # Nothing can be sent to deactivated people.
    ended = await services.accounts.unlink(
        principal, actor="slack", cause="left", interaction=occurrence.interaction, tell=False
    )
    log.info("person left", principal=principal.key, unlinked=len(ended))


@routes.event("app_uninstalled")
async def app_uninstalled(occurrence: Occurrence) -> None:
    """End every link: nobody can be told anything any more, and nothing may continue in their name."""
    if occurrence.is_ours:
        await end_links(occurrence, cause="uninstalled")


async def end_links(occurrence: Occurrence, *, cause: str, users: Container[str] | None = None) -> None:
    """End all links, or those of some users; each in its own transaction, so a redelivery ends the rest."""
    services = occurrence.services
    accounts = await services.store.active_accounts()
    principals = {one.principal for one in accounts if users is None or one.principal.user_id in users}
    if users is None:
        # People may be signed in without having any account.
        await services.store.end_browser_sessions()
    for principal in sorted(principals, key=lambda one: one.key):
        await services.accounts.unlink(principal, actor="slack", cause=cause, tell=False)
    log.warning("links ended", cause=cause, people=len(principals))


@routes.event("tokens_revoked")
async def tokens_revoked(occurrence: Occurrence) -> None:
    """End every link if the bot itself was shut out, otherwise the links of the people listed."""
    tokens = occurrence.event.get("tokens")
    if not occurrence.is_ours or not isinstance(tokens, dict):
        return
    if tokens.get("bot"):
        await end_links(occurrence, cause="uninstalled")
    elif tokens.get("oauth"):
        await end_links(occurrence, cause="left", users=frozenset(map(str, tokens["oauth"])))
