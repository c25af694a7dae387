"""Jobs on a Workbench, run from Slack by form or in one line: their output, stops, failures and ends."""

import re

import pytest

from playground.posit.jobs import End
from tests.rigs.scenario.workbench import workbench_world


async def ended(world, count=1):
    """Advance the clock until there are this many messages about ended runs, and return the newest."""
    await world.until(lambda: len(world.alice.told("job_ended")) >= count, step=0.5)
    return world.alice.told("job_ended")[-1]


async def runs(world, name, lines=1000, rate=1.0):
    """Run a job that prints a line from time to time, and follow its output."""
    await world.alice.types(f"run wb --name {name} -- print-lines lines={lines} rate={rate}", command="/job")
    await world.alice.types(f"logs {name}", command="/job")
    await world.until(lambda: "so far" in world.alice.only("job_card").text, step=0.5)


async def test_a_job_is_run_by_the_form(linked):
    alice = linked.alice
    form = await linked.opens_form(alice, "run wb", command="/job")
    assert form.words == ("On *Workbench*, with your own account.",)
    form = await linked.fills(alice, cluster="Slurm")
    assert form.field("field:cpus").hint == "At most 64."
    await linked.fills(alice, command="Rscript Test.R", name="nightly", cpus="2", queue="short")
    await linked.fills(alice, directory="~/paper", environment="SEED=7")
    assert (await linked.sends(alice))["response_action"] == "clear"
    message = await ended(linked)
    assert "*nightly* on Workbench is done after 3 s.\nLast lines of output:" in message.text
    assert "[1] 10" in message.text
    await linked.pass_time(15)
    assert not alice.told("job_card"), "the end has taken its place"
    assert alice.only("job_ended").labels == ["Run again"]
    (job,) = linked.jobs()
    assert (job.values["cluster"], job.values["command"]) == ("Slurm", "Rscript Test.R")
    assert job.values["queues"] == ["short"]
    assert {one["type"]: one["value"] for one in job.values["resourceLimits"]}["cpuCount"] == "2"
    assert [entry["target"] for entry in await linked.audit("job.run")] == ["wb/nightly"]


async def test_a_job_is_run_in_one_line_that_waits_for_the_offer(linked):
    alice = linked.alice
    answer = await alice.types("run wb --cluster Local --env SEED=7 -- Rscript Test.R", command="/job")
    assert "Checking what Workbench offers. I'll run it right after." in answer.text
    await ended(linked)
    again = await alice.types("run wb --cluster Slurm --cpus 2 -- Rscript Test.R", command="/job")
    assert "Running *Rscript Test.R* on Workbench." in again.text
    await ended(linked, 2)
    first, second = linked.jobs()
    assert (first.values["cluster"], second.values["cluster"]) == ("Local", "Slurm")
    assert first.values["environment"] == [{"name": "SEED", "value": "7"}]


async def test_a_line_that_can_not_be_run_says_why_and_runs_nothing(linked):
    alice = linked.alice
    await alice.types("run wb -- Rscript Test.R", command="/job")
    await ended(linked)
    for words, said in {
        "run wb --cluster Moon -- ls": "`Moon` isn't available. Choose from: `Local`, `Kubernetes`, `Slurm`.",
        "run wb --cluster Slurm --cpus 65 -- ls": "The most you can have here is 64.",
        "run wb --cluster Local --queue short -- ls": "`--queue`: set that with `--cluster Slurm`.",
        "run wb --cluster Local": "Needs a command.",
    }.items():
        answer = await alice.types(words, command="/job")
        assert "I didn't run that:" in answer.text
        assert said in answer.text
    assert len(linked.jobs()) == 1


async def test_a_template_runs_what_was_prepared(tmp_path):
    template = {
        "name": "nightly",
        "title": "The nightly report",
        "job": {
            "command": "Rscript report.R",
            "cluster": "Slurm",
            "queues": ["long"],
            "tags": ["nightly"],
            "apply_config_settings": False,
        },
    }
    async with workbench_world(tmp_path, workbench={"templates": [template]}) as world:
        await world.alice.has_linked("alice", "wb")
        await world.alice.types("run wb nightly --", command="/job")
        message = await ended(world)
        assert "*The nightly report* on Workbench is done" in message.text
        (job,) = world.jobs()
        assert (job.values["queues"], job.values["tags"][0]) == (["long"], "nightly")
        assert job.apply_config_settings is False


async def test_waiting_in_the_queue_is_not_running(linked):
    alice = linked.alice
    linked.switch(job_pending_seconds=3600.0)
    for name, lines in (("long", 30), ("dropped", 30)):
        await alice.types(f"run wb --name {name} -- print-lines lines={lines} rate=1", command="/job")
    await linked.pass_time(600, step=10)
    await alice.types("stop dropped", command="/job")
    message = await ended(linked)
    assert message.text.startswith("*dropped* on Workbench was stopped.")
    usage = (await alice.types("usage")).text
    assert "dropped" not in usage
    await linked.pass_time(3010, step=10)
    assert "Running since" in alice.only("job_card").text
    message = await ended(linked, 2)
    assert "*long* on Workbench is done after 30 s." in message.text


async def test_a_failed_job_is_told_with_its_exit_code_and_can_be_run_again(linked):
    alice = linked.alice
    await alice.types("run wb -- Rscript fail.R", command="/job")
    message = await ended(linked)
    assert "*Rscript fail.R* on Workbench failed after" in message.text
    assert "exit code 1." in message.text
    assert "! Error in step 3: object 'x' not found" in message.text
    assert not alice.told("job_card")
    linked.switch(failed_status="Failed")
    await alice.presses(message, "Run again")
    await ended(linked, 2)
    assert len(linked.jobs()) == 2


