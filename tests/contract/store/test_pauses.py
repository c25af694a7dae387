"""Pauses that providers asked for: the longer one wins, and everybody knows them for a minute more."""

from bot.store.tasks import Pause


async def test_a_pause_is_known_to_all_for_as_long_as_it_matters(database, store, clock):
    other = await database.open()
    await store.note_pauses("cloud", "any", {"account_1": 30.0})
    clock.advance(10)
    assert await other.pauses() == [Pause("cloud", "any", "account_1", 10.0, 20.0)]
    clock.advance(49.5)
    assert await other.pauses() == [Pause("cloud", "any", "account_1", 59.5, -29.5)], "it still counts"
    clock.advance(0.5)
    assert await other.pauses() == []


async def test_the_longer_pause_wins(store, clock):
    await store.note_pauses("cloud", "any", {"account_1": 100.0, "": 100.0})
    clock.advance(10)
    await store.note_pauses("cloud", "any", {"account_1": 5.0})
    await store.note_pauses("cloud", "start", {"account_1": 7.0})
    found = {(pause.calls, pause.who): (pause.ago, pause.left) for pause in await store.pauses()}
    assert found == {
        ("any", "account_1"): (0.0, 90.0),
        ("any", ""): (10.0, 90.0),
        ("start", "account_1"): (0.0, 7.0),
    }


async def test_what_no_longer_matters_is_forgotten_with_the_next_pause(store, clock):
    await store.note_pauses("cloud", "any", {"account_1": 30.0})
    clock.advance(61)
    await store.note_pauses("hub", "any", {"account_2": 30.0})
    left = await store.engine.read(lambda tx: tx.all("pauses", now=0.0, before=0.0))
    assert [row["connection"] for row in left] == ["hub"]
