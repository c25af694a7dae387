"""A bot without Slack, providers or engine, on a real store: what people say to it, and what it writes."""

import inspect
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from bot.domain.accounts import Account, Link
from bot.domain.installations import Installation
from bot.domain.notices import Answer, Notice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.people import Person, Principal
from bot.domain.surfaces import Surface, Where
from bot.domain.workspaces import State, Workspace
from bot.messages.blocks import kit
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.notices import render
from bot.providers import facets
from bot.providers.base import Provider
from bot.services.linking import compute_digest
from bot.store import audit, notices, workspaces
from bot.store.queues import KINDS_BY_TABLE
from bot.store.store import Store
from bot.store.tables import LINKS
from bot.support.limits import RateLimiter
from handlers.dispatch import run_button, run_form, run_text
from handlers.requests.deferred_command import DeferredCommand
from handlers.requests.response_targets import make_form_body
from handlers.requests.services import Services, build_services
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.context import context
from tests.rigs.drawn import as_shown
from tests.rigs.functions import Target, is_call_of
from tests.rigs.golden import check_limits
from tests.rigs.people import Colleagues
from tests.rigs.providers import FakeMachines, FakeProvider, fake_settings
from tests.rigs.store import ALICE, link_account, linked, memory_store, observe

TEAM = Installation("T1", team_name="Acme Research")
COLLEAGUE = Principal(None, "T1", "UCHEN")
GUEST = Principal(None, "T1", "UGRETA")
STRANGER = Principal(None, "T9", "UPAVEL")
ORIGIN = "https://usher.example.org"
#: Prefix of the addresses of links.
PAGE = f"{ORIGIN}/link/"


class Cloud(FakeProvider):
    """A provider that recognises workspaces by their links and ids."""

    def parse_reference(self, text: str) -> str | None:
        base = f"{self.settings.base_url}/dash/"
        if text.startswith(base):
            return text.removeprefix(base)
        return text if text.startswith("id-") else None


class Hub(FakeProvider):
    """A provider that recognises workspaces by ids of the same form as those of ``Cloud``."""

    def parse_reference(self, text: str) -> str | None:
        return text if text.startswith("id-") else None


class PlainProvider(FakeMachines, facets.Removal, facets.Revocation, facets.Tokens, facets.Creation):
    """A provider without lists."""


class FlakyStore:
    """A store whose calls fail, or have something happen right after them, on request."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fails: dict[Target, Exception] = {}
        #: What happens right after a call, before its caller continues.
        self.after: dict[Target, Callable[[], Awaitable[object]]] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def flaky(*args: Any, **named: Any) -> Any:
            for target, error in self.fails.items():
                if is_call_of(target, name, args):
                    raise error
            result = await method(*args, **named)
            for target, overtake in self.after.items():
                if is_call_of(target, name, args):
                    await overtake()
            return result

        return flaky


async def activate(store: Store, principal: Principal, connection: str, username: str = "alice") -> Account:
    """Link an account whose list hasn't been read."""
    named = f"account_{principal.user_id}_{connection}_{await store.now():.0f}"
    given = {"username": username, "secret": "sealed", "account_id": named}
    return await link_account(store, principal, connection, **given)


