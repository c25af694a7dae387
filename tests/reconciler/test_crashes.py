"""A kill or an error at any call: nothing is lost or doubled, ends are reported once, and the gate holds."""

from contextlib import suppress
from itertools import count, cycle, pairwise

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.runs import RunState
from bot.domain.timeouts import INTERRUPTED_SETTLES, MAKE_SETTLES
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.messages.blocks import kit, stored
from bot.messages.blocks.kit import fill
from bot.slack.methods import CHAT_POST_MESSAGE
from bot.store import counts, notices, operations, workspaces
from bot.store.schema import SEND_CONFIRM_SECONDS
from bot.support.errors import SlackUnknownOutcome, UnknownOutcome
from tests.reconciler.fuse import Fuse, Killed
from tests.reconciler.runs import RunWorld, content
from tests.reconciler.world import new_world
from tests.rigs.providers import FakeProvider
from tests.rigs.run_provider import JobProvider
from tests.rigs.slack import ON_CARDS
from tests.rigs.store import ALICE

#: The gate's interval with its margin, plus a second until the result is acted upon.
READ_EVERY = 12.0
HOW = {
    "kill-before": {"is_kill": True, "after": False},
    "kill-after": {"is_kill": True, "after": True},
    "error-before": {"is_kill": False, "after": False},
    "error-after": {"is_kill": False, "after": True},
}
TEXT = "".join(f"line {number}\n" for number in range(50))


async def go_on(world):
    """Work until the fuse blows, then continue as the restarted process until everything has settled."""
    await world.until_trouble()
    await world.restart()
    # A workspace that may have been created gets two minutes to show up.
    await world.until_settled()


def were_told(world, *ends):
    """Check that each end was reported once, no message was sent twice, and no card is left beside an end."""
    keys = world.slack.sent()
    assert len(keys) == len(set(keys))
    told = [kind for kind in world.slack.kinds() if not kind.endswith("card") and kind not in ON_CARDS]
    told += [kind for kind in ON_CARDS for _ in world.slack.told(kind)]
    assert sorted(told) == sorted(ends)
    keys = world.slack.keys()
    left = [key.split("/")[0] for key in keys]
    assert len(left) == len(set(left))


async def started(world, fuse):
    operation_id = await world.begin(await world.own())
    world.reborn(fuse)
    await go_on(world)
    assert (await world.store.read(operations.find_operation, operation_id)).outcome is Outcome.FULFILLED
    were_told(world, "ready")
    assert world.provider.accepted_starts == ["r1"]
    assert min(world.provider.gaps()) >= 10.0


async def launched(world, fuse):
    """Run a job with output. There must be one run, reported once, with its whole output in one file."""
    runs = RunWorld(world)
    runs.cloud.job_takes = 12.0
    for begin in range(0, len(TEXT), 40):
        runs.cloud.writes("run1", TEXT[begin : begin + 40])
    run_id = await runs.runs()
    world.reborn(fuse)
    await go_on(world)
    await is_over(runs, run_id, RunState.SUCCEEDED)


async def is_over(runs, run_id, state):
    """Check that a run has ended with all of its output, and nothing twice."""
    await until_read(runs, run_id)
    run = await runs.run(run_id)
    assert (run.outcome, run.state) == ("ended", state)
    # The file is sent after the message to whose thread it belongs.
    await runs.world.pass_time(3)
    were_told(runs, "job_ended")
    assert runs.cloud.launched(run_id) == ["run1"]
    (file,) = runs.slack.shared()
    assert content(file) == TEXT
    assert file["thread_ts"] == runs.head(run_id)["ts"]


async def until_read(runs, run_id):
    """Let time pass until a run's output has been read to its end and sent."""
    for _ in range(40):
        if not (await runs.run(run_id)).is_watched:
            return
        await runs.world.pass_time(5, longest=1)
    raise AssertionError("the output finds no end")


async def made(world, fuse):
    operation_id = await world.make()
    world.reborn(fuse)
    await go_on(world)
    assert (await world.store.read(operations.find_operation, operation_id)).outcome is Outcome.FULFILLED
    were_told(world, "ready")
    assert await there(world) == ["m1"]
    assert world.provider.machines["m1"].state is State.RUNNING


