"""What people have on a connection that the operator took out is counted, not passed over in silence."""

from bot.domain.hours import HoursRule
from bot.domain.time_parsing import EVERY_DAY
from bot.store import hours as hours_store
from tests.handlers.rig import words
from tests.rigs.store import ALICE


async def test_lists_and_hours_say_what_is_on_a_connection_that_is_not_set_up_any_more(bot):
    mine = await bot.link(ALICE, ("notebook", "training", "gpu"))
    for number, workspace in enumerate(mine.workspaces[:2]):
        rule = HoursRule(
            f"rule_{number}", ALICE, "saturn", workspace.id, "UTC", 0.0, days=EVERY_DAY, starts=540
        )
        await bot.store.carry_out(lambda tx, rule=rule: hours_store.save_rule(tx, rule))
    for said in ("list", "hours"):
        assert "set up any more" not in words(await bot.say(said))
    del bot.connections["saturn"]
    assert "3 on *saturn*, which isn't set up any more." in words(await bot.say("list"))
    answer = words(await bot.say("hours"))
    assert "2 on *saturn*, which isn't set up any more." in answer
    assert "None of your workspaces has working hours" not in answer
