"""Two processes on one database: information that one of them gets also counts for the other."""

import asyncio
from dataclasses import dataclass

import pytest

from bot.domain.holds import hold_by_cause
from bot.domain.operations import OperationVerb
from bot.domain.people import Person, Principal
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.reconciler.runtimes import MAX_PROBE_PAUSE_SECONDS
from bot.services.caller import Caller
from bot.services.owners import STARTS_PREFIX, SharedOwners
from bot.store import account_ids, accounts, gates, operations, refusals, runs, tasks
from bot.store.owners import LEASE_SECONDS
from bot.store.store import Store
from bot.store.tasks import NewTask
from bot.support.errors import RateLimited, Refused, Unreachable
from tests.reconciler.classroom import TRAINER, people, post, press, seat, told
from tests.reconciler.courses import LESSONS
from tests.reconciler.fuse import Meanwhile
from tests.reconciler.hours import local
from tests.reconciler.runs import RunWorld
from tests.reconciler.world import World
from tests.rigs import postgres
from tests.rigs.clock import CountingIds, FakeClock
from tests.rigs.engine import migrated
from tests.rigs.providers import fake_settings
from tests.rigs.run_provider import JobProvider
from tests.rigs.store import ALICE, BOB, unlink, want_read

CAROL = Principal(None, "T1", "UCAROL")


@dataclass
class Pair:
    """Two processes, each with a store of its own, and the provider and clock that they share."""

    mine: World
    theirs: World
    cloud: JobProvider
    clock: FakeClock

    @property
    def both(self) -> tuple[World, World]:
        return self.mine, self.theirs


@pytest.fixture
async def pair(request, tmp_path):
    clock, ids = FakeClock(), CountingIds()
    if getattr(request, "param", "sqlite") == "sqlite":
        path = tmp_path / "usher.db"
        path.touch(mode=0o600)
        path.write_bytes(migrated())
        url = f"sqlite:///{path}"
    else:
        url = await postgres.migrated()
    stores: list[Store] = [await postgres.open_store(url, clock, ids) for _ in range(2)]
    cloud = JobProvider(clock)
    mine, theirs = worlds = [World(store, clock, ids, cloud) for store in stores]
    theirs.slack = mine.slack
    theirs.reborn()
    yield Pair(mine, theirs, cloud, clock)
    for world in worlds:
        for streams, board in world.lives:
            await streams.drain(0.0)
            board.close()
    for store in stores:
        await store.close()


# -- credentials ---------------------------------------------------------------------------------------------


async def start(world):
    await world.begin(await world.own())


async def look_at_names(world):
    await world.make(stem="lab")


async def read(world):
    workspace = await world.own(state=State.RUNNING)
    await want_read(world.store, workspace.id)


async def list_workspaces(world):
    account = await world.link()
    await world.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])


async def launch(world):
    await RunWorld(world).runs()


async def read_runs(world):
    await RunWorld(world).runs()
    await world.pass_time(1)


async def follow_output(world):
    await RunWorld(world).runs()
    await world.pass_time(1)


@pytest.mark.parametrize("pair", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("ask", "step"),
    [
        (start, operations.claim_operations),
        (look_at_names, operations.claim_operations),
        (read, gates.claim_reads),
        (list_workspaces, tasks.claim_tasks),
        (list_workspaces, accounts.find_account_by_id),
        (launch, runs.claim_runs),
        (read_runs, runs.claim_runs),
        (follow_output, runs.list_watched_runs),
    ],
)
async def test_after_an_unlink_elsewhere_no_call_with_that_credential_begins_later(pair, ask, step):
    """Another process unlinks the account, while the work begun here takes another five seconds."""

    async def unlinks():
        assert await unlink(pair.theirs.store, ALICE, "cloud")
        pair.clock.advance(5)
        pair.cloud.calls.clear()
        unlinked.append(pair.clock.now())

    unlinked: list[float] = []
    await ask(pair.mine)
    real = pair.mine.store
    pair.mine.store = Meanwhile(real, step, unlinks)
    pair.mine.reborn()
    await pair.mine.pass_time(9, step=3)
    assert unlinked
    assert pair.cloud.calls == []


async def let_rest(store, account):
    assert await store.write(account_ids.rest, account, "another", hold_by_cause("another_account"))


