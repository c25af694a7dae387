"""The web application: Slack's endpoints, pages and health checks, assembled from the parts passed in.

Every request is logged in one line, without its query, nonce or headers (``docs/internals/security.md``, row
12). No exception escapes from the application, and all responses have the same security headers.
"""

import asyncio
import errno
import logging
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

import structlog
from aiohttp import web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.http import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware
from slack_bolt.async_app import AsyncApp

from bot.messages.texts import pages
from bot.services.context import Context
from bot.slack.manifest import ASSISTANT_PATH, SIGN_IN_REDIRECT_PATH, SLACK_PATH
from bot.support.addresses import PAGE_PROOF, PROOF_PATH, is_every_ipv6_address
from bot.support.clock import Clock, Ids
from bot.support.errors import StoreError, StoreUnsure
from bot.support.http import Http
from bot.support.limits import RateLimiter
from bot.support.logs import STRANGERS
from bot.support.settings import Settings
from bot.support.vault import Vault
from bot.web import connections, render
from bot.web.bolt import build_http_handler
from bot.web.browsers import Browsers, SlackSignIn, is_at
from bot.web.connections import ConnectionLimiter, ServerConnection
from bot.web.front import MAX_BYTES, Front, Serve
from bot.web.health import HealthRoutes
from bot.web.ide import IdePages
from bot.web.pages import LinkPages
from bot.web.render import HEADERS, STATIC_FILES, STATIC_PATH
from bot.web.replays import Replays
from bot.web.shapes import read_call
from bot.web.webhooks import build_webhook_route

log = structlog.get_logger(__name__)


#: How long, in seconds, requests in progress may take to finish once the process has been told to stop.
SHUTDOWN_SECONDS = 5.0
#: Exceptions raised if the head or body of a request isn't valid HTTP.
_NO_HTTP = (HttpProcessingError, web.RequestPayloadError)


def build_app(
    context: Context,
    limiter: RateLimiter,
    settings: Settings,
    *,
    bolt: AsyncApp,
    http: Http,
    health: HealthRoutes,
    replays: Replays,
    machine: Clock,
    assistant: Serve | None = None,
) -> web.Application:
    """Build the application.

    ``machine`` is the clock with which timestamps in Slack's signatures are compared. Without a signing
    secret, Usher uses Socket Mode, so there are no endpoints for Slack. Without a public URL, there are no
    pages. Cookies are signed with the vault's keys. ``assistant`` handles calls from Slack's assistant.
    """
    client_id, client_secret = settings.slack_client_id, settings.slack_client_secret
    page_url, keys = settings.page_url or "", settings.keys()
    if context.sign_in != (client_id is not None):
        raise ValueError("Sign in with Slack needs the client id and secret, and only then")
    routes = [*health.routes(), build_webhook_route(context)]
    routes += [web.get(STATIC_PATH + "/{name}", _static), web.get("/calendar/{name}.ics", _calendar)]
    fronts = None
    if settings.slack_signing_secret is not None:
        fronts = partial(Front, settings.slack_signing_secret, machine, replays, health.metrics)
        routes.append(web.route("*", SLACK_PATH, fronts().guard(build_http_handler(bolt))))
    if context.public_url is not None:
        sign_in = None
        if client_id is not None and client_secret is not None:
            sign_in = SlackSignIn(
                http=http,
                clock=machine,
                people=context.people,
                api_url=settings.slack_api_url,
                client_id=client_id,
                client_secret=client_secret,
                redirect_url=context.public_url.rstrip("/") + SIGN_IN_REDIRECT_PATH,
            )
        browsers = Browsers(public_url=context.public_url, keys=keys, clock=context.clock, page_url=page_url)
        links = LinkPages(context, browsers=browsers, sign_in=sign_in)
        workspaces = IdePages(context, limiter, browsers=browsers, sign_in=sign_in)
        routes += workspaces.routes()
        # This route must come before those for links, which would take its path for a nonce.
        routes.append(web.get(SIGN_IN_REDIRECT_PATH, _from_slack(browsers, links, workspaces)))
        routes += links.routes()
        routes.append(proving(context.vault, page_url))
    if fronts is not None and assistant is not None:
        called = fronts(parse=read_call).guard(assistant)
        routes.append(web.route("*", ASSISTANT_PATH, called))
    app = web.Application(
        middlewares=[failures(context.ids), separate_hosts(page_url)], client_max_size=MAX_BYTES
    )
    app.router.add_routes(routes)
    app[OVER_HTTPS] = (context.public_url or "").startswith("https://")
    app.on_response_prepare.append(protect)
    return app


