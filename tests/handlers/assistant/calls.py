"""Calls of Slack's assistant, signed on behalf of a person."""

from contextlib import asynccontextmanager

from bot.support.limits import MAX_BURST
from tests.rigs.assistant import assistant

BURST = int(MAX_BURST)


ON = {"USHER_ASSISTANT": "true"}


def who(scene, user="U0OLIVIA", **changes):
    """Return the fields with which Slack names the person in a call."""
    return {"user_id": user, "team_id": scene.slack.state.team.id, "enterprise_id": None} | changes


@asynccontextmanager
async def called(scene):
    """Connect to the bot in the way that Slack's documents describe for Slack's assistant."""
    secret, address = scene.slack.credentials["signing_secret"], f"http://127.0.0.1:{scene.bot.port}"
    async with assistant(address, secret, scene.clock.now) as calls:
        yield calls


async def lets(scene, level):
    """Choose in Alice's settings what Slackbot may do."""
    assert (await scene.slack.say(scene.alice.id, "C0GENERAL", "/workspace settings"))["ok"]
    assert (await scene.alice.submits(assistant=level))["ok"]
    await scene.slack.close_view(scene.alice.id)
