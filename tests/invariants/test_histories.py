"""Tests of the invariants in random histories: reordered, duplicated or lost requests, faults, kills."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import pytest
import structlog.testing
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.store import accounts, counts
from bot.support.errors import ServerFailed, SlackFailed, SlackUnknownOutcome, UnknownOutcome
from playground.demo.person import buttons
from tests.invariants import checks, readings
from tests.invariants import ends as their_ends
from tests.invariants.life import ACCEPTED, OWNERS, PEOPLE, Life
from tests.invariants.strategies import (
    ends,
    names,
    owned,
    places,
    plans,
    states,
    texts,
    troubles,
    verbs,
    wants,
    ways,
    written,
)
from tests.reconciler.fuse import Fuse
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.due_times import check_due_times
from tests.rigs.store import memory_store


class Histories(RuleBasedStateMachine):
    """A state machine that plays one history.

    The quick invariants are checked after each step, and all of them once everything has settled.
    """

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.late: list[Any] = []
        self.number = 0

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    @initialize(linked=st.sampled_from([True, True, True, False]))
    def begin(self, linked):
        self.run(self._begin(linked))

    async def _begin(self, linked):
        clock, ids = FakeClock(), CountingIds()
        self.logs = self.stack.enter_context(structlog.testing.capture_logs())
        store = await self.stack.enter_async_context(memory_store(clock, ids))
        self.life = Life(store, clock, ids)
        await self.life.meet()
        await their_ends.watch(self.life)
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
        readings.each_end_is_so(self.life)
        while seconds > 0:
            self.life.clock.advance(min(step, seconds))
            seconds -= step
            await self.life.work()
            readings.each_end_is_so(self.life)

    # -- requests of Slack -----------------------------------------------------------------------------------

    def arrives(self, way, act):
        """Deliver a request with a new key: now, twice, twice at once, late, or again later (``way``)."""
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
        elif way == "again":
            answer = self.run(act(key))
            # A refused or limited request leaves no trace: delivered again, it counts as a new request.
            said = answer.text.replace("*", "") if answer is not None else ""
            if ACCEPTED.match(said) or "I'll stop " in said:
                self.late.append(lambda: self._redelivered(act, key))

    async def _redelivered(self, act, key):
        """Deliver an accepted request again, and check that it has no effect."""
        asked = "SELECT id FROM operations UNION ALL SELECT id || stop_at FROM workspaces"
        before = await self.life.rows(asked)
        promises = list(self.life.promises)
        await act(key)
        self.life.promises[:] = promises
        assert await self.life.rows(asked) == before, "one request was taken twice"

    def goes_wrong(self, trouble):
        """Set up the next failure."""
        if trouble is None:
            return
        what, how, after = trouble
        if what in ("kill", "fail"):
            self.life.reborn(Fuse(how, after=after, is_kill=what == "kill"))
        elif isinstance(how, SlackFailed):
            # A request that was rate-limited has no effect.
            self.life.slack.fail(what, how, after=after and isinstance(how, SlackUnknownOutcome))
        else:
            # A request that didn't arrive, or was turned away, has no effect either.
            may_have_landed = isinstance(how, UnknownOutcome | ServerFailed)
            self.life.moves.fail(what, how, after=after and may_have_landed)

    def asks(self, data):
        """Request a start, a stop, a restart or another operation."""
        (name, place), verb, way = data.draw(owned), data.draw(verbs), data.draw(ways)
        self.goes_wrong(data.draw(troubles))
        self.arrives(way, lambda key: self.life.types(PEOPLE[name], verb.format(place), key))

    def plans(self, data):
        """Set a time until which something runs, and perhaps let some time pass."""
        (name, place), text, way = data.draw(owned), data.draw(plans), data.draw(ways)
        seconds = data.draw(st.sampled_from([0.0, 0.0, 300.0]))
        self.goes_wrong(data.draw(troubles))
        self.arrives(way, lambda key: self.life.types(PEOPLE[name], text.format(place), key))
        self.run(self._pass(seconds, step=25.0))

    def is_warned(self, data):
        """Start something for a while, answer the warning or not, and go on to its end, perhaps late."""
        (name, place), answer = data.draw(owned), data.draw(st.sampled_from([*their_ends.ANSWERS, None]))
        trouble, later, seconds = data.draw(troubles), data.draw(troubles), data.draw(st.floats(0.0, 620.0))
        is_down = data.draw(st.booleans())
        self.number += 1
        key = f"warned/{self.number}"
        self.run(self.life.types(PEOPLE[name], f"start {place} for 13 min", key))
        self.goes_wrong(trouble)
        self.run(self._pass(200.0, step=20.0))
        self.goes_wrong(later)
        if is_down:
            self.life.clock.advance(seconds)
        else:
            self.run(self._pass(seconds, step=20.0))
        if answer is not None:
            self.run(their_ends.answers(self.life, PEOPLE[name], answer.format(place), f"{key}/answer"))
        self.run(self._pass(640.0 - seconds, step=20.0))

    def changes_mind(self, data):
        """Request a start, and a stop during its call. The stop wins, whichever arrives first."""
        (name, place), is_late = data.draw(owned), data.draw(st.booleans())
        self.number += 1
        stop = self.run(self.life.changes_mind(PEOPLE[name], place, str(self.number), is_late=is_late))
        self.run(self._pass(60.0, step=4.0))
        self.run(self.life.is_down_after(place, stop))

    def makes(self, data):
        """Create a workspace, and often request something for it soon after."""
        name, way, then = data.draw(names), data.draw(ways), data.draw(st.none() | wants)
        row, seconds = data.draw(places), data.draw(st.sampled_from([0.0, 0.0, 1.0, 20.0, 60.0]))
        self.goes_wrong(data.draw(troubles))
        self.arrives(way, lambda key: self.life.makes(PEOPLE[name], key))
        if then is not None:
            self.run(self._pass(seconds))
            self.goes_wrong(data.draw(troubles))
            self.arrives("now", lambda key: self.life.wants(PEOPLE[name], row, then, key))

    def says(self, data):
        """Type a command that shows something, or removes something from the list."""
        name, text, way = data.draw(names), data.draw(texts), data.draw(ways)
        self.goes_wrong(data.draw(troubles))
        self.arrives(way, lambda key: self.life.types(PEOPLE[name], text, key))

    def writes(self, data):
        """Send a direct message, whose answer can be edited later."""
        name, text, way = data.draw(names), data.draw(written), data.draw(ways)
        self.goes_wrong(data.draw(troubles))
        self.arrives(way, lambda key: self.life.writes(PEOPLE[name], text, key))
        self.run(self._pass(6.0, step=2.0))
        self.run(checks.no_message_contradicts_its_row(self.life))

    def presses(self, data):
        """Click a button of any message, the person's own or another's, since values can be forged."""
        # Draw everything even if there is nothing to click, as what is drawn mustn't depend on the history.
        place, name, way = data.draw(places), data.draw(names), data.draw(ways)
        is_forged, row = data.draw(st.integers(0, 3)) == 0, data.draw(places)
        forged = data.draw(st.sampled_from(["open", "open", "stop", "start", "forget"]))
        trouble = data.draw(troubles)
        messages = self.life.slack.messages
        shown = [
            (message["ts"], each)
            for message in messages
            for each in buttons(message)
            if "url" not in each and each["type"] == "button"
        ][-12:]
        if not shown:
            return
        ts, button = shown[place % len(shown)]
        action_id, value = button["action_id"], button.get("value", "")
        if is_forged:
            rows = self.run(self.life.rows("SELECT id FROM workspaces ORDER BY id"))
            action_id, value = forged, rows[row % len(rows)]["id"] if rows else value
        self.goes_wrong(trouble)
        self.arrives(way, lambda key: self.life.presses(PEOPLE[name], action_id, value, key, ts))

    # -- links -----------------------------------------------------------------------------------------------

    def links(self, data):
        """Ask for a link and use it. Sometimes it is an old one, or somebody else types the code."""
        name = data.draw(names)
        typist = data.draw(st.sampled_from([name, name, name, "bob"]))
        self.goes_wrong(data.draw(troubles))
        place, at_once = data.draw(places), data.draw(st.integers(1, 2))
        thief = data.draw(names)
        self.run(self.life.invited(name))
        for _, nonce in self.life.nonces[-1:]:
            self.run(self._forges(nonce, thief))
        if not self.life.nonces:
            return
        offered = [self.life.nonces[-1]] * 3 + self.life.nonces[-4:]
        name, nonce = offered[place % len(offered)]
        token = self.life.moves.mint(name)
        good = self.run(self.life.uses(name, nonce, typist, token, at_once=at_once))
        self.run(self._forges(nonce, thief))
        assert len(good) <= 1, "one link made two accounts"
        if good:
            assert nonce not in self.life.used, "a nonce worked twice"
            assert name == typist, "somebody else's code was taken"
            self.life.used.add(nonce)

    async def _forges(self, nonce, thief):
        """Try to confirm a link as somebody else, and from another browser; check that nothing is linked."""
        for taken in (PEOPLE[thief], None):
            assert not await self.life.forges(nonce, taken), f"a link was taken by {taken}"

    def unlinks(self, data):
        """Unlink, often when the provider refuses the token.

        Perhaps the process is down for a while afterwards.
        """
        name, way, is_refused = data.draw(names), data.draw(ways), data.draw(st.booleans())
        if is_refused:
            self.run(self.life.is_refused(PEOPLE[name]))
            self.run(self._pass(12.0, step=3.0))
        self.goes_wrong(data.draw(troubles))
        self.arrives(way, lambda key: self.life.types(PEOPLE[name], "unlink cloud --yes", key))
        self.life.clock.advance(data.draw(st.sampled_from([0.0, 0.0, 8.0])))
        self.run(self.life.work())

    def loses_the_token(self, data):
        """Have a person's token refused from now on."""
        for token in self.run(self.life.tokens(PEOPLE[data.draw(names)])):
            self.life.moves.refused_tokens.add(token)

    # -- the provider, and time ------------------------------------------------------------------------------

    def changes_elsewhere(self, data):
        """Change a workspace's state, and how starts end from now on.

        This isn't done while a start's outcome is unknown: a start that arrived and was stopped before
        anybody looked is the same as one that never arrived.
        """
        place, state = data.draw(st.sampled_from(sorted(OWNERS))), data.draw(states)
        self.life.moves.start_ends = data.draw(ends)
        if not self.run(self.life.unknown_starts(place)):
            self.life.moves.put(place, state, name=place)

    def becomes_slow(self, data):
        """Show starts late: after 4 s if the call was answered, after 14 s if the answer was lost."""
        provider = self.life.moves
        provider.shows_after = data.draw(st.sampled_from([0.0, 4.0]))
        provider.lands_after = data.draw(st.sampled_from([14.0, 14.0, 0.0]))
        provider.start_takes = data.draw(st.sampled_from([5.0, 30.0, 120.0]))

    def waits(self, data):
        """Let time pass while the process works."""
        self.run(self._pass(data.draw(st.floats(1.0, 60.0)), step=3.0))

    def is_down(self, data):
        """Let time pass without it."""
        self.life.clock.advance(data.draw(st.floats(1.0, 90.0)))

    def jumps(self, data):
        """Let the clock jump ahead."""
        self.life.clock.jump(data.draw(st.floats(0.2, 4_000.0)))
        self.run(self._pass(2.0, step=1.0))

    def is_late(self, data):
        """Deliver a late request, if there is one."""
        place = data.draw(places)
        if self.late:
            self.run(self.late.pop(place % len(self.late))())

    #: How often each action is chosen, relative to the others.
    PARTS: ClassVar[dict[str, int]] = {
        "asks": 12,
        "changes_mind": 2,
        "plans": 3,
        "is_warned": 3,
        "makes": 4,
        "waits": 6,
        "presses": 4,
        "writes": 4,
        "jumps": 2,
        "links": 4,
        "unlinks": 2,
        "says": 1,
        "is_down": 1,
        "loses_the_token": 1,
        "changes_elsewhere": 3,
        "becomes_slow": 1,
        "is_late": 12,
    }

    # There is a single rule. With several, Hypothesis leaves some out of each history, and people who never
    # request anything prove nothing. The rule can always be applied, as Hypothesis would otherwise abandon
    # every second history halfway.
    @rule(data=st.data(), what=st.sampled_from([name for name, parts in PARTS.items() for _ in range(parts)]))
    def happens(self, data, what):
        getattr(self, what)(data)

    # -- what holds ------------------------------------------------------------------------------------------

    @invariant()
    def promises_are_kept_so_far(self):
        if hasattr(self, "life"):
            checks.at_any_time(self.life)
            readings.each_end_is_read_once(self.life)
            self.run(checks.one_start_per_operation(self.life))
            self.run(checks.each_their_own(self.life))
            self.run(checks.nothing_left_of_ended(self.life))
            self.run(check_due_times(self.life.store))

    def teardown(self):
        try:
            if hasattr(self, "life"):
                self.run(self._settle())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()

    async def _link_again(self):
        for name, principal in PEOPLE.items():
            account = await self.life.store.read(accounts.find_account, principal, "cloud")
            # A person whose token was refused has been asked to link again, and may do so.
            if account is not None and (account.state == "refused" or account.refused_since is not None):
                await self._link(name)

    async def _settle(self):
        """End all faults, let time pass, and check every promise."""
        life = self.life
        life.moves.heal()
        life.slack._faults.clear()
        life.reborn()
        await life._note_ended()
        await self._link_again()
        # If somebody else undoes a stop, it ends after ten minutes.
        for _ in range(8):
            await self._pass(200.0, step=10.0)
            await self._link_again()
            left = await life.store.perform(counts.count_rows)
            later = await their_ends.timers(life)
            is_over = left["open_operations"] == left["pending_notices"] == 0
            if not later and is_over:
                # Work that failed several times is only tried again after most of an hour.
                later = [row["due_at"] for row in await life.rows("SELECT due_at FROM tasks")]
            if later:
                life.clock.advance(max(max(later) - life.clock.now(), 0.0))
            elif is_over:
                break
        checks.at_any_time(life)
        readings.each_end_is_read_once(life)
        await readings.each_end_was_read(life)
        await checks.one_start_per_operation(life)
        await checks.at_the_end(life, self.logs)
        await their_ends.each_timer_came_to_one_end(life)
        await their_ends.stopped_for_their_owner(life)
        await checks.no_message_contradicts_its_row(life)


def _profile() -> settings:
    slow = list(HealthCheck)
    if settings.get_current_profile_name() == "thorough":
        return settings(suppress_health_check=slow)
    # Every run has the same histories. The thorough profile looks for new ones.
    return settings(
        max_examples=30, stateful_step_count=40, derandomize=True, deadline=None, suppress_health_check=slow
    )


# The random histories take half a minute on two idle cores. The limit leaves room for other work.
TestHistories = pytest.mark.timeout(600)(Histories.TestCase)
TestHistories.settings = _profile()
