"""After a silence, people get everything they missed in a single message that shows the current state."""

from contextlib import suppress
from itertools import count

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.workspaces import State
from bot.slack.calls import TRY_INTERVAL_SECONDS, UNREACHABLE_CODE
from bot.slack.methods import AUTH_TEST, METHODS
from bot.store import counts, notices
from bot.support.errors import SlackFailed, SlackPermanent, SlackUnknownOutcome, StoreBusy, Unreachable
from tests.reconciler.classroom import person
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.world import new_world
from tests.rigs.store import ALICE, BOB

OPEN, POST, SEARCH = "conversations.open", "chat.postMessage", "conversations.history"
MINUTE = 60.0
SAYS = {"text": "x", "blocks": []}


def cut_off(world, *, arrives=False, code=None, methods=METHODS):
    """Make Slack answer nothing. Messages may still arrive, but with ``code``, none can be sent at all."""
    for method in methods:
        error = SlackFailed(method, code) if code else SlackUnknownOutcome(method, "no_answer")
        world.slack.fail(method, error, times=10**9, after=arrives)


def mend(world):
    world.slack._faults.clear()


async def started(world, *remote_ids, principal=ALICE):
    """Begin starting workspaces for a person, which takes half a minute, and return them."""
    rows = [await world.own(principal, remote_id) for remote_id in remote_ids]
    for row in rows:
        await world.begin(row)
    return rows


def told(world, principal=ALICE):
    """Return the kinds of messages that a person got, except for cards."""
    shown = zip(world.slack.kinds(), world.slack.messages, strict=True)
    return [kind for kind, one in shown if kind != "card" and one["channel"] == f"D{principal.user_id}"]


def reads_of(world):
    return sum(call.method == "status" for call in world.provider.calls)


def words(world):
    return str(world.slack.messages[-1]["blocks"])


async def test_whoever_is_owed_several_things_gets_one_message_that_says_how_things_are(world):
    await started(world, "r1", "r2", "r3")
    await started(world, "b1", principal=BOB)
    await world.pass_time(5)
    cut_off(world)
    await world.pass_time(5 * MINUTE)
    world.provider.put("r2", State.STOPPED)
    await world.pass_time(10 * MINUTE)
    mend(world)
    await world.pass_time(30)
    assert (told(world), told(world, BOB)) == (["summary"], ["ready"])
    (summary,) = [one for one in world.slack.messages if one["text"].startswith("While I")]
    said = str(summary["blocks"])
    assert "*name-r1* and *name-r3* are ready." in said
    assert "*name-r2* · Fake Cloud: It was running, and has since been stopped" in said
    assert said.count("'Open name-") == 2
    await world.pass_time(20 * MINUTE, step=5)
    assert (told(world), told(world, BOB)) == (["summary"], ["ready"])
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0


@pytest.mark.parametrize("silent", [(), (POST, SEARCH, OPEN)], ids=["all", "messages"])
async def test_of_forty_that_stopped_while_slack_was_away_none_is_announced_as_ready(world, silent):
    """Each owner gets a single message, the last of them within a minute of Slack's return."""
    people = [person(number) for number in range(40)]
    for one in people:
        await started(world, f"r-{one.user_id}", principal=one)
    cut_off(world, methods=silent or METHODS)
    await world.pass_time(10 * MINUTE)
    # The workspaces were ready for nine minutes, and have stopped since the last read.
    for one in people:
        world.provider.put(f"r-{one.user_id}", State.STOPPED)
    mend(world)
    reads, before, returned = reads_of(world), len(world.slack.messages), world.clock.now()
    await world.pass_time(MINUTE)
    sent = [call for method, call in world.slack.calls if method == POST and call["channel"] != "none"]
    assert {tuple(told(world, one)) for one in people} == {("ready",)}
    assert all("was stopped later" in str(one) for one in world.slack.messages[before:])
    assert not any("is ready" in str(one["blocks"]) for one in sent[-40:])
    assert float(world.slack.messages[-1]["ts"]) - returned < MINUTE
    assert reads_of(world) - reads <= 2 * 40


@pytest.mark.parametrize("minutes", [2, 3, 4, 6])
async def test_an_attempt_long_ago_proves_nothing_about_now(world, minutes):
    """While Slack is away, one message waits for its read and isn't retried for minutes."""
    for number in range(4):
        one = person(number)
        await started(world, f"r{number}", f"s{number}", principal=one)
    cut_off(world, arrives=True)
    await world.pass_time(MINUTE)
    cut_off(world)
    await world.pass_time(minutes * MINUTE - 20.0, longest=1.0)
    for number in range(4):
        world.provider.put(f"r{number}", State.STOPPED)
    await world.pass_time(20.0, longest=1.0)
    mend(world)
    world.slack.calls.clear()
    await world.pass_time(30)
    summaries = [str(one) for _, one in world.slack.calls if "/summary/" in str(one.get("metadata"))]
    assert len(summaries) >= 2
    assert all("has since been stopped" in said for said in summaries)


