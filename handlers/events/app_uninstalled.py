"""The app was removed from the Slack workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Container

    from handlers.occurrence import Occurrence

log = structlog.get_logger(__name__)


async def handle(occurrence: Occurrence) -> None:
    """End every link: nobody can be told anything any more, and nothing may go on in their name."""
    if occurrence.is_ours:
        await end_links(occurrence, cause="uninstalled")


async def end_links(occurrence: Occurrence, *, cause: str, users: Container[str] | None = None) -> None:
    """End all links, or those of some users; each is one transaction, so a redelivery ends what is left."""
    services = occurrence.services
    accounts = await services.store.active_accounts()
    principals = {one.principal for one in accounts if users is None or one.principal.user_id in users}
    if users is None:
        # Whoever is signed in may have no account at all.
        await services.store.end_browser_sessions()
    for principal in sorted(principals, key=lambda one: one.key):
        await services.accounts.unlink(principal, actor="slack", cause=cause, tell=False)
    log.warning("links ended", cause=cause, people=len(principals))
