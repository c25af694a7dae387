"""The slash command for jobs, the same words in messages, and their help."""

import pytest

from bot.domain.snapshots import Snapshot
from bot.domain.tasks import TaskKind
from bot.providers.facets import ScheduledJob
from bot.store import snapshots, tasks
from tests.handlers.rig import one_cloud, staged, words
from tests.handlers.run_rig import run_rig
from tests.rigs.forms import JOB_OFFER
from tests.rigs.golden import check_golden
from tests.rigs.use_cases import Cloud
from tests.rigs.verbs import VERBS

bot = staged(run_rig)


async def test_help_names_every_verb_and_the_other_command(bot):
    check_golden("answers/job-help", await bot.say("job help"))
    check_golden("answers/job-help-direct", await bot.direct("job help"))
    everything = await bot.say("job help all")
    check_golden("answers/job-help-all", everything)
    listed = {verb for verb, entry in VERBS["job"].items() if f"`/job {entry.usage}`" in words(everything)}
    assert set(VERBS["job"]) - listed == {"schedule"}
    assert "For jobs, type `/job help`." in words(await bot.say("help"))
    assert "For jobs, type `job help`." in words(await bot.direct("help"))


@pytest.mark.parametrize("verb", list(VERBS["job"]))
async def test_help_on_every_verb(bot, verb):
    check_golden(f"help/job-{verb}", await bot.say(f"job help {verb}"))


async def test_a_verb_of_the_other_command_is_understood(bot):
    assert words(await bot.say("logs train.R")) == words(await bot.say("job logs train.R"))
    assert words(await bot.direct("logs train.R")) == words(await bot.direct("job logs train.R"))
    assert words(await bot.say("job whoami")) == words(await bot.say("whoami"))


class Timetables(Cloud):
    """A provider with one scheduled job; ``cron`` is as its reads have it."""

    cron: str | None = None

    def list_scheduled_jobs(self, offer):
        return (ScheduledJob("job1", "nightly", self.cron),)

    def parse_job_reference(self, text):
        return text if len(text) == 32 else None


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        pytest.param(None, "Saturn Cloud doesn't show the schedule of *nightly*.", id="not_shown"),
        pytest.param("", "*nightly* on Saturn Cloud has no schedule.", id="none"),
        pytest.param("0 3 * * *", "*nightly* on Saturn Cloud runs on the schedule `0 3 * * *`.", id="set"),
    ],
)
async def test_schedule_of_one_job_is_a_whole_sentence(cron, says):
    async with one_cloud(Timetables) as bot:
        account = (await bot.link()).account
        bot.connections["saturn"].cron = cron
        await bot.store.write(
            snapshots.save_snapshot, Snapshot("saturn", account.id, "templates", JOB_OFFER, bot.clock.now())
        )
        assert words(await bot.say("job schedule nightly")).startswith(f"{says} Type `/job schedule nightly")
        unlisted = words(await bot.say(f"job schedule {'a' * 32}"))
        assert "*job aaaaaaaa*" in unlisted


@pytest.mark.parametrize(
    ("said", "cron"),
    [
        ("job schedule nightly every night at 3am", "0 3 * * *"),
        ("job schedule nightly weekdays 18:30", "30 18 * * mon-fri"),
        ("job schedule nightly on mondays at 9:15", "15 9 * * mon"),
        ("job schedule nightly 0 3 * * 1", "0 3 * * 1"),
        ("job schedule nightly banana", ""),
        ("job schedule nightly nightly", ""),
    ],
)
async def test_schedule_is_set_by_days_and_a_time_in_words(said, cron):
    """And is none of the only workspace's hours."""
    async with one_cloud(Timetables) as bot:
        account = (await bot.link()).account
        await bot.store.write(
            snapshots.save_snapshot, Snapshot("saturn", account.id, "templates", JOB_OFFER, bot.clock.now())
        )
        said_back = words(await bot.direct(said))
        assert said_back.startswith("Setting the schedule of *nightly*" if cron else "I can't read `")
        claimed = await bot.store.claim(tasks.claim_tasks, 10, 60.0)
        crons = [task.payload["cron"] for task in claimed if task.kind is TaskKind.SCHEDULE]
        assert crons == ([cron] if cron else [])
