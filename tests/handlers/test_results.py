"""Commands about a job by its name: ``status`` shows how the last run ended, and ``run`` runs it again."""

from bot.domain.runs import RunState
from bot.store import runs
from tests.handlers.rig import buttons, staged, words
from tests.handlers.run_rig import going, launch, over, run_rig
from tests.rigs.store import ALICE

bot = staged(run_rig)


async def test_a_result_has_the_exit_code_and_the_button_for_all_of_the_output(bot):
    await over(bot, "nightly", RunState.FAILED, 3)
    await over(bot, "weekly")
    told = await bot.direct("job status nightly")
    assert "*nightly* on Posit Workbench failed after 1 min 5 s, exit code 3." in words(told)
    assert list(buttons(told)) == ["Logs", "Run again"]
    assert "*weekly* on Posit Workbench is done" in words(await bot.direct("job status weekly"))
    await going(bot, "nightly")
    assert "Running since" in words(await bot.direct("job status nightly"))


async def test_a_name_runs_what_ran_before_once_more(bot):
    await over(bot, "nightly")
    assert (await bot.direct("job run nightly")).text == ""
    names = [run.name for run in await bot.store.read(runs.list_runs, ALICE)]
    assert names == ["nightly", "nightly"]
    again = await bot.direct("job run Nightly")
    assert "A run of *nightly* is already in progress, so I haven't started another." in words(again)
    assert len(await bot.store.read(runs.list_runs, ALICE)) == 2
    await bot.push(again, "Run nightly again")
    assert len(await bot.store.read(runs.list_runs, ALICE)) == 3


async def test_nothing_runs_by_a_name_that_is_only_like_one(bot):
    await over(bot, "nightly")
    await launch(bot, "weekly")
    assert buttons(await bot.direct("job run nightl"))
    assert len(await bot.store.read(runs.list_runs, ALICE)) == 2
