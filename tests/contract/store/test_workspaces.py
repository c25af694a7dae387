"""Workspaces: providers' lists merged into the store, and what they leave out; adding, naming, forgetting."""

from dataclasses import replace

import pytest

from bot.domain.observations import Observed
from bot.domain.reads import ReadResult
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State, Workspace
from bot.store import accounts, discovered, gates, tasks, usage, workspaces
from bot.store.store import Store
from bot.store.tasks import NewTask
from bot.support.errors import StoreBusy
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    add_workspace,
    follow,
    found_workspace,
    gate_key,
    hide_workspace,
    link_account,
    linked,
    listed_workspace,
    name_workspace,
    notify,
    observe,
    unlink,
)


def reference(name="added", principal=ALICE, alias=None):
    return Workspace(
        f"workspace_{name}", principal, "saturn", name, gate_key("saturn", name), name, alias, origin="added"
    )


class Reads:
    """An engine that records how many rows each read returns."""

    def __init__(self, engine):
        self.engine, self.rows = engine, []

    async def read(self, work):
        found = await self.engine.read(work)
        self.rows.append(len(found))
        return found


async def test_thousands_are_read_in_pieces_and_each_comes_once(store):
    for connection, count in (("saturn", 399), ("hub", 201)):
        account = await link_account(store, connection=connection)
        found = [found_workspace(f"n{number:03}", connection=connection) for number in range(count)]
        await store.perform(discovered.merge_discovered, account.id, found)
    hidden, *others = await store.perform(workspaces.read_workspaces, ALICE)
    await hide_workspace(store, hidden.id)
    await linked(store, BOB)
    reads = Reads(store.engine)
    every = await workspaces.read_workspaces(reads, ALICE, hidden=True)
    assert reads.rows == [200, 200, 200, 0]
    assert [one.id for one in every] == [hidden.id, *(one.id for one in others)]
    assert await store.perform(workspaces.read_workspaces, ALICE) == others
    assert others == await store.engine.read(lambda tx: workspaces.list_workspaces(tx, ALICE))
    assert {
        one.connection for one in await store.perform(workspaces.read_workspaces, ALICE, connection="hub")
    } == {"hub"}


async def test_a_list_becomes_workspaces_of_its_owner(store, clock):
    account = await link_account(store)
    found = [
        listed_workspace("1", gate_key("saturn", "1"), "beta", State.RUNNING, "https://ide", "4 cores"),
        listed_workspace("2", gate_key("saturn", "2"), "Alpha", State.STOPPED),
    ]
    assert await store.perform(discovered.merge_discovered, account.id, found) == 2
    alpha, beta = await store.perform(workspaces.read_workspaces, ALICE)
    assert (alpha.name, beta.name) == ("Alpha", "beta")
    assert (beta.state, beta.url, beta.detail, beta.origin) == (
        State.RUNNING,
        "https://ide",
        "4 cores",
        "discovered",
    )
    assert beta.verified_at == clock.now()
    assert await store.perform(workspaces.read_workspaces, BOB) == []
    assert (await store.read(accounts.find_account_by_id, account.id)).discovered_at == clock.now()
    # Workspaces that are changing state are read soon; the others only when somebody asks.
    assert [claim.remote_id for claim in await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)] == [
        "1"
    ]


async def test_a_list_without_addresses_and_details_leaves_those_of_what_runs_on(store):
    account = await link_account(store)
    running = listed_workspace(
        "1", gate_key("saturn", "1"), "beta", State.RUNNING, "https://ide", detail="Stops by itself."
    )
    bare = running._replace(seen=Observed(State.RUNNING))
    kept = []
    for found in (running, bare, bare._replace(seen=Observed(State.STOPPED)), bare):
        await store.perform(discovered.merge_discovered, account.id, [found])
        kept += [(one.url, one.detail) for one in await store.perform(workspaces.read_workspaces, ALICE)]
    known = ("https://ide", "Stops by itself.")
    assert kept == [known, known, (None, None), (None, None)]


