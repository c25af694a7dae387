"""Rare queries give the right answer on both engines, with and without matching rows."""

from dataclasses import replace

import pytest

from bot.domain.accepted_requests import AcceptedRequest
from bot.domain.audit import AuditEntry
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.waitlist import WaitlistState
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import (
    accepted_requests,
    accounts,
    approvals,
    audit,
    cards,
    channels,
    connections,
    counts,
    credentials,
    inbox,
    notices,
    operations,
    people,
    schema,
    waitlist,
)
from bot.store.tables import ACCEPTED_REQUESTS, ACCOUNTS, CARDS, OPERATIONS
from bot.support.release import RELEASE
from tests.contract.store.test_waitlist import begin_attempt, join
from tests.rigs.store import ALICE, BOB, accept_operation, linked, within

pytestmark = pytest.mark.both_engines


@pytest.fixture
async def of_alice(store):
    return await linked(store, state=State.RUNNING)


@pytest.fixture
def account(of_alice):
    return of_alice.account


@pytest.fixture
def workspace(of_alice):
    return of_alice.workspaces[0]


async def test_members_of_a_place_are_known_by_their_names(store, account):
    place = ALICE.key.rpartition(":")[0] + ":"
    assert await within(store, people.list_members, place) == [(ALICE.key, (ALICE.user_id.title(), "", ""))]
    assert await within(store, people.list_members, f"elsewhere{place}") == []


async def test_uses_are_counted_by_connection(store, account):
    found = await within(store, counts.count_uses)
    assert {
        name: (row["people"], row["running"], row["timers"], row["hours"]) for name, row in found.items()
    } == {"saturn": (1, 1, 0, 0)}


async def test_titles_of_former_connections_are_kept(store):
    assert await within(store, connections.keep_titles, {"saturn": "Saturn"}) == {"saturn": "Saturn"}
    assert await within(store, connections.keep_titles, {"hub": "Hub"}) == {"saturn": "Saturn", "hub": "Hub"}


async def test_migrations_are_listed_with_the_release_that_ran_them(store):
    newest = max(schema.read_migrations())
    assert (await within(store, schema.list_migrations))[newest] == ""
    assert (await within(store, schema.list_schema_changes))[newest] == RELEASE


async def test_a_link_that_ended_is_known_from_the_audit(store, account):
    had = accounts.has_had_link
    assert await within(store, had, ALICE, ["saturn"])
    assert not await within(store, had, BOB, ["saturn"])
    entry = AuditEntry("usher", "account.unlinked", f"{BOB.key}/saturn", "ok", {})
    await within(store, audit.append_audit, [entry])
    assert await within(store, had, BOB, ["saturn"])
    assert not await within(store, had, BOB, ["hub"])


async def test_secrets_that_no_key_opens_are_listed_while_their_link_is_refused(store, account):
    await within(store, credentials.set_secret_aside, account.id, "sealed")
    assert await within(store, credentials.list_undecryptable_accounts) == []
    await within(store, ACCOUNTS.change, {"id": account.id}, state="refused")
    (found,) = await within(store, credentials.list_undecryptable_accounts)
    assert (found.id, found.secret) == (account.id, "sealed")


async def test_questions_whose_account_it_is_are_counted(store):
    assert await within(store, approvals.count_questions, ALICE.key) == 0
    asked = NewNotice("a1", NoticeKind.ACCOUNT_QUESTION, "1", ALICE)
    await within(store, notices.add_notices, [asked])
    assert await within(store, approvals.count_questions, ALICE.key) == 1
    assert await within(store, notices.has_notices, "a1")
    assert not await within(store, notices.has_notices, "a2")


async def test_what_an_owner_asked_for_is_found_since_a_time(store, workspace):
    asked = accepted_requests.was_asked
    assert not await within(store, asked, workspace, 0.0)
    request = AcceptedRequest(
        id="1", principal=ALICE, kind="start", done_at=10.0, subject=workspace.id, work_item_id="o1"
    )
    await within(store, ACCEPTED_REQUESTS.add, request)
    assert await within(store, asked, workspace, 10.0)
    assert not await within(store, asked, workspace, 11.0)


