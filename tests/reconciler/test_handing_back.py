"""A process that is drained rather than killed hands back its work, so the next process continues at once."""

import asyncio

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.tasks import TaskKind
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.slack.methods import CHAT_POST_MESSAGE
from bot.store import accounts, notices, operations, tasks
from bot.store.tasks import NewTask
from bot.support.pool import Pool
from tests.rigs.slack import FakeSlack
from tests.rigs.store import ALICE


class HangingSlack(FakeSlack):
    """A Slack that never answers one method, whether or not the message arrives."""

    hangs = ""
    takes = True

    def __init__(self, clock):
        super().__init__(clock)
        self.began = asyncio.Event()

    async def call(self, method, arguments):
        if method != self.hangs:
            return await super().call(method, arguments)
        if self.takes:
            await super().call(method, arguments)
        self.began.set()
        return await asyncio.Event().wait()


@pytest.fixture
async def stopped(world):
    """A function that starts a step in a pool, waits for an event, and drains the pool."""
    pools = []

    async def stop(step, began):
        pools.append(Pool(10, lambda: None))
        assert await step(pools[-1]) == 1
        await asyncio.wait_for(began.wait(), 30)
        assert await pools[-1].drain(0.0) == 1

    return stop


async def test_a_call_under_way_is_checked_by_the_next_process_at_once(world, stopped):
    operation_id = await world.begin(await world.own())
    await world.reconciler.operations.step()
    await world.reconciler.reads.step()
    await stopped(world.reconciler.operations.step, world.hang("start"))
    world.provider.during = None
    assert (await world.store.read(operations.find_operation, operation_id)).start_call is Call.CALLING
    world.reborn()
    await world.work()
    assert (await world.store.read(operations.find_operation, operation_id)).start_call is Call.UNKNOWN
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
    assert len(world.provider.accepted_starts) == 1


async def test_a_task_begins_again_at_once(world, stopped):
    workspace = await world.own(state=State.RUNNING)
    account = await world.store.read(accounts.find_account, workspace.principal, "cloud")
    await world.work()
    await world.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
    await stopped(world.reconciler.tasks.step, world.hang("discover"))
    world.provider.during = None
    world.reborn()
    (task,) = await world.store.claim(tasks.claim_tasks, 10, 40.0)
    assert (task.kind, task.attempts) == (TaskKind.DISCOVER, 0)


@pytest.mark.parametrize("takes", [True, False])
async def test_a_message_that_may_have_been_sent_is_looked_for_first(world, stopped, takes):
    await world.know()
    world.slack = HangingSlack(world.clock)
    world.slack.add_user(ALICE.user_id)
    world.slack.hangs, world.slack.takes = CHAT_POST_MESSAGE, takes
    world.reborn()
    await world.store.write(
        notices.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE, {"text": "hello"})]
    )
    await stopped(world.notifier.step_notices, world.slack.began)
    world.slack.hangs = ""
    world.reborn()
    # The message arrives long before the lease would have expired.
    await world.pass_time(world.timing.settles + 1)
    assert len(world.slack.messages) == 1
