"""Messages and files with output: searched for if unconfirmed, never sent twice, and losses reported."""

import pytest

from bot.store import notices
from bot.support.errors import (
    SlackFailed,
    SlackPermanent,
    SlackUnknownOutcome,
)
from tests.reconciler.runs import LONG, content, end, output, said

COMPLETE = "files.completeUploadExternal"
GET_URL = "files.getUploadURLExternal"


@pytest.fixture
async def runs(runs):
    runs.cloud.job_takes = None
    runs.cloud.opens("run1")
    runs.cloud.writes("run1", LONG)
    return runs


@pytest.mark.parametrize("after", [True, False])
async def test_a_file_of_unknown_outcome_is_looked_for_before_it_is_shared_again(runs, after):
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "one\n")
    runs.slack.fail(COMPLETE, SlackUnknownOutcome(COMPLETE, "no_answer"), after=after)
    await end(runs, run_id)
    assert [content(message) for message in runs.slack.shared()] == ["one\n"]
    assert runs.slack.count(COMPLETE) == (1 if after else 2)
    assert runs.slack.count(GET_URL) == 1


@pytest.mark.parametrize("method", [GET_URL, "upload_url"])
async def test_what_nobody_sees_yet_is_simply_done_again(runs, method):
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "one\n")
    runs.slack.fail(method, SlackUnknownOutcome(method, "no_answer"), times=2)
    await end(runs, run_id)
    assert [content(message) for message in runs.slack.shared()] == ["one\n"]


async def test_a_kill_between_the_upload_and_its_completion_shares_it_once(runs):
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "one\n")
    runs.slack.fail(COMPLETE, SlackFailed(COMPLETE, "unreachable"))
    runs.cloud.ends("run1")
    runs.cloud.closes("run1")
    while not runs.slack.count(COMPLETE):
        await runs.world.pass_time(1)
    runs.world.reborn()
    await runs.world.pass_time(30)
    assert [content(message) for message in runs.slack.shared()] == ["one\n"]
    assert not (await runs.run(run_id)).is_watched


@pytest.mark.parametrize(
    ("code", "words"), [("missing_scope", "files:write"), ("file_uploads_disabled", "didn't accept")]
)
async def test_where_no_file_may_be_sent_its_person_is_told_once(runs, code, words):
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "one\n")
    runs.slack.fail(GET_URL, SlackPermanent(GET_URL, code), times=100)
    await end(runs, run_id)
    (told,) = runs.told(run_id, "job_problem")
    assert words in said(told)
    assert runs.slack.count(GET_URL) == 1


async def test_a_slack_that_never_takes_the_bytes_is_given_up_and_told(runs):
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "one\n")
    runs.slack.fail("upload_url", SlackFailed("upload_url", "status_500"), times=100)
    runs.cloud.ends("run1")
    runs.cloud.closes("run1")
    await runs.world.pass_time(2_400, step=5)
    (told,) = runs.told(run_id, "job_problem")
    assert "didn't accept" in said(told)
    assert not (await runs.run(run_id)).is_watched


async def test_without_its_card_output_stands_below_the_end(runs):
    run_id = await runs.begun(3)
    card = runs.message(f"{run_id}/job_card/1")
    await runs.store.write(notices.queue_lost_card, run_id)
    runs.cloud.writes("run1", "one\n")
    await end(runs, run_id, seconds=200)
    (file,) = runs.slack.shared()
    (ended,) = [one for one in runs.slack.messages if "/job_ended/" in str(one.get("metadata"))]
    assert (file["channel"], file.get("thread_ts")) == (card["channel"], ended["ts"])


async def test_a_thread_that_slack_refuses_is_left(runs):
    run_id = await runs.begun(3)
    error = SlackPermanent("chat.postMessage", "thread_not_found")
    runs.slack.fail("chat.postMessage", error)
    runs.cloud.writes("run1", "one\n")
    await runs.world.pass_time(5)
    assert output(runs, run_id).get("thread_ts") is None
