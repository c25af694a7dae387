"""One token opens everybody's workspaces: nobody but the owner of the record sees or touches one."""

import pytest

from bot.domain.expiries import ExpiryKind
from bot.domain.notices import NewNotice
from bot.domain.operations import OperationVerb
from bot.domain.tasks import TaskKind
from bot.services.asked import Asked
from bot.services.gather import Gatherer
from bot.services.snapshots import stale
from bot.services.workspaces import add, again, alias, begin, forget, owned, refresh
from bot.store.tasks import NewTask
from bot.support.errors import Refused
from tests.reconciler.sphere_world import TOKEN, sphere_world
from tests.rigs.store import ALICE, BOB


@pytest.fixture
async def world():
    async with sphere_world() as made:
        yield made


@pytest.fixture
def bob(world):
    return Asked(world.world.asking, BOB)


async def test_another_person_can_do_nothing_with_it(world, bob):
    row = await world.made(ALICE)
    await world.made(BOB)
    sent = dict(world.server.harness.requests)
    for verb in (OperationVerb.START, OperationVerb.STOP, OperationVerb.RESTART, OperationVerb.REMOVE):
        with pytest.raises(Refused) as refused:
            await bob.to(begin, row.id, verb)
        assert refused.value.rule == "policy.not_owner"
    for call in (
        bob.see(owned, "open", row.id),
        bob.to(refresh, row.id),
        bob.to(again, row.id),
        bob.to(alias, row.id, "mine"),
        bob.to(forget, row.id),
    ):
        with pytest.raises(Refused):
            await call
    await world.world.work()
    assert dict(world.server.harness.requests) == sent
    assert world.machine(row).phase == "running"


async def test_it_cannot_be_added_by_its_id(world, bob):
    row = await world.made(ALICE)
    await world.made(BOB)
    with pytest.raises(Refused) as refused:
        await bob.to(add, "cloud", row.remote_id, None)
    assert refused.value.rule == "add.not_here"
    assert world.world.provider.parse_reference(row.remote_id) is None


async def test_no_list_ever_shows_it_to_another(world, bob):
    row = await world.made(ALICE)
    theirs = await world.made(BOB)
    account = await world.store.account(BOB, "cloud")
    await world.store.add_tasks([NewTask(TaskKind.DISCOVER, account.id)])
    await world.pass_time(30)
    assert [one.id for one in await world.store.workspaces(BOB)] == [theirs.id]
    assert await bob.see(stale, TaskKind.DISCOVER) == []
    assert "GET /api/v1/workspaces" not in world.server.harness.requests
    assert row.id != theirs.id


async def test_a_notice_with_anothers_key_draws_no_address(world):
    row = await world.made(ALICE)
    await world.made(BOB)
    body = {"workspace": row.id, "connection": "cloud"}
    await world.store.add_notices([NewNotice("forged", ExpiryKind.ENDING, "1", BOB, body)])
    (notice,) = await world.store.claim_notices(1, 60.0)
    gatherer = Gatherer(world.world.asking)
    facts = await gatherer.of_notice(notice)
    assert facts.workspace is None
    assert facts.ide_url is None


async def test_neither_token_is_in_any_row(world):
    row = await world.made(ALICE)
    await world.pass_time(60)
    secret = world.machine(row).token
    fresh = await world.row(row)
    held = [fresh, await world.store.account(ALICE, "cloud"), await world.store.audit_entries()]
    assert TOKEN not in repr(held)
    assert secret not in repr(held)
    assert row.remote_id not in str(world.slack.messages)
