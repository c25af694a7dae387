"""Actions allowed on a workspace and the time when it ends: read, listed, and shown on its card."""

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.reads import Unconfirmed
from bot.domain.timeouts import EXPLAINED
from bot.domain.workspaces import State
from bot.store import accounts, cards, discovered, notices, workspaces
from tests.rigs.store import ALICE, accept_operation, hide_workspace, linked, listed_workspace, observe

BUTTONS = frozenset({"open", "stop"})


@pytest.fixture
async def workspace(store):
    return (await linked(store, state=State.RUNNING)).workspaces[0]


@pytest.fixture
async def card(store, workspace):
    operation = (await accept_operation(store, workspace, OperationVerb.STOP)).operation
    return operation.id


@pytest.mark.parametrize("actions", [None, frozenset(), BUTTONS])
async def test_a_read_tells_them(store, clock, workspace, actions):
    await observe(
        store, clock, workspace, Observed(State.RUNNING, actions=BUTTONS, expires_at=1.0, expiry_mode="stops")
    )
    await observe(
        store,
        clock,
        workspace,
        Observed(State.RUNNING, actions=actions, expires_at=2.5e9, expiry_mode="removed"),
    )
    row = await store.read(workspaces.find_workspace, workspace.id)
    assert (row.actions, row.expires_at, row.expiry_mode) == (actions, 2.5e9, "removed")
    await observe(store, clock, workspace, Observed(State.RUNNING))
    row = await store.read(workspaces.find_workspace, workspace.id)
    assert (row.actions, row.expires_at, row.expiry_mode) == (None, None, None)


@pytest.mark.both_engines
@pytest.mark.parametrize("state", [State.STARTING, State.FAILED])
async def test_a_read_that_asks_for_the_reason_changes_nothing_else(store, clock, workspace, state):
    queued = "Number 3 in the queue."
    shared = Observed(State.STARTING, detail=queued, owner="bob", actions=BUTTONS)
    await observe(store, clock, workspace, shared)
    explained = Unconfirmed(EXPLAINED, 1, clock.now())
    await observe(store, clock, workspace, Observed(state, reason="no such image"), unconfirmed=explained)
    row = await store.read(workspaces.find_workspace, workspace.id)
    assert (row.state, row.reason) == (state, "no such image")
    assert (row.owner, row.actions, row.allows("remove")) == ("bob", BUTTONS, False)
    assert row.detail == (queued if state is State.STARTING else None)


async def test_other_buttons_owe_the_card_at_once_and_a_new_end_in_time(store, clock, workspace, card):
    await observe(store, clock, workspace, Observed(State.RUNNING, expires_at=5.0, expiry_mode="stops"))
    pending = await store.read(cards.find_card, card)
    assert (pending.is_dirty, pending.changed_at) == (True, None)
    await observe(
        store, clock, workspace, Observed(State.RUNNING, expires_at=5.0, expiry_mode="stops", actions=BUTTONS)
    )
    assert (await store.read(cards.find_card, card)).changed_at == clock.now()


async def test_the_same_again_owes_nothing(store, clock, workspace, card):
    seen = Observed(State.RUNNING, actions=BUTTONS, expires_at=5.0, expiry_mode="stops")
    await observe(store, clock, workspace, seen)
    await store.write(cards.finish_update, card, await store.read(cards.find_card, card))
    before = await store.read(cards.find_card, card)
    await observe(store, clock, workspace, seen)
    assert await store.read(cards.find_card, card) == before


async def test_a_list_tells_them_and_what_it_leaves_out_stays_while_the_state_does(store, clock, workspace):
    account = await store.read(accounts.find_account, ALICE, "saturn")

    async def merged(state, **told):
        clock.advance(1)
        found = listed_workspace(workspace.remote_id, workspace.gate_key, workspace.name, state, **told)
        await store.perform(discovered.merge_discovered, account.id, [found])
        row = await store.read(workspaces.find_workspace, workspace.id)
        return row.actions, row.expires_at, row.expiry_mode

    told = (BUTTONS, 9.0, "stops")
    assert await merged(State.RUNNING, actions=BUTTONS, expires_at=9.0, expiry_mode="stops") == told
    assert await merged(State.RUNNING) == told
    assert await merged(State.UNKNOWN, actions=frozenset()) == told
    assert await merged(State.STOPPED) == (None, None, None)


async def test_a_new_row_of_a_list_has_them(store):
    account = (await linked(store)).account
    found = listed_workspace(
        "new", "g", "new", State.RUNNING, actions=BUTTONS, expires_at=9.0, expiry_mode="stops"
    )
    await store.perform(discovered.merge_discovered, account.id, [found])
    (row,) = [row for row in await store.perform(workspaces.read_workspaces, ALICE) if row.name == "new"]
    assert (row.actions, row.expires_at, row.expiry_mode) == (BUTTONS, 9.0, "stops")


