"""Scheduling words after `run`: the job isn't run, and the answer names the provider's page for schedules."""

import pytest

from bot.domain.forms import Choice, Field, Form
from bot.store import runs
from tests.handlers.rig import buttons, words
from tests.handlers.run_rig import launch, run_rig
from tests.handlers.test_job_run import NamedJobs
from tests.rigs.store import ALICE

SCHEDULES = (
    *("every day at 6am", "daily 3:00", "weekdays 7:30", "mon,wed 8:30", "every 2 hours", "tomorrow 9:00"),
    *("at 6am", "in 2 hours", "0 3 * * *", '"0 3 * * *"', "@daily"),
)


class SetUpJobs(NamedJobs):
    """A provider with jobs that are set up; the name of one contains scheduling words."""

    def form(self, *_: object) -> Form:
        names = ("nightly-report", "report every day")
        return Form((Field("template", "Job", "choice", tuple(Choice(one, one) for one in names)),))


async def count_runs(bot) -> int:
    return len(await bot.store.read(runs.list_runs, ALICE))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("name", ["nightly-report", "posit nightly-report"])
async def test_schedule_after_a_name_runs_nothing(name, schedule):
    async with run_rig() as bot:
        await launch(bot, "nightly-report")
        answer = await bot.say(f"job run {name} {schedule}")
        assert await count_runs(bot) == 1
        assert "I only run jobs right away, so I haven't run *nightly-report*." in words(answer)
        assert "<https://app.example.test/|Posit Workbench>" in words(answer)
        assert not buttons(answer)


@pytest.mark.parametrize(
    "text", ["run nightly-report every day at 6am", "please run nightly-report weekdays 7:30"]
)
async def test_sentence_with_a_schedule_runs_nothing(text):
    async with run_rig() as bot:
        await launch(bot, "nightly-report")
        answer = await bot.direct(text)
        assert "I only run jobs right away, so I haven't run *nightly-report*." in words(answer)
        assert await count_runs(bot) == 1


async def test_schedule_after_a_job_that_is_set_up_runs_nothing():
    async with run_rig(kind=SetUpJobs) as bot:
        for typed in ("nightly-report every day at 6am", "posit nightly-report every day at 6am"):
            assert "I haven't run *nightly-report*" in words(await bot.say(f"job run {typed}"))
        assert await count_runs(bot) == 0


async def test_name_with_words_of_a_schedule_runs():
    async with run_rig(kind=SetUpJobs) as bot:
        await bot.say("job run report every day")
        await bot.say("job run posit report every day")
        assert await count_runs(bot) == 2


async def test_name_of_an_earlier_run_with_words_of_a_schedule_runs():
    async with run_rig() as bot:
        await launch(bot, "etl daily")
        said = words(await bot.say("job run etl daily"))
        assert "right away" not in said


@pytest.mark.parametrize(
    "typed", ["posit nightly", "posit nightly build", "posit weekly", "--name x -- echo every day at 6am"]
)
async def test_other_words_are_not_refused(typed):
    async with run_rig() as bot:
        assert "right away" not in words(await bot.say(f"job run {typed}", trigger_id="t"))


async def test_schedule_names_each_page_where_the_job_may_be():
    async with run_rig("saturn") as bot:
        for place in ("posit", "saturn"):
            await launch(bot, "etl", connection=place)
        said = words(await bot.say("job run etl every day at 6am"))
        assert "|Posit Workbench>" in said
        assert "|Saturn>" in said
