"""Things that a running workspace lacks, since when, and who gets an address that arrives later."""

from dataclasses import replace

import pytest

from bot.domain.notices import END, NewNotice, NoticeKind
from bot.domain.observations import Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.store import accounts, discovered, gates, notices, operations, workspaces
from tests.rigs.store import ALICE, accept_operation, listed_workspace, observe

URL = "https://app.example.test/ide/1"
RUNNING = Observed(State.RUNNING, url=URL)
WITHOUT = Observed(State.RUNNING, lacks="address")


async def lack_of(store, workspace):
    row = await store.read(workspaces.find_workspace, workspace.id)
    return row.lacks, row.lacks_since


async def test_lack_is_kept_since_its_first_read(store, clock, workspace):
    await observe(store, clock, workspace, Observed(State.STARTING))
    await observe(store, clock, workspace, WITHOUT)
    since = (await store.read(workspaces.find_workspace, workspace.id)).observed_at
    assert await lack_of(store, workspace) == ("address", since)
    await observe(store, clock, workspace, replace(WITHOUT, lacks="page"))
    assert await lack_of(store, workspace) == ("page", since)
    clock.advance(60.0)
    await store.write(gates.request_read_now, workspace.id)
    [claim] = await store.claim(gates.claim_reads, workspace.connection, 10, 10.0, 0.5)
    assert (claim.lacks, claim.lacks_since, claim.is_usable) == ("page", since, True)


@pytest.mark.parametrize("seen", [RUNNING, Observed(State.STOPPED, lacks="page")], ids=["usable", "down"])
async def test_lack_ends_with_what_is_usable_or_down(store, clock, workspace, seen):
    await observe(store, clock, workspace, WITHOUT)
    await observe(store, clock, workspace, seen)
    assert await lack_of(store, workspace) == (None, None)


async def ready(store, clock, workspace, seen, url=""):
    """End Alice's start with the result of a read, and store which address its message shows."""
    operation = (await accept_operation(store, workspace)).operation
    await observe(store, clock, workspace, seen)
    body = {"workspace": workspace.id, "connection": workspace.connection}
    notice = NewNotice(operation.id, NoticeKind.READY, END, ALICE, body)
    await store.write(
        operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED, notices=[notice])
    )
    return operation.id, await send(store, body | {"blocks": [{"url": url}]})


async def send(store, said):
    sent = [
        one for one in await store.perform(notices.claim_notices, 10, 30.0) if one.kind is NoticeKind.READY
    ]
    for notice in sent:
        await store.write(notices.mark_notice_sent, notice, "D1", "1.0", "", said)
    return len(sent)


async def links(store, clock):
    clock.advance(30.0)
    found = await store.perform(notices.claim_notices, 10, 30.0)
    return [one for one in found if one.kind is NoticeKind.READY_LINK]


async def test_late_address_is_handed_over_once(store, clock, workspace):
    operation, sent = await ready(store, clock, workspace, WITHOUT)
    assert sent == 1
    await observe(store, clock, workspace, RUNNING)
    [link] = await links(store, clock)
    assert (link.subject, link.principal, link.body["workspace"]) == (operation, ALICE, workspace.id)
    await store.write(notices.mark_notice_sent, link, "D1", "2.0", "", link.body | {"blocks": [{"url": URL}]})
    for seen in (WITHOUT, RUNNING, replace(RUNNING, lacks="agent"), RUNNING):
        await observe(store, clock, workspace, seen)
    assert await links(store, clock) == []


async def test_changed_address_is_handed_over(store, clock, workspace):
    await ready(store, clock, workspace, RUNNING, URL)
    await observe(store, clock, workspace, replace(RUNNING, url=f"{URL}/new"))
    assert len(await links(store, clock)) == 1


@pytest.mark.both_engines
async def test_changed_address_of_a_list_is_handed_over(store, clock, workspace):
    await ready(store, clock, workspace, RUNNING, URL)
    clock.advance(60.0)
    found = listed_workspace(workspace.remote_id, workspace.gate_key, "lab", State.RUNNING, f"{URL}/new")
    await store.perform(
        discovered.merge_discovered, (await store.read(accounts.list_accounts, ALICE))[0].id, [found]
    )
    assert len(await links(store, clock)) == 1


async def test_address_that_a_message_shows_is_not_handed_over(store, clock, workspace):
    await ready(store, clock, workspace, RUNNING, URL)
    for seen in (WITHOUT, RUNNING, replace(RUNNING, lacks="app"), RUNNING):
        await observe(store, clock, workspace, seen)
    assert await links(store, clock) == []


async def test_address_before_ready_was_sent_is_not_handed_over(store, clock, workspace):
    """When the message is rendered, it includes the address."""
    operation = (await accept_operation(store, workspace)).operation
    await observe(store, clock, workspace, WITHOUT)
    notice = NewNotice(operation.id, NoticeKind.READY, END, ALICE, {"workspace": workspace.id})
    await store.write(
        operations.save_step, Update(operation.id, 0.0, outcome=Outcome.FULFILLED, notices=[notice])
    )
    await observe(store, clock, workspace, RUNNING)
    assert await links(store, clock) == []


@pytest.mark.parametrize("verb", [OperationVerb.STOP, OperationVerb.START], ids=str)
async def test_address_after_a_newer_request_is_not_handed_over(store, clock, workspace, verb):
    await ready(store, clock, workspace, WITHOUT)
    clock.advance(1.0)
    await accept_operation(store, workspace, verb, interaction="newer")
    await observe(store, clock, workspace, RUNNING)
    assert await links(store, clock) == []


async def test_list_does_not_end_a_start(store, clock, workspace):
    """Only a read can tell whether the workspace is usable, so a read is due at once."""
    await accept_operation(store, workspace)
    await observe(store, clock, workspace, Observed(State.STARTING))
    clock.advance(60.0)
    found = listed_workspace(workspace.remote_id, workspace.gate_key, "lab", State.RUNNING, URL)
    await store.perform(
        discovered.merge_discovered, (await store.read(accounts.list_accounts, ALICE))[0].id, [found]
    )
    assert (await store.read(workspaces.find_workspace, workspace.id)).state is State.STARTING
    assert await store.claim(gates.claim_reads, workspace.connection, 10, 10.0, 0.5)