@dataclass
class Rig:
    """A bot to which people talk, and access to what it has written."""

    services: Services
    store: Any
    clock: FakeClock
    wakes: list[float]
    people: Colleagues
    count: int = 0

    @property
    def connections(self) -> dict[str, Any]:
        """The providers by connection, which tests may change or replace."""
        return cast("dict[str, Any]", self.services.connections)

    async def link(
        self, principal: Principal = ALICE, names: tuple[str, ...] = ("notebook",), **keys: Any
    ) -> Any:
        """Give a person an account and workspaces, by default at Saturn Cloud."""
        return await linked(self.store, principal, names, **({"username": "alice"} | keys))

    def surface(self, **keys: Any) -> Surface:
        """Return a surface with a new interaction."""
        self.count += 1
        given = {"kind": "command", "channel_id": "C1", "interaction": f"command:{self.count}"}
        return Surface(**given | keys)

    async def say(
        self, text: str, principal: Principal = ALICE, looked: tuple[str, ...] = (), **keys: Any
    ) -> Answer:
        """Type a command. The keyword arguments change where it is typed."""
        waited = DeferredCommand(looked=looked)
        return self.checked(
            await run_text(self.services, principal, self.surface(**keys), text, deferred=waited)
        )

    async def direct(self, text: str, principal: Principal = ALICE) -> Answer:
        """Send the bot a direct message."""
        return await self.say(text, principal, kind="message", channel_id="D1", where=Where.DIRECT)

    async def press(
        self, action_id: str, value: str = "", principal: Principal = ALICE, **keys: Any
    ) -> Answer:
        """Press a button."""
        surface = self.surface(**{"kind": "button", "response_url": "https://hooks.example.org/1"} | keys)
        return self.checked(
            await run_button(self.services, principal, surface, ButtonValue.read(action_id, value))
        )

    async def talk(self, *said: str) -> Answer:
        """Send direct messages one after the other, and return the last answer."""
        for text in said:
            self.clock.advance(1)
            answer = await self.direct(text)
        return answer

    async def push(
        self, answer: Answer, label: str = "", principal: Principal = ALICE, **keys: Any
    ) -> Answer:
        """Press the button of an answer that has this label, or its only button if none is given."""
        (button,) = [one for words, one in buttons(answer).items() if label in {"", words}]
        return await self.press(button["action_id"], button.get("value", ""), principal, **keys)

    def checked(self, answer: Answer) -> Answer:
        if answer.text:
            check_limits(answer)
        return answer

    async def workspace(self, name: str = "notebook", principal: Principal = ALICE, **keys: Any) -> Workspace:
        """Return a person's workspace."""
        rows = await self.store.perform(workspaces.read_workspaces, principal, **keys)
        return next(row for row in rows if name in {row.name, row.title})

    async def sees(self, state: State, name: str = "notebook", *url: str, **keys: Any) -> Workspace:
        """Record a read that finds Alice's workspace in this state, and return the workspace."""
        await observe(self.store, self.clock, await self.workspace(name), Observed(state, *url, **keys))
        return await self.workspace(name)

    async def zone(self, zone: str = "Europe/Berlin", who: Principal = ALICE) -> None:
        """Record the time zone that Slack reports for a person."""
        person = Person(who, who.user_id, time_zone=zone, seen_at=self.clock.now())
        await self.store.save_people([person])

    async def notices(self, kind: NoticeKind | None = None) -> list[Notice]:
        """Return the pending notices, and leave them leased."""
        found = await self.store.perform(notices.claim_notices, 100, 60.0)
        return [notice for notice in found if kind is None or notice.kind is kind]

    async def drawn(self, notice: Notice) -> dict[str, Any]:
        """Return a notice's message as it would be sent."""
        facts = await self.services.gatherer.describe_notice(notice)
        return as_shown(render(notice.kind, facts))

    async def audit(self) -> list[Mapping[str, Any]]:
        """Return the audit's rows."""
        return await self.store.read(audit.read_audit)


async def invited(bot: Rig) -> list[tuple[Principal, str, Any]]:
    """Return the links that were created: for whom, where, and the command that waits for each."""
    query = "SELECT * FROM links ORDER BY created_at, nonce_hash"
    links = [LINKS.parse(row) for row in await bot.store.engine.read(lambda tx: tx.all(query))]
    return [(one.principal, one.connection, one.deferred_command) for one in links]


def without_nonces(answer: Answer) -> Answer:
    """Return an answer with the random part of links' addresses replaced by a fixed one."""
    return replace(
        answer, blocks=json.loads(re.sub(r"/link/[\w-]{43}", "/link/nonce", json.dumps(answer.blocks)))
    )


