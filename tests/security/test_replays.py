"""Tests that requests replayed with their original signatures change nothing after a restart."""

import sqlite3
from contextlib import closing

GENERAL = "C0GENERAL"


def stored(world):
    """Return every row, by table."""
    with closing(sqlite3.connect(world.folder / "usher.db")) as database:
        names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: set(database.execute(f"SELECT * FROM {name}")) for name in names}


async def does_a_bit_of_everything(world):
    """Do things that have effects, and some that have none until something else has changed."""
    alice = world.alice
    shown = await alice.types("list")
    await alice.presses(shown, "Refresh")
    # The command is refused while the notebook isn't running. Repeated a minute later, it would set a timer.
    await alice.types("stop notebook at 23:00")
    await alice.types("start notebook")
    await alice.types("stop thesis")
    await alice.types("rename report as thesis")
    await alice.types("forget broken")
    await alice.writes("start training")
    await alice.mentions("status training")
    await world.slack.control.change_person(world.bob.id, name="robert")
    await world.slack.control.change_person(world.bob.id, name="bob")
    for tell in (["ready", "stopped"], ["ready"]):
        assert (await world.slack.say(alice.id, GENERAL, "/workspace settings"))["ok"]
        assert (await alice.submits(tell=tell))["ok"]
        await world.slack.close_view(alice.id)
    await alice.opens_home()
    # A second invitation would end the first one.
    await alice.invited()


async def test_after_a_restart_the_same_bytes_change_no_row(linked):
    sent = linked.slack.dispatcher.sent
    first = len(sent)
    await does_a_bit_of_everything(linked)
    await linked.pass_time(60)
    requests = range(first, len(sent))
    await linked.stop_bot()
    await linked.start_bot()
    await linked.settle()
    rows = stored(linked)
    assert {(await linked.slack.dispatcher.replay(index)).status for index in requests} == {200}
    await linked.settle()
    assert stored(linked) == rows
