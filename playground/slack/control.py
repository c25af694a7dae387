"""The routes under ``/_playground`` of this server: the app's settings, people, redelivery, sign-in."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from aiohttp import web

from playground.harness import loads
from playground.slack import manifest
from playground.slack.errors import SlackError
from playground.slack.records import Json, Person
from playground.slack.seed import commands_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playground.slack.dispatch import Reply
    from playground.slack.server import SlackServer

_FIELDS = {item.name for item in fields(Person)} - {"id"}


def _shown(reply: Reply) -> Json:
    text = reply.body.decode("utf-8", "replace")
    return {"ok": reply.ok, "status": reply.status, "error": reply.error, "body": text}


class Control:
    """Change the workspace from outside, as its administrators and Slack itself would."""

    def __init__(self, server: SlackServer) -> None:
        self._server = server

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/_playground/app", self._guarded(self._show_app))
        app.router.add_get("/_playground/events", self._guarded(self._events))
        posts = {
            "app": self._app,
            "people": self._people,
            "limits": self._limits,
            "redeliver": self._redeliver,
            "replay": self._replay,
            "dispatch": self._dispatch,
            "sign_in": self._sign_in,
            "sockets": self._sockets,
            "uninstall": self._uninstall,
            "install": self._reinstall,
        }
        for name, handler in posts.items():
            app.router.add_post(f"/_playground/{name}", self._guarded(handler))

    def _guarded(
        self, handler: Callable[[Json], Awaitable[Json]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def run(request: web.Request) -> web.Response:
            try:
                told = loads(await request.read() or b"{}")
                return web.json_response(await handler(told))
            except SlackError as error:
                return web.json_response(error.body(), status=400)
            except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
                return web.json_response({"ok": False, "error": f"bad request: {error}"}, status=400)

        return run

    async def _show_app(self, _told: Json) -> Json:
        app = self._server.state.app
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
            "sockets": len(self._server.sockets.open),
        }

    async def _app(self, told: Json) -> Json:
        app, state = self._server.state.app, self._server.state
        known = {"manifest", "request_url", "redirect_urls", "commands", "scopes", "events"}
        known |= {"unfurl_domains", "verify"}
        if unknown := sorted(set(told) - known):
            raise ValueError(f"unknown: {', '.join(unknown)}")
        if "manifest" in told:
            manifest.apply(state, told["manifest"])
        app.request_url = told.get("request_url", app.request_url)
        app.redirect_urls = list(told.get("redirect_urls", app.redirect_urls))
        app.unfurl_domains = list(told.get("unfurl_domains", app.unfurl_domains))
        app.events = set(told.get("events", app.events))
        if "commands" in told:
            app.commands = commands_of(told["commands"])
        if "scopes" in told:
            app.scopes = list(told["scopes"])
            for token in state.tokens.values():
                token.scopes = tuple(app.scopes) if token.kind == "bot" else token.scopes
        state.changed()
        answer = await self._show_app({})
        if told.get("verify"):
            answer["verified"] = await self._server.verify_request_url()
        return answer

    async def _people(self, told: Json) -> Json:
        changes: dict[str, Any] = {**told, **told.get("changes", {})}
        user = changes.pop("user_id")
        changes.pop("changes", None)
        if unknown := sorted(set(changes) - _FIELDS):
            raise ValueError(f"unknown: {', '.join(unknown)}")
        return {"ok": True, "event": await self._server.change_person(user, **changes)}

    async def _limits(self, told: Json) -> Json:
        self._server.budgets.on = bool(told["on"])
        self._server.budgets.forget()
        return {"ok": True, "on": self._server.budgets.on}

    async def _events(self, _told: Json) -> Json:
        deliveries = self._server.events.deliveries.items()
        found = [
            {"event_id": name, "type": d.payload["event"]["type"], "attempts": d.attempts}
            for name, d in deliveries
        ]
        return {"ok": True, "events": found}

    async def _redeliver(self, told: Json) -> Json:
        reason = told.get("reason", "http_timeout")
        return _shown(await self._server.events.redeliver(told["event_id"], told.get("number"), reason))

    async def _replay(self, told: Json) -> Json:
        return _shown(await self._server.dispatcher.replay(int(told.get("index", -1))))

    async def _dispatch(self, told: Json) -> Json:
        if told["kind"] not in ("command", "interactive", "event"):
            raise ValueError("kind is command, interactive or event")
        return _shown(await self._server.dispatcher.send(told["kind"], dict(told["payload"])))

    async def _sign_in(self, told: Json) -> Json:
        user = told.get("user_id")
        self._server.state.signed_in = self._server.state.person(user).id if user else None
        return {"ok": True, "user_id": self._server.state.signed_in}

    async def _sockets(self, told: Json) -> Json:
        reason = told.get("disconnect", "refresh_requested")
        return {
            "ok": True,
            "told": await self._server.sockets.disconnect(reason, close=told.get("close", True)),
        }

    async def _uninstall(self, _told: Json) -> Json:
        return {"ok": True, "events": await self._server.uninstall()}

    async def _reinstall(self, _told: Json) -> Json:
        self._server.install_again()
        return {"ok": True}