async def named(world, fuse):
    """Create a workspace that Usher names.

    Whatever happens, the name is chosen with the first call and kept.
    """
    world.provider.put("theirs", State.STOPPED, name="lab")
    operation_id = await world.make(stem="lab")
    world.reborn(fuse)
    await go_on(world)
    assert (await world.store.read(operations.find_operation, operation_id)).outcome is Outcome.FULFILLED
    were_told(world, "ready")
    assert await made_ids(world) == ["m1"]
    assert (await world.workspace_of(operation_id)).name == world.provider.machines["m1"].name == "lab-2"


async def called_off(world, fuse):
    """Stop a workspace while it is being created. It ends up stopped, and nobody is told that it is ready."""
    creation = await world.make()
    world.reborn(fuse)
    stops = []

    async def meanwhile(method):
        if method == "create" and not stops:
            row = (await world.store.perform(workspaces.read_workspaces, ALICE))[0]
            stops.append(await world.begin(row, OperationVerb.STOP))

    world.provider.during = meanwhile
    await go_on(world)
    if not stops:  # The trouble came first: that is the story of another test.
        return
    assert (await world.store.read(operations.find_operation, creation)).outcome is Outcome.REPLACED
    assert (await world.store.read(operations.find_operation, stops[0])).outcome is Outcome.FULFILLED
    assert "ready" not in world.slack.kinds()
    assert len(world.slack.told("stopped")) == 1
    assert [world.provider._moved(one).state for one in await made_ids(world)] == [State.STOPPED]


async def renewed(world, fuse):
    """Restart a workspace that a stop ends for good: the old one ends once, and one new one replaces it."""
    first = await world.make()
    await world.until_ended(first)
    world.provider.ends_for_good = True
    row = (await world.store.perform(workspaces.read_workspaces, ALICE))[0]
    operation_id = await world.begin(row, OperationVerb.RESTART, agreed=True)
    world.reborn(fuse)
    await go_on(world)
    ended = await world.store.read(operations.find_operation, operation_id)
    assert (ended.outcome, ended.asked_verb) == (Outcome.FULFILLED, OperationVerb.RESTART)
    were_told(world, "ready", "ready")
    assert world.provider.removed == ["m1"]
    assert await made_ids(world) == ["m1", "m2"]
    assert [row.remote_id for row in await world.store.perform(workspaces.read_workspaces, ALICE)] == ["m2"]


async def made_ids(world):
    return [remote_id for ids in world.provider.made.values() for remote_id in ids]


async def there(world):
    """Return the ids on the list, after checking that none is there twice."""
    ids = [row.remote_id for row in await world.store.perform(workspaces.read_workspaces, ALICE)]
    assert ids == await made_ids(world)
    return ids


async def brought_down(world, fuse, verb, kind):
    operation_id = await world.begin(await world.own(state=State.RUNNING), verb)
    world.reborn(fuse)
    await go_on(world)
    assert (await world.store.read(operations.find_operation, operation_id)).outcome is Outcome.FULFILLED
    were_told(world, kind)
    effects = world.provider.removed if verb is OperationVerb.REMOVE else world.provider.accepted_stops
    assert effects == ["r1"]


async def suspended(world, fuse):
    await brought_down(world, fuse, OperationVerb.SUSPEND, "suspended")


async def removed(world, fuse):
    await brought_down(world, fuse, OperationVerb.REMOVE, "removed")
    assert await world.store.perform(workspaces.read_workspaces, ALICE) == []


#: The stories, with the number of calls between two kills or errors in the shorter run.
STORIES = {started: 11, launched: 13} | dict.fromkeys(
    (made, called_off, suspended, removed, renewed, named), 23
)


