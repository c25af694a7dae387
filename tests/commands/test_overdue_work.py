"""Test that doctor warns if work has been due for an hour and nobody has done it."""

from bot.commands import store_checks
from bot.domain.tasks import TaskKind
from bot.store import schema, tasks
from bot.store.tasks import NewTask
from tests.rigs.clock import FakeClock
from tests.rigs.store import memory_store


def by_name(checks):
    return {check.name: check for check in checks}


async def test_work_that_nobody_does_is_a_warning():
    clock = FakeClock()
    async with memory_store(clock) as store:
        assert by_name(await store_checks.read_store(store))["overdue work"].found == "none"
        await store.write(
            tasks.add_tasks,
            [NewTask(TaskKind.RENEW_CREDENTIAL, "a1"), NewTask(TaskKind.RENEW_CREDENTIAL, "a2")],
        )
        clock.advance(3601)
        await store.perform(schema.write_heartbeat)
        check = by_name(await store_checks.read_store(store))["overdue work"]
    assert (check.is_good, check.is_warning) == (True, True)
    assert check.found == "due for over an hour, and nobody does it: renew_credential 2"
    assert check.advice == 'Look for "loop failed" in the log.'