def build_health_app(health: HealthRoutes) -> web.Application:
    """Build the application for a process that serves only monitoring endpoints."""
    app = web.Application(client_max_size=MAX_BYTES)
    app.router.add_routes(health.routes())
    app.on_response_prepare.append(protect)
    return app


def build_waiting_app(health: HealthRoutes, settings: Settings) -> web.Application:
    """Build the application for a process that is waiting to start. It reports only that it is alive."""
    app = build_health_app(health)
    proof = proving(Vault(settings.keys()), settings.page_url or "")
    app.router.add_routes([proof, web.route("*", "/{path:.*}", _waiting)])
    return app


async def _waiting(_request: web.Request) -> web.Response:
    return _busy()


def _busy(reference: str = "", text: str = pages.BUSY) -> web.Response:
    page = render.render_problem(503, pages.BUSY_TITLE, text, reference)
    page.headers["Retry-After"] = "5"
    return page


#: Maximum number of connections accepted at once. Each needs a file descriptor, even if there are too many
#: and the limiter closes it a moment later. The operating system queues up to ``QUEUED`` connections that
#: haven't been accepted yet.
AT_ONCE: Final = 32
QUEUED: Final = 128


@asynccontextmanager
async def listening(app: web.Application, host: str, *ports: int) -> AsyncIterator[int]:
    """During this block, serve on the first of these ports that is free. Yield that port.

    With port 0, the system chooses a free one. Raise OSError if no port can be used.
    """
    limiter = ConnectionLimiter(connections.choose_max_connections())
    app.middlewares.insert(0, limiter.middleware())
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_SECONDS, handle_signals=False)
    await runner.setup()
    try:
        loop, serving = asyncio.get_running_loop(), runner.server
        assert serving is not None, "it was set up"

        def connection() -> ServerConnection:
            return ServerConnection(
                limiter,
                serving,
                loop=loop,
                keepalive_timeout=connections.IDLE_SECONDS,
                access_log_class=AccessLog,
                access_log=logging.getLogger("bot.web.access"),
                logger=_server_log(),
            )

        async def serve_at(port: int) -> asyncio.Server:
            if is_every_ipv6_address(host) and socket.has_dualstack_ipv6():
                # Given only the host, asyncio would accept IPv6 connections but refuse IPv4.
                opened = socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=True)
                return await loop.create_server(connection, sock=opened, backlog=AT_ONCE)
            return await loop.create_server(connection, host, port, backlog=AT_ONCE)

        for port in ports[:-1]:
            with suppress(OSError):
                server = await serve_at(port)
                break
        else:
            server = await serve_at(ports[-1])
        for listener in server.sockets:
            with listener.dup() as same:
                same.listen(QUEUED)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            # Stop accepting connections. One more iteration of the loop lets asyncio properly close a
            # connection that it has just accepted.
            for listener in server.sockets:
                loop.remove_reader(listener)
            await asyncio.sleep(0)
            server.close()
    finally:
        await runner.cleanup()
        STRANGERS.write_counts()


def why_not_listening(error: OSError, host: str, port: int) -> str:
    """Explain why Usher can't listen at an address and port, and what to do about it."""
    place = f"{host}, port {port}"
    if error.errno == errno.EADDRINUSE:
        return f"Something else is already listening on {place}. Stop it, or set PORT to another number."
    if error.errno == errno.EACCES:
        return f"This user isn't allowed to listen on {place}. Set PORT to a number above 1023."
    cause = error.strerror or "the system refused it"
    return f"Usher can't listen on {place} ({cause}). Check USHER_HOST and PORT."


def _server_log() -> logging.Logger:
    """Return aiohttp's logger, without errors about malformed requests, which aren't our fault."""
    log = logging.getLogger("bot.web.server")
    if not log.filters:
        log.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], _NO_HTTP)))
    return log


def _from_slack(browsers: Browsers, links: LinkPages, workspaces: IdePages) -> Handler:
    async def come(request: web.Request) -> web.StreamResponse:
        page = browsers.find_page_of_sign_in(request)
        if page is None:
            return await links.come_from_slack(request)
        return await workspaces.come_from_slack(request, page)

    return come


def proving(vault: Vault, page_url: str = "") -> web.RouteDef:
    """Return the route with which ``doctor`` checks that requests to its URL reach this Usher.

    The response at the second host name differs from that at the first. This proves that proxies pass on the
    host name that was requested.
    """

    async def prove(request: web.Request) -> web.Response:
        place = PAGE_PROOF if is_at(request, page_url) else ""
        return web.Response(text=vault.prove(request.match_info["nonce"] + place))

    return web.get(PROOF_PATH + "/{nonce:[0-9a-f]{32}}", prove)


async def _static(request: web.Request) -> web.StreamResponse:
    """Serve a file from a fixed list, so that names in requests never reach the file system."""
    path = STATIC_FILES.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path)