async def test_a_list_again_updates_and_what_two_lists_lack_is_gone(store, clock):
    mine = await linked(store, names=["one", "two", "three"])
    two = mine.workspaces[1]
    await accept_operation(store, mine.workspaces[2])
    await name_workspace(store, mine.workspaces[0].id, "mine")
    await add_workspace(store, reference())
    clock.advance(60)
    again = [found_workspace("one", state=State.RUNNING), found_workspace("four")]
    assert await store.perform(discovered.merge_discovered, mine.account.id, again) == 1
    assert (await store.read(workspaces.find_workspace, two.id)).state is State.STOPPED
    assert await store.perform(discovered.merge_discovered, mine.account.id, again) == 0
    states = {row.title: row.state for row in await store.perform(workspaces.read_workspaces, ALICE)}
    assert states == {
        "mine": State.RUNNING,
        "two": State.GONE,
        "three": State.STOPPED,
        "four": State.STOPPED,
        "added": State.UNKNOWN,
    }
    assert (await store.read(workspaces.find_workspace, two.id)).observed_at == clock.now()
    await store.perform(discovered.merge_discovered, mine.account.id, [*again, found_workspace("two")])
    assert (await store.read(workspaces.find_workspace, two.id)).state is State.STOPPED


@pytest.mark.parametrize("state", [state for state in State if state is not State.GONE])
async def test_what_one_list_lacks_is_read_and_what_shows_it_counts_anew(store, clock, state):
    mine = await linked(store, names=["one", "two"], state=state)
    two = mine.workspaces[1]
    lacking = [found_workspace("one", state=state)]
    both = [*lacking, found_workspace("two", state=state)]
    for _ in range(2):
        clock.advance(60)
        await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
        clock.advance(20)
        await store.perform(discovered.merge_discovered, mine.account.id, lacking)
        assert (await store.read(workspaces.find_workspace, two.id)).state is state
        claims = await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
        (count_unconfirmed,) = [claim for claim in claims if claim.remote_id == two.remote_id]
        assert (count_unconfirmed.unconfirmed.kind, count_unconfirmed.unconfirmed.times) == ("unlisted", 1)
        await store.perform(discovered.merge_discovered, mine.account.id, both)
    await store.perform(discovered.merge_discovered, mine.account.id, lacking)
    await observe(store, clock, two, Observed(State.RUNNING))
    await store.perform(discovered.merge_discovered, mine.account.id, lacking)
    assert (await store.read(workspaces.find_workspace, two.id)).state is State.RUNNING
    await store.perform(discovered.merge_discovered, mine.account.id, lacking)
    assert (await store.read(workspaces.find_workspace, two.id)).state is State.GONE


async def test_read_with_others_access_confirms_no_unlisted_workspace(store, clock):
    mine = await linked(store, names=["one", "two"])
    two = mine.workspaces[1]
    lacking = [found_workspace("one")]
    clock.advance(60)
    await store.perform(discovered.merge_discovered, mine.account.id, lacking)
    (claim,) = await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
    seen = ReadResult(two.gate_key, claim.workspace_ids, Observed(State.STOPPED), 60.0, is_own=False)
    await store.perform(gates.record_reads, [seen])
    assert (await store.read(workspaces.find_workspace, two.id)).state is State.STOPPED
    clock.advance(60)
    await store.perform(discovered.merge_discovered, mine.account.id, lacking)
    assert (await store.read(workspaces.find_workspace, two.id)).state is State.GONE


async def test_partial_lists_change_nothing_about_what_they_lack(store, clock):
    mine = await linked(store, names=["one", "two"])
    one, two = mine.workspaces
    await notify(store, two.id, ready=None, stopped=True)
    odd = listed_workspace(one.remote_id, one.gate_key, "", State.UNKNOWN)
    # After two complete lists without it, it would count as gone.
    for _ in range(2):
        clock.advance(60)
        assert await store.perform(discovered.merge_discovered, mine.account.id, [odd], is_whole=False) == 0
    assert [(row.name, row.state) for row in await store.perform(workspaces.read_workspaces, ALICE)] == [
        ("one", State.STOPPED),
        ("two", State.STOPPED),
    ]
    assert (await store.read(accounts.find_account_by_id, mine.account.id)).discovered_at == clock.now()


