"""Links: fresh, changed by the first alone, consumed once, and honest afterwards."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, AuditEntry, Link, TaskKind
from bot.domain.runs import Update
from bot.domain.workspaces import Observed, OperationVerb, State
from bot.store.records import Activation, NewOperation, NewTask
from tests.rigs.store import ALICE, BOB, link_account, linked, observe, unlink

ENTRY = AuditEntry(ALICE.key, "link", "saturn", "ok")


def fresh(clock, nonce="n1", principal=ALICE, connection="saturn", **values):
    return Link(nonce, principal, connection, {"text": "start"}, clock.now(), clock.now() + 600, **values)


def account(clock, principal=ALICE, username="alice", account_id="a1", connection="saturn", secret="sealed"):
    return Account(account_id, principal, connection, username, secret, "active", clock.now())


async def test_a_link_comes_back_as_it_was_written(store, clock):
    link = fresh(
        clock, tries_left=3, browser_hash="b", proven=True, stage="checked", secret="s", username="u"
    )
    await store.new_link(link, [ENTRY])
    assert await store.link("n1") == link
    assert await store.link("n2") is None
    assert len(await store.audit_entries()) == 1


async def test_a_new_link_ends_the_older_one_of_the_same_pair_alone(store, clock):
    await store.new_link(fresh(clock, "old", secret="s", stage="checked"))
    await store.new_link(fresh(clock, "other", connection="hub"))
    await store.new_link(fresh(clock, "bobs", principal=BOB))
    await store.new_link(fresh(clock, "new"))
    old = await store.link("old")
    assert (old.expires_at, old.secret, old.stage) == (clock.now(), None, "checked")
    for nonce in ("other", "bobs", "new"):
        assert (await store.link(nonce)).expires_at == clock.now() + 600
    assert await store.activate("old", "checked", Activation(account(clock))) == "gone"
    assert not await store.change_link(old, "checked", 5)


async def test_a_press_that_comes_twice_makes_one_link_and_leaves_it_valid(store, clock):
    assert await store.new_link(fresh(clock, "first"), [ENTRY], "button:1")
    assert not await store.new_link(fresh(clock, "second"), [ENTRY], "button:1")
    assert await store.link("second") is None
    assert (await store.link("first")).expires_at == clock.now() + 600
    assert len(await store.audit_entries()) == 1
    assert await store.new_link(fresh(clock, "third"), [ENTRY], "button:2")


async def test_only_the_first_of_many_changes_counts(store, clock):
    link = fresh(clock)
    await store.new_link(link)
    tries = [
        store.change_link(replace(link, tries_left=4, browser_hash=f"b{number}"), "open", 5)
        for number in range(10)
    ]
    assert sum(await asyncio.gather(*tries)) == 1
    assert (await store.link("n1")).tries_left == 4


async def test_a_link_changes_stage_and_keeps_what_is_fixed(store, clock):
    link = fresh(clock)
    await store.new_link(link)
    changed = replace(
        link, stage="code", secret="s", username="u", code_hash="h", proven=True, expires_at=clock.now() + 900
    )
    assert await store.change_link(replace(changed, waiting={"text": "stop"}, principal=BOB), "open", 5)
    assert await store.link("n1") == changed


async def test_a_link_in_another_stage_or_run_out_is_not_changed(store, clock):
    link = fresh(clock)
    await store.new_link(link)
    assert not await store.change_link(replace(link, stage="code"), "checked", 5)
    clock.advance(600)
    assert not await store.change_link(replace(link, stage="checked"), "open", 5)


async def test_the_code_is_looked_for_among_the_unexpired_links_in_that_stage(store, clock):
    await store.new_link(fresh(clock, "hub", connection="hub", stage="code", code_hash="1"))
    clock.advance(1)
    await store.new_link(fresh(clock, "saturn", stage="code", code_hash="2"))
    await store.new_link(fresh(clock, "posit", connection="posit"))
    assert (await store.open_link_of(ALICE, "code")).nonce_hash == "saturn"
    assert await store.open_link_of(BOB, "code") is None
    clock.advance(599.5)
    assert (await store.open_link_of(ALICE, "code")).nonce_hash == "saturn"
    clock.advance(1)
    assert await store.open_link_of(ALICE, "code") is None


async def test_activation_writes_the_account_and_all_that_follows(store, clock):
    await store.new_link(fresh(clock, stage="checked", secret="s"))
    made = account(clock)
    activation = Activation(
        made,
        [NewNotice("a1", NoticeKind.LINKED, "1", ALICE)],
        [NewTask(TaskKind.DISCOVER, "a1"), NewTask(TaskKind.REPLAY, "i1", {"text": "start"})],
        [ENTRY],
    )
    assert await store.activate("n1", "checked", activation) == "ok"
    assert await store.account(ALICE, "saturn") == made
    assert await store.accounts(ALICE) == [made]
    assert [notice.kind for notice in await store.claim_notices(10, 60.0)] == [NoticeKind.LINKED]
    assert {task.kind for task in await store.claim_tasks(10, 60.0)} == {TaskKind.DISCOVER, TaskKind.REPLAY}
    used = await store.link("n1")
    assert (used.stage, used.secret) == ("used", None)


async def test_a_link_works_once(store, clock):
    await store.new_link(fresh(clock))
    results = await asyncio.gather(
        *(store.activate("n1", "open", Activation(account(clock, account_id=f"a{i}"))) for i in range(10))
    )
    assert sorted(results) == ["gone"] * 9 + ["ok"]
    assert len(await store.accounts(ALICE)) == 1


@pytest.mark.parametrize("nonce", ["none", "late", "other stage", "another pair"])
async def test_a_link_that_does_not_stand_is_gone(store, clock, nonce):
    await store.new_link(fresh(clock, "late", connection="l"))
    await store.new_link(fresh(clock, "other stage", connection="o"))
    await store.new_link(fresh(clock, "another pair", principal=BOB))
    if nonce == "late":
        clock.advance(600)
    stage = "checked" if nonce == "other stage" else "open"
    connection = {"late": "l", "other stage": "o"}.get(nonce, "saturn")
    made = account(clock, connection=connection)
    assert await store.activate(nonce, stage, Activation(made, audit=[ENTRY])) == "gone"
    assert await store.account(ALICE, connection) is None
    assert await store.audit_entries() == []


async def test_a_username_belongs_to_one_principal_until_that_one_unlinks(store, clock):
    await link_account(store, BOB, username="alice")
    await store.new_link(fresh(clock))
    assert await store.activate("n1", "open", Activation(account(clock))) == "taken"
    assert (await store.link("n1")).stage == "open"
    await unlink(store, BOB, "saturn", revocable=["saturn"])
    assert await store.activate("n1", "open", Activation(account(clock))) == "ok"


async def test_empty_usernames_and_other_connections_never_clash(store, clock):
    await link_account(store, BOB, username="")
    await link_account(store, BOB, "hub", username="alice")
    await link_account(store, ALICE, username="")
    await link_account(store, ALICE, "saturn-2", username="alice")
    assert len(await store.active_accounts()) == 4
    assert [one.principal for one in await store.active_accounts("hub")] == [BOB]


async def test_a_new_link_replaces_the_account_of_the_pair(store, clock):
    await link_account(store, secret="one")
    second = await link_account(store, secret="two")
    assert await store.accounts(ALICE) == [second]


async def test_linking_again_beside_one_that_is_being_revoked(store, clock):
    first = await link_account(store, secret="one")
    await unlink(store, ALICE, "saturn", revocable=["saturn"])
    assert (await store.account(ALICE, "saturn")).state == "revoking"
    second = await link_account(store, secret="two")
    assert await store.account(ALICE, "saturn") == second
    assert (await store.account_by_id(first.id)).secret == "one"
    await store.drop_account(first.id)
    await store.drop_account(second.id)
    assert await store.account_by_id(first.id) is None
    assert await store.account_by_id(second.id) == second


async def test_open_operations_continue_with_the_new_account(store, clock):
    first = await linked(store)
    workspace = first.workspaces[0]
    new = NewOperation(ALICE, workspace.id, "saturn", OperationVerb.START, 60.0, "R")
    operation = (await store.accept_operation(new, interaction="")).operation
    (step,) = await store.claim_operations(10, 60.0)
    await store.save_step(Update(operation.id, 3600.0, claim=step.claim))
    notice = NewNotice(first.account.id, NoticeKind.LINK_AGAIN, "1", ALICE)
    assert await store.refuse_account(first.account.id, first.account.secret, notice, [], hold="Link again.")
    assert (await store.operation(operation.id)).hold
    await link_account(store, secret="new")
    (step,) = await store.claim_operations(10, 60.0)
    assert step.operation.hold is None
    assert step.account.secret == "new"
    assert (await store.claim_reads("saturn", 10, 10.0, 0.5))[0].account.secret == "new"


async def test_a_link_during_a_step_brings_the_next_one_at_once(store, clock):
    first = await linked(store)
    new = NewOperation(ALICE, first.workspaces[0].id, "saturn", OperationVerb.START, 60.0, "R")
    operation = (await store.accept_operation(new, interaction="")).operation
    (step,) = await store.claim_operations(10, 60.0)
    await link_account(store, secret="new")
    assert await store.claim_operations(10, 60.0) == []
    await store.save_step(Update(operation.id, 3600.0, claim=step.claim))
    assert len(await store.claim_operations(10, 60.0)) == 1


@pytest.mark.parametrize(("username", "proven"), [("ualice", True), ("another", False), ("", False)])
async def test_what_another_account_proved_is_doubted(store, clock, username, proven):
    workspace = (await linked(store)).workspaces[0]
    await observe(store, clock, workspace, Observed(State.RUNNING))
    await link_account(store, username=username, secret="new")
    assert ((await store.workspace(workspace.id)).verified_at is not None) is proven


@pytest.mark.parametrize(("linked_as", "is_moved"), [("alicia", True), ("another", False)])
async def test_what_a_renamed_person_had_is_found_by_the_new_name_and_nobody_elses(
    store, clock, linked_as, is_moved
):
    def moved(remote_id, former):
        name = remote_id.replace(f"{former}/", f"{linked_as}/")
        return name, f"hub#{name}"

    before = await linked(store, names=("alice/training", "alice/other"), username="alice")
    training, other = before.workspaces
    new = NewOperation(ALICE, training.id, "saturn", OperationVerb.START, 60.0, "R")
    operation = (await store.accept_operation(new, interaction="")).operation
    notice = NewNotice(before.account.id, NoticeKind.LINK_AGAIN, "1", ALICE)
    refused = (before.account.id, before.account.secret, notice, [])
    assert await store.refuse_account(*refused, hold="Link again.", renamed_to="alicia")
    await store.new_link(fresh(clock))
    again = account(clock, username=linked_as, account_id="a2", secret="new")
    assert await store.activate("n1", "open", Activation(again, moved=moved)) == "ok"
    found = {row.id: (row.remote_id, row.gate_key) for row in await store.workspaces(ALICE)}
    if is_moved:
        names = {one.id: moved(one.remote_id, "alice") for one in (training, other)}
        assert found == names
        assert (await store.operation(operation.id)).hold is None
        (step,) = await store.claim_operations(10, 60.0)
        assert step.workspace.remote_id == names[training.id][0]
        claims = await store.claim_reads("saturn", 10, 10.0, 0.5)
        assert {claim.gate_key for claim in claims} == {gate_key for _, gate_key in names.values()}
    else:
        assert found == {one.id: (one.remote_id, one.gate_key) for one in (training, other)}
