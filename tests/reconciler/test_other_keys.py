"""If another process has keys that this one lacks, people whose secrets can't be opened aren't bothered."""

import json

import pytest
from cryptography.fernet import Fernet

from bot.domain.work_items import Outcome
from bot.messages.texts.holds import explain_hold
from bot.store import operations
from bot.store.tables import ACCOUNTS
from bot.support.vault import Vault, row_key
from tests.reconciler.world import KEY
from tests.rigs.store import ALICE

NEW = Fernet.generate_key().decode()


def sealed_elsewhere(world, at):
    clear = json.dumps({"row": row_key(ALICE.key, "cloud"), "secret": {"token": "token-1"}}).encode()
    return Fernet(NEW).encrypt_at_time(clear, int(at)).decode()


async def save(world, secret):
    await world.store.carry_out(
        lambda tx: ACCOUNTS.change(tx, {"principal": ALICE, "connection": "cloud"}, secret=secret)
    )


@pytest.mark.parametrize("how", ["linked meanwhile", "rotated meanwhile"])
async def test_request_waits_until_this_process_has_the_keys(world, how):
    workspace = await world.own()
    world.reborn()
    if how == "rotated meanwhile":
        await world.begin(workspace)
        await world.pass_time(60)
        workspace = await world.own(remote_id="r2")
    at = world.clock.now() + 30 if how == "linked meanwhile" else world.clock.now() - 86_400
    await save(world, sealed_elsewhere(world, at))
    operation_id = await world.begin(workspace)
    await world.pass_time(120)
    operation = await world.store.read(operations.find_operation, operation_id)
    assert operation.is_open
    assert "Link again" not in explain_hold(operation.block_reason, "Fake Cloud")
    assert "this has to wait" in explain_hold(operation.block_reason, "Fake Cloud")
    world.vault = Vault([NEW, KEY])
    world.reborn()
    assert await world.until_ended(operation_id) is Outcome.FULFILLED


async def test_secret_that_no_process_opens_is_its_persons_matter(world):
    workspace = await world.own()
    await save(world, sealed_elsewhere(world, world.clock.now() - 86_400))
    operation_id = await world.begin(workspace)
    await world.pass_time(60)
    operation = await world.store.read(operations.find_operation, operation_id)
    assert "Link again" in explain_hold(operation.block_reason, "Fake Cloud")


async def test_request_waits_while_a_living_process_has_other_keys(world):
    """The request keeps waiting after a restart with the old keys, even if the secret is an old one."""
    workspace = await world.own()
    await save(world, sealed_elsewhere(world, world.clock.now() - 86_400))
    world.context.owners.lacks_keys = True
    world.reborn()
    operation_id = await world.begin(workspace)
    await world.pass_time(60)
    operation = await world.store.read(operations.find_operation, operation_id)
    assert "this has to wait" in explain_hold(operation.block_reason, "Fake Cloud")


@pytest.mark.parametrize("is_elsewhere", [True, False])
async def test_connection_that_another_process_has_is_waited_for(world, is_elsewhere):
    """The web process was restarted with an additional connection, and this worker wasn't."""
    operation_id = await world.begin(await world.own())
    connections = world.context.connections
    world.reborn(connections={})
    if is_elsewhere:
        world.owners.lacking_connections = frozenset({"cloud"})
    await world.pass_time(60)
    operation = await world.store.read(operations.find_operation, operation_id)
    said = explain_hold(operation.block_reason, "Fake Cloud")
    assert ("this has to wait" in said, "isn't set up any more" in said) == (is_elsewhere, not is_elsewhere)
    world.reborn(connections=connections)
    assert await world.until_ended(operation_id) is Outcome.FULFILLED
