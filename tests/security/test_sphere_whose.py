"""Tests of a server with one token for all workspaces: people see and use only those recorded as theirs."""

import pytest

from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.operations import OperationVerb
from bot.domain.tasks import TaskKind
from bot.services.caller import Caller
from bot.services.message_context import Gatherer
from bot.services.operation_requests import begin_operation, replace_workspace
from bot.services.snapshots import list_stale
from bot.services.workspaces import (
    add_workspace,
    forget_workspace,
    request_status_read,
    require_workspace,
    set_alias,
)
from bot.store import accounts, audit, notices, tasks, workspaces
from bot.store.tasks import NewTask
from bot.support.errors import Refused
from tests.reconciler.sphere_world import TOKEN, sphere_world
from tests.rigs.store import ALICE, BOB


@pytest.fixture
async def sphere():
    async with sphere_world() as made:
        yield made


@pytest.fixture
def bob(sphere):
    return Caller(sphere.world.asking, BOB)


async def test_another_person_can_do_nothing_with_it(sphere, bob):
    row = await sphere.made(ALICE)
    await sphere.made(BOB)
    sent = dict(sphere.server.harness.requests)
    for verb in (OperationVerb.START, OperationVerb.STOP, OperationVerb.RESTART, OperationVerb.REMOVE):
        with pytest.raises(Refused) as refused:
            await bob.run(begin_operation, row.id, verb)
        assert refused.value.rule == "policy.not_owner"
    for call in (
        bob.read(require_workspace, "open", row.id),
        bob.run(request_status_read, row.id),
        bob.run(replace_workspace, row.id),
        bob.run(set_alias, row.id, "mine"),
        bob.run(forget_workspace, row.id),
    ):
        with pytest.raises(Refused):
            await call
    await sphere.world.work()
    assert dict(sphere.server.harness.requests) == sent
    assert sphere.machine(row).phase == "running"


async def test_it_cannot_be_added_by_its_id(sphere, bob):
    row = await sphere.made(ALICE)
    await sphere.made(BOB)
    with pytest.raises(Refused) as refused:
        await bob.run(add_workspace, "cloud", row.remote_id, None)
    assert refused.value.rule == "add.not_here"
    assert sphere.world.provider.parse_reference(row.remote_id) is None


async def test_no_list_ever_shows_it_to_another(sphere, bob):
    row = await sphere.made(ALICE)
    theirs = await sphere.made(BOB)
    account = await sphere.store.read(accounts.find_account, BOB, "cloud")
    await sphere.store.write(tasks.add_tasks, [NewTask(TaskKind.DISCOVER, account.id)])
    await sphere.pass_time(30)
    assert [one.id for one in await sphere.store.perform(workspaces.read_workspaces, BOB)] == [theirs.id]
    assert await bob.read(list_stale, TaskKind.DISCOVER) == []
    assert "GET /api/v1/workspaces" not in sphere.server.harness.requests
    assert row.id != theirs.id


async def test_a_notice_with_anothers_key_draws_no_address(sphere):
    row = await sphere.made(ALICE)
    await sphere.made(BOB)
    body = {"workspace": row.id, "connection": "cloud"}
    await sphere.store.write(
        notices.add_notices, [NewNotice("forged", NoticeKind.WORKSPACE_EXPIRY, "1", BOB, body)]
    )
    (notice,) = await sphere.store.perform(notices.claim_notices, 1, 60.0)
    gatherer = Gatherer(sphere.world.asking)
    facts = await gatherer.describe_notice(notice)
    assert isinstance(facts, WorkspaceFacts)
    assert facts.workspace is None
    assert facts.ide_url is None


async def test_neither_token_is_in_any_row(sphere):
    row = await sphere.made(ALICE)
    await sphere.pass_time(60)
    secret = sphere.machine(row).token
    fresh = await sphere.row(row)
    held = [
        fresh,
        await sphere.store.read(accounts.find_account, ALICE, "cloud"),
        await sphere.store.read(audit.read_audit),
    ]
    assert TOKEN not in repr(held)
    assert secret not in repr(held)
    assert row.remote_id not in str(sphere.slack.messages)
