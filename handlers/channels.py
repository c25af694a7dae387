"""Channels whose id Slack has changed: what Usher keeps about the former id counts for the new one."""

import structlog

from bot.domain.people import Principal
from handlers import payload, routes
from handlers.occurrence import Occurrence

log = structlog.get_logger(__name__)


@routes.event("channel_id_changed")
async def channel_id_changed(occurrence: Occurrence) -> None:
    """Rename the channel in the rows of its Slack workspace, once Slack knows it by the new id alone.

    What can't be confirmed changes nothing, and is kept: the next change of that channel may make it true.
    Raises SlackFailed where Slack can't be asked now: it sends the event again.
    """
    here, event = occurrence.installation, occurrence.event
    old, new = (event.get(name) for name in ("old_channel_id", "new_channel_id"))
    at = payload.said_at({**occurrence.payload, "event": {"ts": event.get("event_ts")}})
    if here is None or not (isinstance(old, str) and isinstance(new, str) and old and new) or at is None:
        log.info("field missing", kind="channel_id_changed", field="old_channel_id, new_channel_id")
        return
    store, tenants = occurrence.services.store, occurrence.services.context.tenants
    place = Principal(here.enterprise_id, here.id, "").place
    latest, former = await store.note_channel_change(place, old, new, at)
    for channel in former:
        ts = await store.message_in_channel(channel) or f"{at:.6f}"
        if await tenants.has_channel(here, channel, ts) or not await tenants.has_channel(here, latest, ts):
            log.warning("change of a channel not confirmed", channel=channel, new=latest)
            continue
        count = await store.rename_channel(place, channel, latest)
        log.info("channel renamed", channel=channel, new=latest, rows=count)
