"""Help, which is drawn once for all who get the same."""

from bot.messages.blocks import plain
from tests.handlers.rig import Rig, buttons
from tests.rigs.store import BOB


async def test_help_is_drawn_once_for_the_same_accounts(bot: Rig):
    first = await bot.say("help")
    assert (await bot.say("help", BOB)).blocks is first.blocks
    assert (await bot.say("job help")).blocks is not first.blocks
    assert (await bot.direct("help")).blocks != first.blocks
    await bot.link()
    linked = await bot.say("help")
    assert "Show my workspaces" in buttons(linked)
    assert linked.blocks != first.blocks
    assert (await bot.say("help")).blocks is linked.blocks


async def test_text_of_drawn_help_is_computed_once(bot: Rig):
    first, again = await bot.say("help"), await bot.say("help")
    assert plain.make_fallback_text(first) is plain.make_fallback_text(again)
