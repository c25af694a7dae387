"""The web application, put together from what is handed in: Slack's address, the pages, and health."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bot.slack.manifest import SIGN_IN_REDIRECT_PATH, SLACK_PATH
from bot.web.access_log import AccessLog
from bot.web.bolt import over_http
from bot.web.browser import Browsers
from bot.web.failures import failures
from bot.web.front import MAX_BYTES, Front
from bot.web.health import Health
from bot.web.hooks import Hooks
from bot.web.ide import IdePages
from bot.web.openid import SlackSignIn
from bot.web.pages import LinkPages
from bot.web.render import STATIC_FILES, STATIC_PATH, Renderer, protect
from bot.web.signed_in import SignedIn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from pydantic import SecretStr
    from slack_bolt.async_app import AsyncApp

    from bot.providers.base import Provider
    from bot.services.accounts import Accounts
    from bot.services.browsing import Browsing
    from bot.services.linking import SlackNames
    from bot.services.workspaces import Workspaces
    from bot.store.store import Store
    from bot.support.clock import Clock, Ids
    from bot.support.http import Http
    from bot.support.rate_limit import RateLimiter
    from bot.web.metrics import Metrics

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: How long requests under way may take when the process is asked to stop; seconds.
SHUTDOWN_SECONDS = 5.0
_STATIC_SECONDS = 3600
#: What the parser, and the reader of a body, find wrong with a request.
_NO_HTTP = (HttpProcessingError, web.RequestPayloadError)


@dataclass(frozen=True, slots=True)
class SlackClient:
    """Hold the app's client id and secret, which make Sign in with Slack possible."""

    client_id: str
    client_secret: SecretStr


@dataclass(frozen=True, slots=True)
class IdeParts:
    """Hold what the pages of workspaces work with. ``team_id`` is where people sign in."""

    browsing: Browsing
    workspaces: Workspaces
    names: SlackNames
    limiter: RateLimiter
    team_id: str


def build_app(
    *,
    clock: Clock,
    ids: Ids,
    store: Store,
    http: Http,
    accounts: Accounts,
    bolt: AsyncApp,
    metrics: Metrics,
    slack_ready: Callable[[], bool],
    signing_secret: SecretStr | None,
    public_url: str | None,
    session_keys: Sequence[str],
    slack_client: SlackClient | None,
    api_url: str,
    ide: IdeParts | None = None,
    command: str = "/workspace",
    connections: Mapping[str, Provider] | None = None,
    wake: Callable[[], None] = lambda: None,
    background: Callable[[], Mapping[str, bool]] = dict,
    metrics_token: SecretStr | None = None,
) -> web.Application:
    """Build the application.

    Without ``signing_secret`` Slack's address does not exist (Socket Mode); without ``public_url`` the pages
    do not. ``session_keys`` sign cookies, newest first (the vault's keys serve). ``slack_client`` is given
    exactly when ``accounts.sign_in`` is set. Without ``ide`` no workspace opens in a page of ours.
    ``background`` says by name what else readiness depends on. ``connections`` may tell things by themselves;
    ``wake`` has the background work look at them. With ``metrics_token`` the figures are for who brings it.
    """
    if accounts.sign_in != (slack_client is not None):
        raise ValueError("Sign in with Slack needs the client id and secret, and only then")
    renderer = Renderer()
    middlewares = [failures(renderer, ids)]
    routes = Health(
        store=store,
        slack_ready=slack_ready,
        metrics=metrics,
        background=background,
        metrics_token=metrics_token,
    ).routes()
    routes += Hooks(store=store, connections=connections or {}, wake=wake).routes()
    routes.append(web.get(STATIC_PATH + "/{name}", _static))
    if signing_secret is not None:
        middlewares.append(Front(signing_secret, clock, refused=metrics.request_refused).middleware())
        routes.append(web.post(SLACK_PATH, over_http(bolt)))
    if public_url is not None:
        sign_in = None
        if slack_client is not None:
            sign_in = SlackSignIn(
                http=http,
                clock=clock,
                api_url=api_url,
                client_id=slack_client.client_id,
                client_secret=slack_client.client_secret,
                redirect_url=public_url.rstrip("/") + SIGN_IN_REDIRECT_PATH,
            )
        browsers = Browsers(public_url=public_url, keys=session_keys, clock=clock)
        links = LinkPages(
            accounts=accounts, browsers=browsers, renderer=renderer, sign_in=sign_in, command=command
        )
        signed_in = None
        if ide is not None:
            signed_in = SignedIn(
                browsing=ide.browsing,
                browsers=browsers,
                renderer=renderer,
                sign_in=sign_in,
                team_id=ide.team_id,
            )
            routes += IdePages(
                browsing=ide.browsing,
                workspaces=ide.workspaces,
                browsers=browsers,
                renderer=renderer,
                signed_in=signed_in,
                names=ide.names,
                limiter=ide.limiter,
                ids=ids,
            ).routes()
        # Before the links: there, every other word is taken for a nonce.
        routes.append(web.get(SIGN_IN_REDIRECT_PATH, _from_slack(browsers, links, signed_in)))
        routes += links.routes()
    app = web.Application(middlewares=middlewares, client_max_size=MAX_BYTES)
    app.router.add_routes(routes)
    app.on_response_prepare.append(_keep_static)
    app.on_response_prepare.append(protect)
    return app


async def listen(app: web.Application, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Serve; return the runner, whose ``cleanup`` ends it, and the port (0 picks a free one)."""
    runner = web.AppRunner(
        app,
        access_log_class=AccessLog,
        access_log=logging.getLogger("bot.web.access"),
        logger=_server_log(),
        shutdown_timeout=SHUTDOWN_SECONDS,
        handle_signals=False,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner, int(runner.addresses[0][1])


def _server_log() -> logging.Logger:
    """Return the library's log without what strangers send that is no HTTP: nothing of ours failed then.

    Such a request is answered with 400, and has its line in the access log.
    """
    log = logging.getLogger("bot.web.server")
    if not log.filters:
        log.addFilter(lambda record: not (record.exc_info and isinstance(record.exc_info[1], _NO_HTTP)))
    return log


def _from_slack(browsers: Browsers, links: LinkPages, signed_in: SignedIn | None) -> Handler:
    """Return the handler of the one address that Slack sends people back to: a link's, or a page's."""

    async def come(request: web.Request) -> web.StreamResponse:
        page = browsers.page_of(request) if signed_in is not None else None
        if signed_in is None or page is None:
            return await links.come_from_slack(request)
        return await signed_in.come_from_slack(request, page)

    return come


async def _static(request: web.Request) -> web.StreamResponse:
    """Serve one of the files that there are: no name from outside ever reaches the file system."""
    path = STATIC_FILES.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(path)


async def _keep_static(request: web.Request, response: web.StreamResponse) -> None:
    if request.path.startswith(STATIC_PATH + "/") and response.status == 200:
        response.headers["Cache-Control"] = f"public, max-age={_STATIC_SECONDS}"
