"""Links: valid when new, changed only by the first caller, consumed once, and truthfully reported later."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.domain.accounts import Account, Link
from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.people import Person
from bot.domain.steps import Update
from bot.domain.tasks import TaskKind
from bot.domain.workspaces import State
from bot.providers.base import Credential, Identity
from bot.services import linking
from bot.services.linking import compute_digest
from bot.store import accounts, gates, links, notices, operations, revocations, tasks, workspaces
from bot.support.errors import Refused
from tests.contract.store.links import CODE, NONCE, VISIT, waiting_for_code
from tests.rigs.store import (
    ALICE,
    BOB,
    accept_operation,
    hold,
    link_account,
    linked,
    observe,
    put_account,
    put_link,
    refuse,
    unlink,
)
from tests.rigs.use_cases import ask


def fresh(clock, nonce="n1", principal=ALICE, connection="saturn", **values):
    return Link(nonce, principal, connection, {"text": "start"}, clock.now(), clock.now() + 600, **values)


async def met(store, *principals):
    """Record that Slack has just described these people."""
    seen_at = await store.now()
    await store.save_people([Person(one, one.user_id, seen_at=seen_at) for one in principals])


async def test_a_new_link_ends_the_older_one_of_the_same_pair_alone(store, clock):
    await put_link(store, fresh(clock, "old", secret="s", stage="checked"))
    await put_link(store, fresh(clock, "other", connection="hub"))
    await put_link(store, fresh(clock, "bobs", principal=BOB))
    await met(store, ALICE)
    await ask(store, "i1").run(linking.create_links, {"saturn": None})
    old = await store.read(links.find_link, "old")
    assert (old.expires_at, old.secret, old.stage) == (clock.now(), None, "checked")
    for nonce in ("other", "bobs"):
        assert (await store.read(links.find_link, nonce)).expires_at == clock.now() + 600


@pytest.mark.parametrize("use", [linking.show_page, linking.discard_token, linking.count_attempt])
@pytest.mark.parametrize(
    ("stage", "sign_in", "rule"), [("used", False, "link.used"), ("open", True, "link.sign_in_first")]
)
async def test_neither_a_used_link_nor_one_of_nobody_in_particular_goes_on(
    store, clock, use, stage, sign_in, rule
):
    if use is linking.show_page and stage == "open":
        return  # anybody may look
    await met(store, ALICE)
    await put_link(store, fresh(clock, compute_digest(NONCE), stage=stage))
    with pytest.raises(Refused) as refused:
        await ask(store, sign_in=sign_in).run(use, VISIT)
    assert refused.value.rule == rule
    assert (await store.read(links.find_link, compute_digest(NONCE))).stage == stage


@pytest.mark.both_engines
async def test_many_attempts_at_once_are_five_at_most(store, clock):
    await met(store, ALICE)
    await put_link(store, fresh(clock, compute_digest(NONCE)))
    attempts = (ask(store).run(linking.count_attempt, VISIT, "good") for _ in range(20))
    tried = await asyncio.gather(*attempts, return_exceptions=True)
    assert {one.rule for one in tried if isinstance(one, Refused)} == {"link.tries"}
    assert sorted(one.attempts_left for one in tried if isinstance(one, Link)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("meanwhile", ["another attempt", "unlinked", "too late"])
async def test_what_a_provider_said_of_a_link_that_changed_since_is_revoked(store, clock, meanwhile):
    await linked(store)
    await put_link(store, fresh(clock, compute_digest(NONCE)))
    tried = await ask(store).run(linking.count_attempt, VISIT, "good")
    match meanwhile:
        case "another attempt":
            await ask(store).run(linking.count_attempt, VISIT, "good")
        case "unlinked":
            await unlink(store)
        case "too late":
            clock.advance(601)
    before = await store.read(links.find_link, compute_digest(NONCE))
    identity = Identity("alice", Credential(SecretStr("minted")))
    with pytest.raises(Refused, match=r"link\.changed"):
        await ask(store).run(linking.keep_credential, VISIT, tried, identity, "good")
    assert await store.read(links.find_link, compute_digest(NONCE)) == before
    clock.advance(linking.UNUSED_SECONDS)
    assert [task.kind for task in await store.claim(tasks.claim_tasks, 10, 60.0)] == [TaskKind.REVOKE_UNUSED]


async def test_the_code_is_looked_for_among_the_unexpired_links_in_that_stage(store, clock):
    await put_link(store, fresh(clock, "hub", connection="hub", stage="code", code_hash="1"))
    clock.advance(1)
    await put_link(store, fresh(clock, "saturn", stage="code", code_hash="2"))
    await put_link(store, fresh(clock, "posit", connection="posit"))
    assert (await store.read(links.find_open_link, ALICE, "code")).nonce_hash == "saturn"
    assert await store.read(links.find_open_link, BOB, "code") is None
    clock.advance(599.5)
    assert (await store.read(links.find_open_link, ALICE, "code")).nonce_hash == "saturn"
    clock.advance(1)
    assert await store.read(links.find_open_link, ALICE, "code") is None


@pytest.mark.both_engines
async def test_a_code_writes_the_account_and_all_that_follows_once(store, clock):
    await met(store, ALICE)
    caller = ask(store)
    await put_link(store, waiting_for_code(caller, fresh(clock, secret="s", username="alice")))
    clock.advance(1)
    offered = fresh(clock, "n2")
    await put_link(store, replace(offered, deferred_command={"text": "list"}))
    made = await asyncio.gather(
        *(caller.run(linking.confirm_code, CODE) for _ in range(10)), return_exceptions=True
    )
    (account,) = (one for one in made if isinstance(one, Account))
    assert {one.rule for one in made if isinstance(one, Refused)} == {"code.none"}
    assert await store.read(accounts.list_accounts, ALICE) == [account]
    assert (account.username, account.secret) == ("alice", "s")
    assert [notice.kind for notice in await store.perform(notices.claim_notices, 10, 60.0)] == [
        NoticeKind.LINKED
    ]
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert (task.kind, task.subject) == (TaskKind.DISCOVER, account.id)
    assert task.payload == {"then": [{"text": text, "principal": ALICE.key} for text in ("start", "list")]}
    ended = await store.read(links.find_link, "n2")
    assert (ended.stage, ended.expires_at, ended.deferred_command) == ("open", clock.now(), None)
    used = await store.read(links.find_link, "n1")
    assert (used.stage, used.secret, used.code_hash, used.deferred_command) == ("used", None, None, None)


async def test_empty_usernames_and_other_connections_never_clash(store, clock):
    await link_account(store, BOB, username="")
    await link_account(store, BOB, "hub", username="alice")
    await link_account(store, ALICE, username="")
    await link_account(store, ALICE, "saturn-2", username="alice")
    assert len(await store.perform(accounts.list_active_accounts)) == 4
    assert await store.read(accounts.find_accounts_by_username, "saturn", "") == []
    assert [
        one.principal for one in await store.perform(accounts.list_active_accounts) if one.connection == "hub"
    ] == [BOB]


@pytest.mark.both_engines
async def test_linking_again_beside_one_that_is_being_revoked(store, clock):
    first = await link_account(store, secret="one")
    await unlink(store, ALICE, "saturn", revocable=["saturn"])
    assert (await store.read(accounts.find_account, ALICE, "saturn")).state == "revoking"
    second = await link_account(store, secret="two")
    assert await store.read(accounts.find_account, ALICE, "saturn") == second
    assert (await store.read(accounts.find_account_by_id, first.id)).secret == "one"
    assert await store.carry_out(lambda tx: revocations.drop(tx, first.id))
    assert not await store.carry_out(lambda tx: revocations.drop(tx, second.id))
    assert await store.read(accounts.find_account_by_id, first.id) is None
    assert await store.read(accounts.find_account_by_id, second.id) == second


async def test_open_operations_continue_with_the_new_account(store, clock):
    first = await linked(store)
    workspace = first.workspaces[0]
    operation = (await accept_operation(store, workspace)).operation
    (step,) = await store.claim(operations.claim_operations, 10, 60.0)
    await store.write(operations.save_step, Update(operation.id, 3600.0, claim=step.claim))
    assert await refuse(store, first.account)
    assert (await store.read(operations.find_operation, operation.id)).block_reason
    await link_account(store, secret="new")
    (step,) = await store.claim(operations.claim_operations, 10, 60.0)
    assert step.subject.block_reason is None
    assert step.account.secret == "new"
    assert (await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5))[0].account.secret == "new"


async def test_a_link_during_a_step_brings_the_next_one_at_once(store, clock):
    first = await linked(store)
    operation = (await accept_operation(store, first.workspaces[0])).operation
    (step,) = await store.claim(operations.claim_operations, 10, 60.0)
    await link_account(store, secret="new")
    assert await store.claim(operations.claim_operations, 10, 60.0) == []
    await store.write(operations.save_step, Update(operation.id, 3600.0, claim=step.claim))
    assert len(await store.claim(operations.claim_operations, 10, 60.0)) == 1


@pytest.mark.parametrize(("username", "proven"), [("ualice", True), ("another", False), ("", False)])
async def test_what_another_account_proved_is_doubted(store, clock, username, proven):
    workspace = (await linked(store)).workspaces[0]
    await observe(store, clock, workspace, Observed(State.RUNNING))
    await link_account(store, username=username, secret="new")
    assert ((await store.read(workspaces.find_workspace, workspace.id)).verified_at is not None) is proven


@pytest.mark.both_engines
@pytest.mark.parametrize(("linked_as", "is_moved"), [("alicia", True), ("another", False)])
async def test_what_a_renamed_person_had_is_found_by_the_new_name_and_nobody_elses(
    store, clock, linked_as, is_moved
):
    def moved(remote_id, former):
        name = remote_id.replace(f"{former}/", f"{linked_as}/")
        return name, f"hub#{name}"

    before = await linked(store, names=("alice/training", "alice/other"), username="alice")
    training, other = before.workspaces
    operation = (await accept_operation(store, training)).operation
    assert await hold(store, before.account, "alicia")
    again = Account("a2", ALICE, "saturn", linked_as, "new", "active", clock.now())
    await put_account(store, again, moved)
    found = {
        row.id: (row.remote_id, row.gate_key)
        for row in await store.perform(workspaces.read_workspaces, ALICE)
    }
    if is_moved:
        names = {one.id: moved(one.remote_id, "alice") for one in (training, other)}
        assert found == names
        assert (await store.read(operations.find_operation, operation.id)).block_reason is None
        (step,) = await store.claim(operations.claim_operations, 10, 60.0)
        assert step.workspace.remote_id == names[training.id][0]
        claims = await store.claim(gates.claim_reads, "saturn", 10, 10.0, 0.5)
        assert {claim.gate_key for claim in claims} == {gate_key for _, gate_key in names.values()}
    else:
        assert found == {one.id: (one.remote_id, one.gate_key) for one in (training, other)}