async def wait_for_code(bot: Rig, code: str) -> None:
    """Store a link in progress of Alice's that waits until she types this code."""
    now, pair, seal = await bot.store.now(), f"{ALICE.key}/saturn", bot.services.context.vault.seal
    link = Link("n", ALICE, "saturn", None, now, now + 600.0, "code", username="alice", code_attempts_left=5)
    hidden = {
        "secret": seal(pair, {"token": "t"}),
        "code_hash": seal(f"{pair}/code/n", {"code": compute_digest(code)}),
    }
    await bot.store.carry_out(lambda tx: LINKS.add(tx, replace(link, **hidden)))


async def unlinked(bot: Rig) -> list[tuple[str, Principal, str, str]]:
    """Return the accounts that were unlinked, according to the audit: by whom, whose, where, and why."""
    found = []
    for row in await bot.audit():
        if row["action"] == "account.unlinked":
            who, _, connection = row["target"].partition("/")
            cause = json.loads(row["detail"])["cause"]
            found.append((row["actor"], Principal.from_key(who), connection, cause))
    return found


@asynccontextmanager
async def rig(
    *,
    installation: Installation = TEAM,
    administrators: frozenset[str] = frozenset(),
    connections: Mapping[str, Provider] | None = None,
    opened: AbstractAsyncContextManager[Store] | None = None,
    first_id: int = 501,
) -> AsyncIterator[Rig]:
    """Put a bot together with Saturn Cloud and Hub, or ``connections``, on a new or ``opened`` store."""
    clock, wakes = FakeClock(), []
    providers = connections or {
        "saturn": Cloud(clock, fake_settings("saturn", title="Saturn Cloud")),
        "hub": Hub(clock, fake_settings("hub", title="Hub", base_url="https://hub.example.test")),
    }
    async with opened or memory_store(clock, CountingIds()) as sound:
        store: Any = FlakyStore(sound)
        sound.engine.report_to(
            lambda tables: wakes.extend(clock.now() for one in tables if one in KINDS_BY_TABLE)
        )
        people = Colleagues(sound)
        given = context(
            store,
            providers,
            clock,
            # Other ids than the store's.
            CountingIds(first_id),
            people=people,
            installation=replace(installation, administrators=administrators),
            public_url=ORIGIN,
        )
        services = build_services(given, RateLimiter(clock.monotonic))
        yield Rig(services, store, clock, wakes, people)


def staged(made: Callable[[], AbstractAsyncContextManager[Rig]]) -> Any:
    """Return the fixture ``bot`` for a module that needs a different bot."""

    @pytest.fixture
    async def bot() -> AsyncIterator[Rig]:
        async with made() as one:
            yield one

    return bot


def one_cloud(
    kind: type[FakeMachines] = Cloud, *, administrators: frozenset[str] = frozenset(), **settings: Any
) -> AbstractAsyncContextManager[Rig]:
    """Put a bot together with a single connection, Saturn Cloud."""
    provider = kind(FakeClock(), fake_settings("saturn", **{"title": "Saturn Cloud"} | settings))
    return rig(connections={"saturn": provider}, administrators=administrators)


async def submit(
    services: Services,
    principal: Principal,
    view: Mapping[str, Any],
    interaction: str = "view:1",
    callback_id: str = "",
) -> dict[str, Any]:
    """Submit a form and return its ``response_action``."""
    surface = Surface("form", Where.FORM, interaction=interaction)
    callback_id = callback_id or view["callback_id"]
    return make_form_body(await run_form(services, principal, surface, callback_id, view))


def buttons(answer: Answer) -> dict[str, dict[str, Any]]:
    """Return an answer's buttons by their labels, including those in menus."""
    return {element["text"]["text"]: element for element in kit.iterate_buttons(answer.blocks)}


def words(answer: Answer) -> str:
    """Return all the text in an answer's blocks."""
    said = [block["text"]["text"] for block in answer.blocks if block["type"] == "section"]
    said += [
        element["text"]
        for block in answer.blocks
        if block["type"] == "context"
        for element in block["elements"]
    ]
    return "\n".join(said)