class Interrupted:
    """An engine that calls `act` before its third batch."""

    def __init__(self, engine, act):
        self.engine, self.act, self.pieces = engine, act, 0

    def __getattr__(self, name):
        return getattr(self.engine, name)

    async def write(self, work, *arguments, **options):
        self.pieces += work.func is discovered._merge_batch
        if self.pieces == 3:
            await self.act()
        return await self.engine.write(work, *arguments, **options)


@pytest.mark.parametrize("count", [99, 100, 101, 250])
async def test_a_long_list_is_merged_in_pieces_and_judged_after_the_last(store, clock, count):
    account = await link_account(store)
    names = [f"w{number:03}" for number in range(count)]
    assert (
        await store.perform(
            discovered.merge_discovered, account.id, [found_workspace(name) for name in names]
        )
        == count
    )
    clock.advance(60)
    kept = [found_workspace(name) for name in names[1::2]]
    assert await store.perform(discovered.merge_discovered, account.id, kept) == 0
    assert {row.state for row in await store.perform(workspaces.read_workspaces, ALICE)} == {State.STOPPED}
    assert await store.perform(discovered.merge_discovered, account.id, kept) == 0
    states = [row.state for row in await store.perform(workspaces.read_workspaces, ALICE)]
    assert states.count(State.GONE) == count - len(kept)


async def test_an_unlink_between_two_pieces_ends_it(store):
    account = await link_account(store)

    async def unlinks():
        assert 0 < len(await store.perform(workspaces.read_workspaces, ALICE)) < 350
        await unlink(store, ALICE, "saturn")
        await follow(store)

    found = [found_workspace(f"w{number:03}") for number in range(350)]
    await Store(Interrupted(store.engine, unlinks)).perform(discovered.merge_discovered, account.id, found)
    assert await store.perform(workspaces.read_workspaces, ALICE) == []
    assert await store.read(accounts.find_account, ALICE, "saturn") is None


async def test_what_breaks_off_between_two_pieces_leaves_nothing_wrong(store, clock):
    account = await link_account(store)
    found = [found_workspace(f"w{number:03}") for number in range(350)]
    await store.perform(discovered.merge_discovered, account.id, found)
    clock.advance(60)

    async def break_off():
        raise StoreBusy("not committed in time")

    with pytest.raises(StoreBusy):
        await Store(Interrupted(store.engine, break_off)).perform(
            discovered.merge_discovered, account.id, found[:300]
        )
    assert {row.state for row in await store.perform(workspaces.read_workspaces, ALICE)} == {State.STOPPED}
    assert (await store.read(accounts.find_account_by_id, account.id)).discovered_at == clock.now() - 60
    for _ in range(2):
        await store.perform(discovered.merge_discovered, account.id, found[:300])
    assert [row.state for row in await store.perform(workspaces.read_workspaces, ALICE)].count(
        State.GONE
    ) == 50


async def test_a_list_marks_nothing_as_gone_that_was_seen_since_it_began(store, clock):
    mine = await linked(store)
    await store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, mine.account.id)])
    await store.claim(tasks.claim_tasks, 10, 60.0)
    clock.advance(1)
    await observe(store, clock, mine.workspaces[0], Observed(State.STARTING))
    await store.perform(discovered.merge_discovered, mine.account.id, [])
    assert (await store.read(workspaces.find_workspace, mine.workspaces[0].id)).state is State.STARTING


async def test_forgotten_ones_stay_forgotten_in_a_list(store):
    mine = await linked(store, names=["one", "two"])
    await hide_workspace(store, mine.workspaces[0].id)
    assert (
        await store.perform(
            discovered.merge_discovered, mine.account.id, [found_workspace("one"), found_workspace("two")]
        )
        == 0
    )
    assert [row.name for row in await store.perform(workspaces.read_workspaces, ALICE)] == ["two"]
    assert {row.name for row in await store.perform(workspaces.read_workspaces, ALICE, hidden=True)} == {
        "one",
        "two",
    }


async def test_a_list_proves_that_an_added_one_may_be_seen(store):
    account = await link_account(store)
    added = await add_workspace(store, reference("ualice-x"))
    assert added.verified_at is None
    assert await store.perform(discovered.merge_discovered, account.id, [found_workspace("x")]) == 0
    row = await store.read(workspaces.find_workspace, added.id)
    assert (row.verified_at is not None, row.name, row.origin) == (True, "x", "added")


