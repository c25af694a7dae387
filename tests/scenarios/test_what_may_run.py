"""Workspaces that may be running have *Stop*. The stop is sent, and its result is reported once known."""

import pytest

from tests.rigs.scenario import ID

READ = rf"/api/workspaces/{ID['notebook']}$"


async def _start(linked):
    await linked.alice.writes("start notebook")
    await linked.pass_time(60, step=5)
    assert linked.alice.only("ready")


async def _labels(linked):
    shown = (await linked.alice.writes("status notebook"))[-1]
    await linked.pass_time(15, step=5)
    return shown.labels


async def test_running_workspace_in_an_unknown_state_is_stopped(linked):
    """The stop is sent once, and reported when a known state shows that it has worked."""
    await _start(linked)
    linked.saturn_fails(READ, times=99, body='{"status": "idle"}')
    await linked.pass_time(400, step=20)
    await linked.alice.types("stop notebook")
    await linked.pass_time(60, step=5)
    assert linked.calls("POST .*/stop") == 1
    said = "I can't tell from Saturn Cloud what it's doing: unknown state 'idle'. I'll keep checking."
    assert said in linked.alice.card.text
    linked.heal()
    await linked.pass_time(30, step=5)
    assert "*notebook* has stopped on Saturn Cloud" in linked.alice.card.text
    assert linked.calls("POST .*/stop") == 1


async def test_unknown_state_after_a_known_one_has_stop(linked):
    """A workspace that was stopped when its state was last known may be running now."""
    assert "Stop" not in await _labels(linked)
    linked.saturn_fails(READ, times=99, body='{"status": "idle"}')
    await _labels(linked)
    assert {"Start", "Stop"} <= set(await _labels(linked))
    await linked.alice.writes("stop notebook")
    await linked.pass_time(30, step=5)
    assert linked.calls("POST .*/stop") == 1


async def test_one_read_of_a_failed_stop_tells_nothing(linked):
    """Saturn Cloud reports *error* once while it stops. People only read that the workspace has stopped."""
    await _start(linked)
    await linked.alice.writes("stop notebook")
    linked.saturn_fails(READ, times=1, body='{"status": "error"}')
    await linked.pass_time(60, step=5)
    assert not linked.saturn.harness.faults[0].times
    assert not linked.alice.told("failed")
    assert linked.alice.only("stopped")
    assert linked.calls("POST .*/stop") == 1


async def test_failed_stop_is_told_as_failed(linked):
    """The workspace isn't stopped, so it can be stopped or started again."""
    await _start(linked)
    linked.saturn_fails("/stop$", times=1, body="{}")
    await linked.alice.writes("stop notebook")
    linked.saturn_fails(READ, times=99, body='{"status": "error"}')
    await linked.pass_time(60, step=5)
    failed = linked.alice.only("failed")
    assert failed.text.startswith("I couldn't stop *notebook* on Saturn Cloud.")
    assert {"Start", "Stop"} <= set(failed.labels)
    sent = linked.calls("POST .*/stop")
    linked.heal()
    await linked.alice.presses(failed, "Stop")
    await linked.pass_time(60, step=5)
    assert linked.calls("POST .*/stop") == sent + 1
    assert not [run for run in linked.resource("notebook").runs if run.status == "running"]


@pytest.mark.parametrize("word", ["error", "idle"])
async def test_start_that_left_something_is_stopped(linked, word):
    """It isn't known whether the start left something running, so *Stop* sends a stop."""
    await linked.alice.writes("start notebook")
    linked.saturn_fails(READ, times=99, body=f'{{"status": "{word}"}}')
    await linked.pass_time(40, step=5)
    await linked.alice.writes("stop notebook")
    await linked.pass_time(40, step=5)
    assert linked.calls("POST .*/stop") == 1


async def test_stop_is_repeated_while_an_unknown_state_refuses_it(linked):
    """While a hub is checking a server, it refuses stops. The stop is sent again afterwards."""
    await _start(linked)
    linked.saturn_fails(READ, times=99, body='{"status": "checking"}')
    await linked.pass_time(400, step=20)
    linked.saturn_fails("/stop$", times=7, status=409, body='{"message": "it is being checked, please wait"}')
    await linked.alice.writes("stop notebook")
    await linked.pass_time(480, step=5)
    assert not linked.alice.told("failed")
    assert linked.calls("POST .*/stop") == 8
    linked.heal()
    await linked.pass_time(30, step=5)
    assert not [run for run in linked.resource("notebook").runs if run.status == "running"]


@pytest.mark.parametrize(
    ("status", "words"),
    [(409, "A build is already active."), (400, "alice is not running (pending: spawn)")],
    ids=["busy", "not running yet"],
)
async def test_stop_refused_during_a_start_is_sent_afterwards(linked, status, words):
    """A workspace that is starting will be running in the end, whatever the refusal says."""
    await linked.alice.writes("start notebook")
    linked.saturn_fails(READ, times=None, body='{"status": "pending"}')
    await linked.pass_time(15, step=5)
    linked.saturn_fails("/stop$", times=None, status=status, body=f'{{"message": "{words}"}}')
    await linked.alice.types("stop notebook")
    for _ in range(4):
        await linked.pass_time(30, step=1)
        assert f"Saturn Cloud can't do that right now: “{words}" in linked.alice.card.text
    linked.heal()
    await linked.pass_time(100, step=5)
    assert linked.alice.only("stopped")
    assert not linked.alice.told("ready")
    assert not linked.alice.told("failed")


@pytest.mark.parametrize(
    ("word", "said", "ends_as"),
    [
        ("running", "but still shows it as running. I'll keep checking.", "but shows it as running"),
        ("idle", "unknown state 'idle'. I'll keep checking.", "I still can't tell whether it worked"),
    ],
)
async def test_accepted_stop_without_effect_is_told(linked, word, said, ends_as):
    """The stop isn't repeated automatically, but people can ask for it again."""
    await _start(linked)
    linked.saturn_fails("/stop$", times=1, body="{}")
    await linked.alice.types("stop notebook")
    linked.saturn_fails(READ, times=None, body=f'{{"status": "{word}"}}')
    await linked.pass_time(120, step=5)
    assert said in linked.alice.card.text
    await linked.pass_time(600, step=5)
    assert ends_as in linked.alice.only("failed").text
    assert linked.calls("POST .*/stop") == 1
    linked.heal()
    await linked.alice.types("stop notebook")
    await linked.pass_time(60, step=5)
    assert linked.alice.only("stopped")
    assert linked.calls("POST .*/stop") == 2
