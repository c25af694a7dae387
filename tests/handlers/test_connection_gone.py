"""People's workspaces on a connection that the operator removed are counted, not silently ignored."""

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


async def test_connection_that_only_other_processes_have_yet_is_said_to_come(bot):
    """When processes are restarted one after another, the later ones lack a new connection for a while."""
    mine = await bot.link(ALICE, ("notebook",))
    del bot.connections["saturn"]
    bot.services.context.owners.lacking_connections = frozenset({"saturn"})
    said = [
        words(await bot.say("list")),
        words(await bot.press("start", mine.workspaces[0].id)),
        words(await bot.say("link saturn")),
        words(await bot.say("new saturn")),
    ]
    assert "1 on *saturn*, which part of me doesn't have yet, as I'm being updated." in said[0]
    assert all("Part of me is still being updated and doesn't have saturn yet." in one for one in said[1:])
    assert not any("set up any more" in one or "I don't have" in one for one in said)
