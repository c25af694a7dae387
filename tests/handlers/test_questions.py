"""Buttons of questions that only the person can answer, and of runs that have been waiting for long."""

from dataclasses import replace

import pytest

from bot.domain.forms import Spec
from bot.domain.operations import OperationVerb
from bot.domain.steps import Update
from bot.domain.work_items import Call
from bot.services.operation_requests import create_workspace
from bot.store import accounts, operations, runs
from tests.handlers.rig import COLLEAGUE, buttons, staged, words
from tests.handlers.run_rig import going, launch, run_rig, step
from tests.rigs.store import ALICE, refuse

bot = staged(run_rig)


async def asked_run(bot):
    run = await launch(bot)
    lost = Update(run.id, 60.0, start_call=Call.UNKNOWN, called=True, asked=True)
    assert await bot.store.write(runs.save_run_step, lost)
    return await bot.store.read(runs.find_run, run.id)


async def asked_creation(bot):
    caller = replace(bot.services.create_caller(ALICE, "make"), reference="REF-2")
    accepted = await caller.run(create_workspace, "posit", Spec("lab"))
    lost = Update(accepted.operation.id, 60.0, start_call=Call.UNKNOWN, called=True, asked=True)
    assert accepted.operation.verb is OperationVerb.CREATE
    assert await bot.store.write(operations.save_step, lost)
    return accepted.operation


async def test_start_another_launches_once_more_and_once_only(bot):
    run = await asked_run(bot)
    assert "Starting another run of *train.R*" in words(await bot.press("job_start_another", run.id))
    launched = await bot.store.read(runs.find_run, run.id)
    assert (launched.start_call, launched.question_since) == (Call.NONE, None)
    assert "question is closed" in words(await bot.press("job_start_another", run.id))
    (entry,) = [entry for entry in await bot.audit() if entry["action"] == "job.start_another"]
    assert entry["actor"] == ALICE.key


async def test_start_another_makes_once_more_and_once_only(bot):
    operation = await asked_creation(bot)
    assert "Starting another workspace like *lab*" in words(await bot.press("start_another", operation.id))
    again = await bot.store.read(operations.find_operation, operation.id)
    assert (again.start_call, again.question_since) == (Call.NONE, None)
    assert "question is closed" in words(await bot.press("start_another", operation.id))


async def test_look_again_looks_at_once(bot):
    run, operation = await asked_run(bot), await asked_creation(bot)
    assert "Looking for *train.R*" in words(await bot.press("job_look_again", run.id))
    assert "Looking for *lab*" in words(await bot.press("look_again", operation.id))
    assert (await bot.store.read(runs.find_run, run.id)).next_step_at <= bot.clock.now()
    assert (await bot.store.read(operations.find_operation, operation.id)).next_step_at <= bot.clock.now()


@pytest.mark.parametrize("action", ["start_another", "job_start_another"])
async def test_whose_link_is_not_accepted_is_offered_a_new_one_whatever_was_pressed(bot, action):
    asked = await (asked_run if action.startswith("job_") else asked_creation)(bot)
    account = await bot.store.read(accounts.find_account, ALICE, "posit")
    await refuse(bot.store, account)
    answer = await bot.press(action, asked.id)
    assert list(buttons(answer)) == ["Link again", "Enter code"]


OF_RUNS = ("start_another", "look_again", "let_go", "keep_waiting", "stop", "force", "logs", "status")


@pytest.mark.parametrize("action", [*OF_RUNS, "refresh", "again"])
async def test_another_persons_run_is_as_unknown_as_none(bot, action):
    run = await asked_run(bot)
    stolen, nothing = [await bot.press(f"job_{action}", one, COLLEAGUE) for one in (run.id, "job_none")]
    assert words(stolen) == words(nothing)
    assert words(stolen).startswith("I can't find that run on your list.")
    assert (await bot.audit())[-1]["result"] == "refused"
    assert await bot.store.read(runs.find_run, run.id) == run


async def test_a_run_that_waits_is_let_go_or_waited_for(bot):
    waiting, seen = await launch(bot, "one"), await going(bot, "two")
    assert "I'll keep checking on *one*" in words(await bot.press("job_keep_waiting", waiting.id))
    assert (await bot.store.read(runs.find_run, waiting.id)).deadline_at == bot.clock.now() + 1800
    assert "cancelled *one*" in words(await bot.press("job_let_go", waiting.id))
    assert (await bot.store.read(runs.find_run, waiting.id)).outcome == "cancelled"
    assert "stopped following *two*" in words(await bot.press("job_let_go", seen.id))
    # The call is in progress, so it isn't known whether the run was launched.
    sent = await step(bot, await launch(bot, "three"), start_call=Call.CALLING)
    assert "stopped following *three*" in words(await bot.press("job_let_go", sent.id))
    for run in (await bot.store.read(runs.find_run, seen.id), await bot.store.read(runs.find_run, sent.id)):
        assert (run.outcome, run.cause) == ("failed", "let_go")
    assert "has already ended" in words(await bot.press("job_let_go", seen.id))
    assert "has already ended" in words(await bot.press("job_keep_waiting", seen.id))
