"""Texts awaited by other programs (chaos runs, benchmarks, demo, pictures) still match the bot's messages."""

from collections import defaultdict

import pytest

from benchmarks import starts
from benchmarks.chaos.crowd import ACCEPTED, HOURS, JOINED, RUNS
from bot.messages.texts import courses as courses_texts
from bot.messages.texts import notices, times
from playground.demo import lesson, story
from tools import pictures

#: Whether each of two equal commands joins an operation: the second joins the first's.
TWICE = [False, True]


@pytest.fixture
def says(cloud):
    """Type a command, and return the answer as the local Slack reports it."""

    async def typed(words, command="/workspace"):
        said = await cloud.slack.say(cloud.alice.id, "C0GENERAL", f"{command} {words}")
        return said["text"]

    return typed


async def test_the_crowd_of_chaos_knows_every_accepted_operation_and_which_one_was_joined(cloud, says):
    for verb in ("start", "stop", "restart"):
        answers = [await says(f"{verb} notebook") for _ in TWICE]
        assert [bool(ACCEPTED.search(one)) for one in answers] == [True, True], answers
        assert [bool(JOINED.search(one)) for one in answers] == TWICE, answers
    # Commands for workspaces that are running, being stopped, or about to be started.
    await cloud.pass_time(60)
    for words in ("start notebook", "stop notebook", "stop notebook", "start notebook", "start training"):
        assert ACCEPTED.search(said := await says(words)), said
        await cloud.settle()
    for said in ("status report", "list", "start nothing"):
        assert not ACCEPTED.search(await says(said)), said


async def test_who_waits_for_what_becomes_of_it_knows_it_too(cloud, says):
    alice = cloud.alice
    assert starts.TAKEN.decode() in await says("start training")
    await cloud.pass_time(20)
    ready = alice.only("ready")
    assert story.tells(ready.json, "training", story.READY)
    assert lesson.READY.search(ready.short)
    assert pictures.READY in ready.short
    for said in ("hours training every day 9:00-10:00", "hours report every day -10:00"):
        assert HOURS.search(await says(said))
    assert pictures.PLANNED in await says(pictures.STOP)
    await says("stop training")
    await cloud.pass_time(40)
    assert story.tells(alice.only("stopped").json, "training", story.STOPPED)
    # Before the first run, Usher has to read which jobs there are.
    await says("run saturn nightly", "/job")
    await cloud.pass_time(100)
    assert story.DONE.search(alice.only("job_ended").short)
    assert RUNS.search(said := await says("run saturn nightly", "/job")), said


def test_so_does_who_waits_for_several_or_for_what_ends_for_good():
    assert story.tells(
        {"text": notices.ENDED.format(name="lesson", title="Courses")}, "lesson", story.STOPPED
    )
    everybody = defaultdict(lambda: "2")
    assert pictures.CLASS_READY in courses_texts.READY_COUNT.format_map(everybody)
    people = defaultdict(lambda: times.format_count(2, "person has", "people have"))
    assert pictures.COURSE_JOINED in courses_texts.JOINED_COUNT.format_map(people)