async def refuse(store, account):
    assert await store.write(refusals.hold, account, None)


def keep_remote_id(remote_id, _former):
    return remote_id, remote_id


async def follow_rename(store, account):
    assert await store.write(account_ids.rename, account, "alice-2", keep_remote_id)


@pytest.mark.parametrize(
    ("change", "usernames"),
    [(let_rest, []), (refuse, []), (follow_rename, ["alice-2"])],
    ids=["rests", "refused", "renamed"],
)
@pytest.mark.parametrize("verb", [OperationVerb.START, OperationVerb.STOP], ids=str)
async def test_no_call_leaves_with_an_account_as_it_was_before_its_commit(pair, change, usernames, verb):
    """Another process changes the account's row right before this one commits to the call."""
    world = pair.mine
    operation_id = await world.begin(
        await world.own(state=State.RUNNING if verb.brings_down else State.STOPPED), verb
    )
    account = await world.store.read(accounts.find_account, ALICE, "cloud")
    world.store = Meanwhile(
        world.store,
        operations.save_step,
        lambda: change(pair.theirs.store, account),
        before=True,
        counted=lambda _save, update, *_row: update.is_calling,
    )
    world.reborn()
    await world.work()
    assert [call.username for call in pair.cloud.calls if call.method == str(verb)] == usernames
    assert (await world.store.read(operations.find_operation, operation_id)).is_open


# -- a process that is paused --------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("makes", [False, True])
async def test_a_call_committed_to_does_not_leave_after_its_row_went_to_another_process(pair, makes):
    """The process is paused right before sending its request, while the other one does all the work."""
    mine = pair.mine
    operation_id = await mine.make() if makes else await mine.begin(await mine.own())
    method = "create" if makes else "start"

    async def stand_still():
        pair.clock.advance(mine.numbers.lease + 1)
        await pair.theirs.until_ended(operation_id)
        ended.append(pair.cloud.count(method))

    ended: list[int] = []
    mine.store = Meanwhile(mine.store, operations.save_step, stand_still)
    mine.reborn()
    await mine.work()
    await mine.pass_time(60, step=20)
    assert (ended, pair.cloud.count(method)) == ([1], 1)


async def test_a_start_that_was_granted_does_not_leave_once_somebody_else_grants_them(pair):
    """The pause is longer than this process's lease on starts, but shorter than the lease of its row."""
    pair.cloud.settings = fake_settings("cloud", starts_per_second=0.5)
    for world, name in zip(pair.both, "ab", strict=True):
        world.owners = SharedOwners(world.store, pair.clock.monotonic, name, f"worker:{name}")
        world.reborn()
    await pair.mine.begin(await pair.mine.own())
    stood_still = []

    async def stand_still():
        pair.clock.advance(LEASE_SECONDS)
        stood_still.append(await pair.theirs.owners.own(STARTS_PREFIX + "cloud"))

    pair.mine.store = Meanwhile(pair.mine.store, operations.save_step, stand_still)
    pair.mine.reborn()
    for _ in range(4):
        await pair.mine.work()
        pair.clock.advance(1)
    assert stood_still[0] is not None
    assert pair.cloud.count("start") == 0
    await pair.theirs.pass_time(5, longest=1)
    assert pair.cloud.count("start") == 1


# -- courses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", ["postgresql"], indirect=True)
async def test_two_workers_start_each_student_once_in_the_order_of_joining(pair):
    """Two workers look for due work at once. One of them is killed while starts are being sent."""
    pair.cloud.settings = fake_settings("cloud", starts_per_second=0.5)
    pair.cloud.start_takes = 20.0
    pair.clock.advance(local("08:20") - pair.clock.now())
    for world, name in zip(pair.both, "ab", strict=True):
        world.owners = SharedOwners(world.store, pair.clock.monotonic, name, f"worker:{name}")
        world.reborn()
    students, workers = people(12), list(pair.both)
    card = await post(pair.mine, **LESSONS)
    for one in students:
        await seat(pair.mine, one)
        assert (await press(pair.theirs, card, one)).result == "enrolled"
    pair.clock.advance(local("08:54") - pair.clock.now())
    while pair.clock.now() < local("09:01"):
        for one in [TRAINER, *students]:
            await pair.mine.know(one)
        pair.clock.advance(5.0)
        await asyncio.gather(*(one.owners.renew() for one in workers), *(one.work() for one in workers))
        if len(workers) == 2 and pair.cloud.accepted_starts:
            workers.remove(pair.mine)
    assert pair.cloud.accepted_starts == [f"r-{one.user_id}" for one in students]
    assert [told(pair.mine, one) for one in students] == [
        ["Statistics is starting, and your workspace is ready."]
    ] * len(students)
    assert told(pair.mine, TRAINER) == ["12 of 12 are ready for Statistics."]


