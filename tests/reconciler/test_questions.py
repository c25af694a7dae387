"""If nobody can tell whether something was created or launched, the person is asked."""

import json
from contextlib import suppress
from functools import partial

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.timeouts import ANSWER_SECONDS
from bot.domain.work_items import Call, Outcome
from bot.store import operations, runs
from bot.store.tables import RUNS
from bot.store.work_items import repeat
from bot.support.errors import BadAnswer, OutcomeNotReported, ServerFailed, UnknownOutcome, Unreachable
from tests.reconciler.fuse import Killed, Meanwhile
from tests.reconciler.runs import new_run_world
from tests.rigs.store import make_another

LOST = UnknownOutcome("no answer")


class Asked:
    """One question, about a creation or about a run."""

    def __init__(self, world, kind):
        self.world, self.kind = world, kind
        self.cloud, self.store, self.slack = world.world.provider, world.store, world.slack
        self.call = "create" if kind == "creation" else "launch_run"
        self.find = "find_created" if kind == "creation" else "find_run"

    async def lose(self, seconds, error=LOST):
        """Make the request and lose its answer. It takes effect after this time, or never."""
        self.cloud.shows_marks = False
        self.cloud.acts_late(self.call, seconds)
        self.cloud.fail(self.call, error, after=True)
        self.id = await (self.world.world.make() if self.kind == "creation" else self.world.runs())

    async def row(self):
        return await (
            self.store.read(operations.find_operation, self.id)
            if self.kind == "creation"
            else self.store.read(runs.find_run, self.id)
        )

    async def start_another(self):
        if self.kind == "creation":
            return await make_another(self.store, self.id)
        return await self.store.carry_out(lambda tx: repeat(tx, RUNS, self.id, 1800.0))

    async def look_again(self):
        return await self.save(keeps_waiting=True)

    async def save(self, **fields):
        if self.kind == "creation":
            return await self.store.write(operations.save_step, Update(self.id, 5.0, **fields))
        return await self.store.write(runs.save_run_step, Update(self.id, 5.0, **fields))

    async def pass_time(self, seconds, step=5.0):
        await self.world.world.pass_time(seconds, step=step)

    def shown(self, kind):
        kind = kind if self.kind == "creation" else f"job_{kind}"
        key = f"{self.id}/{kind}/"
        return [
            json.dumps(each, ensure_ascii=False)
            for each in self.slack.messages
            if each.get("metadata", {}).get("event_payload", {}).get("key", "").startswith(key)
        ]

    @property
    def made(self):
        return len(self.cloud.machines if self.kind == "creation" else self.cloud.runs)


@pytest.fixture(params=["creation", "run"])
async def asked(request):
    async with new_run_world() as world:
        world.cloud.job_takes = None
        yield Asked(world, request.param)


async def test_the_person_is_asked_and_nothing_is_repeated(asked):
    await asked.lose(None)
    await asked.pass_time(110)
    assert asked.shown("outcome_question") == []
    await asked.pass_time(30)
    for message in (*asked.shown("card"), *asked.shown("outcome_question")):
        assert "Check again" in message
        assert "Start another" in message
    assert asked.cloud.count(asked.find) > 5
    await asked.pass_time(3600, step=60)
    assert (asked.cloud.count(asked.call), len(asked.shown("outcome_question"))) == (1, 1)
    assert asked.slack.kinds().count("waiting") + asked.slack.kinds().count("job_waiting") == 0


async def test_what_is_the_only_thing_that_can_have_come_of_the_call_is_taken(asked):
    await asked.lose(40)
    await asked.pass_time(100)
    row = await asked.row()
    assert row.question_since is None
    assert (asked.cloud.count(asked.call), asked.made, asked.shown("outcome_question")) == (1, 1, [])


@pytest.mark.parametrize("is_killed", [False, True])
async def test_what_was_made_right_before_the_machine_slept_is_taken(asked, is_killed):
    await asked.lose(0, Killed() if is_killed else LOST)
    with suppress(Killed):
        await asked.world.world.work()
    asked.world.clock.jump(3600)
    asked.world.world.reborn()
    await asked.pass_time(200)
    assert (asked.cloud.count(asked.call), asked.made, asked.shown("outcome_question")) == (1, 1, [])


async def test_a_question_answers_itself_when_it_shows_up_after_all(asked):
    await asked.lose(400)
    await asked.pass_time(200)
    assert "Start another" in asked.shown("outcome_question")[0]
    await asked.pass_time(400)
    for message in (*asked.shown("card"), *asked.shown("outcome_question")):
        assert "Start another" not in message
    assert "It has shown up on Fake Cloud" in asked.shown("outcome_question")[0]
    assert (asked.cloud.count(asked.call), asked.made) == (1, 1)
    assert not await asked.start_another()


async def test_a_press_makes_one_more_and_only_once(asked):
    await asked.lose(None)
    await asked.pass_time(150)
    assert await asked.start_another()
    assert not await asked.start_another()
    assert not await asked.start_another()
    await asked.pass_time(60)
    assert (asked.cloud.count(asked.call), asked.made) == (2, 1)
    assert (
        "You chose to start another" in asked.shown("outcome_question")[0]
        or "shown up" in asked.shown("outcome_question")[0]
    )


