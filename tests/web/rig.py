"""A rig with the whole web application, a real store, a provider that tests control, and browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from html.parser import HTMLParser
from typing import Any, ClassVar

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.fernet import Fernet
from pydantic import SecretStr
from yarl import URL

from bot.domain.installations import Installation
from bot.domain.people import Person, Principal
from bot.providers import facets
from bot.providers.base import Credential, Identity, Pace, Provider
from bot.providers.facets import TokenHelp
from bot.services.context import Context
from bot.slack.tenants import OneTenant
from bot.store import audit
from bot.store.queues import KINDS_BY_TABLE
from bot.support.errors import CredentialRefused, ProviderError
from bot.support.http import Http
from bot.support.limits import RateLimiter
from bot.support.settings import Settings
from bot.support.vault import Vault
from bot.web.app import build_app, listening
from bot.web.bolt import build_bolt
from bot.web.health import HealthRoutes, Metrics
from bot.web.replays import Replays
from handlers.assistant.web import answer_call
from handlers.requests.services import Services, build_services
from playground.processes import reserved_port
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.context import context
from tests.rigs.linking import Linking
from tests.rigs.people import Colleagues
from tests.rigs.providers import fake_settings
from tests.rigs.slack import FakeSlack
from tests.rigs.store import memory_store
from tests.web import signed
from tests.web.issuer import CLIENT_ID, CLIENT_SECRET, Issuer

ALICE = Principal(None, signed.TEAM, "U0ALICE")
BOB = Principal(None, signed.TEAM, "U0BOB")
GOOD = "0123456789abcdef"
KEY = Fernet.generate_key().decode()


class ScriptedProvider(Provider, facets.Tokens, facets.Revocation):
    """A provider that accepts the tokens in a table, and fails as the test says."""

    kind: ClassVar[str] = "scripted"
    pace: ClassVar[Pace] = Pace(min_poll_interval=10, pending_interval=10)

    def __init__(self, name: str = "saturn", title: str = "Saturn Cloud", linking: Any = ("token",)) -> None:
        settings = fake_settings(name, provider="scripted", title=title, linking=linking)
        super().__init__(settings, None)  # it sends nothing
        self.usernames = {GOOD: "alice", "fedcba9876543210": "alice-two"}
        self.error: ProviderError | None = None
        self.asked: list[str] = []

    async def probe(self) -> str:
        return "scripted"

    async def check_credential(self, credential: Credential) -> Identity:
        token = credential.token.get_secret_value()
        self.asked.append(token)
        if self.error is not None:
            raise self.error
        if token not in self.usernames:
            raise CredentialRefused("no such token")
        return Identity(self.usernames[token], credential)

    def token_help(self) -> TokenHelp:
        return TokenHelp("https://app.example/token", ["Sign in.", "Copy the token."], "[0-9a-f]{8,64}")

    def can_revoke(self, credential: Any) -> bool:
        return True

    async def revoke(self, access: Any) -> None:
        raise AssertionError("linking revokes nothing by itself")

    def gate_key(self, remote_id: str) -> str:
        return remote_id

    async def status(self, access: Any, remote_ids: Any, window: Any = None) -> Any:
        raise AssertionError("linking reads no status")

    async def start(self, access: Any, workspace: Any) -> None:
        raise AssertionError("linking starts nothing")

    async def stop(self, access: Any, workspace: Any, mode: str = "stop") -> None:
        raise AssertionError("linking stops nothing")

    def page_url(self, remote_id: str) -> str:
        return f"https://app.example/{remote_id}"

    def id_after_rename(self, remote_id: str, old_username: str, new_username: str) -> str:
        return remote_id.replace(f"{old_username}/", f"{new_username}/")


class Inputs(HTMLParser):
    """A parser for a page's forms: their addresses and hidden fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, str]] = {}
        self._form = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        if tag == "form":
            self._form = given["action"]
            self.forms[self._form] = {}
        elif tag == "input" and given.get("type") == "hidden":
            self.forms[self._form][given["name"]] = given["value"]


class Browser:
    """A client with its own cookie jar, which reads pages and sends forms as a browser does."""

    def __init__(self, session: aiohttp.ClientSession, origin: str) -> None:
        self.session = session
        self.origin = origin
        self.status = 0
        self.text = ""
        self.url = ""
        self.headers: Any = {}

    async def get(
        self, path: str, *, method: str = "GET", follow: bool = True, headers: dict[str, str] | None = None
    ) -> str:
        url = path if path.startswith("http") else self.origin + path
        async with self.session.request(method, url, allow_redirects=follow, headers=headers) as response:
            return await self._keep(response)

    async def send(
        self, path: str, /, *, headers: dict[str, str] | None = None, follow: bool = True, **fields: str
    ) -> str:
        """Send a form of the last page. ``fields`` replace those in the form."""
        form = {**Inputs(self.text).forms.get(path, {}), **fields}
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"} if headers is None else headers
        async with self.session.post(
            self.origin + path, data=form, headers=headers, allow_redirects=follow
        ) as response:
            return await self._keep(response)

    def put_cookie(self, name: str, value: str) -> None:
        self.session.cookie_jar.update_cookies({name: value}, URL(self.origin))

    def take_cookies(self, other: Browser) -> None:
        for cookie in other.session.cookie_jar:
            self.put_cookie(cookie.key, cookie.value)

    async def _keep(self, response: aiohttp.ClientResponse) -> str:
        self.status, self.headers, self.url = response.status, response.headers, str(response.url)
        self.text = await response.text()
        return self.text


