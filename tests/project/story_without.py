"""A scenario that runs without a feature whose rows are still in the database.

``test_deletion.py`` adds it to the scenarios in a copy of the repository, along with the rows.
"""

import json
from pathlib import Path

import pytest

from bot.commands.store_checks import read_store
from bot.store import accounts, schema, workspaces

LEFT = json.loads(Path(__file__).with_name("left.json").read_text(encoding="utf-8"))


async def leave(world):
    """Write the rows that the feature would have left behind, all long overdue."""
    principal = world.principal()
    account = await world.bot.store.read(accounts.find_account, principal, "saturn")
    workspace = next(
        one
        for one in await world.bot.store.perform(workspaces.read_workspaces, principal)
        if one.name == "notebook"
    )
    words = {"account": account.id, "workspace": workspace.id, "principal": principal.key}
    now = await world.bot.store.now()
    for statement in LEFT["rows"]:
        await world.bot.store.engine.write(lambda tx, one=statement: tx.run(one, now=now - 4000, **words))


async def tasks_left(world):
    return await world.bot.store.engine.read(lambda tx: tx.all("SELECT * FROM tasks WHERE id LIKE 'left %'"))


async def starts_and_stops(world, ready):
    """Start the notebook, and stop it once it is ready."""
    alice = world.alice
    await world.pass_time(40)
    assert [one.text[:22] for one in alice.told("ready")] == ["🟢 *notebook* is ready."] * ready
    assert world.calls("POST .*/start") == ready
    await alice.types("stop notebook")
    await world.pass_time(40)
    assert len(alice.told("stopped")) == ready


@pytest.mark.parametrize("bare", [{"sign_in": True}], indirect=True)
async def test_people_link_start_and_stop_and_doctor_counts_what_nobody_does(bare):
    alice = bare.alice
    await alice.links("alice", asked=await alice.types("start notebook"))
    await leave(bare)
    left = await tasks_left(bare)
    await starts_and_stops(bare, 1)
    await bare.stop_bot()
    bare.clock.advance(60)
    await bare.start_bot()
    await alice.types("start notebook")
    await starts_and_stops(bare, 2)

    await bare.bot.store.perform(schema.write_heartbeat)
    found = {check.name: check.found for check in await read_store(bare.bot.store)}
    assert found["overdue work"] == LEFT["overdue"]
    assert await tasks_left(bare) == left
