"""A whole bot without Slack, provider or engine: a real store, what people say, and what was written."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from bot.domain.notices import Answer, Notice, NoticeKind
from bot.domain.people import Account, Principal
from bot.domain.policy import Installation
from bot.domain.workspaces import Surface, Where, Workspace
from bot.messages.blocks import kit
from bot.messages.blocks.kit import Press
from bot.messages.blocks.notices import render
from bot.providers import base
from bot.providers.base import Provider
from bot.store.store import Store
from bot.support.errors import Refused
from bot.support.pool import RateLimiter
from handlers.dispatch import form_body, run_button, run_form, run_text
from handlers.request import Waiting
from handlers.services import Services, build_services
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.context import context
from tests.rigs.golden import check_limits
from tests.rigs.people import Colleagues
from tests.rigs.providers import FakeMachines, FakeProvider, fake_settings
from tests.rigs.store import ALICE, link_account, linked, memory_store

TEAM = Installation("T1", team_name="Acme Research")
COLLEAGUE = Principal(None, "T1", "UCHEN")
GUEST = Principal(None, "T1", "UGRETA")
STRANGER = Principal(None, "T9", "UPAVEL")
PAGE = "https://usher.example.org/link/nonce"


class Cloud(FakeProvider):
    """Know workspaces by links too."""

    def parse_reference(self, text: str) -> str | None:
        base = f"{self.settings.base_url}/dash/"
        if text.startswith(base):
            return text.removeprefix(base)
        return text if text.startswith("id-") else None


class Hub(FakeProvider):
    """Know ids, too, which two connections may understand."""

    def parse_reference(self, text: str) -> str | None:
        return text if text.startswith("id-") else None


class PlainProvider(FakeMachines, base.Removal, base.Revocation, base.Tokens, base.Making):
    """Have no lists: what the seeds alone promise."""


class FlakyStore:
    """Be a store whose methods fail when they are told to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.fails: dict[str, Exception] = {}

    def __getattr__(self, name: str) -> Any:
        if name not in self.fails:
            return getattr(self._store, name)

        async def fail(*_: Any, **__: Any) -> None:
            raise self.fails[name]

        return fail


@dataclass
class FakeAccounts:
    """Do what ``bot.services.accounts`` does in Slack, without pages; remember what it was asked."""

    store: Store
    invited: list[tuple[Principal, str, Any]] = field(default_factory=list)
    code: str = "ABCD2345"
    has_address: bool = True
    sign_in: bool = False
    fails: Exception | None = None

    async def invite(
        self, principal: Principal, connection: str, waiting: dict[str, Any] | None, _interaction: str
    ) -> str:
        if not self.has_address:
            raise Refused(
                "link.no_address", "I have no address that your browser reaches. Ask whoever runs me."
            )
        self.invited.append((principal, connection, waiting))
        return PAGE

    async def confirm_code(self, principal: Principal, code: str) -> Account:
        if self.fails is not None:
            raise self.fails
        if code != self.code:
            raise Refused("code.wrong", "That is not the code. 4 tries are left.")
        return await activate(self.store, principal, "saturn")

    async def acting(self, principal: Principal, connection: str) -> Account | None:
        return await self.store.account(principal, connection)


async def activate(store: Store, principal: Principal, connection: str, username: str = "alice") -> Account:
    """Link an account without any list of it."""
    named = f"account_{principal.user_id}_{connection}_{await store.now():.0f}"
    given = {"username": username, "secret": "sealed", "account_id": named}
    return await link_account(store, principal, connection, **given)


