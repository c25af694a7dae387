"""The invariants over random histories: requests reordered, doubled, lost, late; faults, kills, jumps."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import structlog.testing
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.errors import (
    RateLimited,
    ServerFailed,
    SlackFailed,
    SlackLimited,
    SlackUnknownOutcome,
    UnknownOutcome,
    Unreachable,
)
from bot.models import State
from playground.demo.person import buttons
from tests.engine.fuse import Fuse
from tests.invariants import checks
from tests.invariants.life import OWNERS, PEOPLE, Life
from tests.invariants.provider import MovingClock
from tests.support.clock import CountingIds
from tests.support.store import memory_store

names = st.sampled_from(sorted(PEOPLE))
places = st.sampled_from(sorted(OWNERS))
verbs = st.sampled_from(["start", "start", "stop", "restart"])
#: How a request of Slack arrives: at once, twice, twice at the same time, later, or never.
ways = st.sampled_from(["now", "now", "now", "twice", "at once", "late", "lost"])
failures = st.sampled_from(
    [
        UnknownOutcome("no answer in time"),
        Unreachable("no connection"),
        ServerFailed("500", status=500),
        RateLimited("slow down", status=429, retry_after=3.0),
    ]
)
slack_failures = st.sampled_from(
    [
        SlackUnknownOutcome("some.method", "no_answer"),
        SlackFailed("some.method", "fatal"),
        SlackLimited("some.method", 2.0),
    ]
)


class Histories(RuleBasedStateMachine):
    """Play one history. After each step the quick invariants hold; at the end, everything settled, all do."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.late: list[Any] = []
        self.number = 0

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    @initialize(linked=st.booleans())
    def begin(self, linked):
        self.run(self._begin(linked))

    async def _begin(self, linked):
        clock, ids = MovingClock(), CountingIds()
        self.logs = self.stack.enter_context(structlog.testing.capture_logs())
        store = await self.stack.enter_async_context(memory_store(clock, ids))
        self.life = Life(store, clock, ids)
        await self.life.meet()
        if linked:
            for name in PEOPLE:
                await self._link(name)
            await self._pass(5.0)

    async def _link(self, name):
        await self.life.invited(name)
        _, nonce = self.life.nonces[-1]
        return await self.life.uses(name, nonce, name, self.life.moves.mint(name))

    async def _pass(self, seconds, step=5.0):
        await self.life.work()
        while seconds > 0:
            self.life.clock.advance(min(step, seconds))
            seconds -= step
            await self.life.work()

    # -- requests of Slack -----------------------------------------------------------------------------------

    def arrives(self, way, act):
        """Deliver a request with a key of its own, as the way says."""
        self.number += 1
        key = str(self.number)

        async def twice():
            await act(key)
            await act(key)

        async def at_once():
            await asyncio.gather(act(key), act(key))

        if way in ("now", "twice", "at once"):
            self.run({"now": lambda: act(key), "twice": twice, "at once": at_once}[way]())
        elif way == "late":
            self.late.append(lambda: act(key))

    @rule(name=names, verb=verbs, place=places, way=ways)
    def asks(self, name, verb, place, way):
        self.arrives(way, lambda key: self.life.types(PEOPLE[name], f"{verb} {place}", key))

    @rule(
        name=names,
        text=st.sampled_from(["list", "status common", "unlink cloud", "open alpha", "whoami"]),
        way=ways,
    )
    def says(self, name, text, way):
        self.arrives(way, lambda key: self.life.types(PEOPLE[name], text, key))

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def brings_what_was_late(self, data):
        act = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
        self.run(act())

    @rule(data=st.data(), name=names, way=ways)
    def presses_a_button_of_some_message(self, data, name, way):
        """Press what is on any message, one's own or another's: values can be forged."""
        shown = [
            each for message in self.life.slack.messages for each in buttons(message) if "url" not in each
        ]
        if not shown:
            return
        button = data.draw(st.sampled_from(shown[-12:]))
        action_id, value = button["action_id"], button.get("value", "")
        self.arrives(way, lambda key: self.life.presses(PEOPLE[name], action_id, value, key))

    # -- links -----------------------------------------------------------------------------------------------

    @rule(name=names)
    def asks_for_a_link(self, name):
        self.run(self.life.invited(name))

    @precondition(lambda self: self.life.nonces)
    @rule(data=st.data(), typist=names, at_once=st.integers(1, 2))
    def uses_a_link(self, data, typist, at_once):
        name, nonce = data.draw(st.sampled_from(self.life.nonces[-6:]))
        token = self.life.moves.mint(name)
        good = self.run(self.life.uses(name, nonce, typist, token, at_once=at_once))
        assert len(good) <= 1, "one link made two accounts"
        if good:
            assert nonce not in self.life.used, "a nonce worked twice"
            assert name == typist, "somebody else's code was taken"
            self.life.used.add(nonce)

    @rule(name=names)
    def has_the_token_refused(self, name):
        for token in self.run(self.life.tokens(PEOPLE[name])):
            self.life.moves.refused_tokens.add(token)

    # -- what goes wrong -------------------------------------------------------------------------------------

    @rule(
        method=st.sampled_from(["start", "start", "stop", "status", "discover", "revoke", "check"]),
        error=failures,
        after=st.booleans(),
        times=st.integers(1, 3),
    )
    def provider_fails(self, method, error, after, times):
        self.life.moves.fail(method, error, times, after=after and method != "check")

    @rule(
        method=st.sampled_from(
            ["chat.postMessage", "chat.update", "conversations.history", "conversations.open"]
        ),
        error=slack_failures,
        after=st.booleans(),
        times=st.integers(1, 3),
    )
    def slack_fails(self, method, error, after, times):
        # What was limited was not done.
        self.life.slack.fail(method, error, times, after=after and isinstance(error, SlackUnknownOutcome))

    @rule(at=st.integers(1, 40), after=st.booleans(), is_kill=st.booleans())
    def will_break(self, at, after, is_kill):
        """Kill the process, or fail once, at a call that is still to come."""
        # Errors that come after the effect are Slack's and the provider's: they have rules of their own.
        self.life.reborn(Fuse(at, after=after and is_kill, is_kill=is_kill))

    @rule()
    def heals(self):
        self.life.moves.heal()
        self.life.slack._faults.clear()

    @rule(place=places, state=st.sampled_from([State.STOPPED, State.RUNNING, State.FAILED]))
    def is_changed_elsewhere(self, place, state):
        self.life.moves.put(place, state, name=place)

    # -- time ------------------------------------------------------------------------------------------------

    @rule(seconds=st.floats(0.1, 30.0))
    def waits(self, seconds):
        self.run(self._pass(seconds))

    @rule(number=st.integers(0, 4))
    def works_at_one_thing(self, number):
        self.run(self.life.survives(self.life.steps()[number]))

    @rule(seconds=st.floats(0.2, 4_000.0))
    def clock_jumps(self, seconds):
        self.life.clock.jump(seconds)

    # -- what holds ------------------------------------------------------------------------------------------

    @invariant()
    def promises_are_kept_so_far(self):
        if hasattr(self, "life"):
            checks.at_any_time(self.life)
            self.run(checks.one_start_per_wish(self.life))

    def teardown(self):
        try:
            if hasattr(self, "life"):
                self.run(self._settle())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()

    async def _settle(self):
        """Let everything work again, let time pass, and look at every promise."""
        life = self.life
        life.moves.heal()
        life.slack._faults.clear()
        life.reborn()
        await life._note_ended()
        for name, principal in PEOPLE.items():
            account = await life.store.account(principal, "cloud")
            if account is not None and account.state == "refused":
                await self._link(name)
        await self._pass(400.0, step=10.0)
        for name, principal in PEOPLE.items():
            account = await life.store.account(principal, "cloud")
            if account is not None and account.state == "refused":
                await self._link(name)
        await self._pass(300.0, step=10.0)
        checks.at_any_time(life)
        await checks.one_start_per_wish(life)
        await checks.at_the_end(life, self.logs)


def _profile() -> settings:
    if settings.get_current_profile_name() == "thorough":
        return settings(suppress_health_check=list(HealthCheck))
    # The same histories in every run: what is new is looked for by the long profile.
    return settings(
        max_examples=25,
        stateful_step_count=30,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


TestHistories = Histories.TestCase
TestHistories.settings = _profile()
