"""Updates Usher's rows when the id of a channel changes in Slack."""

import structlog

from bot.domain.people import Principal
from bot.store import channels
from handlers.requests import payload, routes
from handlers.requests.event_request import EventRequest

log = structlog.get_logger(__name__)


@routes.event("channel_id_changed")
async def on_channel_id_changed(request: EventRequest) -> None:
    """Update the rows of a channel whose id has changed, once Slack confirms that only the new id works.

    If Slack doesn't confirm the change, only store it, because a later change of the channel may confirm it.
    If Slack can't be asked at the moment, raise SlackFailed, so that Slack sends the event again.
    """
    here, event = request.installation, request.event
    old, new = (event.get(name) for name in ("old_channel_id", "new_channel_id"))
    at = payload.parse_time(request.payload)
    if here is None or not (isinstance(old, str) and isinstance(new, str) and old and new) or at is None:
        log.info("field missing", kind="channel_id_changed", field="old_channel_id, new_channel_id")
        return
    store, tenants = request.services.store, request.services.context.tenants
    tenant = Principal(here.enterprise_id, here.id, "").place
    for former, *later in await store.write(channels.note_channel_change, tenant, old, new, at):
        ts = await store.read(channels.find_message_in_channel, former) or f"{at:.6f}"
        confirmed = [
            channel_id for channel_id in (former, *later) if await tenants.has_channel(here, channel_id, ts)
        ]
        if not confirmed or confirmed[0] == former:
            log.warning("change of a channel not confirmed", channel=former, new=later)
            continue
        count = await store.perform(channels.replace_channel_id, tenant, former, confirmed[0])
        log.info("channel renamed", channel=former, new=confirmed[0], rows=count)
