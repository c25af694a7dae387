"""The database work and the code that a start takes until the message that the workspace is ready."""

import pytest

from benchmarks.structure import Tracer, play_start
from tests.rigs.counting import counting
from tests.rigs.scenario import world

#: Statements that found or wrote something, and those in the same transactions that didn't.
STATEMENTS, FRUITLESS = 54, 7
#: Rows parsed into models. A row with columns of several tables counts once.
MODELS = 20
#: Transactions that PostgreSQL runs one at a time.
DECISIONS = 8
#: Transactions, not counting the polls of idle loops.
TRANSACTIONS = 20
#: Round trips to PostgreSQL until the start is accepted, and until the message is sent.
WAITS_TO_ACCEPT, WAITS = 4, 37
#: The code that a typed start runs in a new process: all functions, those with a ``def``, and the number of
#: their files.
TO_THE_ANSWER = {"functions": 302, "defs": 277, "files": 64}
TO_THE_MESSAGE = {"functions": 741, "defs": 644, "files": 126}


@pytest.mark.parametrize("first", ["operations", "reads"])
async def test_a_start_asks_the_database_no_more_than_so_much(tmp_path, monkeypatch, first):
    async with world(tmp_path) as stage:
        loops = stage.steps
        monkeypatch.setattr(stage, "steps", lambda: {first: loops()[first], **loops()})
        stage.looks.takes_all = True
        await stage.alice.has_linked("alice")
        (listed,) = await stage.alice.writes("list")
        await stage.pass_time(20)
        # ``notice_sent`` runs twice: for the card, and for the message that the workspace is ready.
        with counting(stage.bot.store, "notice_sent", 2) as count:
            button = listed.place("Start", "training")
            assert (await stage.slack.press(stage.alice.id, listed.channel, listed.ts, **button))["ok"]
            await stage.pass_time(20)
        assert "training" in stage.alice.only("ready").text
        assert count.is_over
        told = "\n".join(f"{number} × {query}" for query, number in count.statements.most_common())
        assert count.statements.total() <= STATEMENTS, told
        assert count.fruitless.total() <= FRUITLESS, count.fruitless
        assert 0 < count.models.total() <= MODELS, count.models
        assert len(count.decisions) <= DECISIONS, count.decisions
        assert count.transactions <= TRANSACTIONS
        accepting = [waits for waits, ran in count.waits if "starts_alike" in ran]
        assert accepting <= [WAITS_TO_ACCEPT], count.waits
        assert sum(waits for waits, _ in count.waits) <= WAITS, count.waits
        # One step makes the call, and another ends the operation. Nothing runs in between, and the account
        # isn't read again.
        assert count.statements["claimed_operations"] == 2
        assert not [query for query in count.statements if query.startswith("SELECT * FROM accounts")]


async def test_a_typed_start_waits_no_more_often_until_it_is_accepted(tmp_path):
    async with world(tmp_path) as stage:
        await stage.alice.has_linked("alice")
        await stage.alice.types("list")
        with counting(stage.bot.store, "none", 1) as count:
            await stage.alice.types("start notebook")
        accepting = [waits for waits, ran in count.waits if "starts_alike" in ran]
        assert accepting == [WAITS_TO_ACCEPT], count.waits


async def test_a_plain_command_enters_nothing_of_free_text(tmp_path):
    async with world(tmp_path) as stage:
        await stage.alice.links("alice")
        entered = {}
        for words in ("start notebook", "could you start notebook"):
            with Tracer() as tracer:
                await stage.alice.types(words)
            entered[words] = {file.rpartition("/handlers/")[2] for file, _ in tracer.seen}
        assert "sentences.py" not in entered["start notebook"]
        assert "sentences.py" in entered["could you start notebook"]


async def test_a_typed_start_enters_no_more_than_so_much():
    # Code that a process runs only once doesn't count as part of a start.
    await play_start()
    crossed = await play_start()
    for counts, most in ((crossed["answer"], TO_THE_ANSWER), (crossed["start"], TO_THE_MESSAGE)):
        assert all(counts[what] <= most[what] for what in most), crossed
