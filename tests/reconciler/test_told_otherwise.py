"""News that turns out to be wrong is corrected once, without anybody asking."""

import pytest

from bot.domain.operations import OperationVerb
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import accounts, discovered, workspaces
from bot.store.tables import WORKSPACES
from bot.support.errors import Forbidden, ServerFailed, UnknownOutcome
from tests.rigs.store import ALICE, listed_workspace, notify, want_read


def turned_out(world):
    return world.slack.sent_kinds().count("turned_out")


def last_words(world):
    return [one for one in world.slack.messages if "turned_out" in str(one.get("metadata"))][-1]["text"]


async def told(world, verb, *, error=None, state):
    """End an operation with its message, and return the machine."""
    workspace = await world.own(state=state)
    machine = world.provider.machines["r1"]
    await world.pass_time(12)
    if error is not None:
        world.provider.fail("stop" if verb.brings_down else "start", error, times=9_999)
    operation = await world.begin(workspace, verb)
    ended = await world.until_ended(operation, 3_000)
    assert ended is (Outcome.FULFILLED if error is None else Outcome.FAILED)
    world.provider.heal()
    return machine, workspace


UP, DOWN = State.RUNNING, State.STOPPED
CASES = {
    "failed start runs": (
        OperationVerb.START,
        Forbidden("no"),
        DOWN,
        UP,
        "running on Fake Cloud after all",
    ),
    "given up start runs": (
        OperationVerb.START,
        ServerFailed("busy"),
        DOWN,
        UP,
        "It's running on Fake Cloud",
    ),
    "failed restart runs": (OperationVerb.RESTART, Forbidden("no"), State.FAILED, UP, "after all"),
    "stopped runs": (OperationVerb.STOP, None, UP, UP, "it's running on Fake Cloud again"),
    "suspended runs": (OperationVerb.SUSPEND, None, UP, UP, "it's running on Fake Cloud again"),
    "failed stop is down": (OperationVerb.STOP, Forbidden("no"), UP, DOWN, "It's down on Fake Cloud now"),
    "failed suspension is down": (
        OperationVerb.SUSPEND,
        Forbidden("no"),
        UP,
        State.SUSPENDED,
        "I told you that name-r1 went on running. It's down on Fake Cloud now",
    ),
    "failed stop is gone": (OperationVerb.STOP, Forbidden("no"), UP, State.GONE, "no longer exists"),
    "ready stops": (OperationVerb.START, None, DOWN, DOWN, "was stopped on Fake Cloud, not by me"),
    "ready fails": (OperationVerb.START, None, DOWN, State.FAILED, "has failed"),
    "ready is gone": (OperationVerb.START, None, DOWN, State.GONE, "no longer exists"),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_turns_out_otherwise_is_told_once(world, case):
    verb, error, state, after, words = CASES[case]
    machine, _ = await told(world, verb, error=error, state=state)
    machine.state = after
    await world.pass_time(700, step=5.0)
    assert turned_out(world) == 1
    assert words in last_words(world)
    machine.state = DOWN if after is UP else UP
    await world.pass_time(700, step=5.0)
    machine.state = after
    await world.pass_time(700, step=5.0)
    assert turned_out(world) == 1


@pytest.mark.parametrize(("after", "count"), [(DOWN, 0), (State.SUSPENDED, 0), (State.GONE, 1)])
async def test_failed_removal_is_corrected_only_once_it_is_gone(world, after, count):
    workspace = await world.own(state=UP)
    await world.pass_time(12)
    world.provider.fail("remove", Forbidden("no"), times=9_999)
    assert await world.until_ended(await world.begin(workspace, OperationVerb.REMOVE)) is Outcome.FAILED
    world.provider.machines["r1"].state = after
    await world.pass_time(700, step=5.0)
    assert turned_out(world) == count


async def test_address_of_what_runs_after_all_is_handed_over(world):
    machine, _ = await told(world, OperationVerb.START, error=Forbidden("no"), state=DOWN)
    machine.state = UP
    await world.pass_time(700, step=5.0)
    shown = next(one for one in world.slack.messages if "turned_out" in str(one.get("metadata")))
    assert '"Open"' in str(shown).replace("'", '"')


@pytest.mark.parametrize("case", ["failed start runs", "stopped runs", "failed stop is down"])
async def test_one_wrong_look_is_not_told(world, case):
    verb, error, state, after, _ = CASES[case]
    machine, workspace = await told(world, verb, error=error, state=state)
    actual, machine.state = machine.state, after
    while (await world.store.read(workspaces.find_workspace, workspace.id)).state is not after:
        await world.pass_time(5, longest=1.0)
    machine.state = actual
    await world.pass_time(700, step=5.0)
    assert turned_out(world) == 0


@pytest.mark.parametrize(("state", "words"), [(UP, "It's running now."), (DOWN, "It isn't running now.")])
async def test_what_was_told_as_gone_and_is_there_again_is_told(world, state, words):
    workspace = await world.own(state=DOWN)
    machine = world.provider.machines["r1"]
    machine.state = State.GONE
    assert await world.until_ended(await world.begin(workspace)) is Outcome.FAILED
    machine.state = state
    await want_read(world.store, workspace.id)
    await world.pass_time(120, step=5.0)
    assert turned_out(world) == 1
    assert last_words(world).startswith("I told you that name-r1 was gone from Fake Cloud. It's there after")
    assert words in last_words(world)


async def test_what_was_removed_and_is_listed_again_is_told(world):
    workspace = await world.own(state=DOWN)
    await world.pass_time(12)
    assert await world.until_ended(await world.begin(workspace, OperationVerb.REMOVE)) is Outcome.FULFILLED
    await world.pass_time(discovered.RELISTED_AFTER_SECONDS + 60, step=30.0)
    world.provider.put("r1", UP)
    await _list(world, "r1", UP)
    await world.pass_time(120, step=5.0)
    assert turned_out(world) == 1
    assert "It's running now." in last_words(world)


async def test_creation_that_was_told_as_failed_and_is_listed_is_told(world):
    await world.link()
    await _list(world)
    world.provider.fail("create", UnknownOutcome("no answer"), times=1)
    world.provider.fail("create", Forbidden("no"), times=9_999)
    assert await world.until_ended(await world.make(), 3_600) is not Outcome.FULFILLED
    world.provider.put("r9", UP)
    await _list(world, "r9", UP, name="lab")
    await world.pass_time(120, step=5.0)
    assert turned_out(world) == 1
    words = "lab is on Fake Cloud now: it may be the one that I couldn't create. It's running now."
    assert last_words(world).startswith(words)


@pytest.mark.parametrize("verb", [OperationVerb.START, OperationVerb.STOP])
async def test_what_its_person_asks_for_next_is_not_corrected(world, verb):
    machine, workspace = await told(world, OperationVerb.START, error=Forbidden("no"), state=DOWN)
    await world.begin(workspace, verb)
    await world.pass_time(20)
    machine.state = UP
    await world.pass_time(700, step=5.0)
    assert turned_out(world) == (verb is OperationVerb.STOP)


async def test_stop_that_nobody_wants_to_hear_of_is_not_told_after_ready(world):
    machine, workspace = await told(world, OperationVerb.START, state=DOWN)
    await notify(world.store, workspace.id, ready=None, stopped=False)
    machine.state = DOWN
    await world.pass_time(700, step=5.0)
    assert turned_out(world) == 0


async def test_start_elsewhere_hours_after_a_stop_is_its_persons_own(world):
    machine, _ = await told(world, OperationVerb.STOP, state=UP)
    await world.pass_time(3 * 3_600, step=60.0)
    machine.state = UP
    await world.pass_time(3_600, step=60.0)
    assert turned_out(world) == 0


async def _list(world, remote_id="", state=DOWN, name="lab"):
    account = await world.store.read(accounts.find_account, ALICE, "cloud")
    found = [listed_workspace(remote_id, world.provider.gate_key(remote_id), name, state)]
    await world.store.perform(discovered.merge_discovered, account.id, found if remote_id else [])


@pytest.mark.parametrize(("owner", "words"), [("bob", "isn't in your account"), (None, "no longer exists")])
@pytest.mark.parametrize("is_started", [False, True])
async def test_what_is_shared_no_more_is_not_told_as_gone(world, owner, words, is_started):
    workspace = await world.own(state=DOWN)
    if is_started:
        assert await world.until_ended(await world.begin(workspace)) is Outcome.FULFILLED
    await world.store.carry_out(lambda tx: WORKSPACES.change(tx, {"id": workspace.id}, owner=owner))
    world.provider.machines["r1"].state = State.GONE
    if not is_started:
        assert await world.until_ended(await world.begin(workspace)) is Outcome.FAILED
    await world.pass_time(900, step=5.0)
    said = " ".join(one["text"] for one in world.slack.messages)
    assert f"{words} on Fake Cloud" in said
    assert owner is None or "no longer exists" not in said
