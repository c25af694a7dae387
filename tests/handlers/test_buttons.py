"""Buttons: what they carry is a key, who presses is asked again, and a stale one gets an honest answer."""

import pytest

from bot.domain.runs import Update
from bot.domain.workspaces import OperationVerb, Outcome, State
from bot.support.errors import SecretError, StoreBusy, StoreUnavailable
from tests.handlers.rig import COLLEAGUE, activate, buttons, words
from tests.rigs.golden import check_golden
from tests.rigs.store import ALICE, unlink


async def started(bot):
    """Start the notebook and return the operation."""
    await bot.link()
    await bot.say("start")
    return await bot.store.latest_operation((await bot.workspace()).id)


async def end(bot, operation, outcome, cause=None):
    """Let an operation end as the reconciler does."""
    (step,) = await bot.store.claim_operations(1, 60.0)
    assert step.operation.id == operation.id
    await bot.store.save_step(
        Update(operation.id, 0.0, outcome=outcome, cause=cause, claim=getattr(step, "claim", ""))
    )


@pytest.mark.parametrize(
    ("action_id", "verb"),
    [("start", OperationVerb.START), ("start:3", OperationVerb.START), ("stop", OperationVerb.STOP)],
)
async def test_start_and_stop_are_the_same_verbs(bot, action_id, verb):
    await bot.link()
    row = await bot.workspace()
    await bot.press(action_id, row.id)
    assert (await bot.store.latest_operation(row.id)).verb is verb


async def test_a_double_click_is_one_operation(bot):
    await bot.link()
    row = await bot.workspace()
    await bot.press("start", row.id)
    assert "is already starting" in words(await bot.press("start", row.id))
    assert len(await bot.store.open_operations(ALICE)) == 1


async def test_refresh_asks_for_a_read_and_says_how_old_the_news_are(bot):
    operation = await started(bot)
    bot.wakes.clear()
    answer = await bot.press("refresh", operation.id)
    check_golden("answers/refresh", answer)
    assert bot.wakes


async def test_refresh_on_a_list_redraws_it(bot):
    await bot.link()
    refresh = buttons(await bot.say("list"))["Refresh"]
    answer = await bot.press(refresh["action_id"], refresh["value"])
    assert answer.replaces
    assert "Your workspaces" in words(answer)


async def test_keep_waiting_sets_a_new_deadline_and_no_new_start(bot):
    operation = await started(bot)
    bot.clock.advance(1900)
    answer = await bot.press("keep_waiting", operation.id)
    check_golden("answers/kept-waiting", answer)
    kept = await bot.store.operation(operation.id)
    assert (kept.deadline_number, kept.deadline_at) == (2, bot.clock.now() + 1800)
    assert len(await bot.store.open_operations(ALICE)) == 1


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.FULFILLED, "That start has already finished"),
        (Outcome.FAILED, "That start failed"),
        (Outcome.REFUSED, "That start was refused"),
        (Outcome.CANCELLED, "That start was cancelled"),
    ],
)
async def test_keep_waiting_comes_too_late(bot, outcome, said):
    operation = await started(bot)
    await end(bot, operation, outcome, "gave_up")
    assert said in words(await bot.press("keep_waiting", operation.id))
    assert await bot.store.open_operations(ALICE) == []


async def test_keep_waiting_on_what_was_replaced(bot):
    operation = await started(bot)
    await bot.say("stop notebook")
    assert "You've asked for something else since." in words(await bot.press("keep_waiting", operation.id))


async def test_try_again_is_a_new_operation(bot):
    operation = await started(bot)
    await end(bot, operation, Outcome.FAILED, "provider_failed")
    answer = await bot.press("try_again", operation.id)
    assert "Starting *notebook*" in words(answer)
    (fresh,) = await bot.store.open_operations(ALICE)
    assert fresh.id != operation.id


async def test_try_again_repeats_neither_what_is_open_nor_what_came_true(bot):
    operation = await started(bot)
    assert "I'm still starting" in words(await bot.press("try_again", operation.id))
    await end(bot, operation, Outcome.FULFILLED)
    assert "has already finished" in words(await bot.press("try_again", operation.id))
    assert await bot.store.open_operations(ALICE) == []


@pytest.mark.parametrize(
    "action_id", ["refresh", "keep_waiting", "try_again", "stop", "open", "forget", "status"]
)
async def test_another_persons_button_does_nothing_and_tells_nothing(bot, action_id):
    operation = await started(bot)
    value = operation.id if action_id in {"refresh", "keep_waiting", "try_again"} else operation.workspace_id
    answer = await bot.press(action_id, value, COLLEAGUE)
    assert words(answer).startswith("I can't find that workspace on your list.")
    assert (await bot.store.operation(operation.id)) == operation
    assert (await bot.audit())[-1]["result"] == "refused"


@pytest.mark.parametrize("value", ["", "operation_none", "' OR 1=1 --", "x" * 2000])
@pytest.mark.parametrize("action_id", ["refresh", "keep_waiting", "try_again", "stop"])
async def test_a_key_of_nothing(bot, action_id, value):
    answer = await bot.press(action_id, value)
    assert answer.text


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


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (StoreBusy("2 s"), "I'm too busy right now, so I haven't started anything."),
        (StoreUnavailable("disk full at 10.0.0.1"), "I can't reach my own records right now"),
        (ValueError("a secret"), "Something went wrong on my side."),
    ],
)
async def test_what_goes_wrong_inside_becomes_words_with_a_reference(bot, error, said, capsys):
    bot.store.fails["person"] = error
    answer = await bot.say("start notebook")
    assert words(answer).startswith(said)
    assert "10.0.0.1" not in words(answer)
    reference = words(answer).rsplit("Reference ", 1)[1]
    assert reference in capsys.readouterr().out


async def test_a_state_that_moves_on_makes_the_buttons_of_the_list(bot):
    await bot.link(state=State.RUNNING)
    assert {"Open", "Stop"} <= set(buttons(await bot.say("list")))


async def test_a_secret_that_does_not_open_is_said(bot):
    bot.store.fails["accounts"] = SecretError("swapped")
    assert words(await bot.say("whoami")).startswith("I can no longer read your stored link. Link again.")


async def test_refresh_on_a_list_that_is_empty_meanwhile(bot):
    await activate(bot.store, ALICE, "saturn")
    answer = await bot.press("list:refresh", "1")
    assert "You don't have any workspaces here yet." in words(answer)
