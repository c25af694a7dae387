"""Using an interaction's key for two writes raises UsedTwice; a redelivery changes nothing."""

from structlog.testing import capture_logs

from bot.messages.blocks import replies
from bot.services.workspaces import set_alias
from bot.store import workspaces
from handlers.dispatch import run_within_limit
from handlers.requests.request import Request
from tests.handlers.rig import words
from tests.rigs.store import ALICE


async def rename_all(request, interactions):
    """Rename each workspace with its key. Contributors might use one key for all of them by mistake."""
    rows = await request.services.store.perform(workspaces.read_workspaces, ALICE)
    for row, interaction in zip(rows, interactions, strict=True):
        caller = request.services.create_caller(ALICE, interaction)
        await caller.run(set_alias, row.id, f"my {row.name}")
    return replies.answer(f"Renamed {len(rows)}.")


def asked(bot):
    surface = bot.surface()
    return Request(ALICE, "alias", (), surface, bot.services, "TEST-0001")


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