@pytest.mark.parametrize(
    ("newer_sent_at", "older_sent_at", "is_overtaken"),
    [(9.0, 8.0, True), (9.0, 9.0, False), (8.0, 9.0, False), (None, 8.0, True), (None, 9.5, False)],
)
async def test_a_later_request_for_the_workspace_overtakes_an_older_one(
    store, workspace, newer_sent_at, older_sent_at, is_overtaken
):
    request = AcceptedRequest(
        id="1", principal=ALICE, kind="start", done_at=10.0, subject=workspace.id, interaction="newer"
    )
    await within(store, ACCEPTED_REQUESTS.add, request)
    await within(store, inbox.add_interaction, "newer", newer_sent_at)

    async def is_overtaken_by(principal, subject, interaction):
        which = (principal, subject, interaction, older_sent_at)
        return await within(store, accepted_requests.was_overtaken, *which)

    assert await is_overtaken_by(ALICE, workspace.id, "older") is is_overtaken
    assert not await is_overtaken_by(ALICE, workspace.id, "newer")
    assert not await is_overtaken_by(ALICE, "another", "older")
    assert not await is_overtaken_by(BOB, workspace.id, "older")


async def test_the_creation_of_a_workspace_is_told_from_its_starts(store, workspace):
    start = (await accept_operation(store, workspace)).operation
    assert await within(store, operations.find_creation, workspace.id) is None
    await within(store, OPERATIONS.change, {"id": start.id}, outcome=Outcome.FULFILLED, ended_at=1.0)
    made = (workspace, OperationVerb.CREATE, 60.0, "R", None)
    creation = await within(store, lambda tx: operations.add(tx, *made))
    assert (await within(store, operations.find_creation, workspace.id)).id == creation.id


async def test_attempts_failures_and_the_last_wait_are_found(store, clock, workspace):
    entry = await join(store, clock, workspace)
    assert await within(store, waitlist.count_attempts, "saturn") == 0
    entry = await begin_attempt(store, clock, entry)
    assert entry.state is WaitlistState.TRYING
    assert await within(store, waitlist.count_attempts, "saturn") == 1
    assert await within(store, waitlist.count_failures_in_a_row, "saturn") == 0
    assert await within(store, waitlist.find_last_entry, ALICE, 0.0) is None
    await within(store, waitlist.end, entry)
    assert (await within(store, waitlist.find_last_entry, ALICE, clock.now() - 1.0)).id == entry.id
    assert await within(store, waitlist.find_last_entry, ALICE, clock.now()) is None


async def test_a_message_in_a_channel_is_found_and_the_card_that_it_replaced_forgotten(store, operation_card):
    card = operation_card
    assert await within(store, channels.find_message_in_channel, "C1") == "1.0"
    assert await within(store, channels.find_message_in_channel, "C2") is None
    end = replace(card, id="end", kind=NoticeKind.READY)
    await within(store, CARDS.add, end, is_notice=True)
    head = cards.find_output_head
    assert (await within(store, head, card.subject, end.created_at)).id == "end"
    assert (await within(store, head, card.subject, end.created_at - 1.0)).id == card.id
    await within(store, cards.forget_replaced, card.id, "C1", "1.0")
    assert await within(store, cards.find_card, "end") is None
    assert (await within(store, head, card.subject, end.created_at)).id == card.id


@pytest.fixture
async def operation_card(store, workspace):
    """The card of an operation, in a channel."""
    operation = (await accept_operation(store, workspace)).operation
    notice = NewNotice(operation.id, NoticeKind.CARD, "first", ALICE)
    await within(store, notices.add_notices, [notice])
    place = {"channel_id": "C1", "message_ts": "1.0"}
    await within(store, CARDS.change, {"id": operation.id}, **place)
    return await within(store, cards.find_card, operation.id)


async def test_an_operation_is_shown_with_its_workspace_and_account(store, workspace, account):
    assert await within(store, operations.find_operation_view, "nobody's") is None
    operation = (await accept_operation(store, workspace)).operation
    found = await within(store, operations.find_operation_view, operation.id)
    assert (found.workspace.id, found.account.id, found.is_superseded) == (workspace.id, account.id, False)
