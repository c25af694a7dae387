"""Somebody's profile changed: who became a guest, and who left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import Refused
from bot.people import person_of
from handlers.principal import of_user

if TYPE_CHECKING:
    from handlers.occurrence import Occurrence

log = structlog.get_logger(__name__)


async def handle(occurrence: Occurrence) -> None:
    """Write the person down; end every link of one who left (the nightly sync does it when this is lost)."""
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
    # Deactivated people can be sent nothing any more.
    ended = await services.accounts.unlink(
        principal, actor="slack", cause="left", interaction=occurrence.interaction, tell=False
    )
    log.info("person left", principal=principal.key, unlinked=len(ended))
