"""Requests to act as a username: one open request per person, decided once, linked in one transaction."""

import asyncio
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.domain.accounts import Approval, list_deferred
from bot.domain.notices import NoticeKind
from bot.domain.tasks import TaskKind
from bot.providers.base import Credential, Identity
from bot.services import approvals as use_cases
from bot.store import accounts, audit, notices, tasks
from bot.store import approvals as approval_rows
from tests.rigs.approvals import ask_approval, decide_approval
from tests.rigs.store import ALICE, BOB
from tests.rigs.use_cases import ask

WAITING = {"text": "start notebook"}
IDENTITY = Identity("alice", Credential(SecretStr("t")))
#: Who approves here.
ADMIN = "-:T1:UADMIN"


def request(number=1, username="alice", principal=ALICE, **fields):
    return Approval(f"a{number}", principal, "saturn", username, "requested", 100.0, **fields)


async def approved(store, number=1, **fields):
    await ask_approval(store, request(number, **fields))
    return await decide_approval(store, f"a{number}", "approved", ADMIN)


async def test_who_asks_for_the_same_again_changes_what_waits(store):
    await ask_approval(store, request())
    again = await ask_approval(store, request(2, deferred_command=WAITING))
    assert again == request(1, deferred_command=WAITING)
    assert await store.read(approval_rows.find_request, "a2") is None
    assert (await ask_approval(store, request(3))).deferred_command == WAITING


async def test_all_that_waits_for_a_request_runs_once_it_is_linked(store):
    for number, text in enumerate(["list", "start notebook", "list"]):
        await ask_approval(store, request(number, deferred_command={"text": text, "channel_id": "C1"}))
    kept = await store.read(approval_rows.find_request, "a0")
    texts = [command["text"] for command in list_deferred(kept.deferred_command)]
    assert texts == ["start notebook", "list"]


@pytest.mark.both_engines
async def test_open_requests_of_a_place_are_listed_the_oldest_first(store):
    def listed(place, limit=10):
        return store.read(approval_rows.list_open_requests, place, limit)

    await ask_approval(store, replace(request(1, "bob", BOB), requested_at=200.0))
    await ask_approval(store, request(2))
    assert [one.id for one in await listed("")] == ["a2", "a1"]
    assert [one.id for one in await listed("", 1)] == ["a2"]
    assert [one.id for one in await listed(ALICE.key)] == ["a2"]
    await decide_approval(store, "a2", "denied", ADMIN)
    assert [one.id for one in await listed("")] == ["a1"]


async def test_who_asks_for_another_username_changes_the_request(store):
    """The message is redrawn. Its button says which username the administrator saw when pressing it."""
    await ask_approval(store, request(username="alice", deferred_command=WAITING))
    assert await ask_approval(store, request(2, "root")) == request(1, "root", deferred_command=WAITING)
    assert await store.read(approval_rows.find_request, "a2") is None


async def test_people_and_connections_have_requests_of_their_own(store):
    await ask_approval(store, request())
    await ask_approval(store, request(2, "bob", BOB))
    await ask_approval(store, replace(request(3), connection="posit"))
    assert [(await store.read(approval_rows.find_request, f"a{number}")).state for number in (1, 2, 3)] == [
        "requested"
    ] * 3


async def test_why_it_failed_is_told_and_noted_once(store):
    await approved(store)
    for _ in range(2):
        await ask(store).run(use_cases.fail_approved, "a1", "not_found")
    assert (await store.read(approval_rows.find_request, "a1")).detail == "not_found"
    assert [notice.kind for notice in await store.perform(notices.claim_notices, 10, 60.0)] == [
        NoticeKind.APPROVAL_ENDED
    ] * 2
    assert len(await store.read(audit.read_audit)) == 1


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        (["denied"], "denied"),
        (["approved", "linked"], "linked"),
        (["approved", "failed"], "failed"),
        (["linked"], "requested"),
        (["failed"], "requested"),
        (["denied", "approved"], "denied"),
        (["approved", "denied"], "approved"),
        (["approved", "linked", "failed"], "linked"),
    ],
)
async def test_how_a_request_moves(store, clock, steps, ends):
    await ask_approval(store, request())
    for step in steps:
        clock.advance(1)
        await decide_approval(store, "a1", step, ADMIN, "said so")
    assert (await store.read(approval_rows.find_request, "a1")).state == ends


async def test_who_decided_stays_who_decided(store, clock):
    decided = await approved(store)
    assert decided.decided_at == clock.now()
    clock.advance(5)
    failed = await decide_approval(store, "a1", "failed", "usher", "nobody of that name")
    assert failed == replace(decided, state="failed", detail="nobody of that name")


async def test_after_a_decision_one_may_ask_again(store):
    await ask_approval(store, request())
    await decide_approval(store, "a1", "denied", "UADMIN")
    assert (await ask_approval(store, request(2))).id == "a2"
    assert (await store.read(approval_rows.find_request, "a1")).state == "denied"


async def test_an_account_is_linked_with_its_approval_once(store):
    await approved(store, deferred_command=WAITING)
    for _ in range(2):
        await ask(store).run(use_cases.link_approved, "a1", IDENTITY)
    assert (await store.read(approval_rows.find_request, "a1")).state == "linked"
    (account,) = await store.read(accounts.list_accounts, ALICE)
    assert (account.connection, account.username) == ("saturn", "alice")
    (task,) = await store.claim(tasks.claim_tasks, 10, 60.0)
    assert (task.kind, task.payload) == (TaskKind.DISCOVER, {"then": [WAITING | {"principal": ALICE.key}]})
    told = [notice.kind for notice in await store.perform(notices.claim_notices, 10, 60.0)]
    assert sorted(told) == [NoticeKind.APPROVAL_ENDED, NoticeKind.LINKED]


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_without_a_standing_approval_nothing_is_linked(store, number):
    await ask_approval(store, request(1))
    await approved(store, 2, username="bob", principal=BOB)
    await ask(store).run(use_cases.link_approved, f"a{number}", IDENTITY)
    assert await store.perform(accounts.list_active_accounts) == []
    assert await store.read(audit.read_audit) == []


async def test_of_two_administrators_one_decides(database):
    first, second = await database.open(), await database.open()
    await ask_approval(first, request())
    decided = await asyncio.gather(
        decide_approval(first, "a1", "approved", "UONE"), decide_approval(second, "a1", "denied", "UTWO")
    )
    assert [one for one in decided if one is not None] == [await first.read(approval_rows.find_request, "a1")]
