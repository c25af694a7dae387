"""A connection's circuit breaker: one request probes it; people waiting and administrators are told."""

import pytest

from bot.domain.installations import Installation, Installations
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Outcome
from bot.messages.texts.holds import explain_hold
from bot.reconciler.runtimes import MAX_FAILURES, MAX_PROBE_PAUSE_SECONDS
from bot.store import accounts, outages, tasks
from bot.store import operations as operation_rows
from bot.store.outages import OURS, PEOPLE, TWICE
from bot.store.tasks import NewTask
from bot.support.errors import Unreachable
from tests.reconciler.outages import AMIR, ROSA, told
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE


@pytest.fixture
def administered(world):
    """A world with two administrators, one of them named by team and user."""
    world.administered_by(AMIR, f"T1:{ROSA}")
    return world


async def away(world, operations=8):
    """Let the connection fail while people are waiting for it."""
    workspaces = [await world.own(remote_id=f"r{number}") for number in range(operations)]
    ids = [await world.begin(workspace) for workspace in workspaces]
    fail(world)
    return ids


def fail(world):
    for method in ("status", "start", "discover"):
        world.provider.fail(method, Unreachable("no connection"), times=9999)


async def test_an_outage_is_told_where_the_connection_serves_and_to_who_administers_all(world):
    several = Installations(frozenset({f"T1:{AMIR}", f"T2:{AMIR}", f"T2:{ROSA}"}), frozenset({"T2:UCLEO"}))
    several.replace([Installation("T1"), Installation("T2")])
    world.several = several
    world.provider.settings = fake_settings("cloud", workspaces=("T1",))
    world.reborn()
    await away(world)
    await world.pass_time(600, step=5)
    # The same id in two Slack workspaces means two administrators.
    assert [len(told(world, user)) for user in (AMIR, ROSA, "UCLEO")] == [1, 0, 1]
    world.provider.settings = fake_settings("cloud")
    world.reborn()
    world.provider.heal()
    await world.pass_time(120, step=5)
    assert [len(told(world, user)) for user in (AMIR, ROSA, "UCLEO")] == [3, 1, 2]


async def test_each_administrator_is_told_once_that_it_is_away_and_once_that_it_is_back(administered):
    world = administered
    ids = await away(world)
    began = world.clock.now()
    await world.pass_time(600, step=5)
    for user in (AMIR, ROSA):
        (text,) = told(world, user)
        assert text.startswith(f"*Fake Cloud* stopped answering at <!date^{int(began)}^{{time}}|")
    world.provider.heal()
    for operation_id in ids:
        assert await world.until_ended(operation_id) is Outcome.FULFILLED
    for user in (AMIR, ROSA):
        _, second = told(world, user)
        assert second.startswith("*Fake Cloud* is answering again. It hadn't been available since <!date^")
        assert "(10 min" in second
    assert world.provider.accepted_starts.count("r0") == 1


async def test_an_outage_is_told_once_across_restarts(administered):
    world = administered
    await away(world)
    began = world.clock.now()
    for _ in range(3):
        await world.pass_time(120, step=5)
        world.reborn()
    assert len(told(world)) == 1
    assert await world.store.read(outages.list_outages) == {"cloud": began}
    world.provider.heal()
    await world.pass_time(120, step=5)
    assert len(told(world)) == 2
    assert "(6 min" in told(world)[1]
    assert await world.store.read(outages.list_outages) == {}


async def test_a_second_outage_is_told_as_well(administered):
    world = administered
    for number in (1, 2):
        await away(world, operations=number * 8)
        await world.pass_time(60)
        assert len(told(world)) == number * 2 - 1
        world.provider.heal()
        await world.pass_time(120)
        assert len(told(world)) == number * 2


async def test_a_connection_that_was_taken_away_meanwhile_is_forgotten(administered):
    world = administered
    await world.store.write(outages.begin_outage, "former", 1.0)
    await world.work()
    assert await world.store.read(outages.list_outages) == {}
    assert told(world) == []


async def test_without_administrators_nobody_is_told_and_nothing_fails(world):
    await away(world)
    await world.pass_time(60)
    world.provider.heal()
    await world.pass_time(120)
    assert set(world.slack.sent_kinds()) == {"card", "ready"}


async def test_all_who_wait_read_since_when_and_their_cards_heal(world):
    workspaces = [await world.own(remote_id=f"r{number}") for number in range(8)]
    world.provider.start_takes = 300.0
    ids = [await world.begin(workspaces[0])]
    await world.pass_time(3)
    assert world.provider.accepted_starts == ["r0"]
    ids += [await world.begin(workspace) for workspace in workspaces[1:]]
    fail(world)
    began = world.clock.now()
    await world.pass_time(60)
    for operation_id in ids:
        hold = explain_hold(
            (await world.store.read(operation_rows.find_operation, operation_id)).block_reason, "Fake Cloud"
        )
        assert "Fake Cloud hasn't been available since {time:" in hold
        assert "I'll keep trying" in hold
    cards = [one for one in world.slack.messages if "/card/" in one["metadata"]["event_payload"]["key"]]
    assert len(cards) == len(ids)
    assert all("hasn't been available since <!date^" in str(one["blocks"]) for one in cards)
    assert all(f"<!date^{int(began)}" in str(one["blocks"]) for one in cards[1:])
    world.provider.heal()
    for operation_id in ids:
        assert await world.until_ended(operation_id) is Outcome.FULFILLED
    await world.pass_time(60)
    assert not [one for one in cards if "hasn't been available" in str(one["blocks"])]


