"""Channels whose id Slack changed: it is replaced in all rows, but in no other Slack workspace's."""

import pytest

from bot.domain.people import Principal
from bot.store import cards, channels
from bot.store.channels import note_channel_change
from bot.store.fan_out import FAN_OUT_BATCH_SIZE
from bot.store.tables import TABLES
from tests.contract.store import field_values
from tests.rigs.store import ALICE

ELSEWHERE = Principal("E1", "T9", "U1")
#: Tables with a column for the channel. Direct messages' channels never get another id.
HELD = {"cards", "class_cards", "notices", "operations", "runs", "undoable_actions"}
#: Tables and columns with JSON in which a channel is named.
NAMED_IN = {
    "notices": "body",
    "links": "deferred_command",
    "approvals": "deferred_command",
    "tasks": "payload",
}


def naming(table, person, channel):
    """Return the columns in which a row names a person and a channel in JSON."""
    said = {"channel_id": channel, "principal": person.key, "text": "In COLD-STORAGE"}
    return {NAMED_IN[table]: said} if table in NAMED_IN else {}


def write(tx, names, number, person, channel):
    for name in names:
        table = TABLES[name]
        given = field_values.BESIDE.get(name, {}) | naming(name, person, channel)
        given |= {"principal": person} if name != "tasks" else {}
        given |= {"channel_id": channel} if name in HELD else {}
        table.add(tx, field_values.made(table, number), **given)


@pytest.mark.both_engines
async def test_every_table_with_a_channel_is_renamed(store):
    assert {name for name, table in TABLES.items() if "channel_id" in table.fields} <= HELD
    every = sorted(HELD | set(NAMED_IN))
    await store.carry_out(lambda tx: write(tx, every, 1, ALICE, "COLD"))
    await store.carry_out(lambda tx: write(tx, every, 2, ELSEWHERE, "COLD"))
    assert await store.perform(channels.replace_channel_id, ALICE.place, "COLD", "CNEW") == len(HELD) + len(
        NAMED_IN
    )
    assert await store.perform(channels.replace_channel_id, ALICE.place, "COLD", "CNEW") == 0

    def read(tx):
        return {name: [str(row) for row in tx.all(f"SELECT * FROM {name}")] for name in every}

    for name, rows in (await store.engine.read(read)).items():
        assert ["CNEW" in row for row in rows].count(True) == 1, name
        (other,) = [row for row in rows if "CNEW" not in row]
        assert ("T9" in other, "COLD" in other) == (True, True), name
        assert name not in NAMED_IN or all("COLD-STORAGE" in row for row in rows)


async def test_channel_of_a_user_with_another_enterprise_is_renamed(store):
    member = Principal("E7", ALICE.team_id, "U7")
    await store.carry_out(lambda tx: write(tx, ["class_cards", "tasks"], 1, member, "COLD"))
    assert await store.perform(channels.replace_channel_id, ALICE.place, "COLD", "CNEW") == 2


@pytest.mark.both_engines
async def test_card_that_moved_during_its_edit_is_edited_again(store):
    await store.carry_out(lambda tx: write(tx, ["cards"], 1, ALICE, "COLD"))
    await store.perform(channels.replace_channel_id, ALICE.place, "COLD", "CNEW")
    read = store.engine.read
    (card,) = await read(lambda tx: tx.all("SELECT * FROM cards"))
    for channel, is_dirty in (("COLD", True), ("CNEW", False)):
        await store.write(cards.pause_card, card["id"], channel)
        (card,) = await read(lambda tx: tx.all("SELECT * FROM cards"))
        assert (bool(card["is_dirty"]), card["channel_id"]) == (is_dirty, "CNEW")


async def test_many_rows_are_renamed_in_pieces(store):
    for number in range(FAN_OUT_BATCH_SIZE + 3):
        await store.carry_out(
            lambda tx, number=number: write(tx, ["undoable_actions"], number, ALICE, "COLD")
        )
    assert (
        await store.perform(channels.replace_channel_id, ALICE.place, "COLD", "CNEW")
        == FAN_OUT_BATCH_SIZE + 3
    )


@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("changes", "chains"),
    [
        pytest.param([("A", "B", 1)], [["A", "B"]], id="one"),
        pytest.param([("A", "B", 1), ("B", "C", 2)], [["A", "B", "C"]], id="chain"),
        pytest.param([("B", "C", 1), ("A", "B", 1)], [["A", "B", "C"]], id="chain-reversed"),
        pytest.param([("A", "B", 1), ("B", "A", 2)], [["A", "B"]], id="there-and-back"),
        pytest.param([("A", "C", 2), ("A", "B", 1)], [["A", "C"]], id="outdated"),
        pytest.param([("A", "B", 1), ("A", "C", 1)], [["A", "C"]], id="replaced"),
        pytest.param([("A", "B", 1), ("X", "Y", 1)], [], id="another"),
    ],
)
async def test_chains_of_ids_follow_from_all_changes(store, changes, chains):
    """Only rows with channel A exist."""
    await store.carry_out(lambda tx: write(tx, ["undoable_actions"], 1, ALICE, "A"))
    for change in changes:
        found = await store.carry_out(lambda tx, change=change: note_channel_change(tx, ALICE.place, *change))
    assert found == chains
