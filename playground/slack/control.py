"""The routes under ``/_playground`` of this server: the app's settings, people, redelivery, sign-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from playground.slack import manifest, shapes
from playground.slack.dispatch import Dispatcher
from playground.slack.errors import SlackError
from playground.slack.events import Events
from playground.slack.limits import Budgets
from playground.slack.records import Json, Person
from playground.slack.replies import Reply
from playground.slack.seed import commands_of
from playground.slack.sockets import Sockets
from playground.slack.state import State
from playground.values import checked, field_names, loads

_SETTINGS = (
    "manifest", "request_url", "assistant_url", "redirect_urls", "commands", "scopes", "events",
    "unfurl_domains", "verify",
)  # fmt: skip


def _shown(reply: Reply) -> Json:
    text = reply.body.decode("utf-8", "replace")
    return {"ok": reply.ok, "status": reply.status, "error": reply.error, "body": text}


class Control:
    """Changes the workspace from outside, as its administrators or Slack itself might."""

    def __init__(
        self, state: State, budgets: Budgets, sockets: Sockets, dispatcher: Dispatcher, events: Events
    ) -> None:
        self._state = state
        self._budgets = budgets
        self._sockets = sockets
        self._dispatcher = dispatcher
        self._events = events

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/_playground/app", self._guarded(self._show_app))
        app.router.add_get("/_playground/events", self._guarded(self._show_events))
        posts = {
            "app": self._app,
            "people": self._people,
            "limits": self._limits,
            "redeliver": self._redeliver,
            "replay": self._replay,
            "missed": self._misses,
            "dispatch": self._dispatch,
            "sign_in": self._sign_in,
            "sockets": self._disconnect,
            "uninstall": self._uninstall,
            "install": self._reinstall,
            "organisation": self._organisation,
            "channel_id": self._channel_id,
        }
        for name, handler in posts.items():
            app.router.add_post(f"/_playground/{name}", self._guarded(handler))

    def _guarded(
        self, handler: Callable[[Json], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def run(request: web.Request) -> web.Response:
            try:
                values = loads(await request.read() or b"{}")
                return web.json_response(await handler(values))
            except SlackError as error:
                return web.json_response(error.body(), status=400)

        return run

    async def _show_app(self, _body: Json) -> Json:
        app = self._state.app
        return {
            "ok": True,
            "id": app.id,
            "request_url": app.request_url,
            "redirect_urls": app.redirect_urls,
            "commands": app.commands,
            "scopes": app.scopes,
            "events": sorted(app.events),
            "unfurl_domains": app.unfurl_domains,
            "installed": app.installed,
            "sockets": len(self._sockets.open),
        }

    async def _app(self, values: Json) -> Json:
        state, app = self._state, self._state.app
        checked(values, _SETTINGS)
        if "manifest" in values:
            manifest.apply(state, values["manifest"])
        app.request_url = values.get("request_url", app.request_url)
        app.assistant_url = values.get("assistant_url", app.assistant_url)
        app.redirect_urls = list(values.get("redirect_urls", app.redirect_urls))
        app.unfurl_domains = list(values.get("unfurl_domains", app.unfurl_domains))
        app.events = set(values.get("events", app.events))
        if "commands" in values:
            app.commands = commands_of(values["commands"])
        if "scopes" in values:
            app.scopes = list(values["scopes"])
            for token in state.tokens.values():
                token.scopes = tuple(app.scopes) if token.kind == "bot" else token.scopes
        state.changed()
        answer = await self._show_app({})
        if values.get("verify"):
            answer["verified"] = await self.verify_request_url()
        return answer

    async def _people(self, values: Json) -> Json:
        changes: dict[str, Any] = {**values, **values.get("changes", {})}
        user = changes.pop("user_id")
        changes.pop("changes", None)
        changes = checked(changes, field_names(Person))
        return {"ok": True, "event": await self.change_person(user, **changes)}

    async def _limits(self, values: Json) -> Json:
        self._budgets.on = bool(values["on"])
        self._budgets.forget()
        return {"ok": True, "on": self._budgets.on}

    async def _show_events(self, _body: Json) -> Json:
        deliveries = self._events.deliveries.items()
        found = [
            {"event_id": name, "type": d.payload["event"]["type"], "attempts": d.attempts}
            for name, d in deliveries
        ]
        return {"ok": True, "events": found}

    async def _redeliver(self, values: Json) -> Json:
        if values.get("as_new"):
            return _shown(await self._events.repeat(values["event_id"]))
        reason = values.get("reason", "http_timeout")
        return _shown(await self._events.redeliver(values["event_id"], values.get("number"), reason))

    async def _replay(self, values: Json) -> Json:
        return _shown(await self._dispatcher.replay(int(values.get("index", -1))))

    async def _misses(self, values: Json) -> Json:
        """Make the app miss events (``on``), or deliver the events that it has missed."""
        if values["on"]:
            self._events.hold()
            return {"ok": True, "delivered": 0}
        return {"ok": True, "delivered": await self._events.catch_up()}

    async def _dispatch(self, values: Json) -> Json:
        if values["kind"] not in ("command", "interactive", "event"):
            raise ValueError("kind is command, interactive or event")
        return _shown(await self._dispatcher.send(values["kind"], dict(values["payload"])))

    async def _sign_in(self, values: Json) -> Json:
        user = values.get("user_id")
        self._state.signed_in = self._state.person(user).id if user else None
        return {"ok": True, "user_id": self._state.signed_in}

    async def _disconnect(self, values: Json) -> Json:
        reason = values.get("disconnect", "refresh_requested")
        return {
            "ok": True,
            "told": await self._sockets.disconnect(reason, close=values.get("close", True)),
        }

    async def _uninstall(self, _body: Json) -> Json:
        return {"ok": True, "events": await self.uninstall()}

    async def _reinstall(self, _body: Json) -> Json:
        self.install_again()
        return {"ok": True}

    async def change_person(self, user: str, **changes: Any) -> str | None:
        """Change a person, or add a new one, and send the app user_change or team_join."""
        known = user in self._state.people
        now = int(self._state.clock.now())
        if known:
            person = self._state.people[user]
            for key, value in changes.items():
                setattr(person, key, value)
        else:
            self._state.people[user] = person = Person(id=user, **{"team_id": self._state.team.id, **changes})
        person.updated = now
        self._state.changed()
        event: Json = {
            "type": "user_change" if known else "team_join",
            "user": shapes.user(self._state, person, email=False, locale=True),
            "cache_ts": now,
            "event_ts": self._state.new_ts(),
        }
        return await self._events.emit(event)

    async def uninstall(self) -> list[str | None]:
        """Remove the app: revoke its tokens, then send it the two events about this."""
        app = self._state.app
        app.installed = False
        for token in self._state.tokens.values():
            if token.kind != "app":
                token.revoked = True
        revoked: Json = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [app.bot_user]}}
        gone: Json = {"type": "app_uninstalled"}
        return [
            await self._events.emit({**event, "event_ts": self._state.new_ts()}) for event in (revoked, gone)
        ]

    async def _organisation(self, values: Json) -> Json:
        """Make the workspace join an organisation or, with ``{"id": null}``, leave it."""
        checked(values, ("id", "name"))
        self.join(values.get("id"), values.get("name"))
        return {"ok": True}

    def join(self, enterprise_id: str | None, name: str | None = None) -> None:
        """Make the workspace join an organisation or leave it. The app stays installed only here."""
        team = self._state.team
        team.enterprise_id, team.enterprise_name = enterprise_id, name or enterprise_id
        self._state.changed()

    async def _channel_id(self, values: Json) -> Json:
        """Give a channel another id. With ``{"silent": true}``, the app isn't told."""
        checked(values, ("old", "new", "silent"))
        old, new, notify = values["old"], values["new"], not values.get("silent")
        return {"ok": True, "event": await self.change_channel(old, new, notify=notify)}

    async def change_channel(self, old: str, new: str, *, notify: bool = True) -> str | None:
        """Give a channel another id. The old id no longer exists, but the messages keep their timestamps."""
        state = self._state
        channel, messages = state.channels.pop(old), state.messages.pop(old)
        channel.id = new
        state.channels[new], state.messages[new] = channel, messages
        for message in messages:
            message.channel = new
        state.changed()
        event: Json = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new}
        return await self._events.emit({**event, "event_ts": state.new_ts()}) if notify else None

    def install_again(self) -> None:
        """Install the app again. Its earlier tokens become valid again."""
        self._state.app.installed = True
        for token in self._state.tokens.values():
            token.revoked = False

    async def verify_request_url(self) -> bool:
        """Send the url_verification challenge; return whether the app sends it back."""
        challenge = self._state.new_id("C", 40)
        payload = {
            "token": self._state.app.verification_token,
            "challenge": challenge,
            "type": "url_verification",
        }
        reply = await self._dispatcher.send("event", payload)
        body = reply.body.decode("utf-8", "replace")
        try:
            return reply.ok and (body.strip() == challenge or reply.content().get("challenge") == challenge)
        except ValueError:
            return False