async def test_while_it_is_in_doubt_one_request_at_a_time_asks(world):
    """Reads, calls and lists share a single probe while the connection's state is uncertain."""
    await away(world, operations=12)
    await world.pass_time(60)
    (line,) = world.reconciler.engine.runtimes.values()
    assert line.health.is_doubtful
    most = 0

    async def count(_method):
        nonlocal most
        most = max(most, line.slots._in_use)

    world.provider.during = count
    before = len(world.provider.calls)
    real = world.provider._called

    def called(method, access, *remote_ids):
        nonlocal most
        most = max(most, line.slots._in_use)
        return real(method, access, *remote_ids)

    world.provider._called = called
    await world.pass_time(300)
    sent = len(world.provider.calls) - before
    assert most == 1
    assert 300 / MAX_PROBE_PAUSE_SECONDS - 1 <= sent <= 300 / MAX_PROBE_PAUSE_SECONDS * 2


async def test_it_goes_on_within_a_minute_after_it_answers_again(world):
    ids = await away(world)
    await world.pass_time(900, step=5)
    world.provider.heal()
    healed = world.clock.now()
    await world.pass_time(60)
    assert len(world.provider.accepted_starts) == len(ids)
    assert world.clock.now() - healed <= 60


async def test_a_list_waits_for_the_probe_and_is_no_second_one(world):
    await away(world, operations=MAX_FAILURES + 1)
    account = await world.store.read(accounts.find_account, ALICE, "cloud")
    await world.pass_time(30)
    await world.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
    before = world.provider.count("discover")
    await world.pass_time(120)
    assert world.provider.count("discover") - before <= 4


def reborn_beside(world):
    """Restart the process, and return the reconciler of the former one, which keeps running."""
    other = world.reconciler
    world.reborn()
    return other


def health_of(reconciler):
    (runtime,) = reconciler.engine.runtimes.values()
    return runtime.health


async def test_an_outage_that_another_process_began_is_ended_by_whoever_gets_an_answer_next(administered):
    world = administered
    other = reborn_beside(world)
    health_of(world.reconciler).note_answer()
    await world.reconciler.outages.step()
    for _ in range(MAX_FAILURES):
        health_of(other).note_failure(Unreachable("no connection"))
    began = world.clock.now()
    await other.outages.step()
    await world.notifier.step_notices()
    # The process that began the outage is gone. An answer from before it was known doesn't end it.
    world.clock.advance(60)
    await world.reconciler.outages.step()
    assert await world.store.read(outages.list_outages) == {"cloud": began}
    health_of(world.reconciler).note_answer()
    await world.reconciler.outages.step()
    assert await world.store.read(outages.list_outages) == {}
    await world.pass_time(5)
    assert len(told(world)) == 2
    assert "(1 min" in told(world)[1]


async def test_a_process_that_alone_gets_no_answer_does_not_begin_an_outage_again(administered):
    world = administered
    other = reborn_beside(world)
    for _ in range(MAX_FAILURES):
        health_of(other).note_failure(Unreachable("no connection"))
    await other.outages.step()
    await world.reconciler.outages.step()
    health_of(world.reconciler).note_answer()
    await world.reconciler.outages.step()
    for _ in range(3):
        health_of(other).note_failure(Unreachable("no connection"))
        await other.outages.step()
        assert await world.store.read(outages.list_outages) == {}
    await world.pass_time(5)
    assert len(told(world)) == 2
    health_of(other).note_answer()
    await other.outages.step()
    world.clock.advance(1.0)
    for _ in range(MAX_FAILURES):
        health_of(other).note_failure(Unreachable("no connection"))
    await other.outages.step()
    assert await world.store.read(outages.list_outages) == {"cloud": world.clock.now()}


@pytest.mark.parametrize("what", [OURS, PEOPLE])
async def test_refusals_that_another_process_found_last_until_this_one_finds_them_over(administered, what):
    world = administered
    other = reborn_beside(world)
    refusals = [one.outages.refusals[what] for one in (other, world.reconciler)]
    await other.outages.step()
    await world.reconciler.outages.step()
    refusals[1]["cloud"] = None
    await world.reconciler.outages.step()
    refusals[0]["cloud"] = began = world.clock.now()
    await other.outages.step()
    await world.reconciler.outages.step()
    assert await world.store.read(outages.list_outages) == {f"cloud{what}": began}
    refusals[1]["cloud"] = None
    await world.reconciler.outages.step()
    await other.outages.step()
    assert await world.store.read(outages.list_outages) == {}
    await world.pass_time(5)
    assert len(told(world)) == 2


async def test_what_is_no_connections_is_left_to_whoever_began_it(world):
    """If another process ended such an outage every second, it would begin again each time.

    Administrators would then get a message each time.
    """
    await world.store.write(outages.begin_outage, TWICE, world.clock.now(), [])
    await world.store.write(outages.begin_outage, "removed", world.clock.now(), [])
    await world.pass_time(60, step=5)
    assert set(await world.store.read(outages.list_outages)) == {TWICE}
