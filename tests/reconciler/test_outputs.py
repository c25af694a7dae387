"""Output of runs in Slack: its last lines on the card, up to date, and the whole as a file, nothing twice."""

import asyncio

import pytest
from structlog.testing import capture_logs

from bot.domain.runs import OutputChunk
from bot.reconciler.streams import MAX_END_ATTEMPTS, without_secrets
from bot.services.owners import Owners
from bot.support.errors import (
    CredentialRefused,
    Forbidden,
    NotFound,
    ServerFailed,
    StoreUnavailable,
    UnknownOutcome,
    Unreachable,
)
from tests.reconciler.runs import LONG, content, end, output, said
from tests.rigs.store import ALICE, unlink, watch_run


@pytest.fixture
async def runs(runs):
    runs.cloud.job_takes = None
    runs.cloud.opens("run1")
    runs.cloud.writes("run1", LONG)
    return runs


class Elsewhere(Owners):
    """Once ``is_so`` is set, act as if another process owned everything."""

    is_so = False

    async def own_all(self, things):
        return {} if self.is_so else await super().own_all(things)


async def test_after_standing_still_a_process_sends_no_output_that_another_one_follows(runs):
    runs.world.owners = owners = Elsewhere()
    runs.world.reborn()
    run_id = await runs.begun()
    runs.cloud.writes("run1", "epoch 0\nepoch 1\nepoch 2\n")
    runs.cloud.ends("run1")
    runs.cloud.closes("run1")
    await runs.world.pass_time(1)
    owners.is_so = True
    assert (await runs.run(run_id)).is_watched
    assert await runs.world.notifier.step_outputs() == 0
    owners.is_so = False
    await end(runs, run_id)
    assert [content(message) for message in runs.slack.shared()] == ["epoch 0\nepoch 1\nepoch 2\n"]


async def test_an_output_that_another_process_follows_is_not_read_here(runs):
    runs.world.owners = owners = Elsewhere()
    runs.world.reborn()
    owners.is_so = True
    run_id = await runs.begun()
    runs.cloud.writes("run1", "epoch 0\n")
    await runs.world.pass_time(5)
    assert runs.cloud.outputs["run1"].begun == 0
    owners.is_so = False
    await runs.world.pass_time(15)
    assert "epoch 0" in said(output(runs, run_id))


async def test_a_token_in_two_pieces_is_found_whatever_the_other_stream_says_between():
    async def written():
        for stream, text in (
            ("stdout", "so c0ffee00"),
            ("stderr", "careful\n"),
            ("stdout", "c0ffee00 it is\n"),
        ):
            yield OutputChunk(stream, text)

    shown = [chunk async for chunk in without_secrets(written(), ["c0ffee00c0ffee00"])]
    assert "".join(chunk.text for chunk in shown if chunk.stream == "stdout") == "so … it is\n"
    assert "".join(chunk.text for chunk in shown if chunk.stream == "stderr") == "careful\n"


async def test_a_program_that_prints_the_token_shows_it_to_nobody(runs):
    token = "c0ffee00c0ffee00c0ffee00"
    await runs.world.link(token=token)
    await runs.world.know()
    run_id = await runs.begun()
    # The token comes once in one piece, and once split over two pieces of the stream.
    runs.cloud.writes("run1", f"export TOKEN={token}\nusing c0ffee00c0f")
    await runs.world.pass_time(3)
    runs.cloud.writes("run1", "fee00c0ffee00 now\n")
    runs.cloud.writes("run1", "and c0ffee00 is none\n", "stderr")
    await runs.world.pass_time(15)
    told = said(output(runs, run_id))
    assert "export TOKEN=…\\nusing … now\\n! and c0ffee00 is none" in told
    await end(runs, run_id)
    assert not any(token in content(message) for message in runs.in_thread(run_id))


async def test_the_end_tells_the_last_lines(runs):
    run_id = await runs.begun()
    runs.cloud.writes("run1", "".join(f"line {number}\n" for number in range(20)))
    await runs.world.pass_time(5)
    runs.cloud.ends("run1", 1)
    for _ in range(20):
        await runs.world.pass_time(1)
        if not (await runs.run(run_id)).is_open:
            break
    # The run's last output arrives while the notice waits a moment for it.
    runs.cloud.writes("run1", "Error in f(x)\n", "stderr")
    await end(runs, run_id)
    told = said(runs.message(f"{run_id}/job_ended/end"))
    assert "! Error in f(x)" in told
    assert "line 19" in told
    assert "line 14" not in told