# -- people --------------------------------------------------------------------------------------------------


async def test_who_was_deactivated_at_one_web_is_refused_at_the_other(pair):
    await pair.mine.know()
    for world in pair.both:
        await Caller(world.context, ALICE).authorise("start")
    left = Person(ALICE, "Alice", is_deleted=True, seen_at=await pair.mine.store.now())
    await pair.mine.store.save_people([left])
    with pytest.raises(Refused):
        await Caller(pair.mine.context, ALICE).authorise("start")
    pair.clock.advance(2)
    with pytest.raises(Refused):
        await Caller(pair.theirs.context, ALICE).authorise("start")


# -- pauses requested by a provider --------------------------------------------------------------------------


def health(world):
    return world.reconciler.engine.runtimes["cloud"].health


def limited(seconds):
    return RateLimited("slow down", status=429, retry_after=seconds)


async def test_a_pause_of_one_person_holds_at_the_other_process_too(pair):
    workspace, other = await pair.mine.own(), await pair.mine.own(BOB, "r2")
    pair.cloud.answers_to["token-1"] = limited(60.0)
    await pair.mine.begin(workspace)
    await pair.mine.work()
    pair.cloud.answers_to.clear()
    before = len(pair.cloud.calls)
    assert before == 1
    # The other process learns of the pause within a second. It applies to all of Alice's calls and to nobody
    # else.
    await pair.theirs.reconciler.outages.step()
    await pair.theirs.pass_time(40, step=10)
    assert {call.remote_id for call in pair.cloud.calls[before:]} <= {"r2"}
    await pair.theirs.begin(other)
    await pair.theirs.pass_time(10, step=5)
    assert pair.cloud.accepted_starts == ["r2"]
    await pair.theirs.pass_time(40, step=10)
    assert pair.cloud.accepted_starts == ["r2", "r1"]


async def test_limits_of_several_people_at_several_processes_are_everybodys(pair):
    people = (ALICE, BOB, CAROL)
    for number, (who, world) in enumerate(zip(people, (*pair.both, pair.mine), strict=True)):
        account = await world.link(who, token=f"token-{number}")
        pair.cloud.answers_to[f"token-{number}"] = limited(60.0)
        pair.clock.advance(1)
        await world.reconciler.outages.step()
        await world.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
        await world.reconciler.tasks.step()
    assert health(pair.mine).pause == 60.0, "it found two of them, and learned of the third"
    pair.clock.advance(1)
    await pair.theirs.reconciler.outages.step()
    assert health(pair.theirs).pause == 59.0
    pair.mine.reborn()
    await pair.mine.reconciler.outages.step()
    assert health(pair.mine).pause == 59.0, "so does a process that was started since"


async def test_what_one_process_finds_away_the_other_only_probes(pair):
    account = await pair.mine.link()
    pair.cloud.fail("discover", Unreachable("no connection"), times=99)
    await pair.mine.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
    await pair.mine.pass_time(60, step=5)
    assert health(pair.mine).is_doubtful
    for number in range(8):
        await pair.theirs.begin(await pair.theirs.own(BOB, f"r{number}"))
    pair.cloud.calls.clear()
    pair.cloud.fail("status", Unreachable("no connection"), times=99)
    await pair.theirs.reconciler.outages.step()
    await pair.theirs.reconciler.tasks.step()
    await pair.theirs.work()
    assert len(pair.cloud.calls) == 1
    # The process that gets an answer tells the other one, which then asks at once.
    pair.cloud.heal()
    await pair.mine.pass_time(MAX_PROBE_PAUSE_SECONDS, step=5)
    assert not health(pair.mine).is_doubtful
    await pair.theirs.reconciler.outages.step()
    assert health(pair.theirs).pause == 0
