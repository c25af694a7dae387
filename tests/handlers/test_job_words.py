"""The slash command for jobs, the same words in messages, and their help."""

import pytest

from bot.domain.workspaces import State
from tests.handlers.rig import buttons, staged, words
from tests.handlers.run_rig import going, run_rig
from tests.rigs.golden import check_golden
from tests.rigs.verbs import VERBS

bot = staged(run_rig)


async def test_help_names_every_verb_and_the_other_command(bot):
    check_golden("answers/job-help", await bot.say("job help"))
    check_golden("answers/job-help-direct", await bot.direct("job help"))
    everything = await bot.say("job help all")
    check_golden("answers/job-help-all", everything)
    listed = {verb for verb, entry in VERBS["job"].items() if f"`/job {entry.usage}`" in words(everything)}
    assert set(VERBS["job"]) == listed
    assert "For jobs, type `/job help`." in words(await bot.say("help"))
    assert "For jobs, type `job help`." in words(await bot.direct("help"))


@pytest.mark.parametrize("verb", list(VERBS["job"]))
async def test_help_on_every_verb(bot, verb):
    check_golden(f"help/job-{verb}", await bot.say(f"job help {verb}"))


async def test_a_verb_of_the_other_command_is_understood(bot):
    assert words(await bot.say("logs train.R")) == words(await bot.say("job logs train.R"))
    assert words(await bot.direct("logs train.R")) == words(await bot.direct("job logs train.R"))
    assert words(await bot.say("job about")) == words(await bot.say("about"))


@pytest.mark.parametrize(
    "text",
    ["list jobs", "list running runs", "stop all jobs", "kill all my running jobs please"],
)
async def test_what_is_said_of_jobs_is_not_about_workspaces(bot, text):
    await bot.link(names=("lab", "gpu"), connection="hub", username="al")
    for name in ("lab", "gpu"):
        await bot.sees(State.RUNNING, name)
    await going(bot, "nightly")
    answer = await bot.direct(text)
    assert "*nightly*" in words(answer)
    assert "*lab*" not in words(answer)


@pytest.mark.parametrize(
    ("text", "pressed"),
    [
        ("job please stop nightly", "job stop nightly"),
        ("job nightly stop", "job stop nightly"),
        ("stop the nightly job", "job stop nightly"),
        ("please stop nightly", None),
    ],
)
async def test_name_of_a_run_and_a_workspace_means_the_run_where_jobs_are_meant(bot, text, pressed):
    await bot.link(names=("nightly", "lab"), connection="hub", username="al")
    await bot.sees(State.RUNNING, "nightly")
    await going(bot, "nightly")
    (button,) = buttons(await bot.say(text)).values()
    expected = (await bot.workspace("nightly")).id if pressed is None else pressed
    assert button["value"].split("@")[0] == expected


@pytest.mark.parametrize("text", ["logs of nightly", "job how is nightly doing?"])
async def test_question_about_a_run_is_answered_even_if_a_workspace_has_its_name(bot, text):
    await bot.link(names=("nightly", "lab"), connection="hub", username="al")
    await going(bot, "nightly")
    assert "Hub" not in words(await bot.say(text))
