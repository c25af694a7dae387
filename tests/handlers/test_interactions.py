"""A key of an interaction is used once within a request, and a list of runs is asked for once."""

from structlog.testing import capture_logs

from bot.domain.snapshots import Snapshot
from bot.domain.tasks import TaskKind
from bot.features.home.use_cases import read_lists
from bot.messages.blocks import replies
from bot.services.snapshots import RUNS_KIND
from bot.services.workspace_list import set_alias
from bot.store import accounts, snapshots, tasks, workspaces
from handlers.dispatch import run_within_limit
from handlers.request import Reference, Request
from tests.handlers.rig import words
from tests.handlers.run_rig import run_rig
from tests.rigs.store import ALICE


async def rename_all(request, interactions):
    """Be the verb that a contributor may write first."""
    rows = await request.services.store.perform(workspaces.read_workspaces, ALICE)
    for row, interaction in zip(rows, interactions, strict=True):
        caller = request.services.create_caller(ALICE, interaction)
        await caller.run(set_alias, row.id, f"my {row.name}")
    return replies.answer(f"Renamed {len(rows)}.")


def asked(bot):
    surface = bot.surface()
    return Request(ALICE, "alias", (), surface, bot.services, Reference(bot.services.ids))


async def aliases(bot):
    return [row.alias for row in await bot.store.perform(workspaces.read_workspaces, ALICE)]


async def test_a_key_that_is_used_again_within_a_request_raises(bot):
    await bot.link(names=("one", "two"))
    with capture_logs() as logged:
        answer = await run_within_limit(
            asked(bot), lambda request: rename_all(request, [request.surface.interaction] * 2)
        )
    assert "Renamed" not in words(answer)
    assert [one["event"] for one in logged if one["log_level"] == "error"] == ["failed unexpectedly"]
    assert await aliases(bot) == ["my one", None]


async def test_each_write_may_have_a_key_of_its_own_and_a_redelivery_changes_nothing(bot):
    await bot.link(names=("one", "two"))
    request = asked(bot)

    async def rename(request):
        return await rename_all(request, [f"{request.surface.interaction}/{number}" for number in range(2)])

    for _ in range(2):
        assert words(await run_within_limit(request, rename)) == "Renamed 2."
        assert await aliases(bot) == ["my one", "my two"]


async def test_a_list_of_runs_that_was_just_read_is_not_read_again_for_a_home():
    async with run_rig() as bot:
        await bot.say("job list")
        (task,) = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
        assert task.kind is TaskKind.LIST_RUNS
        await bot.store.write(tasks.finish_task, task)
        account = await bot.store.read(accounts.find_account_by_id, task.subject)
        listed = Snapshot(account.connection, account.id, RUNS_KIND, None, bot.clock.now())
        await bot.store.write(snapshots.save_snapshot, listed)
        await bot.services.create_caller(ALICE).run(read_lists)
        assert TaskKind.LIST_RUNS not in [
            task.kind for task in await bot.store.claim(tasks.claim_tasks, 10, 60.0)
        ]