async def go_through(story, troubles):
    """Play a story with one kill or error after another, until one would come after the last call.

    Return its number.
    """
    for at, how in troubles:
        async with new_world(JobProvider if story is launched else FakeProvider) as world:
            fuse = Fuse(at, **HOW[how], done=world.done)
            try:
                await story(world, fuse)
            except AssertionError as error:
                error.add_note(f"{how} at call {at} of {story.__name__}")
                raise
            assert (await world.store.perform(counts.count_rows))["pending_notices"] == 0
            if not fuse.is_blown:
                return at
    raise AssertionError("the story finds no end")


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_trouble_at_some_calls_breaks_no_promise(story):
    """A kill or an error at some calls of each story, in each of the four ways in turn."""
    numbers = count(1 + list(STORIES).index(story), STORIES[story])
    assert await go_through(story, zip(numbers, cycle(HOW), strict=False)) > 20


@pytest.mark.thorough
@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
async def test_trouble_at_any_call_breaks_no_promise(story, how):
    assert await go_through(story, ((at, how) for at in count(1))) > 20


# -- at the call itself --------------------------------------------------------------------------------------


@pytest.mark.parametrize("landed", [False, True], ids=["lost", "accepted"])
@pytest.mark.parametrize("error", [UnknownOutcome("no answer in time"), Killed()], ids=["unknown", "killed"])
async def test_a_call_whose_outcome_is_unknown_is_read_before_it_is_called_again(world, error, landed):
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", error, after=landed)
    with suppress(Killed):
        await world.work()
        assert (await world.store.read(operations.find_operation, operation_id)).start_call is Call.UNKNOWN
    world.reborn()
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.accepted_starts == ["r1"]
    assert world.provider.count("start") == (1 if landed else 2)
    assert world.slack.kinds().count("ready") == 1
    reads = [call.at for call in world.provider.calls if call.method == "status"]
    starts = [call.at for call in world.provider.calls if call.method == "start"]
    assert all(any(first < read < second for read in reads) for first, second in pairwise(starts))


async def test_a_call_is_committed_before_it_leaves(world):
    operation_id = await world.begin(await world.own())
    seen = []

    async def look(method):
        if method == "start":
            seen.append((await world.store.read(operations.find_operation, operation_id)).start_call)

    world.provider.during = look
    await world.pass_time(1)
    assert seen == [Call.CALLING]


async def test_a_ready_message_whose_outcome_is_unknown_is_not_doubled_after_a_kill(world):
    operation_id = await world.begin(await world.own())
    await world.pass_time(5)
    world.slack.fail("chat.postMessage", Killed(), after=True)
    await go_on(world)
    assert (await world.store.read(operations.find_operation, operation_id)).outcome is Outcome.FULFILLED
    assert sorted(world.slack.sent_kinds()) == ["card", "ready"]


async def test_a_second_unknown_outcome_of_a_message_is_looked_up_again(world):
    operation_id = await world.begin(await world.own(state=State.RUNNING))
    error = SlackUnknownOutcome("chat.postMessage", "no_answer")
    world.slack.fail("chat.postMessage", error, times=2)
    world.slack.fail("chat.postMessage", error, times=2, after=True)
    await world.pass_time(90, step=3)
    assert (await world.store.read(operations.find_operation, operation_id)).outcome is Outcome.FULFILLED
    # The search for the card was still going on when the end was reported.
    assert world.slack.kinds() == ["ready"]


async def die(runs):
    """Work until the call that kills the process, and continue as a new process."""
    with suppress(Killed):
        await runs.world.work()
    runs.world.reborn()


@pytest.mark.parametrize("after", [True, False])
async def test_killed_while_the_launch_is_under_way(runs, after):
    runs.cloud.writes("run1", TEXT)
    runs.cloud.fail("launch_run", Killed(), after=after)
    run_id = await runs.runs()
    await die(runs)
    await runs.until_over(run_id)
    await is_over(runs, run_id, RunState.SUCCEEDED)
    # A run that exists is found at once. Otherwise, the search goes on at the usual pace while one may still
    # show up.
    looks = 1 if after else 1 + MAKE_SETTLES / runs.cloud.pace.pending_interval
    assert (runs.cloud.count("launch_run"), runs.cloud.count("find_run")) == (1 if after else 2, looks)