async def test_a_list_for_an_account_that_is_gone_is_dropped(store):
    account = await link_account(store)
    await unlink(store, ALICE, "saturn", revocable=["saturn"])
    for account_id in (account.id, "account_none"):
        assert await store.perform(discovered.merge_discovered, account_id, [found_workspace("x")]) == 0


async def test_adding_what_is_there_keeps_it_and_unhides_it(store):
    await link_account(store)
    first = await add_workspace(store, reference(alias="mine"))
    await hide_workspace(store, first.id)
    other = Workspace("workspace_other", ALICE, "saturn", "added", first.gate_key, "x", origin="added")
    back = await add_workspace(store, other)
    assert (back.id, back.title, back.hidden) == (first.id, "mine", False)
    assert len(await store.perform(workspaces.read_workspaces, ALICE, hidden=True)) == 1


async def test_workspaces_are_listed_by_connection(store):
    await linked(store)
    await linked(store, connection="hub")
    assert [
        row.connection for row in await store.perform(workspaces.read_workspaces, ALICE, connection="hub")
    ] == ["hub"]
    assert await store.read(workspaces.find_workspace, "none") is None


async def test_a_workspace_may_move_to_another_gate(store, clock):
    account = await link_account(store)
    await store.perform(
        discovered.merge_discovered, account.id, [listed_workspace("1", "old gate", "one", State.STOPPED)]
    )
    await store.perform(
        discovered.merge_discovered, account.id, [listed_workspace("1", "new gate", "one", State.RUNNING)]
    )
    (row,) = await store.perform(workspaces.read_workspaces, ALICE)
    assert row.gate_key == "new gate"
    assert [claim.gate_key for claim in await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)] == [
        "new gate"
    ]


@pytest.mark.parametrize("way", ["removed", "absent"])
async def test_workspace_made_again_after_its_removal_is_listed_as_new(store, clock, way):
    """A hub's ids are names, so a server created under the name of a removed one is a different workspace."""
    mine = await linked(store, names=["lab"])
    old, lab = mine.workspaces[0], [found_workspace("lab", state=State.RUNNING)]
    await name_workspace(store, old.id, "mine")
    if way == "removed":
        await observe(store, clock, old, Observed(State.GONE))
        await hide_workspace(store, old.id)
    else:
        await hide_workspace(store, old.id)
        for _ in range(2):
            clock.advance(60)
            await store.perform(discovered.merge_discovered, mine.account.id, [])
    clock.advance(5)
    # A list may still show a workspace that was removed a moment ago.
    assert await store.perform(discovered.merge_discovered, mine.account.id, lab) == 0
    assert await store.perform(workspaces.read_workspaces, ALICE) == []
    clock.advance(60)
    assert await store.perform(discovered.merge_discovered, mine.account.id, lab) == 1
    (new,) = await store.perform(workspaces.read_workspaces, ALICE)
    assert (new.title, new.state, new.alias, new.origin) == ("lab", State.RUNNING, None, "discovered")
    assert new.generation > old.generation
    assert await store.perform(discovered.merge_discovered, mine.account.id, lab) == 0


async def test_forgotten_workspace_that_was_never_gone_stays_hidden(store, clock):
    mine = await linked(store, names=["lab"])
    old, lab = mine.workspaces[0], [found_workspace("lab", state=State.RUNNING)]
    await hide_workspace(store, old.id)
    for _ in range(3):
        clock.advance(600)
        assert await store.perform(discovered.merge_discovered, mine.account.id, lab) == 0
    assert await store.perform(workspaces.read_workspaces, ALICE) == []


def server(own_name, shown, state=State.STOPPED):
    """Return a server as a hub lists it: its id contains ``own_name``, and people see the name ``shown``."""
    remote_id = f"alice/{own_name}"
    return listed_workspace(remote_id, gate_key("saturn", remote_id), shown, state)


