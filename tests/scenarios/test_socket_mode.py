"""The same scenarios in Socket Mode: two connections, and no address at which Slack could reach Usher."""

import asyncio

import pytest

from bot.web.socket import SHORT_LIVED

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
async def test_the_same_envelope_on_both_connections_has_one_effect(bare):
    alice, sockets = bare.alice, bare.slack.sockets
    await alice.links("alice")
    assert await bare.slack.state.wait_for(lambda: len(sockets.open) == 2)
    await alice.types("start training", then_settle=False)
    again = [
        sockets.deliver({**sockets.sent[-1], "envelope_id": f"again-{number}"}, 3.0, one)
        for number, one in enumerate(sockets.open)
    ]
    assert all(reply.ok for reply in await asyncio.gather(*again))
    await bare.pass_time(60, step=5)
    assert bare.calls("POST .*/start") == 1
    assert (len(alice.told("card")), len(alice.told("ready"))) == (0, 1)


@socket_mode
async def test_a_connection_that_slack_renews_loses_nothing(bare):
    alice = bare.alice
    await alice.links("alice")
    # After a connection with a shorter life, there is a pause.
    await bare.pass_time(SHORT_LIVED)
    await bare.slack.sockets.disconnect()
    assert await bare.slack.state.wait_for(lambda: bool(bare.slack.sockets.open))
    await alice.types("start training")
    await bare.pass_time(30)
    assert alice.only("ready")