class Rig:
    """Everything that a test of linking needs."""

    def __init__(
        self,
        clock: FakeClock,
        store: Any,
        accounts: Linking,
        provider: ScriptedProvider,
        stack: AsyncExitStack,
    ) -> None:
        self.clock = clock
        self.store = store
        self.accounts = accounts
        self.provider = provider
        self.issuer = Issuer(clock)
        self.metrics = Metrics()
        self.origin = self.page_origin = self.slack_origin = ""
        self.app: web.Application | None = None
        self.woken: list[None] = []
        self.people = Colleagues(store)
        self.slack_ready = True
        self.context: Context
        self.services: Services
        self.settings: Settings
        self._stack = stack

    async def browser(self) -> Browser:
        """Open a browser without cookies."""
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        await self._stack.enter_async_context(session)
        return Browser(session, self.origin)

    async def audit(self) -> list[tuple[str, str, str]]:
        """Return the actor, action and result of each audit entry, in order."""
        return [
            (row["actor"], row["action"], row["result"]) for row in await self.store.read(audit.read_audit)
        ]


def settings(
    public_url: str | None,
    api_url: str,
    *,
    has_client: bool = False,
    is_http: bool = True,
    metrics_token: SecretStr | None = None,
    page_url: str | None = None,
) -> Settings:
    """Return settings as operators would make them, without reading the environment."""
    return Settings.model_construct(
        slack_bot_token=SecretStr("xoxb-of-the-tests"),
        slack_signing_secret=SecretStr(signed.SECRET) if is_http else None,
        slack_client_id=CLIENT_ID if has_client else None,
        slack_client_secret=SecretStr(CLIENT_SECRET) if has_client else None,
        slack_api_url=api_url,
        public_url=public_url,
        page_url=page_url,
        metrics_token=metrics_token,
        encryption_keys=SecretStr(KEY),
    )


@asynccontextmanager
async def rig(
    *, sign_in: bool = False, hosts: tuple[str, ...] = ("127.0.0.1",), **more: Any
) -> AsyncIterator[Rig]:
    """Serve the application on a free port.

    ``more`` replaces parts of the context. A second entry in ``hosts`` is the host of pages that show IDEs.
    """
    clock, ids = FakeClock(), CountingIds()
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(memory_store(clock, ids))
        port = reserved_port()
        origin, *apart = (f"http://{host}:{port}" for host in hosts)
        provider = ScriptedProvider()
        woken: list[None] = []
        store.engine.report_to(
            lambda tables: woken.extend([None] * (not KINDS_BY_TABLE.keys().isdisjoint(tables)))
        )
        people = Colleagues(store)
        usual = {
            "people": people,
            "installation": Installation(signed.TEAM, team_name="Acme Research"),
            "public_url": origin,
            "sign_in": sign_in,
            "vault": Vault([KEY]),
        }
        connections = {"saturn": provider, "sphere": ScriptedProvider("sphere", "Sphere", ("none",))}
        given = context(store, more.pop("connections", connections), clock, ids, **{**usual, **more})
        accounts = Linking(given)
        made = Rig(clock, store, accounts, provider, stack)
        made.origin, made.woken, made.people, made.context = origin, woken, people, given
        made.services = build_services(given, RateLimiter(clock.monotonic))
        names = {ALICE: "Alice Liddell", BOB: "Bob"}
        await store.save_people([Person(who, name, seen_at=clock.now()) for who, name in names.items()])
        slack = await stack.enter_async_context(TestServer(made.issuer.app))
        api_url = str(slack.make_url("/api/"))
        made.slack_origin = api_url.removesuffix("/api/")
        http = Http(await stack.enter_async_context(Http.new_session()))
        made.page_origin = apart[0] if apart else origin
        made.settings = settings(origin, api_url, has_client=sign_in, page_url=apart[0] if apart else None)
        app = build_app(
            given,
            made.services.limiter,
            made.settings,
            bolt=build_bolt(
                tenants=OneTenant(given.installation, made.settings.slack_bot_token, FakeSlack(clock)),
                api_url=api_url,
                ids=ids,
            ),
            http=http,
            health=HealthRoutes(
                store=store, ready=lambda: {"slack": made.slack_ready}, works=dict, metrics=made.metrics
            ),
            replays=Replays(clock.monotonic),
            machine=clock,
            assistant=partial(answer_call, made.services) if made.settings.assistant else None,
        )
        made.app = app
        await stack.enter_async_context(listening(app, "127.0.0.1", port))
        yield made