async def test_killed_while_the_stop_of_a_run_is_under_way(runs):
    runs.cloud.job_takes = None
    run_id = await runs.begun()
    runs.cloud.fail("stop_run", Killed(), after=True)
    await runs.stop(run_id)
    await die(runs)
    assert (await runs.until_over(run_id)).state is RunState.CANCELLED
    assert runs.slack.kinds().count("job_ended") == 1


async def test_a_stop_outlives_a_kill_before_the_launch(runs):
    run_id = await runs.runs()
    await runs.stop(run_id)
    runs.world.reborn()
    assert (await runs.until_over(run_id)).outcome == "cancelled"
    assert runs.cloud.runs == {}


@pytest.mark.parametrize("away", [3.0, 10.0, 300.0])
async def test_start_killed_before_its_bytes_left_is_sent_soon(world, away):
    """Reads since the call show that it had no effect. Nobody waits for the dead process's lease."""
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", Killed())
    await world.until_trouble()
    world.clock.advance(away)
    back_at = world.clock.now()
    await world.restart()
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    *_, sent_again_at = (call.at for call in world.provider.calls if call.method == "start")
    assert sent_again_at - back_at <= max(INTERRUPTED_SETTLES - away + READ_EVERY, 2.0)
    assert world.provider.accepted_starts == ["r1"]
    assert min(world.provider.gaps()) >= 10.0
    were_told(world, "ready")


async def test_start_killed_after_its_bytes_left_is_seen_at_once(world):
    """The first read shows it running, so nobody has to wait for the step's lease to end."""
    operation_id = await world.begin(await world.own())
    world.provider.fail("start", Killed(), after=True)
    await world.until_trouble()
    world.clock.advance(world.provider.start_takes)
    back_at = world.clock.now()
    await world.restart()
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert (await world.store.read(operations.find_operation, operation_id)).ended_at - back_at <= 2.0
    assert world.provider.accepted_starts == ["r1"]


async def test_slow_start_is_not_sent_twice_after_a_kill(world):
    """A provider may take 25 seconds to show a start."""
    operation_id = await world.begin(await world.own())
    world.provider.acts_late("start", 25.0)
    world.provider.fail("start", Killed(), after=True)
    await world.until_trouble()
    world.clock.advance(10.0)
    await world.restart()
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert world.provider.count("start") == 1


async def test_stop_killed_before_its_bytes_left_is_sent_soon(world):
    operation_id = await world.begin(await world.own(state=State.RUNNING), OperationVerb.STOP)
    world.provider.fail("stop", Killed())
    await world.until_trouble()
    world.clock.advance(10.0)
    back_at = world.clock.now()
    await world.restart()
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    *_, sent_again_at = (call.at for call in world.provider.calls if call.method == "stop")
    assert sent_again_at - back_at <= INTERRUPTED_SETTLES - 10.0 + READ_EVERY
    assert world.provider.count("stop") == 2


@pytest.mark.parametrize("after", [False, True], ids=["not sent", "sent"])
async def test_message_killed_in_hand_is_looked_for_soon(world, after):
    await world.know()
    await world.store.write(
        notices.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE, {"text": "hello"})]
    )
    world.slack.fail(CHAT_POST_MESSAGE, Killed(), after=after)
    await world.until_trouble()
    await world.restart()
    await world.pass_time(SEND_CONFIRM_SECONDS + 2)
    assert len(world.slack.messages) == 1


async def test_message_that_was_found_in_slack_still_loses_what_has_come(world):
    await world.know()
    now = world.clock.now()
    text = kit.join(["It has hours.", fill("Next, I'll start it {at}.", at=kit.moment(now + 600, now))])
    said = stored.to_body(kit.message(text))
    await world.store.write(notices.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE, said)])
    world.slack.fail(CHAT_POST_MESSAGE, Killed(), after=True)
    await world.until_trouble()
    await world.restart()
    await world.pass_time(SEND_CONFIRM_SECONDS + 2)
    (found,) = world.slack.messages
    assert "Next, I'll start it" in str(found)
    await world.pass_time(700, step=5)
    (found,) = world.slack.messages
    assert "It has hours." in str(found)
    assert "Next, I'll start it" not in str(found)
