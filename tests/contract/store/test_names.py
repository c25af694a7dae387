"""A name is found among all rows, although only the few possible matches are read."""

import pytest

from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.services import naming
from bot.store import discovered, workspaces
from bot.store.tables import WORKSPACES
from tests.rigs.clock import FakeClock
from tests.rigs.providers import FakeProvider, fake_settings
from tests.rigs.store import (
    ALICE,
    BOB,
    found_workspace,
    hide_workspace,
    link_account,
    name_workspace,
    observe,
)

CONNECTIONS = {
    name: FakeProvider(FakeClock(), fake_settings(name, title=title))
    for name, title in {"saturn": "Saturn Cloud", "hub": "Course hub"}.items()
}
LONG = "\ufdfa" * 5_000
NAMES = [
    *(
        "Notebook",
        "note book",
        "NOTE  BOOK",
        "GPU",
        "\uff27\uff30\uff35",
        "Stra\u00dfe",
        "STRASSE",
        "nul\x00inside",
        LONG,
    ),
    *("lab@saturn", "lab", "old name", "named by 0.1.0", "one that is read", "hidden", "U2-other"),
]
TYPED = [
    *(*NAMES, "notebook", "Note Book", "gpu", "strasse", "nulinside", "new name", "Written By 0.1.0", "Read"),
    *(
        "mine",
        "MINE",
        "notebook@saturn",
        "notebook@Course Hub",
        "lab@hub",
        "u1-lab",
        "u1-lab@saturn",
        "U1-lab",
    ),
    *("nothing", "note", "@saturn", "saturn", ""),
]


@pytest.fixture
async def filled(store, clock):
    """A store with names in every spelling, some of them written by an earlier release."""
    for connection in CONNECTIONS:
        account = await link_account(store, ALICE, connection, account_id=f"account_{connection}")
        await store.perform(
            discovered.merge_discovered,
            account.id,
            [found_workspace(name, ALICE, connection) for name in (*NAMES, *TYPED[:3])],
        )
    rows = {(row.connection, row.name): row for row in await store.perform(workspaces.read_workspaces, ALICE)}
    await name_workspace(store, rows["hub", "GPU"].id, "Mine")
    await name_workspace(store, rows["saturn", "old name"].id, "lab")
    await hide_workspace(store, rows["saturn", "hidden"].id)
    await observe(store, clock, rows["hub", "one that is read"], Observed(State.STOPPED, name="Read"))
    old = {"id": rows["saturn", "named by 0.1.0"].id}
    await store.engine.write(lambda tx: WORKSPACES.change(tx, old, name="written by 0.1.0"))
    renamed = found_workspace("old name", ALICE, "hub")._replace(name="new name")
    await store.perform(discovered.merge_discovered, "account_hub", [renamed], is_whole=False)
    return store


def found(name, rows):
    return {one.id for one in naming.find_whole(name, rows, CONNECTIONS)}


async def test_a_name_finds_among_a_few_rows_what_it_finds_among_all(filled):
    every = await filled.perform(workspaces.read_workspaces, ALICE)
    for name in TYPED:
        few = await filled.read(
            workspaces.find_workspaces_by_name, ALICE, name, naming.split_connection(name, CONNECTIONS)[0]
        )
        assert found(name, few) == found(name, every), name
        assert {one.id for one in few} <= {one.id for one in every}
    assert found("one that is read", every)
    assert found("WRITTEN by 0.1.0", every) == found("written by 0.1.0", every) != set()


@pytest.mark.both_engines
async def test_only_rows_that_may_be_called_that_are_read(filled):
    few = await filled.read(workspaces.find_workspaces_by_name, ALICE, "Note  Book", "notebook")
    # The other rows have a name that their owner chose, or one that wasn't case-folded.
    beside = {"old name", "GPU", "written by 0.1.0"}
    assert {one.name for one in few} - beside == {"Notebook", "note book", "NOTE  BOOK"}
    assert len(few) == 9
    assert await filled.read(workspaces.find_workspaces_by_name, BOB, "Note  Book", "notebook") == []