async def test_an_answer_stands_whatever_a_look_under_way_says_and_is_taken_once(asked):
    await asked.lose(None)
    await asked.pass_time(150)
    claim = (
        partial(asked.store.claim, operations.claim_operations)
        if asked.kind == "creation"
        else partial(asked.store.claim, runs.claim_runs)
    )
    asked.world.clock.advance(300)
    (look,) = await claim(5, 40.0)
    assert await asked.start_another()
    assert await asked.save(asked=True, block_reason="", claim=look.claim)
    assert (await asked.row()).question_since is None
    (call,) = await claim(5, 40.0)
    assert await asked.save(called=True, claim=call.claim, start_call=Call.CALLING)
    assert not await asked.start_another()
    assert (await asked.row()).start_call is Call.CALLING


async def test_without_an_answer_for_a_day_it_ends_as_unknown_and_that_is_told(asked):
    await asked.lose(None)
    await asked.pass_time(150)
    await asked.pass_time(ANSWER_SECONDS, step=600)
    row = await asked.row()
    assert (row.is_open, row.cause) == (False, "unanswered")
    assert row.outcome == (Outcome.UNKNOWN if asked.kind == "creation" else "failed")
    (message,) = asked.shown("failed")
    assert "I don't know whether" in message
    assert "Start another" not in (*asked.shown("outcome_question"), *asked.shown("card"))[0]
    assert asked.cloud.count(asked.call) == 1


@pytest.mark.parametrize("answer", ["start_another", "look_again"])
async def test_an_answer_at_the_last_moment_is_one(asked, answer):
    await asked.lose(None)
    await asked.pass_time(150)
    asked.world.clock.advance(ANSWER_SECONDS - 1)
    before = (await asked.row()).question_since
    claims = operations.claim_operations if asked.kind == "creation" else runs.claim_runs

    async def answered():
        # The step that would end the work has already begun.
        await (asked.start_another() if answer == "start_another" else asked.look_again())

    asked.world.clock.advance(10)
    asked.world.world.store = Meanwhile(asked.store, claims, answered)
    asked.world.world.reborn()
    await asked.pass_time(30)
    row = await asked.row()
    if answer == "look_again":
        assert row.is_open
        assert row.question_since > before + ANSWER_SECONDS
        await asked.pass_time(600, step=60)
        assert (await asked.row()).is_open
    assert asked.cloud.count(asked.call) == (2 if answer == "start_another" else 1)
    assert row.cause != "unanswered"
    assert asked.shown("failed") == []


async def test_a_server_that_has_no_way_to_tell_is_a_question_too(asked):
    await asked.lose(None)
    asked.cloud.fail(asked.find, OutcomeNotReported("this server shows nothing"), times=100)
    await asked.pass_time(150)
    assert len(asked.shown("outcome_question")) == 1


async def test_a_search_that_can_never_be_read_becomes_a_question_and_looks_go_on(asked):
    await asked.lose(None)
    asked.cloud.fail(asked.find, BadAnswer("an entry can't be read"), times=10_000)
    await asked.pass_time(110)
    assert asked.shown("outcome_question") == []
    await asked.pass_time(60)
    for message in (*asked.shown("card"), *asked.shown("outcome_question")):
        assert "Check again" in message
        assert "Start another" in message
    looks = asked.cloud.count(asked.find)
    await asked.pass_time(3600, step=60)
    assert asked.cloud.count(asked.find) > looks + 5
    assert (asked.cloud.count(asked.call), len(asked.shown("outcome_question"))) == (1, 1)
    assert "Start another" in asked.shown("card")[0]


async def test_one_search_that_cannot_be_read_is_made_again(asked):
    await asked.lose(None)
    asked.cloud.shows_marks = True
    await asked.pass_time(1)
    asked.cloud.fail(asked.find, BadAnswer("a page"))
    await asked.pass_time(130, step=130)
    await asked.pass_time(30)
    assert asked.shown("outcome_question") == []
    assert (asked.cloud.count(asked.call), asked.made) == (2, 1)


async def test_a_search_that_can_be_read_after_all_answers_its_question(asked):
    await asked.lose(10)
    asked.cloud.shows_marks = True
    asked.cloud.fail(asked.find, BadAnswer("an entry can't be read"), times=10_000)
    await asked.pass_time(170)
    assert "Start another" in asked.shown("outcome_question")[0]
    asked.cloud.heal()
    await asked.pass_time(120, step=10)
    assert "It has shown up on Fake Cloud" in asked.shown("outcome_question")[0]
    assert (asked.cloud.count(asked.call), asked.made) == (1, 1)
    assert not await asked.start_another()


@pytest.mark.parametrize("error", [Unreachable("no way"), ServerFailed("HTTP 503"), LOST])
async def test_a_provider_that_does_not_answer_is_no_question(asked, error):
    await asked.lose(None)
    asked.cloud.fail(asked.find, error, times=10_000)
    await asked.pass_time(300, step=15)
    assert asked.shown("outcome_question") == []
    assert (await asked.row()).is_open
    assert asked.cloud.count(asked.call) == 1


async def test_who_wants_it_no_more_is_told_that_nobody_knows(asked):
    await asked.lose(None)
    await asked.pass_time(150)
    if asked.kind == "creation":
        stop = await asked.world.world.begin(
            await asked.world.world.workspace_of(asked.id), OperationVerb.STOP
        )
        assert await asked.world.world.until_ended(stop) is Outcome.UNKNOWN
    else:
        await asked.world.stop(asked.id)
        assert (await asked.world.until_over(asked.id)).cause == "untold"
    assert asked.cloud.count(asked.call) == 1
