"""A stop after which a workspace can't be started again needs its owner's consent to exactly that stop."""

import pytest

from bot.domain.forms import Spec
from bot.domain.observations import Created, Observed
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.stops import Consent, PlannedStop
from bot.domain.work_items import Call, Outcome
from bot.domain.workspaces import State
from bot.services.operation_requests import begin_operation, create_workspace
from bot.store import accounts, creations, operations, timers, workspaces
from tests.handlers.rig import buttons, one_cloud, words
from tests.rigs.store import ALICE, accept_operation, observe, within


@pytest.fixture
async def bot():
    """A bot with an account at a provider that can't start a stopped workspace again."""
    async with one_cloud() as ready:
        ready.connections["saturn"].ends_for_good = True
        await ready.link(names=())
        yield ready


async def making(bot):
    """Create *lab*, and return the operation."""
    made = await bot.services.create_caller(ALICE, "make").run(create_workspace, "saturn", Spec("lab"))
    return made.operation


async def made(bot, state):
    """Return the row of a workspace that was created here and is now in ``state``."""
    operation, provider = await making(bot), bot.connections["saturn"]
    row = await bot.store.write(
        creations.name_created, operation.id, Created("m1", "lab"), provider.gate_key("m1")
    )
    await over(bot, operation, Outcome.FULFILLED)
    await observe(bot.store, bot.clock, row, Observed(state))
    return row


async def over(bot, operation, outcome=Outcome.FAILED):
    await bot.store.write(operations.save_step, Update(operation.id, 0.0, outcome=outcome, cause="gave_up"))


async def stopped_with_class(bot, row, verb):
    """Accept the stop of a workspace as the end of a class does."""
    return (
        await accept_operation(
            bot.store,
            row,
            verb,
            interaction="class",
            notices=[],
            deadline_seconds=1800.0,
            reference="R2",
            agreed=True,
        )
    ).operation


async def test_a_restart_of_what_has_failed_agrees_to_no_end(bot):
    """The owner wasn't asked for consent, and the next read may show that the workspace is running again."""
    row = await made(bot, State.FAILED)
    assert "starting a new one with the same settings" in words(await bot.say("restart lab"))
    operation = await bot.store.read(operations.find_latest_operation, row.id)
    assert (operation.verb, operation.agreed) == (OperationVerb.RESTART, False)
    assert not any("agreed" in str(entry["detail"]) for entry in await bot.audit())


@pytest.mark.parametrize("verb", [OperationVerb.STOP, OperationVerb.RESTART])
async def test_try_again_asks_again_before_it_ends_anything(bot, verb):
    """The consent was to the state at that time, and the owner has continued working since."""
    row = await made(bot, State.RUNNING)
    operation = await stopped_with_class(bot, row, verb)
    await over(bot, operation)
    assert "for good" in words(await bot.press("try_again", operation.id))
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_calling_off_what_is_being_made_is_no_answer_for_later(bot):
    """Cancelling a creation loses nothing, but the workspace may be in use once it has been created."""
    creation = await making(bot)
    await bot.say("stop lab")
    first = await bot.store.read(operations.find_latest_operation, creation.workspace_id)
    assert (first.verb, first.agreed) == (OperationVerb.STOP, Consent.KNOWING)
    await over(bot, first)
    await bot.press("try_again", first.id)
    second = await bot.store.read(operations.find_latest_operation, creation.workspace_id)
    assert (second.id != first.id, second.verb, second.agreed) == (True, OperationVerb.STOP, False)


async def test_calling_off_what_may_be_in_use_by_now_agrees_to_no_end(bot):
    """A creation whose outcome has been unknown for long may have succeeded unnoticed."""
    creation = await making(bot)
    await bot.store.write(
        operations.save_step, Update(creation.id, 5.0, called=True, start_call=Call.UNKNOWN)
    )
    bot.clock.advance(120)
    await bot.say("stop lab")
    stop = await bot.store.read(operations.find_latest_operation, creation.workspace_id)
    assert (stop.verb, stop.agreed) == (OperationVerb.STOP, False)


@pytest.mark.parametrize("has_lapsed", [True, False], ids=["lapsed", "waiting"])
async def test_timer_of_a_start_that_waits_is_set(bot, has_lapsed):
    """A lapsed start is asked about first and brings nothing up, so a timer for it would end at once."""
    row = await made(bot, State.STOPPED)
    start = (
        await bot.services.create_caller(ALICE, "start").run(begin_operation, row.id, OperationVerb.START)
    ).operation
    if has_lapsed:
        await bot.store.write(operations.save_step, Update(start.id, 5.0, deadline_passed=True))
    said = words(await bot.say("suspend lab in 2h"))
    assert ("isn't running, so there's nothing to stop" in said) is has_lapsed
    assert ((await bot.store.read(workspaces.find_workspace, row.id)).stop_at is None) is has_lapsed


async def test_a_start_kept_waiting_says_that_no_end_for_good_is_set_again(bot):
    """The consent was to that planned stop, which was dropped when the start lapsed."""
    row = await made(bot, State.STOPPED)
    timer = PlannedStop(bot.clock.now() + 7200, "stop", agreed=True)
    start = (
        await bot.services.create_caller(ALICE, "start").run(
            begin_operation, row.id, OperationVerb.START, timer=timer
        )
    ).operation
    bot.clock.advance(7200)
    assert await within(bot.store, timers.apply_timer, row.id)
    said = words(await bot.press("keep_waiting", start.id))
    assert "I'll keep checking on *lab*" in said
    assert "I won't stop it by myself: on Saturn Cloud that would end it for good." in said
    assert (await bot.store.read(workspaces.find_workspace, row.id)).stop_at is None


async def test_slip_in_a_name_asks_before_it_ends_for_good(bot):
    await made(bot, State.RUNNING)
    looked = tuple(account.id for account in await bot.store.read(accounts.list_accounts, ALICE))
    answer = await bot.say("stop lba", looked=looked)
    (button,) = buttons(answer).values()
    assert button["text"]["text"] == "Stop lab"
    assert "for good" in str(button["confirm"])
