"""After a failover, people whose answered requests were lost learn the current state and can act on it."""

from dataclasses import replace
from functools import partial

import pytest

from bot.domain.accepted_requests import AcceptedRequest
from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.messages.blocks.notices import render
from bot.services.failovers import READ_TIMEOUT_SECONDS, Failovers
from bot.services.owners import RENEWAL_SECONDS
from bot.services.recent_commits import MAX_RECENT_COMMITS, RECENT_COMMIT_SECONDS, RecentCommits
from bot.store import maintenance, operations
from tests.handlers.rig import rig, words
from tests.rigs.store import ALICE, observe

LOST = "I lost my records of the last few seconds."


@pytest.fixture
async def bot():
    async with rig(administrators=frozenset({ALICE.user_id})) as made:
        row, *_ = (await made.link(names=("gpu", "notebook"))).workspaces
        await observe(made.store, made.clock, row, Observed(State.STOPPED))
        await served_by(made, "1/1")
        yield made


async def served_by(bot, server):
    await bot.store.carry_out(partial(maintenance.compare, server=server))


async def fails_over(bot, *, loses=True, memory=None):
    """Fail over, by default to a standby that lacks the last request, and let Usher look for lost records."""
    if loses:
        for table in ("undoable_actions", "notices", "operations"):
            await bot.store.engine.write(lambda tx, table=table: tx.run(f"DELETE FROM {table}"))
    bot.clock.advance(1)
    await served_by(bot, "1/2")
    context = bot.services.context
    looking = Failovers(context if memory is None else replace(context, recent_commits=memory))
    for _ in range(3):
        bot.clock.advance(maintenance.FAILOVER_CONFIRM_SECONDS / 2 + 1)
        await looking.step()


async def told(bot):
    """Return the messages about lost records, as they would be rendered now."""
    bot.clock.advance(READ_TIMEOUT_SECONDS)
    found = await bot.notices(NoticeKind.WRITES_LOST)
    return [render(one.kind, await bot.services.gatherer.describe_notice(one)) for one in found]


async def test_a_start_that_was_lost_is_told_once_with_what_its_workspace_does(bot):
    await bot.say("start gpu")
    await fails_over(bot)
    await bot.sees(State.RUNNING, "gpu")
    (answer,) = await told(bot)
    assert words(answer).startswith(f"{LOST} *gpu* is running on Saturn Cloud.")
    assert "Stop" in str(answer.blocks)
    kept = await bot.push(answer, "Keep running")
    assert words(kept) == "*gpu* keeps running. No stop is planned."


async def test_lost_start_is_told_within_90_seconds(bot):
    """The 90 seconds cover a check every few seconds, the read, and reconnecting to the server."""
    await bot.say("start gpu")
    for table in ("undoable_actions", "notices", "operations"):
        await bot.store.engine.write(lambda tx, table=table: tx.run(f"DELETE FROM {table}"))
    await served_by(bot, "1/2")
    noted, looking, due = bot.clock.now(), Failovers(bot.services.context), []
    for _ in range(30):
        bot.clock.advance(RENEWAL_SECONDS)
        await looking.step()
        due = due or await bot.store.engine.read(
            lambda tx: tx.all("SELECT due_at FROM notices WHERE kind = 'writes_lost'")
        )
    assert [one["due_at"] - noted <= 80.0 for one in due] == [True]


async def test_what_was_not_read_since_is_not_called_running(bot):
    await bot.say("start gpu")
    await fails_over(bot)
    (answer,) = await told(bot)
    assert words(answer) == f"{LOST} Check what became of *gpu* on Saturn Cloud."


async def test_whose_request_is_still_there_hears_nothing(bot):
    await bot.say("start gpu")
    await fails_over(bot, loses=False)
    assert await told(bot) == []


async def test_what_a_process_called_is_told_where_another_one_answered(bot):
    await bot.say("start gpu")
    (operation,) = await bot.store.read(operations.open_operations, ALICE)
    memory = RecentCommits()
    memory.add(operation, bot.clock.now())
    await fails_over(bot, memory=memory)
    assert len(await told(bot)) == 1


async def test_a_lost_start_that_was_called_as_well_is_told_once(bot):
    await bot.say("start gpu")
    (operation,) = await bot.store.read(operations.open_operations, ALICE)
    bot.services.context.recent_commits.add(operation, bot.clock.now())
    await fails_over(bot)
    assert len(await told(bot)) == 1


@pytest.mark.parametrize("seconds", [0.0, RECENT_COMMIT_SECONDS], ids=["not settled", "long ago"])
async def test_a_failover_is_told_once_it_has_settled_and_not_long_after(bot, seconds):
    await served_by(bot, "1/2")
    bot.clock.advance(seconds)
    await Failovers(bot.services.context).step()
    assert await bot.notices(NoticeKind.OUTAGE) == []


async def test_administrators_hear_of_it_once(bot):
    await fails_over(bot)
    await Failovers(bot.services.context).step()
    said = [await bot.drawn(one) for one in await bot.notices(NoticeKind.OUTAGE)]
    assert ["My database has moved to another server" in one["text"] for one in said] == [True]


def test_what_is_remembered_is_bounded():
    memory = RecentCommits()
    acts = [
        AcceptedRequest(id=f"{n}", principal=ALICE, kind="a", done_at=0.0)
        for n in range(MAX_RECENT_COMMITS + 2)
    ]
    for act in acts:
        memory.add(act, 1.0)
    assert len(memory.list_since(0.0)) == MAX_RECENT_COMMITS
    memory.add(replace(acts[0], id="later"), 2.0 + RECENT_COMMIT_SECONDS)
    assert [one.id for one in memory.list_since(0.0)] == ["later"]
    # Called again long after.
    memory.add(replace(acts[0], id="later"), 3.0 + 2 * RECENT_COMMIT_SECONDS)
    assert [one.id for one in memory.list_since(2.0 + 2 * RECENT_COMMIT_SECONDS)] == ["later"]


async def test_of_two_servers_that_take_writes_administrators_are_told_once(bot, monkeypatch):
    said = "two servers of its address take writes: db2 is used"
    looking = Failovers(bot.services.context)
    await looking.step()
    monkeypatch.setattr(type(bot.store.engine), "warning", said)
    for _ in range(3):
        await looking.step()
    # By another process, too.
    await Failovers(bot.services.context).step()
    (one,) = await bot.notices(NoticeKind.OUTAGE)
    answer = render(one.kind, await bot.services.gatherer.describe_notice(one))
    assert (one.principal, said in words(answer)) == (ALICE, True)
