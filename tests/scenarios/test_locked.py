"""While a table is locked on PostgreSQL, several processes still answer everybody correctly and in time."""

import asyncio
import time
from contextlib import contextmanager

import pytest

from bot.messages.texts.problems import explain_cause
from tests.rigs import postgres
from tests.scenarios.half import PEOPLE, SEEDED
from tests.scenarios.locked import Locked

#: Maximum time for an answer, in seconds. Slack gives up after 3.
ANSWERED = 2.5
#: For each table, how many seconds it is locked.
LOCKED = {"people": 45.0, "operations": 6.0, "notices": 6.0, "accounts": 6.0, "inbox": 6.0}
UNSURE = "I'll message you."


@contextmanager
def locked(url, table):
    with postgres.connected(url) as other, other.transaction():
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield


@pytest.fixture
async def locked_bot(tmp_path):
    async with Locked(tmp_path, {"live": True, "saturn_seed": SEEDED}).running() as ready:
        yield ready


@pytest.mark.thorough
@pytest.mark.timeout(300)
async def test_everybody_is_answered_in_time_and_what_was_promised_comes(locked_bot):
    """Usher knows Alice. The others have never written to it."""
    people = {name: getattr(locked_bot, name) for name in PEOPLE}
    await locked_bot.alice.links("alice")
    shown = []

    async def type_on(name, until):
        for number in range(10):
            for text in (f"start {name}-{number}", "list", "help"):
                began = time.monotonic()
                answer = await people[name].types(text, then_settle=False)
                shown.append((name, text, time.monotonic() - began, answer))
                if time.monotonic() > until:
                    return

    for table, seconds in LOCKED.items():
        with locked(locked_bot.url, table):
            until = time.monotonic() + seconds
            await asyncio.gather(*(type_on(name, until) for name in PEOPLE))
    late = [(name, text, took) for name, text, took, _ in shown if took > ANSWERED]
    assert late == []
    refused = [answer for *_, answer in shown if answer.text.startswith(explain_cause("store_unavailable"))]
    assert refused
    # People who have never written before are greeted, too.
    assert {label for answer in refused for label in answer.labels} <= {"Link Saturn Cloud"}
    for name, text, _, answer in shown:
        if UNSURE in answer.text:
            await people[name].waits_for("message", text.partition(" ")[2])
    # Afterwards, Usher works as usual and answers at once.
    answer = await locked_bot.alice.types("start alice-9")
    assert "alice-9" in answer.text
    await locked_bot.alice.waits_for("ready", "alice-9")
