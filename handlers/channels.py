"""Channels whose id Slack has changed: what Usher keeps about the former id counts for the new one."""

import structlog

from bot.domain.people import Principal
from bot.store import channels
from handlers import payload, routes
from handlers.event_request import EventRequest

log = structlog.get_logger(__name__)


@routes.event("channel_id_changed")
async def on_channel_id_changed(request: EventRequest) -> None:
    """Rename the channel in the rows of its Slack workspace, once Slack knows it by a later id alone.

    What can't be confirmed changes nothing, and is kept: the next change of that channel may make it true.
    Raises SlackFailed where Slack can't be asked now: it sends the event again.
    """
    here, event = request.installation, request.event
    old, new = (event.get(name) for name in ("old_channel_id", "new_channel_id"))
    at = payload.said_at({**request.payload, "event": {"ts": event.get("event_ts")}})
    if here is None or not (isinstance(old, str) and isinstance(new, str) and old and new) or at is None:
        log.info("field missing", kind="channel_id_changed", field="old_channel_id, new_channel_id")
        return
    store, tenants = request.services.store, request.services.context.tenants
    place = Principal(here.enterprise_id, here.id, "").place
    for former, *later in await store.write(channels.note_channel_change, place, old, new, at):
        ts = await store.read(channels.find_message_in_channel, former) or f"{at:.6f}"
        known = [one for one in (former, *later) if await tenants.has_channel(here, one, ts)]
        if not known or known[0] == former:
            log.warning("change of a channel not confirmed", channel=former, new=later)
            continue
        count = await store.perform(channels.replace_channel_id, place, former, known[0])
        log.info("channel renamed", channel=former, new=known[0], rows=count)