async def test_other_buttons_of_a_list_owe_the_card(store, clock, workspace, card):
    account = await store.read(accounts.find_account, ALICE, "saturn")
    clock.advance(1)
    found = listed_workspace(
        workspace.remote_id, workspace.gate_key, workspace.name, State.RUNNING, actions=BUTTONS
    )
    await store.perform(discovered.merge_discovered, account.id, [found])
    assert (await store.read(cards.find_card, card)).changed_at == clock.now()


async def test_a_list_owes_what_was_said_of_one_that_is_hidden_by_now(store, clock, workspace):
    await observe(store, clock, workspace, Observed(State.RUNNING))
    body = {"workspace": workspace.id}
    await store.write(notices.add_notices, [NewNotice("operation_1", NoticeKind.READY, "end", ALICE, body)])
    for notice in await store.perform(notices.claim_notices, 9, 60.0):
        await store.write(notices.mark_notice_sent, notice, "D1", "1.0")
    await hide_workspace(store, workspace.id)
    clock.advance(60)
    for card in await store.claim(cards.claim_cards, 9, 60.0):
        await store.write(cards.finish_update, card.id, card)
    account = await store.read(accounts.find_account, ALICE, "saturn")
    clock.advance(60)
    found = listed_workspace(workspace.remote_id, workspace.gate_key, workspace.name, State.STOPPED)
    await store.perform(discovered.merge_discovered, account.id, [found])
    assert [card.message_ts for card in await store.claim(cards.claim_cards, 9, 60.0)] == ["1.0"]
    assert await store.perform(notices.claim_notices, 9, 60.0) == []


async def test_what_is_at_stake_is_of_the_last_read_and_the_last_use_is_kept(store, clock, workspace, card):
    async def told(state=State.RUNNING, **seen):
        clock.advance(10)
        await observe(store, clock, workspace, Observed(state, **seen))
        row = await store.read(workspaces.find_workspace, workspace.id)
        return row.stop_risks, row.last_used_at

    both = frozenset({"busy", "unsaved"})
    assert await told(stop_risks=both, last_used_at=5.5) == (both, 5.5)
    await store.write(cards.finish_update, card, await store.read(cards.find_card, card))
    before = await store.read(cards.find_card, card)
    # A later time of last use doesn't change the message; a change in what could be lost does.
    assert await told(stop_risks=both, last_used_at=7.5) == (both, 7.5)
    assert await store.read(cards.find_card, card) == before
    assert await told(stop_risks=frozenset({"busy"})) == ({"busy"}, 7.5)
    assert (await store.read(cards.find_card, card)).is_dirty
    assert await told(stop_risks=frozenset()) == (frozenset(), 7.5)
    assert await told(State.SUSPENDED, down_at=8.5) == (None, 7.5)
    assert (await store.read(workspaces.find_workspace, workspace.id)).down_at == 8.5
    assert await told(State.SUSPENDED, down_at=9.5) == (None, 7.5)
    assert (await store.read(workspaces.find_workspace, workspace.id)).down_at == 9.5
    await told()
    assert (await store.read(workspaces.find_workspace, workspace.id)).down_at is None


async def test_since_when_it_is_up_is_said_by_its_provider_or_known_from_two_reads(store, clock, workspace):
    async def told(state, after=10.0, **seen):
        clock.advance(after)
        await observe(store, clock, workspace, Observed(state, **seen))
        return (await store.read(workspaces.find_workspace, workspace.id)).started_at

    assert await told(State.STOPPED) is None
    assert await told(State.STARTING) is None
    assert await told(State.RUNNING) == (seen_at := clock.now())
    assert await told(State.RUNNING, progress=100) == seen_at
    assert await told(State.RUNNING, started_at=5_000.0) == 5_000.0
    assert await told(State.RUNNING) == 5_000.0
    assert await told(State.STOPPED, started_at=5_000.0) is None
    # Nobody has read it for a day, and it may have come up at any time since.
    assert await told(State.RUNNING, after=86_400.0) is None
    assert await told(State.RUNNING) is None
    assert await told(State.STARTING) is None
    assert await told(State.RUNNING) == clock.now()


async def test_what_a_list_found_down_in_between_is_not_up_since_then(store, clock, workspace):
    account = await store.read(accounts.find_account, ALICE, "saturn")

    async def listed(state):
        clock.advance(10)
        found = listed_workspace(workspace.remote_id, workspace.gate_key, workspace.name, state)
        await store.perform(discovered.merge_discovered, account.id, [found])
        return (await store.read(workspaces.find_workspace, workspace.id)).started_at

    await observe(store, clock, workspace, Observed(State.RUNNING, started_at=5_000.0))
    assert await listed(State.RUNNING) == 5_000.0
    assert await listed(State.STOPPED) is None
    assert await listed(State.RUNNING) is None