async def test_a_message_waits_for_a_provider_for_a_minute_and_no_longer(world):
    await started(world, "r1")
    await world.pass_time(5)
    cut_off(world)
    await world.pass_time(5 * MINUTE)
    world.provider.fail("status", Unreachable("no connection"), times=10**9)
    mend(world)
    await world.pass_time(MINUTE / 2)
    assert told(world) == []
    await world.pass_time(MINUTE)
    assert told(world) == ["ready"]


@pytest.mark.parametrize("poison", [0, 5])
async def test_a_search_that_fails_by_itself_holds_up_nobody(world, poison):
    """Slack accepts messages, but never shows those of one conversation, whatever is sent meanwhile."""
    for number in range(6):
        await world.store.write(
            notices.add_notices, [NewNotice(f"s{number}", NoticeKind.MESSAGE, "1", person(number), SAYS)]
        )
    await world.pass_time(1)
    (unsure,) = [NewNotice("unsure", NoticeKind.MESSAGE, "1", person(poison), SAYS)]
    await world.store.write(notices.add_notices, [unsure])
    await world.store.perform(notices.claim_notices, 10, 60.0)
    world.clock.advance(2 * MINUTE)
    world.slack.fail(SEARCH, SlackUnknownOutcome(SEARCH, "internal_error"), times=10**9)
    for number in range(6, 12):
        await world.store.write(
            notices.add_notices, [NewNotice(f"s{number}", NoticeKind.MESSAGE, "1", person(number), SAYS)]
        )
        await world.pass_time(20)
        assert told(world, person(number)) == ["message"]


async def test_a_refusal_says_that_slack_answers(world):
    """Messages that it refuses are given up at once, rather than one every five seconds."""
    for number in range(20):
        await world.store.write(
            notices.add_notices, [NewNotice(f"s{number}", NoticeKind.MESSAGE, "1", person(number), SAYS)]
        )
    cut_off(world, code=UNREACHABLE_CODE)
    await world.pass_time(5 * MINUTE)
    mend(world)
    world.slack.fail(POST, SlackPermanent(POST, "channel_not_found"), times=10**9)
    await world.pass_time(10)
    assert (await world.store.perform(counts.count_rows))["dead_notices"] == 20


async def test_a_process_that_starts_while_slack_is_away_finds_out_and_tells_within_seconds(world):
    await started(world, "r1")
    await world.pass_time(5)
    cut_off(world)
    await world.pass_time(20 * MINUTE, step=5)
    world.reborn()
    await world.pass_time(MINUTE)
    mend(world)
    await world.pass_time(30)
    assert told(world) == ["ready"]


async def test_what_a_newer_request_has_overtaken_is_told_as_past_and_that_by_its_card(world):
    (row,) = await started(world, "r1")
    await world.pass_time(5)
    cut_off(world)
    await world.pass_time(2 * MINUTE)
    await world.begin(row, OperationVerb.STOP)
    await world.pass_time(2 * MINUTE)
    mend(world)
    await world.pass_time(MINUTE)
    assert told(world) == ["ready"]
    (ready,), (stopped,) = world.slack.told("ready"), world.slack.told("stopped")
    assert "became ready at " in ready["text"]
    assert "and was stopped later" in ready["text"]
    assert "is ready" not in str(ready["blocks"])
    assert world.slack.kinds().count("card") == 1
    assert stopped["text"].startswith("name-r1 has stopped on Fake Cloud.")


async def test_an_end_that_was_overtaken_is_told_as_past(world):
    (row,) = await started(world, "r1")
    await world.pass_time(5)
    cut_off(world)
    await world.pass_time(2 * MINUTE)
    world.provider.stop_takes = 20 * MINUTE
    await world.begin(row, OperationVerb.STOP)
    await world.pass_time(MINUTE)
    mend(world)
    await world.pass_time(20)
    sent = [each for _, each in world.slack.calls if "/ready/" in str(each.get("metadata"))]
    assert "It was running, and is now being stopped" in sent[-1]["text"]
    assert "'actions'" not in str(sent[-1]["blocks"])


async def test_a_silence_is_also_one_in_which_no_process_ran(world):
    await started(world, "r1", "r2")
    await world.pass_time(5)
    cut_off(world)
    await world.pass_time(MINUTE)
    mend(world)
    world.clock.advance(10 * MINUTE)
    world.reborn()
    await world.pass_time(5)
    assert told(world) == ["summary"]


async def test_a_busy_minute_is_no_silence(world):
    await started(world, "r1", "r2", "r3")
    await world.pass_time(2 * MINUTE)
    assert told(world) == ["ready"] * 3


