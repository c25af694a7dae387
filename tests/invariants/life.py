"""The whole engine on which a history is played: people, handlers, links, work and one clock."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.domain.forms import Spec
from bot.domain.notices import Answer
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.surfaces import Surface, Where
from bot.domain.workspaces import State
from bot.messages.blocks.button_values import ButtonValue
from bot.services import linking
from bot.services.caller import Caller
from bot.services.linking import Visit, compute_digest
from bot.services.operation_requests import begin_operation, create_workspace
from bot.store import accounts, links, notices, workspaces
from bot.store.store import Store
from bot.support.errors import Refused, StoreError
from bot.support.limits import RateLimiter
from bot.support.responses import Response
from handlers.dispatch import run_button, run_text
from handlers.replaying import replay
from handlers.requests.response_targets import make_reply_notice
from handlers.requests.services import Services, build_services
from tests.invariants.provider import OwnedProvider, number_of
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.world import FakeHttp, World
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.linking import Linking
from tests.rigs.slack import FakeSlack
from tests.rigs.steps import Steps, until_idle

ALICE = Principal(None, "T1", "UALICE")
BOB = Principal(None, "T1", "UBOB")
PEOPLE = {"alice": ALICE, "bob": BOB}
#: One workspace for each person, and one that they share.
OWNERS = {"alpha": {"alice"}, "beta": {"bob"}, "common": {"alice", "bob"}}
ACCEPTED = re.compile(
    r"^(Starting|Stopping|Restarting|Cancelling|Suspending|Resuming|Forcing|Creating|Removing"
    r"|.* is already (running|stopped|(re)?st\w+ing|being \w+)|.* isn't running \()"
)


@dataclass(frozen=True)
class Promise:
    """An operation that a person was told is being done."""

    principal: Principal
    verb: str
    place: str


class Hooks(FakeHttp):
    """A receiver of answers to clicks, which applies those that replace their message."""

    def __init__(self, slack: FakeSlack) -> None:
        super().__init__()
        self._slack = slack

    async def request(self, _method: str, url: str, *, json_body: dict[str, Any], **keys: Any) -> Response:
        answer = await super().request(_method, url, json_body=json_body, **keys)
        if json_body["replace_original"]:
            # The clicked message was visible only to this person, so it isn't among the channel's messages.
            _, ts, user_id = url.rsplit("/", 2)
            for message in self._slack.messages:
                if (message["channel"], message["ts"]) == (f"D{user_id}", ts):
                    message.update(text=json_body["text"], blocks=json_body.get("blocks", []))
                    self._slack.note("changed", message)
        return answer


class Life(World):
    """A world with people in it.

    When the process is killed, a new one takes over the same rows.
    """

    def __init__(self, store: Store, clock: FakeClock, ids: CountingIds) -> None:
        self.fuse: Fuse | None = None
        self.kills = 0
        self.promises: list[Promise] = []
        self.answers: list[tuple[Principal, Answer]] = []
        #: Monotonic times from which on a token must not be used.
        self.ended: dict[str, float] = {}
        self.nonces: list[tuple[str, str]] = []
        self.used: set[str] = set()
        self.places: dict[str, str] = {}
        #: The number of messages that were already compared with the provider's state.
        self.readings_seen = 0
        self.moves: OwnedProvider = OwnedProvider(clock, OWNERS, ids)
        super().__init__(store, clock, ids, self.moves)
        # Searching a whole conversation has to fit into Slack's rate limit, as it does with pages of
        # hundreds.
        self.slack.history_page = 50
        for principal in PEOPLE.values():
            self.slack.add_user(principal.user_id)

    def reborn(self, fuse: Fuse | None = None) -> None:
        if not isinstance(self.http, Hooks):
            self.http = Hooks(self.slack)
        super().reborn(fuse)
        self.fuse = fuse
        context = replace(self.context, public_url="https://usher.example.test")
        self.accounts = Linking(context)
        self.services: Services = build_services(context, RateLimiter(self.clock.monotonic))

    async def replay(self, principal: Principal, command: dict[str, Any]) -> None:
        await replay(self.services, principal, command)

    # -- what happens on its own ---------------------------------------------------------------------------

    def steps(self) -> Steps:
        return {
            "outages": self.reconciler.outages.step,
            "tasks": self.reconciler.tasks.step,
            "operations": self.reconciler.operations.step,
            "reads": self.reconciler.reads.step,
            "scheduled_work": self.looks.timed(self.reconciler),
            "notices": self.notifier.step_notices,
            "cards": self.notifier.step_cards,
        }

    async def survives(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Do something. If it kills the process, start a new one and return None."""
        try:
            return await act()
        except Killed:
            self.kills += 1
            self.reborn()
            await self._note_ended()
        except StoreError:
            pass  # A loop logs it and goes on; a listener has said it.
        return None

    async def work(self) -> bool:
        """Do the work that is due, as the loops do."""
        # If the process was killed, the steps are those of the new one.
        return await until_idle({name: partial(self._step, name) for name in self.steps()}, self)

    @property
    def names(self) -> Collection[str]:
        return self.looks.names

    @property
    def is_old(self) -> bool:
        return self.looks.is_old

    async def due(self) -> Collection[str]:
        return await self.looks.due()

    async def _step(self, name: str) -> int:
        """Do one step of the process that is running now."""
        fuse = self.fuse
        done: int | None = await self.survives(self.steps()[name])
        if fuse is not None and fuse.is_blown:
            # The result of a read at this moment may have been lost.
            self.fuse = None
            for reads in self.moves.reads.values():
                reads.discard(self.clock.monotonic())
        return done or 0

    # -- what people do ------------------------------------------------------------------------------------

    async def types(self, principal: Principal, text: str, key: str) -> Answer | None:
        """Type a command. If it is accepted, remember the operation as a promise."""
        surface = Surface(
            "command", channel_id="C1", response_url=_url(principal), interaction=f"command/{key}"
        )
        before = set(await self.tokens(principal)) if text.startswith("unlink") else set()
        answer: Answer | None = await self.survives(lambda: run_text(self.services, principal, surface, text))
        if answer is not None:
            self.answers.append((principal, answer))
            self._promise(principal, text, answer)
        if before:
            await self._note_ended()
        return answer

    async def writes(self, principal: Principal, text: str, key: str) -> Answer | None:
        """Write a direct message. Its answer stays in the conversation."""
        surface = Surface("message", Where.DIRECT, f"D{principal.user_id}", interaction=f"event/{key}")
        return await self._directly(
            principal, surface, lambda: run_text(self.services, principal, surface, text)
        )

    async def _directly(
        self, principal: Principal, surface: Surface, act: Callable[[], Awaitable[Answer]]
    ) -> Answer | None:
        async def answered() -> Answer:
            answer = await act()
            if answer.text:
                await self.context.store.write(
                    notices.add_notices, [make_reply_notice(answer, surface, principal, self.services.ids)]
                )
            return answer

        answer: Answer | None = await self.survives(answered)
        return answer

    async def makes(self, principal: Principal, key: str) -> Answer | None:
        """Submit the form for creating a workspace."""
        caller = Caller(self.services.context, principal, f"view/{key}", f"R{key}")
        with suppress(Refused):
            accepted = await self.survives(lambda: caller.run(create_workspace, "cloud", Spec(f"made{key}")))
            return None if accepted is None else Answer(text=f"Creating made{key}")
        return None

    async def wants(self, principal: Principal, row: int, verb: OperationVerb, key: str) -> Answer | None:
        """Request an operation on one of the person's workspaces, as if by a button or a form.

        Only workspaces created through Usher are used.
        """
        mine = [
            one
            for one in await self.store.perform(workspaces.read_workspaces, principal)
            if one.spec is not None
        ]
        if not mine:
            return None
        wanted = mine[row % len(mine)]
        caller = Caller(self.services.context, principal, f"view/{key}", f"R{key}")
        with suppress(Refused):
            accepted = await self.survives(lambda: caller.run(begin_operation, wanted.id, verb))
            return None if accepted is None else Answer(text=f"Calling off, or {verb} {wanted.title}")
        return None

    async def presses(
        self, principal: Principal, action_id: str, value: str, key: str, ts: str = ""
    ) -> Answer | None:
        """Click a button.

        The button may be the person's own, or carry a value that somebody else was shown. ``ts`` is its
        message.
        """
        is_own = any(
            one["ts"] == ts and one["channel"] == f"D{principal.user_id}" for one in self.slack.messages
        )
        surface = Surface(
            "button",
            Where.DIRECT if is_own else Where.CHANNEL,
            f"D{principal.user_id}" if is_own else "C1",
            message_ts=ts if is_own else None,
            response_url=f"https://hooks.slack.com/{ts}/{principal.user_id}",
            interaction=f"button/{key}",
        )
        before = await self._of_others(principal)
        answer = await self._directly(
            principal,
            surface,
            lambda: run_button(self.services, principal, surface, ButtonValue.read(action_id, value)),
        )
        assert await self._of_others(principal) == before, (
            f"{principal} pressed {action_id} of another: {value}"
        )
        if answer is not None:
            self.answers.append((principal, answer))
            await self._note_ended()
        return answer

    async def changes_mind(self, principal: Principal, place: str, key: str, *, is_late: bool) -> str | None:
        """Type a start, and a stop during the start's call; return the stop's operation.

        With ``is_late``, the provider doesn't show the start until the stop has been processed. Return None
        if no start was called.
        """
        if await self.unknown_starts(place):
            return None
        moves, stops = self.moves, list[str]()
        moves.heal()
        self.reborn()
        moves.put(place, State.STOPPED, name=place)
        moves.shows_after, moves.lands_after, moves.start_takes = 0.0, 0.0, 60.0
        before = len(moves.starts)

        async def meanwhile(_method: str) -> None:
            # Only the person's own start counts, as a stop doesn't cancel a start that somebody else makes at
            # the same time.
            mine = [one for one in moves.starts[before:] if one.remote_id == place]
            if stops or not mine or PEOPLE[mine[0].username] != principal:
                return
            stops.append("")
            await self.types(principal, f"stop {place}", f"{key}/stop")
            operations = await self.rows(
                "SELECT id FROM operations WHERE verb = 'stop' ORDER BY created_at, id"
            )
            stops[0] = operations[-1]["id"] if operations else ""
            if is_late:
                machine = moves.machines[place]
                machine.state = State.STOPPED
                for _ in range(2):
                    self.clock.advance(11.0)
                    await self.reconciler.reads.step()
                    await self.reconciler.operations.step()
                machine.state = State.STARTING

        moves.during = meanwhile
        await self.types(principal, f"start {place}", key)
        await self.work()
        moves.during = None
        return stops[0] if stops else None

    async def is_down_after(self, place: str, stop: str | None) -> None:
        """Check that a stop that was reported as done did stop the workspace, unless it was restarted."""
        found = await self.rows(f"SELECT outcome FROM operations WHERE id = '{stop}'")
        is_told = bool(found) and found[0]["outcome"] == "fulfilled"
        again = [one for one in self.moves.starts if stop and one.number > number_of(stop)]
        if is_told and all(one.remote_id != place for one in again):
            state = self.moves._moved(place).state
            # The person who shares the workspace may have suspended it at the same moment, so that nothing
            # was left to stop.
            suspended = await self.rows(
                "SELECT o.id FROM operations o JOIN workspaces w ON w.id = o.workspace_id "
                f"WHERE o.verb = 'suspend' AND o.stop_call <> 'none' AND w.remote_id = '{place}'"
            )
            down = {State.STOPPED, State.STOPPING} | ({State.SUSPENDED} if suspended else set())
            assert state in down, f"{place} is {state}, yet {stop} came true"

    def _promise(self, principal: Principal, text: str, answer: Answer) -> None:
        verb, _, place = text.partition(" ")
        if place.endswith(" --force"):
            verb, place = "force", place.removesuffix(" --force")
        place, _, _ = place.partition(" for ")
        if verb in ("start", "stop", "restart", "suspend", "force") and ACCEPTED.match(
            answer.text.replace("*", "")
        ):
            self.promises.append(Promise(principal, verb, place))

    # -- links ---------------------------------------------------------------------------------------------

    async def invited(self, name: str) -> None:
        """Ask for a link. Its nonce may be used later, out of order, or never."""
        url = await self.survives(lambda: self.accounts.invite(PEOPLE[name], "cloud"))
        if url is not None:
            self.nonces.append((name, url.rpartition("/")[2]))

    async def uses(self, name: str, nonce: str, typist: str, token: str, *, at_once: int = 1) -> list[Any]:
        """Open a link, let ``typist`` type the code, and return the accounts that this linked."""

        async def go() -> list[Any]:
            steps, browser = self.accounts, f"browser of {name}"
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

    async def forges(self, nonce: str, thief: Principal | None = None) -> bool:
        """Confirm a link as somebody else, or from another browser; return whether that linked anything."""
        link = await self.store.read(links.find_link, compute_digest(nonce))
        if link is None or thief == link.principal:
            return False
        name = next(name for name, made in self.nonces if made == nonce)
        visit = Visit(nonce, f"browser of {name}" if thief is not None else "another browser")
        # This bypasses the fuse, since it isn't one of the process's own requests.
        caller = Caller(replace(self.context, store=self.store), thief or link.principal)
        mark = compute_digest(link.secret or "")[:16]
        with suppress(Refused):
            await caller.run(linking.confirm_link, visit, mark)
            return True
        return False

    async def is_refused(self, principal: Principal) -> None:
        """Have a person's token refused from now on, and make a call with it."""
        self.moves.refused_tokens.update(await self.tokens(principal))
        self.clock.advance(12.0)
        await self.types(principal, "status common", "")

    async def tokens(self, principal: Principal) -> list[str]:
        """Return the token of a person's account, bypassing the fuse."""
        account = await self.store.read(accounts.find_account, principal, "cloud")
        if account is None or account.state != "active":
            return []
        return [self.vault.open(f"{principal.key}/cloud", account.secret)["token"]]

    async def _note_ended(self, _old: list[str] | None = None) -> None:
        """Record which tokens no account holds any more. From now on they may only be revoked."""
        held = {token for principal in PEOPLE.values() for token in await self.tokens(principal)}
        tried = {call.token for call in self.moves.calls}
        for token in self.moves.minted:
            if token in held:
                self.ended.pop(token, None)
            elif token in tried:
                self.ended.setdefault(token, self.clock.monotonic())

    # -- looking -------------------------------------------------------------------------------------------

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """Run a query, and return the rows."""

        def look(transaction: Any) -> list[dict[str, Any]]:
            cursor = transaction._connection.execute(query)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        found: list[dict[str, Any]] = await self.store.engine.read(look)
        return found

    async def _of_others(self, principal: Principal) -> list[dict[str, Any]]:
        """Return the rows of other people, which no button of this person may change."""
        return [
            row
            for table in ("workspaces", "operations", "accounts")
            for row in await self.rows(f"SELECT * FROM {table} WHERE principal != '{principal.key}'")
        ]

    async def unknown_starts(self, place: str) -> int:
        """Count the open operations whose start may or may not have reached the workspace."""
        found = await self.rows(
            "SELECT 1 FROM operations JOIN workspaces ON workspaces.id = operations.workspace_id"
            f" WHERE outcome IS NULL AND start_call IN ('calling', 'unknown') AND remote_id = '{place}'"
        )
        return len(found)

    async def meet(self) -> None:
        """Fill the table of people, as if they had been read from Slack."""
        now = await self.store.now()
        await self.store.save_people([Person(p, p.user_id.title(), seen_at=now) for p in PEOPLE.values()])


def _url(principal: Principal) -> str:
    return f"https://hooks.slack.com/{principal.user_id}"
