"""Tests that a process is killed while it waits for the answer to a post, and is then started again."""

import asyncio
import random
import re
import sys

import pytest

from benchmarks.chaos.keeper import Keeper, Member
from benchmarks.chaos.stage import CHANNEL, stage
from benchmarks.chaos.weather import HANGS
from playground.faults import Fault

POSTS = """
import sys, urllib.request
url, token, channel = sys.argv[1:]
body = f"channel={channel}&text=hello".encode()
headers = {"Authorization": f"Bearer {token}"}
urllib.request.urlopen(urllib.request.Request(f"{url}/api/chat.postMessage", body, headers)).read()
sys.stdin.read()
"""


class Poster(Member):
    """A process that posts one message each time it starts."""

    async def start(self, log):
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", POSTS, *self.environment["words"]), stdin=asyncio.subprocess.PIPE
        )


class Lowest(random.Random):
    """Chance that lets nobody wait."""

    def uniform(self, a, _b):
        return a


@pytest.mark.parametrize(("is_done", "left"), [(True, 2), (False, 1)], ids=["stored", "not stored"])
async def test_process_with_hanging_post_is_killed(tmp_path, is_done, left):
    """The post may or may not have been stored by then. Other processes aren't killed."""
    async with stage(tmp_path, 1, random.Random(1)) as made:
        slack, others = made.slacks[0], Member({}, "")
        slack.budgets.on = False
        state = slack.state
        token = next(one.value for one in state.tokens.values() if one.kind == "bot")
        poster = Poster({"words": [state.base_url, token, CHANNEL]}, "")
        keeper = Keeper([others, poster], tmp_path / "log", Lowest(), None, (0.0, 0.0))
        made.slack_harness.on_fault = keeper.on_fault
        fault = Fault(re.compile("/api/chat.postMessage$"), name=HANGS, delay_s=20.0, after=is_done)
        made.slack_harness.faults.append(fault)
        await poster.start(keeper)
        kills = asyncio.create_task(keeper.kill_while_posting(30.0))
        assert await state.wait_for(lambda: keeper.kills and len(state.messages[CHANNEL]) == left)
        kills.cancel()
        await keeper.kill(poster)
        assert (keeper.kills, keeper.kills_in_posts) == (2, 1)
