"""The composed engine that a history is played on: people, handlers, links, steps, one clock."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bot.accounts import Accounts
from bot.errors import Refused, StoreBusy, StoreError
from bot.linking import StoredNames
from bot.models import Answer, Person, Principal, Surface, WishVerb
from bot.store.base import Store
from handlers.dispatch import run_button, run_text
from handlers.replay import replay
from handlers.services import Services, build_services
from tests.engine.fuse import Fuse, Fused, Killed
from tests.engine.world import World
from tests.invariants.provider import MovingClock, OwnedProvider
from tests.support.clock import CountingIds

ALICE = Principal(None, "T1", "UALICE")
BOB = Principal(None, "T1", "UBOB")
PEOPLE = {"alice": ALICE, "bob": BOB}
#: One each, and one that both may use.
OWNERS = {"alpha": {"alice"}, "beta": {"bob"}, "common": {"alice", "bob"}}
#: Seconds until a wish is told to be waiting still: short, so that histories come to it.
DEADLINE = 90.0
ACCEPTED = re.compile(
    r"^(Starting|Stopping|Restarting|Calling off|Suspending|Resuming|Forcing|Making|Removing"
    r"|.* is (re)?st\w+ing already|.* is being \w+( to stop)? already|.* was \w+ already)"
)


@dataclass(frozen=True)
class Promise:
    """Hold what a person was told is being done."""

    principal: Principal
    verb: str
    place: str


class Life(World):
    """Be a world with people in front of it. A killed process is followed by a new one on the same rows."""

    def __init__(self, store: Store, clock: MovingClock, ids: CountingIds) -> None:
        self.fuse: Fuse | None = None
        self.kills = 0
        self.promises: list[Promise] = []
        self.answers: list[tuple[Principal, Answer]] = []
        #: Monotonic time from which on a token must be left alone.
        self.ended: dict[str, float] = {}
        self.nonces: list[tuple[str, str]] = []
        self.used: set[str] = set()
        self.places: dict[str, str] = {}
        self.moves: OwnedProvider = OwnedProvider(clock, OWNERS, ids)
        super().__init__(store, clock, ids, self.moves)
        for principal in PEOPLE.values():
            self.slack.add_user(principal.user_id)

    def reborn(self, fuse: Fuse | None = None) -> None:
        super().reborn(fuse)
        self.fuse = fuse
        busy = StoreBusy("not committed in time")
        store: Any = Fused(self.store, fuse, busy) if fuse else self.store
        self.accounts = Accounts(
            store=store,
            vault=self.vault,
            connections={"cloud": self.moves},
            ids=self.ids,
            names=StoredNames(store, "Acme"),
            public_url="https://usher.example.test",
            sign_in=False,
            wake=lambda: None,
        )
        self.services: Services = build_services(
            store=store,
            accounts=self.accounts,
            connections={"cloud": self.moves},
            installation=self.numbers.installation,
            administrators=frozenset(),
            clock=self.clock,
            ids=self.ids,
            wake=lambda: None,
            deadline_seconds=DEADLINE,
        )

    async def replay(self, principal: Principal, command: dict[str, Any]) -> None:
        await replay(self.services, principal, command)

    # -- what goes on by itself ----------------------------------------------------------------------------

    def steps(self) -> list[Callable[[], Awaitable[int]]]:
        return [
            self.reconciler.step_tasks,
            self.reconciler.step_wishes,
            self.reconciler.step_reads,
            self.notifier.step_notices,
            self.notifier.step_cards,
        ]

    async def survives(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Do something; a kill on the way is followed by a new process. Returns None then."""
        try:
            return await act()
        except Killed:
            self.kills += 1
            self.reborn()
            await self._note_ended()
        except StoreError:
            pass  # A loop logs it and goes on; a listener has said it.
        return None

    async def work(self) -> None:
        """Do what is due, in rounds, as the loops do."""
        for _ in range(60):
            done = [await self.survives(step) for step in self.steps()]
            if not any(done):
                return

    # -- what people do ------------------------------------------------------------------------------------

    async def types(self, principal: Principal, text: str, key: str) -> Answer | None:
        """Type a command; an accepted wish is a promise."""
        surface = Surface("command", "C1", response_url=_url(principal), interaction=f"command/{key}")
        before = set(await self.tokens(principal)) if text.startswith("unlink") else set()
        answer: Answer | None = await self.survives(lambda: run_text(self.services, principal, surface, text))
        if answer is not None:
            self.answers.append((principal, answer))
            self._promise(principal, text, answer)
        if before:
            await self._note_ended()
        return answer

    async def makes(self, principal: Principal, key: str) -> Answer | None:
        """Submit the form for a new workspace."""
        keys = {"interaction": f"view/{key}", "reference": f"R{key}", "channel_id": None}
        with suppress(Refused):
            accepted = await self.survives(
                lambda: self.services.workspaces.create(principal, "cloud", {"name": f"made{key}"}, **keys)
            )
            return None if accepted is None else Answer(text=f"Making made{key}")
        return None

    async def wants(self, principal: Principal, row: int, verb: WishVerb, key: str) -> Answer | None:
        """Wish something for one of the workspaces that a person made, as a button or a form does."""
        mine = [one for one in await self.store.workspaces(principal) if one.spec is not None]
        if not mine:
            return None
        wanted, keys = mine[row % len(mine)], {"interaction": f"view/{key}", "reference": f"R{key}"}
        with suppress(Refused):
            accepted = await self.survives(
                lambda: self.services.workspaces.wish(principal, wanted.id, verb, **keys)
            )
            return None if accepted is None else Answer(text=f"Calling off, or {verb} {wanted.title}")
        return None

    async def presses(self, principal: Principal, action_id: str, value: str, key: str) -> Answer | None:
        """Press a button, one's own or one whose value somebody else was shown."""
        surface = Surface("button", "C1", response_url=_url(principal), interaction=f"button/{key}")
        answer: Answer | None = await self.survives(
            lambda: run_button(self.services, principal, surface, action_id, value)
        )
        if answer is not None:
            self.answers.append((principal, answer))
            await self._note_ended()
        return answer

    def _promise(self, principal: Principal, text: str, answer: Answer) -> None:
        verb, _, place = text.partition(" ")
        if place.endswith(" --force"):
            verb, place = "force", place.removesuffix(" --force")
        if verb in ("start", "stop", "restart", "suspend", "force") and ACCEPTED.match(
            answer.text.replace("*", "")
        ):
            self.promises.append(Promise(principal, verb, place))

    # -- links ---------------------------------------------------------------------------------------------

    async def invited(self, name: str) -> None:
        """Ask for a link; its nonce may be used later, out of order, or never."""
        url = await self.survives(lambda: self.accounts.invite(PEOPLE[name], "cloud"))
        if url is not None:
            self.nonces.append((name, url.rpartition("/")[2]))

    async def uses(self, name: str, nonce: str, typist: str, token: str, *, at_once: int = 1) -> list[Any]:
        """Go through a link's page and type the code back as ``typist``; return what accounts came of it."""

        async def go() -> list[Any]:
            steps, browser = self.accounts.steps, f"browser of {name}"
            await steps.open(nonce, browser)
            opened = await steps.check(nonce, browser, token)
            confirmed = await steps.confirm(nonce, browser, opened.mark)
            return await asyncio.gather(
                *(self.accounts.confirm_code(PEOPLE[typist], confirmed.code or "") for _ in range(at_once)),
                return_exceptions=True,
            )

        old = await self.tokens(PEOPLE[name])
        results: list[Any] = []
        with suppress(Refused):
            results = await self.survives(go) or []
        if any(isinstance(result, Killed) for result in results):
            self.kills += 1
            self.reborn()
        good = [result for result in results if not isinstance(result, BaseException)]
        await self._note_ended(old)
        return good

    async def tokens(self, principal: Principal) -> list[str]:
        """Return the token that a person's account holds now, read past every fuse."""
        account = await self.store.account(principal, "cloud")
        if account is None or account.state != "active":
            return []
        return [self.vault.open(f"{principal.key}/cloud", account.secret)["token"]]

    async def _note_ended(self, _old: list[str] | None = None) -> None:
        """Note which tokens are nobody's any more: from now on they have five seconds."""
        held = {token for principal in PEOPLE.values() for token in await self.tokens(principal)}
        tried = {call.token for call in self.moves.calls}
        for token in self.moves.minted:
            if token in held:
                self.ended.pop(token, None)
            elif token in tried:
                self.ended.setdefault(token, self.clock.monotonic())

    # -- looking -------------------------------------------------------------------------------------------

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """Return rows of the database, whatever table."""

        def look(transaction: Any) -> list[dict[str, Any]]:
            cursor = transaction._database.execute(query)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        found: list[dict[str, Any]] = await self.store.engine.read(look)  # type: ignore[attr-defined]
        return found

    async def unknown_starts(self, place: str) -> int:
        """Count the open wishes whose start of a workspace may have landed or not."""
        found = await self.rows(
            "SELECT 1 FROM wishes JOIN workspaces ON workspaces.id = wishes.workspace_id"
            f" WHERE outcome IS NULL AND start_call IN ('calling', 'unknown') AND remote_id = '{place}'"
        )
        return len(found)

    async def meet(self) -> None:
        """Let Slack's table of people be known."""
        now = await self.store.now()
        await self.store.save_people([Person(p, p.user_id.title(), seen_at=now) for p in PEOPLE.values()])


def _url(principal: Principal) -> str:
    return f"https://hooks.slack.test/{principal.user_id}"
