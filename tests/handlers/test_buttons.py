"""Buttons carry only a key, the person who presses is checked again, and an outdated one says so."""

import pytest

from bot.domain.causes import StaleReason, make_stale_cause
from bot.domain.work_items import Outcome
from bot.store import accounts, operations
from bot.support.errors import SecretError
from tests.handlers.buttons import end, started
from tests.handlers.rig import COLLEAGUE, activate, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, BOB, unlink


async def test_refresh_asks_for_a_read_and_says_how_old_the_news_are(bot):
    operation = await started(bot)
    bot.wakes.clear()
    check_golden("answers/refresh", await bot.press("refresh", operation.id))
    assert bot.wakes


async def test_keep_waiting_sets_a_new_deadline_and_no_new_start(bot):
    operation = await started(bot)
    bot.clock.advance(1900)
    check_golden("answers/kept-waiting", await bot.press("keep_waiting", operation.id))
    kept = await bot.store.read(operations.find_operation, operation.id)
    assert (kept.deadline_number, kept.deadline_at) == (2, bot.clock.now() + 1800)
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.FULFILLED, "That start has already finished"),
        (Outcome.FAILED, "failed. Its latest message says why. Type `/workspace start` to try again."),
        (Outcome.REFUSED, "That start was refused"),
        (Outcome.CANCELLED, "That start was cancelled"),
    ],
)
async def test_keep_waiting_comes_too_late(bot, outcome, said):
    operation = await started(bot)
    await end(bot, operation, outcome, "gave_up")
    assert said in words(await bot.press("keep_waiting", operation.id))
    assert await bot.store.read(operations.open_operations, ALICE) == []


async def test_keep_waiting_on_what_was_replaced(bot):
    operation = await started(bot)
    await bot.say("stop notebook")
    assert "Something else has taken its place since." in words(await bot.press("keep_waiting", operation.id))


async def test_try_again_repeats_neither_what_is_open_nor_what_came_true(bot):
    operation = await started(bot)
    assert "I'm still starting" in words(await bot.press("try_again", operation.id))
    await end(bot, operation, Outcome.FULFILLED)
    assert "has already finished" in words(await bot.press("try_again", operation.id))
    assert await bot.store.read(operations.open_operations, ALICE) == []


OF_OPERATIONS = ("refresh", "keep_waiting", "try_again", "look_again", "start_another")
OF_WORKSPACES = (
    *(
        "start",
        "stop",
        "stop:1:u1800003600",
        "restart",
        "suspend",
        "resume",
        "force",
        "open",
        "status",
        "keep",
    ),
    *(
        "keep",
        "keep_running:u1800003600",
        "hour_more:u1800003600",
        "needed:u1800003600",
        "stop_later",
        "forget",
    ),
    *("bring_back", "remove", "again", "hours", "hours_form", "hours_off", "hours_on", "hours_rest"),
    "cancel",
)


@pytest.mark.parametrize("action_id", [*OF_OPERATIONS, *OF_WORKSPACES])
async def test_another_persons_button_does_nothing_and_tells_nothing(bot, action_id):
    operation = await started(bot)
    row = await bot.workspace()
    for principal in (COLLEAGUE, BOB):
        key = operation.id if action_id in OF_OPERATIONS else row.id
        stolen, nothing = [await bot.press(action_id, one, principal) for one in (key, "workspace_none")]
        assert words(stolen) == words(nothing)
        assert words(stolen).startswith("I can't find that workspace on your list.")
        assert (await bot.audit())[-1]["actor"] == principal.key
        assert (await bot.audit())[-1]["result"] == "refused"
    assert (await bot.store.read(operations.find_operation, operation.id), await bot.workspace()) == (
        operation,
        row,
    )


async def test_a_button_of_a_row_that_is_gone_since(bot):
    operation = await started(bot)
    await unlink(bot.store, ALICE, "saturn")
    for action_id, value in (
        ("refresh", operation.id),
        ("start", operation.workspace_id),
        ("open", operation.workspace_id),
    ):
        assert "I can't find that workspace on your list." in words(await bot.press(action_id, value))


async def test_a_button_of_an_earlier_release(bot):
    assert "That button no longer works." in words(await bot.press("launch_rocket", "x"))


async def test_a_secret_that_does_not_open_is_said(bot):
    bot.store.fails[accounts.list_accounts] = SecretError("swapped")
    assert words(await bot.say("about")).startswith("I can no longer read your stored link. Link again.")


async def test_refresh_on_a_list_that_is_empty_meanwhile(bot):
    await activate(bot.store, ALICE, "saturn")
    assert "You don't have any workspaces here yet." in words(await bot.press("list:refresh", "1"))


async def test_a_start_that_is_still_wanted_is_for_as_long_as_it_was_asked_for(bot):
    await bot.link()
    await bot.say("start for 2h")
    first = await bot.store.read(operations.find_latest_operation, (await bot.workspace()).id)
    bot.clock.advance(3 * 86_400.0)
    await end(bot, first, Outcome.FAILED, make_stale_cause(StaleReason.ASKED, first.created_at))
    await bot.press("try_again", first.id)
    workspace = await bot.workspace()
    again = await bot.store.read(operations.find_latest_operation, workspace.id)
    assert (again.id != first.id, again.is_open) == (True, True)
    assert workspace.stop_at == pytest.approx(bot.clock.now() + 7200, abs=60)
