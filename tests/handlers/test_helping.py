"""Help, which depends on where it is read and on the accounts that the person has linked."""

from tests.handlers.rig import Rig, buttons
from tests.rigs.store import BOB


async def test_help_is_the_same_for_the_same_accounts(bot: Rig):
    first = await bot.say("help")
    assert (await bot.say("help", BOB)).blocks == first.blocks
    assert (await bot.say("job help")).blocks != first.blocks
    assert (await bot.direct("help")).blocks != first.blocks
    await bot.link()
    linked = await bot.say("help")
    assert "Show my workspaces" in buttons(linked)
    assert linked.blocks != first.blocks
