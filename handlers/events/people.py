"""People who joined, changed or left, and revoked access."""

from __future__ import annotations

from collections.abc import Container

import structlog

from bot.domain.policy import Installation
from bot.slack.people import person_of
from bot.support.errors import Refused
from handlers import routes
from handlers.payload import of_user
from handlers.request import Occurrence

log = structlog.get_logger(__name__)


@routes.event("team_join")
@routes.event("user_change")
async def user_changed(occurrence: Occurrence) -> None:
    """Store the person; end every link of somebody who left (the nightly sync covers lost events)."""
    services = occurrence.services
    user = occurrence.event.get("user")
    installations, here = services.authority.installation, occurrence.installation
    if here is None:
        return
    user = user if isinstance(user, dict) else {}
    try:
        named = of_user(user, occurrence.enterprise_id)
    except Refused:
        log.warning("a changed user could not be read")
        return
    if installations.of(named.enterprise_id, named.team_id) != here:
        # Somebody in a shared channel: only their own workspace says who they are.
        return
    principal = here.who(named)
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
    if occurrence.installation is not None:
        await removed(occurrence, occurrence.installation)


async def removed(occurrence: Occurrence, installation: Installation) -> None:
    """End every link of an installation, unless Slack still takes its token: then the event is outdated.

    Its token is forgotten last: until then a redelivery ends what is left. Slack lets nothing through anyway.
    """
    removals = occurrence.services.removals
    if removals is None:
        await end_links(occurrence, installation, cause="uninstalled")
    elif (gone := await removals.is_gone(installation)) is not None:
        await end_links(occurrence, installation, cause="uninstalled")
        await removals.forget(gone)


async def end_links(
    occurrence: Occurrence, installation: Installation, *, cause: str, users: Container[str] | None = None
) -> None:
    """End all links, or those of some users; each in its own transaction, so a redelivery ends the rest.

    Only some can still be told, as Usher itself is let in.
    """
    services = occurrence.services
    principals = {
        account.principal
        for account in await services.store.active_accounts()
        if installation.of(account.principal.enterprise_id, account.principal.team_id) is not None
        and (users is None or account.principal.user_id in users)
    }
    if users is None:
        # People may be signed in without having any account.
        await services.store.end_browser_sessions_at(installation.id)
    for principal in sorted(principals, key=lambda one: one.key):
        await services.accounts.unlink(principal, actor="slack", cause=cause, tell=users is not None)
    log.warning("links ended", cause=cause, installation=installation.id, people=len(principals))


@routes.event("tokens_revoked")
async def tokens_revoked(occurrence: Occurrence) -> None:
    """End every link if the bot itself was shut out, otherwise the links of the people listed."""
    tokens, installation = occurrence.event.get("tokens"), occurrence.installation
    if installation is None:
        return
    tokens = tokens if isinstance(tokens, dict) else {}
    if tokens.get("bot"):
        await removed(occurrence, installation)
    elif tokens.get("oauth"):
        users = frozenset(map(str, tokens["oauth"]))
        await end_links(occurrence, installation, cause="revoked", users=users)
    else:
        log.info("field missing", kind="tokens_revoked", field="tokens")
