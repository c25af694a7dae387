"""Sentences that were misread once: what becomes of them, and which buttons they get."""

import pytest

from bot.domain.runs import RunState
from bot.domain.workspaces import State
from tests.features.sentences.database_changes import became
from tests.handlers.rig import buttons, rig, words
from tests.handlers.run_rig import over, run_rig
from tests.rigs.store import ALICE, linked

WEEKDAYS = "fri,mon,thu,tue,wed"


@pytest.fixture
async def bot():
    async with rig() as made:
        await made.link(names=("gpu-train", "churn-model", "dashboard"), state=State.STOPPED)
        await made.link(names=("report", "survey-2026"), state=State.RUNNING)
        yield made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # it corrects itself
        ("stop report in an hour and a half, no make it two and a half", ["report off in 2:30"]),
        ("stop report at 6pm, sorry, 7pm", ["report off in 11:00"]),
        ("stop report at 5, no 6, no 7", ["report off in 11:00"]),
        ("stop report at 5, no wait, make it 6", ["report off in 10:00"]),
        ("stop report at 5pm, no 6pm, sorry, survey-2026", ["survey-2026 off in 10:00"]),
        ("stop report. no wait, survey-2026", ["stop survey-2026"]),
        ("start dashboard, actually churn-model", ["start churn-model"]),
        # names as people say them, and new ones
        ("stop survey 2026", ["stop survey-2026"]),
        ('call churn-model just "churn" from now on', ["churn-model is churn"]),
        ("rename report to weekly-report", ["report is weekly-report"]),
        # days that are left out
        (
            "start report every weekday at 9 and stop it at 5pm, but not on fridays",
            ["mon,thu,tue,wed 540-1020"],
        ),
        ("keep report on weekdays 9-17 ohne mittwoch", ["fri,mon,thu,tue 540-1020"]),
        # courtesy
        ("when you get a chance stop report", ["stop report"]),
        ("stop report if you don't mind", ["stop report"]),
        ("mach mal report aus", ["stop report"]),
        ("schalte dashboard ein", ["start dashboard"]),
        ("stoppe report bitte um 18 Uhr", ["report off in 10:00"]),
    ],
)
async def test_what_is_clear_is_done(bot, text, found):
    answer = await bot.talk(text)
    assert await became(bot) == found, words(answer) if answer.text else ""


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("start whatever is stopped but not dashboard", ["Start 2 workspaces"]),
        # Of two times, none is the one for all.
        ("everything off at 6pm but survey-2026 at 9pm", ["Show my workspaces"]),
        ("start churn and dashboard", ["Start 2 workspaces"]),
        ("another 3 hrs", ["Keep report running for 3 h more", "Keep survey-2026 running for 3 h more"]),
        ("keep report on for another 3 hours", ["Keep report running until 11:00 UTC"]),
        ("report off @ 2030", ["Stop report at 20:30 UTC"]),
        ("stop the stop of report", []),
        (
            "tomorrow at 8 churn-model and dashboard should start",
            ["Start churn-model 16 Jan at 08:00", "Start dashboard 16 Jan at 08:00"],
        ),
        (
            "please to make ready the dashboard for tomorrow at 7am",
            ["Start dashboard 16 Jan at 07:00", "When is dashboard done?"],
        ),
        ("feierabend für alle kisten um 18 uhr", ["Stop 2 workspaces at 18:00 UTC"]),
        ("extend everything till 18:00", ["Keep 2 workspaces running until 18:00 UTC"]),
        ("lunch tomorrow 12 to 1, no need for report then", []),
        ("stop priyas workspace, she left it on", []),
        ("i need a gpu", ["Start churn-model", "Start dashboard"]),
        ("off: report. on: dashboard. survey stays", ["Show dashboard"]),
        ("start dashboard please, but only tomorrow at 8:30", ["Start dashboard 16 Jan at 08:30"]),
        (
            "remove churn-model and dashboard, dont need them anymore",
            ["Remove churn-model", "Remove dashboard"],
        ),
        ("stop the training machine, not the report one", ["Stop gpu-train"]),
        ("how do i delete a workspace", []),
        ("delete dashboard. actually just hide it", ["Take dashboard off my list"]),
        ("report noch zwei stündchen laufen lassen", ["Stop report at 10:00 UTC"]),
        ("I won't need report today, but tomorrow at 9 I do", []),
        # It runs, and may be down at nine.
        ("could you please start report at 9, my team loves it", ["Start report 15 Jan at 09:00"]),
        ("start report at 9 tomorrow, my team loves it", ["Start report 16 Jan at 09:00"]),
        # what stands beside it says nothing about it
        ("pls stop report, back on monday", ["Stop report"]),
        ("stop report, i am on leave from tomorrow", ["Stop report"]),
        ("it's weekend, stop everything :tada:", ["Stop 2 workspaces"]),
        ("start dashboard now and stop it at 5, i'm on duty today", ["Start dashboard until 17:00 UTC"]),
    ],
)
async def test_what_is_not_is_offered_as_it_was_meant(bot, text, labels):
    answer = await bot.talk(text)
    assert await became(bot) == []
    assert [one for one in buttons(answer) if "Start" in one or "Stop" in one or len(one) > 12][:2] == labels


