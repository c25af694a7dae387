"""Requests to act as a username: one open of a person, decided once, linked in one transaction."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.people import Account, Approval, AuditEntry, TaskKind
from bot.store.records import Activation, NewTask
from tests.rigs.store import ALICE, BOB, ask_approval, decide_approval, link_account

WAITING = {"text": "start notebook"}
TELL = NewNotice("", NoticeKind.MESSAGE, "UADMIN", ALICE)
ENTRY = AuditEntry("alice", "approval.ask", "posit", "asked")


def request(number=1, username="alice", principal=ALICE, **fields):
    return Approval(f"a{number}", principal, "posit", username, "asked", 100.0, **fields)


def account(principal=ALICE, username="alice", number=1):
    return Account(f"account{number}", principal, "posit", username, "sealed", "active", 100.0)


async def approved(store, number=1, **fields):
    await ask_approval(store, request(number, **fields))
    return await decide_approval(store, f"a{number}", "approved", "UADMIN")


async def test_a_request_stands(store):
    asked = await ask_approval(store, request(waiting=WAITING))
    assert asked == request(waiting=WAITING) == await store.approval("a1")
    assert await store.approval("a2") is None


async def test_who_asks_for_the_same_again_changes_what_waits(store):
    await ask_approval(store, request())
    again = await ask_approval(store, request(2, waiting=WAITING))
    assert again == request(1, waiting=WAITING)
    assert await store.approval("a2") is None
    assert (await ask_approval(store, request(3))).waiting == WAITING


async def test_nobody_approves_other_words_than_they_were_shown(store):
    await ask_approval(store, request(username="alice"))
    assert (await ask_approval(store, request(2, "root"))).id == "a2"
    assert await decide_approval(store, "a1", "approved", "UADMIN") is None
    assert (await store.approval("a2")).state == "asked"


async def test_people_and_connections_have_requests_of_their_own(store):
    await ask_approval(store, request())
    await ask_approval(store, request(2, "bob", BOB))
    await ask_approval(store, replace(request(3), connection="saturn"))
    assert [(await store.approval(f"a{number}")).state for number in (1, 2, 3)] == ["asked"] * 3


async def test_a_request_is_decided_once(store, clock):
    await ask_approval(store, request())
    decided = await decide_approval(store, "a1", "approved", "UADMIN")
    assert (decided.state, decided.username, decided.decided_by) == ("approved", "alice", "UADMIN")
    assert decided.decided_at == clock.now()
    assert await decide_approval(store, "a1", "denied", "UOTHER") is None


async def test_why_it_failed_is_told_and_noted_once(store):
    failed = await approved(store)
    for _ in range(2):
        await store.approval_failed(failed, "nobody of that name", [TELL], ENTRY)
    assert (await store.approval("a1")).detail == "nobody of that name"
    assert [notice.subject for notice in await store.claim_notices(10, 60.0)] == ["a1"]
    assert len(await store.audit_entries()) == 1


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        (["denied"], "denied"),
        (["approved", "linked"], "linked"),
        (["approved", "failed"], "failed"),
        (["linked"], "asked"),
        (["failed"], "asked"),
        (["denied", "approved"], "denied"),
        (["approved", "denied"], "approved"),
        (["approved", "linked", "failed"], "linked"),
    ],
)
async def test_how_a_request_moves(store, clock, steps, ends):
    await ask_approval(store, request())
    for step in steps:
        clock.advance(1)
        await decide_approval(store, "a1", step, "UADMIN", "said so")
    assert (await store.approval("a1")).state == ends


async def test_who_decided_stays_who_decided(store, clock):
    decided = await approved(store)
    clock.advance(5)
    failed = await decide_approval(store, "a1", "failed", "usher", "nobody of that name")
    assert failed == replace(decided, state="failed", detail="nobody of that name")


async def test_after_a_decision_one_may_ask_again(store):
    await ask_approval(store, request())
    await decide_approval(store, "a1", "denied", "UADMIN")
    assert (await ask_approval(store, request(2))).id == "a2"
    assert (await store.approval("a1")).state == "denied"


async def test_an_account_is_linked_with_its_approval(store):
    await approved(store)
    linked = NewNotice("account1", NoticeKind.LINKED, "linked", ALICE)
    activation = Activation(account(), notices=[linked], tasks=[NewTask(TaskKind.DISCOVER, "account1")])
    assert await store.activate_directly(activation, "a1") == "ok"
    assert (await store.approval("a1")).state == "linked"
    assert await store.account(ALICE, "posit") == account()
    assert len(await store.claim_tasks(10, 60.0)) == 1
    assert [notice.kind for notice in await store.claim_notices(10, 60.0)] == [NoticeKind.LINKED]
    assert await store.activate_directly(activation, "a1") == "gone"


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_without_a_standing_approval_nothing_is_linked(store, number):
    await ask_approval(store, request(1))
    await approved(store, 2, username="bob", principal=BOB)
    assert await store.activate_directly(Activation(account()), f"a{number}") == "gone"
    assert await store.account(ALICE, "posit") is None


async def test_a_username_belongs_to_one_person(store):
    await approved(store)
    await link_account(store, BOB, "posit", username="alice")
    assert await store.activate_directly(Activation(account()), "a1") == "taken"
    assert (await store.approval("a1")).state == "approved"
    assert [one.principal for one in await store.accounts_of("posit", "alice")] == [BOB]
    assert await store.accounts_of("saturn", "alice") == []


async def test_accounts_of_connections_without_people_never_clash(store):
    assert await store.activate_directly(Activation(account(ALICE, ""))) == "ok"
    assert await store.activate_directly(Activation(account(BOB, "", 2))) == "ok"
    assert await store.accounts_of("posit", "") == []


async def test_an_account_of_the_same_pair_is_replaced(store):
    await link_account(store, ALICE, "posit", username="old")
    assert await store.activate_directly(Activation(account())) == "ok"
    assert [one.id for one in await store.accounts(ALICE)] == ["account1"]
    assert await store.accounts_of("posit", "old") == []


async def test_of_two_administrators_one_decides(database):
    first, second = await database.open(), await database.open()
    await ask_approval(first, request())
    decided = await asyncio.gather(
        decide_approval(first, "a1", "approved", "UONE"), decide_approval(second, "a1", "denied", "UTWO")
    )
    assert [one for one in decided if one is not None] == [await first.approval("a1")]