async def _calendar(_request: web.Request) -> web.Response:
    """Tell clients that still request a lesson calendar that it is gone.

    Only release 0.4 offered calendars.
    """
    return web.Response(status=410, text=pages.NO_CALENDARS)


#: Key of the flag that says whether people reach the application only over https. If they do, browsers are
#: told to insist on https for a year.
OVER_HTTPS: web.AppKey[bool] = web.AppKey("over_https", bool)

_STATIC_CACHE = "public, max-age=3600"

_WORDS_OF_OURS = re.compile(r"/link/(?:check|again|confirm|sign-in|slack)/?")
_ASKED_BY_PAGES = re.compile(r"/ide/[^/]+/state")
_BELOW_SECRETS = re.compile(r"(?i)(/(?:link)/+).+", re.DOTALL)


def without_secrets(path: str) -> str:
    """Return a path for the log, without the part after ``/link/``, which may be a nonce."""
    if _WORDS_OF_OURS.fullmatch(path):
        return path
    return _BELOW_SECRETS.sub(r"\1…", path)[:200]


class AccessLog(AbstractAccessLogger):
    """Logs the method, path, status, size and duration of each request.

    Requests from Slack and the state requests of open pages are logged only at debug level. Most requests are
    of these kinds, and logging would add up to a sixth to the time needed to serve one.
    """

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Write the log line. ``time`` is the duration in seconds."""
        is_slack = request.path in {SLACK_PATH, ASSISTANT_PATH}
        is_asked = is_slack or _ASKED_BY_PAGES.fullmatch(request.path) is not None
        level = logging.DEBUG if is_asked and response.status == 200 else logging.INFO
        if not self.logger.isEnabledFor(level):
            return
        self.logger.log(
            level,
            "%s %s %d %d bytes %.3f s",
            request.method[:10],
            without_secrets(request.path),
            response.status,
            response.body_length,
            time,
            extra={"reason": str(response.status)},
        )

    @property
    def enabled(self) -> bool:
        """Return whether the log level allows any access log lines."""
        return self.logger.isEnabledFor(logging.INFO)


def failures(ids: Ids) -> Middleware:
    """Return the outermost middleware, which turns every exception into a response without details."""

    @web.middleware
    async def catch(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as answer:
            if answer.status in (404, 405):
                page = render.render_problem(answer.status, pages.NOT_FOUND_TITLE, pages.NOT_FOUND)
            else:
                page = render.render_problem(answer.status, pages.REFUSED_TITLE, pages.FORGED)
            if "Allow" in answer.headers:
                page.headers["Allow"] = answer.headers["Allow"]
            return page
        except StoreError as error:
            reference = ids.reference()
            log.error("web.store_failed", reference=reference, error=error)  # noqa: TRY400 - no trace is needed
            return _busy(reference, pages.BUSY_UNSURE if isinstance(error, StoreUnsure) else pages.BUSY)
        except Exception:
            reference = ids.reference()
            log.exception("web.failed", reference=reference)
            return render.render_problem(
                500, pages.FAILED_TITLE, pages.UNEXPECTED.format(reference=reference), reference
            )

    return catch


#: Paths of pages that people open. No script may fetch them, and Usher's own scripts never do.
_PAGES = re.compile(r"/link|/sign|/ide/[^/]+(?:$|/s(?!tate))")
#: Paths served at the second host name (``USHER_PAGE_URL``), which keeps a provider's script apart from
#: Usher's other pages and their cookies.
_PATHS_OF_SECOND_HOST = re.compile(r"/ide/[^/]+(?:/(?:state|entry|blocked))?|(?:/static|/link/here)/[^/]+")


def separate_hosts(page_url: str) -> Middleware:
    """Return the middleware that keeps the two host names apart.

    At the second host name, it serves only what the pages that show IDEs need. At both host names, it keeps
    scripts from fetching pages that people open.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_read = request.method == "GET" and request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        is_there = bool(page_url) and is_at(request, page_url)
        is_elsewhere = is_there and not _PATHS_OF_SECOND_HOST.fullmatch(request.path)
        if is_elsewhere or (is_read and _PAGES.match(request.path)):
            raise web.HTTPNotFound
        return await handler(request)

    return check


async def protect(request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers that every response needs, when the response is prepared (``on_response_prepare``)."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.app.get(OVER_HTTPS):
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    is_static = request.path.startswith(STATIC_PATH + "/") and response.status == 200
    response.headers.setdefault("Cache-Control", _STATIC_CACHE if is_static else "no-store")
    # Otherwise, aiohttp would reveal its version in this header.
    response.headers["Server"] = connections.SERVER_HEADER
