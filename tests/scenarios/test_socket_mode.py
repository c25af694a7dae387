"""The same over Socket Mode: one connection, no address of ours that Slack reaches."""

from __future__ import annotations

import pytest

socket_mode = pytest.mark.parametrize("bare", [{"socket": True}], indirect=True)


@socket_mode
async def test_the_main_story_over_socket_mode(bare):
    alice = bare.alice
    asked = await alice.types("start training")
    await alice.links("alice", asked=asked)
    await bare.pass_time(30)
    assert "*training* is ready" in alice.only("ready").text
    stopping = await alice.presses(alice.only("ready"), "Stop")
    assert stopping
    await bare.pass_time(30)
    assert alice.only("stopped")


@socket_mode
async def test_words_mentions_and_lists_over_socket_mode(bare):
    alice = bare.alice
    await alice.links("alice")
    assert "notebook" in (await alice.types("list")).text
    assert "notebook" in (await alice.mentions("list"))[-1].text
    assert "notebook" in (await alice.writes("list"))[-1].text


@socket_mode
async def test_a_connection_that_slack_renews_loses_nothing(bare):
    alice = bare.alice
    await alice.links("alice")
    await bare.slack.sockets.disconnect()
    assert await bare.slack.state.wait_for(lambda: bool(bare.slack.sockets.open))
    await alice.types("start training")
    await bare.pass_time(30)
    assert alice.only("ready")