@dataclass
class Rig:
    """Say things as people, and look at what was written."""

    services: Services
    store: Any
    accounts: FakeAccounts
    clock: FakeClock
    wakes: list[float]
    people: Colleagues
    count: int = 0

    async def link(
        self, principal: Principal = ALICE, names: tuple[str, ...] = ("notebook",), **keys: Any
    ) -> Any:
        """Give a person an account at Saturn Cloud and workspaces there."""
        return await linked(self.store, principal, names, **({"username": "alice"} | keys))

    def surface(self, **keys: Any) -> Surface:
        """Return a place that an interaction of its own comes from."""
        self.count += 1
        given = {"kind": "command", "channel_id": "C1", "interaction": f"command:{self.count}"}
        return Surface(**given | keys)

    async def say(
        self, text: str, principal: Principal = ALICE, looked: tuple[str, ...] = (), **keys: Any
    ) -> Answer:
        """Type a command; keys change where it is typed."""
        waited = Waiting(looked=looked)
        return self.checked(
            await run_text(self.services, principal, self.surface(**keys), text, waited=waited)
        )

    async def direct(self, text: str, principal: Principal = ALICE) -> Answer:
        """Write the bot a direct message."""
        return await self.say(text, principal, kind="message", channel_id="D1", where=Where.DIRECT)

    async def press(
        self, action_id: str, value: str = "", principal: Principal = ALICE, **keys: Any
    ) -> Answer:
        """Press a button."""
        surface = self.surface(**{"kind": "button", "response_url": "https://hooks.example.org/1"} | keys)
        return self.checked(await run_button(self.services, principal, surface, Press.read(action_id, value)))

    def checked(self, answer: Answer) -> Answer:
        if answer.text:
            check_limits(answer)
        return answer

    async def workspace(self, name: str = "notebook", principal: Principal = ALICE, **keys: Any) -> Workspace:
        """Return a person's workspace."""
        rows = await self.store.workspaces(principal, **keys)
        return next(row for row in rows if name in {row.name, row.title})

    async def notices(self, kind: NoticeKind | None = None) -> list[Notice]:
        """Return what waits in the outbox (and leave it leased)."""
        found = await self.store.claim_notices(100, 60.0)
        return [notice for notice in found if kind is None or notice.kind is kind]

    async def drawn(self, notice: Notice) -> dict[str, Any]:
        """Return what a notice says when it is sent."""
        facts = await self.services.gatherer.of_notice(notice)
        return render(notice.kind, facts).as_body()

    async def audit(self) -> list[Mapping[str, Any]]:
        """Return the audit's rows."""
        return await self.store.audit_entries()


async def unlinked(bot: Rig) -> list[tuple[str, Principal, str, str]]:
    """Return which accounts were ended, by the audit: by whom, of whom, where, and why."""
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
) -> AsyncIterator[Rig]:
    """Put a bot together with two connections: Saturn Cloud and Hub."""
    clock, wakes = FakeClock(), []
    providers = connections or {
        "saturn": Cloud(clock, fake_settings("saturn", title="Saturn Cloud")),
        "hub": Hub(clock, fake_settings("hub", title="Hub", base_url="https://hub.example.test")),
    }
    async with memory_store(clock, CountingIds()) as sound:
        store: Any = FlakyStore(sound)
        accounts, people = FakeAccounts(store), Colleagues(sound)
        given = context(
            store,
            providers,
            clock,
            people=people,
            installation=replace(installation, administrators=administrators),
            wake=lambda: wakes.append(clock.now()),
        )
        services = build_services(given, accounts, RateLimiter(clock.monotonic))  # type: ignore[arg-type]
        yield Rig(services, store, accounts, clock, wakes, people)


async def submit(
    services: Services,
    principal: Principal,
    view: Mapping[str, Any],
    interaction: str = "view:1",
    callback_id: str = "",
) -> dict[str, Any]:
    """Send a form, and return its ``response_action``."""
    surface = Surface("form", Where.FORM, interaction=interaction)
    callback_id = callback_id or view["callback_id"]
    return form_body(await run_form(services, principal, surface, callback_id, view))


def buttons(answer: Answer) -> dict[str, dict[str, Any]]:
    """Return an answer's buttons by their words, with those in its menus."""
    return {element["text"]["text"]: element for element in kit.buttons_of(answer.blocks)}


def words(answer: Answer) -> str:
    """Return all that an answer says in its blocks."""
    said = [block["text"]["text"] for block in answer.blocks if block["type"] == "section"]
    said += [
        element["text"]
        for block in answer.blocks
        if block["type"] == "context"
        for element in block["elements"]
    ]
    return "\n".join(said)