@pytest.mark.parametrize(
    ("first", "then", "found"),
    [
        ("stop everything", "not report tho", []),
        ("stop report and survey-2026", "oops only meant report", ["stop report"]),
        ("stop everything", "no not report!", []),
        ("stop it", "report of course", ["stop report"]),
        (
            "stop survey-2026 at 6pm",
            "und report gleich mit",
            ["report off in 10:00", "survey-2026 off in 10:00"],
        ),
    ],
)
async def test_what_follows_goes_on_with_it(bot, first, then, found):
    await bot.talk(first, then)
    assert sorted(await became(bot)) == sorted(found)


@pytest.mark.parametrize("sign", [":thumbsup:", ":+1:", "👍", ":white_check_mark:"])
async def test_sign_that_agrees_is_a_yes(bot, sign):
    await bot.talk("please could you stop reprt", sign)
    assert await became(bot) == ["stop report"]


@pytest.mark.parametrize("sign", ["?", "???", ":thumbsdown:", ":wave: :eyes:", "🤔", "..."])
async def test_other_signs_say_nothing(bot, sign):
    assert (await bot.talk("please could you stop reprt", sign)).text == ""
    assert await became(bot) == []
    assert "`/workspace list`" in words(await bot.say(sign))


async def test_one_day_without_hours_is_skipped_once(bot):
    answer = await bot.talk("start report every weekday at 9 and stop it at 5pm", "but not this thursday")
    assert await became(bot) == [f"{WEEKDAYS} 540-1020"]
    assert "No working hours on 21 Jan" in words(answer)


async def test_a_schedule_is_a_workspaces_hours(bot):
    await bot.talk("hours report weekdays 9:00-17:00", "remove the schedule from report")
    assert await became(bot) == []


async def test_an_hour_that_would_be_at_night_is_asked_about(bot):
    bot.clock.advance(8 * 3600)
    answer = await bot.talk("stop report at 3")
    assert list(buttons(answer)) == ["Stop report tomorrow 03:00", "Stop report tomorrow 15:00"]
    assert await became(bot) == []


@pytest.mark.parametrize("token", ["tok_live_FAKE00abc123def", "acme_secret_9a8b7c6d5e"])
async def test_a_token_of_anything_is_noticed_in_a_question(bot, token):
    answer = await bot.talk(f"{token} is this what u need?")
    assert "looks like a token" in words(answer)
    assert token not in words(answer)


async def test_jobs_are_called_again_by_what_people_say():
    async with run_rig() as bot:
        await over(bot, "etl-nightly", RunState.FAILED, 1)
        await linked(bot.store, ALICE, ("churn-model",), connection="hub")
        assert list(buttons(await bot.talk("rerun etl nightly"))) == ["Run etl-nightly again"]
        assert not [one for one in buttons(await bot.talk("run the churn scoring job")) if "churn" in one]
        assert "*etl-nightly*" in words(await bot.talk("job status etl-nightly", "how's it going?"))


@pytest.mark.parametrize("text", ["etl-nightly off", "off etl-nightly", "etl-nightly aus"])
async def test_off_beside_a_job_offers_no_run(text):
    async with run_rig() as bot:
        await over(bot, "etl-nightly", RunState.FAILED, 1)
        assert not [label for label in buttons(await bot.talk(text)) if "Run" in label]
