"""Jobs at Saturn Cloud, used from Slack: run by name, followed to their end, stopped, and scheduled."""

import pytest

from bot.services.snapshots import request_templates
from bot.store import accounts, runs
from tests.rigs.scenario.cloud import cloud_world


async def job(world, text):
    return await world.alice.types(text, command="/job")


def starts(world, name="nightly"):
    return world.calls(f"POST /api/jobs/{world.job(name).id}/start")


async def test_a_run_by_name_is_followed_to_its_end_with_its_output(cloud):
    alice = cloud.alice
    asked = await job(cloud, "run saturn nightly")
    assert "Checking what Saturn Cloud offers. I'll run it right after." in asked.text
    assert starts(cloud) == 1
    await cloud.pass_time(12, step=2)
    await cloud.until(lambda: alice.told("job_ended"), step=2.0)
    ended = alice.only("job_ended")
    assert "*nightly* on Saturn Cloud is done after 6 s." in ended.text
    page = f"{cloud.saturn_url}/dash/resources/job/{cloud.job('nightly').id}"
    for shown in (ended, await job(cloud, "status nightly")):
        assert shown.address("View on Saturn Cloud") == page

    def output():
        """Return the output from the file that follows the message or, if there is none, from the message."""
        return cloud.file_of(alice) if cloud.slack.files(alice.id) else alice.only("job_ended").text

    await cloud.until(lambda: "Starting papermill report.ipynb" in output(), step=2.0)
    assert output().count("Scheduling") == 1
    assert bool(cloud.thread(alice, "nightly")) == bool(cloud.slack.files(alice.id))
    assert "nightly" in (await job(cloud, "list")).text


async def test_a_job_needs_no_connection_where_only_one_has_it(cloud):
    asked = await job(cloud, "run nightly")
    assert "Checking what Saturn Cloud offers. I'll run it right after." in asked.text
    await cloud.pass_time(5)
    assert starts(cloud) == 1
    # A second run next to the first is only offered.
    again = await job(cloud, "run nightly")
    assert "A run of *nightly* is already in progress" in again.text
    assert starts(cloud) == 1
    await cloud.alice.presses(again, "Run nightly again")
    await cloud.pass_time(5)
    assert starts(cloud) == 2


async def test_a_run_that_fails_tells_its_exit_code(cloud):
    await job(cloud, "run saturn failing")
    await cloud.until(lambda: cloud.alice.told("job_ended"), step=2.0)
    assert "*failing* on Saturn Cloud failed after 6 s, exit code 3." in cloud.alice.only("job_ended").text
    # The message contains the whole output, so no file is sent.
    assert "Starting python import.py" in cloud.alice.only("job_ended").text
    await cloud.pass_time(60, step=5)
    assert cloud.slack.files(cloud.alice.id) == []
    for asked in ("result", "result failing"):
        told = await job(cloud, asked)
        assert "*failing* on Saturn Cloud failed after 6 s, exit code 3." in told.text
        assert told.labels[:2] == ["Logs", "Run again"]
    # Usher doesn't store the output, so it reads it again.
    await cloud.alice.presses(told, "Logs")
    await cloud.until(lambda: cloud.slack.files(cloud.alice.id), step=2.0)


async def test_a_link_does_in_place_of_the_name_and_a_wrong_name_is_said(cloud):
    link = f"{cloud.saturn_url}/dash/resources/job/{cloud.job('failing').id}"
    await job(cloud, f"run saturn {link}")
    assert starts(cloud, "failing") == 1
    told = await job(cloud, "run saturn nothing-like-it")
    assert "I can't find that job" in told.text
    theirs = cloud.job("retrain", "bob")
    await job(cloud, f"run saturn {theirs.id}")
    await cloud.pass_time(5)
    assert not theirs.live()
    assert cloud.alice.only("job_failed")


async def test_two_runs_of_one_job_have_an_end_each(cloud):
    await job(cloud, "run saturn nightly")
    await cloud.pass_time(2)
    await job(cloud, "run saturn nightly")
    await cloud.until(lambda: len(cloud.alice.told("job_ended")) == 2, step=2.0)
    assert starts(cloud) == 2
    assert len({run.remote_id for run in await cloud.bot.store.read(runs.list_runs, cloud.principal())}) == 2


@pytest.mark.parametrize("after", [True, False], ids=["accepted", "never arrived"])
async def test_a_start_without_an_answer_is_looked_at_before_another_one(cloud, after):
    account = await cloud.bot.store.read(accounts.find_account, cloud.principal(), "saturn")
    await cloud.bot.services.create_caller(account.principal).run(request_templates, account)
    await cloud.settle()
    cloud.saturn_fails(r"/jobs/\w+/start$", drop=True, after=after)
    await job(cloud, "run saturn nightly")
    await cloud.until(
        lambda: cloud.alice.told("job_ended") or cloud.alice.told("job_outcome_question"), step=4.0
    )
    assert starts(cloud) == 1
    if not after:
        # There is no run, and the server couldn't tell whether one was launched, so the person decides.
        await cloud.alice.presses(cloud.alice.only("job_outcome_question"), "Start another")
        await cloud.until(lambda: cloud.alice.told("job_ended"), step=4.0)
        assert starts(cloud) == 2
        assert cloud.alice.only("job_outcome_question").labels == []
    assert len(cloud.job("nightly").runs) == 1


async def test_a_run_is_stopped(cloud):
    cloud.job("nightly").run_seconds = 600
    await job(cloud, "run saturn nightly")
    await cloud.pass_time(15)
    await job(cloud, "stop nightly")
    await cloud.until(lambda: cloud.alice.told("job_ended"), step=2.0)
    assert "*nightly* on Saturn Cloud was stopped" in cloud.alice.only("job_ended").text


async def test_a_server_without_history_says_once_that_it_does_not_report(tmp_path):
    async with cloud_world(tmp_path, seeds_only=True) as world:
        await world.alice.has_linked("alice")
        await job(world, f"run saturn {world.job('nightly').id}")
        await world.pass_time(60, step=2)
        told = world.alice.only("job_ended").text
        assert "was started on Saturn Cloud, which doesn't report when runs end." in told
        assert starts(world) == 1