async def test_an_end_that_nobody_watched_is_told(linked):
    """The bot was down when the job ended, for so long that the server has forgotten most of it."""
    alice = linked.alice
    await alice.types("run wb --name long -- print-lines lines=30 rate=1 exit=3", command="/job")
    await alice.types("logs long", command="/job")
    await linked.until(lambda: "Running since" in alice.only("job_card").text, step=0.5)
    await linked.stop_bot()
    linked.clock.advance(3600)
    await linked.start_bot()
    message = await ended(linked)
    assert "*long* on Workbench failed after 30 s, exit code 3." in message.text
    await linked.pass_time(15)
    assert not alice.told("job_card"), "the end has taken its place"
    assert len(alice.told("job_ended")) == 1


async def test_a_run_that_was_launched_elsewhere_is_known_and_told_of_to_who_asks_for_it(linked):
    alice, state = linked.alice, linked.posit.state
    command = "print-lines lines=50 rate=2 exit=3"
    lists = ("args", "queues", "tags", "environment", "placementConstraints", "resourceLimits", "mounts")
    for name in ("by hand", "by cron"):
        told = {"name": name, "cluster": "Local", "command": command, "command_line": command}
        told |= {name: [] for name in (*lists, "config", "exposedPorts")}
        state.add_job("alice", told, linked.clock.now(), "alice")
    await alice.types("list", command="/job")
    await linked.pass_time(3)
    assert "*by hand* · Workbench\nRunning" in (await alice.types("list", command="/job")).text
    await alice.types("logs by hand", command="/job")
    message = await ended(linked)
    assert "*by hand* on Workbench failed after 2" in message.text
    await linked.until(lambda: linked.slack.files(alice.id), step=0.5)
    assert linked.file_of(alice).splitlines() == [f"line {number}" for number in range(1, 51)]
    await linked.pass_time(20)
    assert "*by cron* · Workbench\nFailed" in (await alice.types("list", command="/job")).text
    assert (len(alice.told("job_ended")), alice.told("job_card")) == (1, [])


@pytest.mark.parametrize("way", ["word", "button"])
async def test_a_run_is_stopped(linked, way):
    alice = linked.alice
    await runs(linked, "long")
    if way == "word":
        answer = await alice.types("stop long", command="/job")
        assert "Stopping *long* on Workbench. I'll message you when it has stopped." in answer.text
    else:
        await alice.presses(alice.only("job_card"), "Stop")
    assert "You asked me to stop it" in alice.only("job_card").text
    message = await ended(linked)
    assert "*long* on Workbench was stopped after" in message.text
    assert linked.asked("stop_job") == 1
    assert "has already ended" in (await alice.types("stop long", command="/job")).text


@pytest.mark.parametrize("at_once", [False, True], ids=["later", "at once"])
async def test_a_run_that_does_not_stop_can_be_forced(linked, at_once):
    alice = linked.alice
    linked.switch(job_stop_seconds=100_000.0)
    await runs(linked, "long", lines=100_000, rate=0.1)
    if at_once:
        answer = await alice.types("stop long --force --yes", command="/job")
        assert "Forcing *long* on Workbench to quit." in answer.text
    else:
        await alice.types("stop long", command="/job")
        await linked.pass_time(50, step=5)
        assert "Force quit" not in alice.only("job_card").labels
        await linked.pass_time(30, step=5)
        card = alice.only("job_card")
        assert "It didn't stop within a minute." in card.text
        await alice.presses(card, "Force quit")
    assert "was stopped after" in (await ended(linked)).text
    assert linked.asked("stop_job") == (1 if at_once else 2)


@pytest.mark.parametrize("exit_code", [137, None])
async def test_a_run_that_nobody_stopped_is_not_said_to_have_been(linked, exit_code):
    """The system may kill a job that needs too much memory."""
    await runs(linked, "hungry", lines=100_000, rate=0.1)
    (job,) = linked.jobs()
    job.ordered = End(linked.clock.now(), "Killed", exit_code)
    message = await ended(linked)
    assert "*hungry* on Workbench failed after" in message.text
    assert "It was killed." in message.text


async def test_what_the_server_refuses_is_one_sentence(linked):
    linked.answers("launch_job", 10, "This cluster takes no jobs today")
    await linked.alice.types("run wb -- Rscript Test.R", command="/job")
    await linked.pass_time(20)
    failed = linked.alice.only("job_failed")
    assert "*Rscript Test.R* didn't run on Workbench. Workbench refused the request." in failed.text
    assert "This cluster takes no jobs today" in failed.text
    assert re.search(r"Reference \w{4}-\w{4}", failed.text)
    assert linked.jobs() == []


async def test_somebody_elses_run_is_none_of_mine(linked):
    bob = linked.bob
    await bob.has_linked("bob", "wb")
    await runs(linked, "mine")
    (job,) = linked.jobs()
    for words in ("stop mine", f"stop {job.id}", "logs mine", f"logs {job.id} ", "status mine"):
        answer = await bob.types(words, command="/job")
        assert "mine* at" not in answer.text
        await linked.pass_time(2)
    assert linked.asked("stop_job") == 0
    assert not [shown for shown in bob.sees() if shown.kind.startswith("job")]
    assert "mine" not in (await bob.types("list", command="/job")).text


async def test_runs_are_read_together_and_backed_off(linked):
    alice = linked.alice
    for number in range(8):
        await alice.types(f"run wb --name job-{number} -- print-lines lines=300 rate=1", command="/job")
    await linked.pass_time(60, step=1)
    before = linked.asked("get_session")
    await linked.pass_time(60, step=1)
    # Eight runs are read every 15 seconds by now, all of them in one request.
    assert linked.asked("get_session") - before <= 6
    assert all("Running since" in card.text for card in alice.told("job_card"))