@pytest.mark.parametrize("is_gone", [False, True], ids=["listed before", "read as gone"])
async def test_server_renamed_at_its_hub_stays_the_same_workspace(store, clock, is_gone):
    """The upgrade to JupyterHub 6 renames *My_Lab* to *my-lab*, but still shows it as *My_Lab*."""
    mine = await linked(store, names=[])
    before = [server("My_Lab", "My_Lab"), server("other", "other")]
    await store.perform(discovered.merge_discovered, mine.account.id, before)
    old = next(row for row in await store.perform(workspaces.read_workspaces, ALICE) if row.name == "My_Lab")
    await name_workspace(store, old.id, "mine")
    clock.advance(60)
    if is_gone:
        await observe(store, clock, old, Observed(State.GONE))
    clock.advance(60)
    after = [server("my-lab", "My_Lab", State.RUNNING), server("other", "other")]
    assert await store.perform(discovered.merge_discovered, mine.account.id, after) == 0
    rows = await store.perform(workspaces.read_workspaces, ALICE)
    lab = next(row for row in rows if row.id == old.id)
    assert (lab.remote_id, lab.alias, lab.state) == ("alice/my-lab", "mine", State.RUNNING)
    assert len(rows) == 2


@pytest.mark.parametrize(
    "after",
    [
        pytest.param([server("My_Lab", "My_Lab"), server("my-lab", "My_Lab")], id="old one is there"),
        pytest.param([server("new", "New")], id="another name"),
        pytest.param([server("a", "My_Lab"), server("b", "My_Lab")], id="two of that name"),
        pytest.param(
            [server("a", "My_Lab")._replace(seen=Observed(State.STOPPED, owner="bob"))], id="somebody else's"
        ),
    ],
)
async def test_new_server_that_may_be_another_is_a_new_workspace(store, clock, after):
    mine = await linked(store, names=[])
    await store.perform(discovered.merge_discovered, mine.account.id, [server("My_Lab", "My_Lab")])
    (old,) = await store.perform(workspaces.read_workspaces, ALICE)
    clock.advance(60)
    await store.perform(discovered.merge_discovered, mine.account.id, after)
    assert (await store.read(workspaces.find_workspace, old.id)).remote_id == "alice/My_Lab"
    assert len(await store.perform(workspaces.read_workspaces, ALICE)) == 1 + sum(
        one.remote_id != "alice/My_Lab" for one in after
    )


async def test_a_list_says_whose_each_workspace_is(store, clock):
    mine = await linked(store, names=[])
    own = server("theirs", "theirs")
    shared = own._replace(seen=replace(own.seen, owner="bob", actions=frozenset({"open"})))
    await store.perform(discovered.merge_discovered, mine.account.id, [server("lab", "lab"), shared])
    rows = {row.name: row for row in await store.perform(workspaces.read_workspaces, ALICE)}
    assert [(rows[name].owner, rows[name].is_own) for name in ("lab", "theirs")] == [
        (None, True),
        ("bob", False),
    ]
    clock.advance(60)
    await store.perform(
        discovered.merge_discovered, mine.account.id, [shared._replace(seen=replace(shared.seen, owner=None))]
    )
    assert (await store.read(workspaces.find_workspace, rows["theirs"].id)).is_own


@pytest.mark.both_engines
async def test_what_is_shared_runs_for_its_owner_alone(store, clock):
    """Alice's list and reads find Bob's workspace first.

    Once the owner is known, its usage counts as Bob's.
    """
    mine, its_owner = await linked(store, names=[]), await linked(store, BOB, names=[])
    own = server("theirs", "theirs", State.RUNNING)
    shared = own._replace(seen=replace(own.seen, owner="bob"))
    await store.perform(discovered.merge_discovered, mine.account.id, [shared])
    (row,) = await store.perform(workspaces.read_workspaces, ALICE)
    clock.advance(60)
    await observe(store, clock, row, Observed(State.STOPPED, owner="bob"))
    clock.advance(60)
    await observe(store, clock, row, Observed(State.RUNNING, owner="bob"))
    window = (0.0, clock.now() + 60)
    assert await store.read(usage.read_lives_of_person, ALICE, *window) == []
    await store.perform(discovered.merge_discovered, its_owner.account.id, [own])
    assert await store.read(usage.read_lives_of_person, ALICE, *window) == []
    assert len(await store.read(usage.read_lives_of_person, BOB, *window)) == 1
