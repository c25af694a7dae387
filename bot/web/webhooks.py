"""Webhooks for providers, at ``/hooks/<connection>``. Responses don't reveal which workspaces Usher knows.

A repeated event has no effect, so a provider that got no response can safely send the event again.
"""

import structlog
from aiohttp import web

from bot.providers import facets
from bot.services.context import Context
from bot.store import workspaces
from bot.support.errors import CredentialRefused, ProviderError
from bot.support.logs import mark_as_known
from bot.web.front import MAX_BYTES, Refusal, build_refusal, read_body

log = structlog.get_logger(__name__)


def build_webhook_route(context: Context) -> web.RouteDef:
    """Return the route for events from providers. Methods other than POST are answered with 405."""
    hearing = {name: one for name, one in context.connections.items() if isinstance(one, facets.Events)}

    async def hear(request: web.Request) -> web.Response:
        """Store events and answer 204. Answer 404 for an unknown connection, and 401 for a bad signature."""
        name = request.match_info["connection"]
        provider = hearing.get(name)
        if provider is None:
            return build_refusal(404)
        if request.content_length is not None and request.content_length > MAX_BYTES:
            return build_refusal(413)
        try:
            body = await read_body(request)
            events = provider.parse_events(request.headers, body)
        except Refusal as refusal:
            return build_refusal(refusal.status)
        except CredentialRefused:
            log.warning("hook.refused", connection=name)
            return build_refusal(401)
        except ProviderError as error:
            log.warning("hook.not_read", connection=name, problem=error)
            return build_refusal(400)
        mark_as_known()
        heard = 0
        for event in events:
            gate_key = provider.gate_key(event.remote_id)
            heard += await context.store.write(
                workspaces.note_event, name, gate_key, f"hook:{name}:{event.key}", event.message
            )
        log.info("hook.heard", connection=name, events=len(events), new=heard)
        return web.Response(status=204)

    return web.post("/hooks/{connection}", hear)