async def test_a_run_that_nobody_watches_has_no_stream_until_somebody_asks(runs):
    run_id = await runs.runs(is_watched=False)
    runs.cloud.writes("run1", "quiet\n")
    runs.cloud.closes("run1")
    await runs.world.pass_time(10)
    runs.cloud.ends("run1")
    await runs.until_over(run_id)
    assert runs.cloud.outputs["run1"].begun == 0
    assert runs.slack.sent_kinds() == ["job_card", "job_ended"]
    for times in (1, 2):
        # The output is sent each time that somebody asks for it.
        await watch_run(runs.store, run_id)
        await runs.world.pass_time(10)
        assert [content(message) for message in runs.slack.shared()] == ["quiet\n"] * times


async def test_who_asks_for_an_output_that_there_is_none_of_is_told_so(runs):
    runs.cloud.outputs["run1"].chunks.clear()
    run_id = await runs.begun(is_watched=False)
    runs.cloud.closes("run1")
    runs.cloud.ends("run1")
    await runs.until_over(run_id)
    for times in (1, 2):
        await watch_run(runs.store, run_id)
        await runs.world.pass_time(10)
        told = runs.told(run_id, "job_problem")
        assert len(told) == times
        assert "wrote no output" in said(told[-1])


async def test_a_stream_that_does_not_end_with_its_run_is_taken_to_have_ended(runs):
    run_id = await runs.begun()
    runs.cloud.writes("run1", "all of it\n")
    runs.cloud.ends("run1")
    await runs.world.pass_time(120)
    assert [content(message) for message in runs.slack.shared()] == ["all of it\n"]
    assert runs.cloud.outputs["run1"].open == 0
    assert not (await runs.run(run_id)).is_watched


@pytest.mark.parametrize(
    "error",
    [UnknownOutcome("the connection broke"), ServerFailed("502"), NotFound("not yet"), Forbidden("no")],
)
async def test_a_cut_stream_begins_anew_without_repeating_or_losing_anything(runs, error):
    run_id = await runs.runs()
    for number in range(8):
        runs.cloud.writes("run1", f"line {number}\n", "stderr" if number % 3 == 0 else "stdout")
    for after in (0, 3, 5):
        runs.cloud.cut("run1", after, error)
    await runs.world.pass_time(60)
    assert runs.cloud.outputs["run1"].begun == 4
    await end(runs, run_id)
    (file,) = runs.slack.shared()
    assert content(file) == "".join(f"{'! ' if n % 3 == 0 else ''}line {n}\n" for n in range(8))


async def test_what_is_written_after_a_streams_early_end_is_not_lost(runs):
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "early\n")
    runs.cloud.closes("run1")
    await runs.world.pass_time(1)
    runs.cloud.writes("run1", "late\n")
    await end(runs, run_id)
    assert content(runs.slack.shared()[0]) == "early\nlate\n"


async def test_what_is_written_after_the_stream_in_which_the_run_ended_is_not_lost(runs):
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "early\n")
    runs.cloud.ends("run1")
    while (await runs.run(run_id)).is_open:
        await runs.world.pass_time(1)
    runs.cloud.closes("run1")
    for _ in range(20):
        # The open stream ends, and no new one is begun.
        await asyncio.sleep(0)
    assert runs.cloud.outputs["run1"].open == 0
    runs.cloud.writes("run1", "late\n")
    await end(runs, run_id)
    assert content(runs.slack.shared()[0]) == "early\nlate\n"