async def test_while_slack_is_away_what_is_owed_is_tried_and_next_to_nothing_is_sent(world):
    await started(world, *(f"r{number}" for number in range(20)))
    cut_off(world)
    await world.pass_time(MINUTE)
    # A search begins with opening the conversation that is to be searched.
    posts, searches = world.slack.count(POST), world.slack.count(OPEN)
    await world.pass_time(10 * MINUTE, longest=1.0)
    sent = world.slack.count(POST) - posts
    assert sent <= 8
    assert sent + world.slack.count(OPEN) - searches == pytest.approx(600 / TRY_INTERVAL_SECONDS, abs=5)
    assert world.slack.count(AUTH_TEST) == 0
    mend(world)
    await world.pass_time(20)
    assert told(world) == ["summary"]


@pytest.mark.parametrize("arrives", [True, False])
async def test_one_search_answers_for_all_that_may_have_been_sent_to_a_person(world, arrives):
    for number in range(6):
        await world.store.write(notices.add_notices, [NewNotice(f"s{number}", NoticeKind.OUTAGE, "1", ALICE)])
    unsure = await world.store.perform(notices.claim_notices, 10, 60.0)
    if arrives:
        for notice in unsure[:3]:
            payload = {"event_type": "usher_notice", "event_payload": {"key": notice.key}}
            world.clock.advance(2.0)
            await world.slack.call(POST, {"channel": "UALICE", "text": "x", "metadata": payload})
    world.clock.advance(90.0)
    world.slack.history_page = 200
    await world.pass_time(30)
    assert world.slack.count(SEARCH) == 1
    assert told(world) == (["outage"] * 3 if arrives else []) + ["summary"]
    assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0


async def test_what_could_not_be_sent_at_all_is_not_looked_for(world):
    cut_off(world, code=UNREACHABLE_CODE)
    await started(world, "r1", "r2")
    await world.pass_time(5 * MINUTE)
    mend(world)
    await world.pass_time(20)
    assert world.slack.count(SEARCH) == 0
    assert told(world) == ["summary"]


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_summary_whose_answer_gets_lost_is_looked_up(world, arrived):
    await started(world, "r1", "r2")
    await world.pass_time(5)
    cut_off(world, code=UNREACHABLE_CODE)
    await world.pass_time(5 * MINUTE)
    mend(world)
    world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"), after=arrived)
    await world.pass_time(2 * MINUTE)
    assert told(world) == ["summary"]


async def test_one_that_slack_never_takes_is_given_up_with_all_that_it_tells(world):
    await started(world, "r1", "r2")
    await world.pass_time(5)
    cut_off(world, code=UNREACHABLE_CODE)
    await world.pass_time(5 * MINUTE)
    mend(world)
    world.slack.fail_in("UALICE", SlackFailed(POST, "no_text"))
    await world.pass_time(25 * 3600, step=600)
    dead = {one.kind for one in await world.store.read(notices.list_dead_notices)}
    assert {NoticeKind.SUMMARY, NoticeKind.READY} <= dead


@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "lost"])
@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
async def test_a_kill_anywhere_loses_nothing_and_repeats_nothing(after, arrived):
    """Of four messages that a person should get, one may already have been sent."""
    names = [f"place-{number}" for number in range(4)]
    for number in count(1):
        async with new_world() as world:
            for name in names:
                body = {"what": "away", "connection": name}
                await world.store.write(
                    notices.add_notices, [NewNotice(name, NoticeKind.OUTAGE, "1", ALICE, body)]
                )
            world.slack.fail(POST, SlackUnknownOutcome(POST, "no_answer"), times=10**9, after=arrived)
            await world.store.engine.write(_only_the_first)
            await world.notifier.step_notices()
            await world.store.engine.write(_all)
            mend(world)
            world.clock.advance(2 * MINUTE)
            fuse = Fuse(number, after=after, done=world.done)
            world.reborn(fuse)
            with suppress(Killed, StoreBusy):
                await world.pass_time(20)
            world.reborn()
            await world.pass_time(2 * MINUTE, step=10)
            keys = world.slack.keys()
            assert len(keys) == len(set(keys)), number
            said = [str(one["blocks"]) for one in world.slack.messages]
            assert [sum(f"*{name}*" in one for one in said) for name in names] == [1] * 4, number
            assert told(world) == (["outage"] if arrived else []) + ["summary"], number
            assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0
            if not fuse.is_blown:
                return


def _only_the_first(tx):
    tx.run("UPDATE notices SET due_at = due_at + 1 WHERE subject <> 'place-0'")


def _all(tx):
    tx.run("UPDATE notices SET due_at = due_at - 1 WHERE subject <> 'place-0'")
