"""What providers told last, and what people filled in last."""

from bot.domain.people import Snapshot
from tests.rigs.store import ALICE, BOB, link_account

FORM = {"clusters": [{"name": "Lokal ∅", "cpus": 2.5}], "default": None}


async def test_what_a_provider_told_is_kept_as_it_was(store):
    account = await link_account(store, ALICE, "posit")
    for owner in ("", account.id):
        snapshot = Snapshot("posit", owner, "templates", FORM, 10.0)
        await store.save_snapshot(snapshot)
        assert await store.snapshot("posit", owner, "templates") == snapshot
    assert await store.snapshot("posit", "", "about") is None
    assert await store.snapshot("saturn", "", "templates") is None
    assert await store.snapshot("posit", "another", "templates") is None


async def test_what_a_provider_told_keeps_its_order(store):
    ides = {"RStudio": 1, "VS Code": 2, "Jupyter Notebook": 3, "Positron": 4}
    await store.save_snapshot(Snapshot("posit", "", "templates", ides, 10.0))
    assert list((await store.snapshot("posit", "", "templates")).payload) == list(ides)


async def test_the_newer_one_wins(store):
    for read_at, payload in ((10.0, "first"), (12.0, "second"), (11.0, "late")):
        await store.save_snapshot(Snapshot("posit", "", "about", payload, read_at))
    assert (await store.snapshot("posit", "", "about")).payload == "second"


async def test_nothing_is_kept_for_who_is_no_account(store):
    await store.save_snapshot(Snapshot("posit", "nobody", "templates", FORM, 10.0))
    assert await store.snapshot("posit", "nobody", "templates") is None


async def test_what_was_filled_in_is_there_the_next_time(store):
    assert await store.remembered(ALICE, "posit", "workspace") == {}
    await store.remember(ALICE, "posit", "workspace", {"ide": "RStudio", "env": ["A=1"]})
    await store.remember(ALICE, "posit", "job", {"cpus": 2})
    await store.remember(BOB, "posit", "workspace", {"ide": "VS Code"})
    await store.remember(ALICE, "posit", "workspace", {"ide": "JupyterLab"})
    assert await store.remembered(ALICE, "posit", "workspace") == {"ide": "JupyterLab"}
    assert await store.remembered(ALICE, "posit", "job") == {"cpus": 2}
    assert await store.remembered(ALICE, "saturn", "job") == {}