async def test_an_output_that_cannot_be_read_any_more_ends_with_a_sentence(runs):
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "something\n")
    await runs.world.pass_time(3)
    runs.cloud.fail("run_output", Forbidden("the output is gone"), times=1_000)
    await end(runs, run_id, seconds=90)
    text = content(runs.slack.shared()[0])
    assert text.startswith("something\n[Usher: the output couldn't be read completely. ")
    assert "the output is gone" in text


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        pytest.param(ValueError("a bug"), ("stream failed", "error"), id="bug"),
        pytest.param(StoreUnavailable("away"), ("stream not written", "warning"), id="no-database"),
    ],
)
async def test_an_error_of_ours_within_a_stream_is_no_end_of_it(runs, error, logged):
    """Only programming errors have a traceback and a reference in the log."""
    run_id = await runs.runs()
    runs.cloud.writes("run1", "one\n")
    runs.cloud.cut("run1", 0, error)
    with capture_logs() as logs:
        await runs.world.pass_time(20)
    assert "one" in said(output(runs, run_id))
    (line,) = [line for line in logs if line["event"].startswith("stream ")]
    assert (line["event"], line["log_level"]) == logged
    assert ("reference" in line) is (line["log_level"] == "error")


async def test_output_waits_for_the_database_after_the_end_of_its_run(runs):
    """While output is read to its end, only the provider's failures count against it."""
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "one\n")
    runs.cloud.fail("run_output", StoreUnavailable("away"), times=MAX_END_ATTEMPTS + 5)
    await end(runs, run_id)
    assert content(runs.slack.shared()[0]) == "one\n"


async def test_an_output_whose_credential_was_refused_once_goes_on(runs):
    run_id = await runs.runs()
    runs.cloud.cut("run1", 0, CredentialRefused("no", status=401))
    await runs.world.pass_time(10)
    runs.cloud.writes("run1", "later\n")
    await runs.world.pass_time(40)
    assert "later" in said(output(runs, run_id))
    assert "sign_in_refused" not in runs.slack.kinds()


async def test_an_unlink_ends_the_stream(runs):
    await runs.begun()
    assert runs.cloud.outputs["run1"].open == 1
    await unlink(runs.store, ALICE, "cloud")
    await runs.world.pass_time(2)
    assert runs.cloud.outputs["run1"].open == 0
    assert runs.world.board.entries == {}


async def test_an_output_without_an_end_is_cut_and_says_so(runs):
    runs.cloud.outputs["run1"].chunks.clear()
    run_id = await runs.begun(3)
    runs.world.board.entries[run_id].transcript.spool._cap = 100
    runs.cloud.writes("run1", "x" * 90 + "\n")
    runs.cloud.writes("run1", "y" * 90 + "\n")
    await runs.world.pass_time(5)
    await end(runs, run_id)
    text = content(runs.slack.shared()[0])
    assert text.startswith("x" * 90 + "\nyyyy")
    assert "[Usher: there was no room to keep more" in text
    assert len(text) < 200


async def test_a_message_that_was_deleted_is_left_alone_and_the_file_comes(runs):
    run_id = await runs.begun(3)
    runs.cloud.writes("run1", "one\n")
    await runs.world.pass_time(3)
    runs.slack.messages.remove(output(runs, run_id))
    updates = runs.slack.count("chat.update")
    for _ in range(5):
        runs.cloud.writes("run1", "more\n")
        await runs.world.pass_time(5)
    assert runs.slack.count("chat.update") - updates <= 2
    await end(runs, run_id, seconds=200)
    assert content(runs.slack.shared()[0]) == "one\n" + "more\n" * 5


# -- many ----------------------------------------------------------------------------------------------------


async def test_many_streams_take_turns(runs):
    runs.world.streams_at_once = 5
    runs.world.reborn()
    for number in range(1, 9):
        await runs.runs(name=f"job {number}")
        runs.cloud.opens(f"run{number}")
        runs.cloud.writes(f"run{number}", "x\n")
    await runs.world.pass_time(40, step=2)
    assert sum(each.open for each in runs.cloud.outputs.values()) == 5
    for number in range(1, 4):
        runs.cloud.ends(f"run{number}")
        runs.cloud.closes(f"run{number}")
    await runs.world.pass_time(40, step=2)
    assert all(runs.cloud.outputs[f"run{number}"].open == 1 for number in range(4, 9))


async def test_a_connection_that_is_away_is_not_asked_for_streams(runs):
    await runs.runs()
    runs.cloud.fail("run_output", Unreachable("no connection"), times=1_000)
    await runs.world.pass_time(120)
    assert runs.cloud.outputs["run1"].begun <= 20
