"""Sentences stored by 0.4.1 are converted: why work is held up, and why a message hasn't been sent."""

import json
from contextlib import asynccontextmanager
from functools import partial

import pytest

from bot.domain.holds import HoldCode, is_hold
from bot.domain.notices import NewNotice, NoticeError, NoticeKind
from bot.domain.time_marks import make_time_placeholder
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.messages.blocks import kit, stored
from bot.messages.blocks.button_values import ButtonValue
from bot.messages.blocks.kit import fill
from bot.store import notices, operations
from bot.store.postgres import PostgresEngine
from bot.store.sqlite import SqliteEngine
from bot.support.errors import Unreachable
from tests.rigs import earlier, postgres
from tests.rigs.clock import CountingIds
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE

SILENCE = "Fake Cloud hasn't been available since {at}. I'll keep trying."


@asynccontextmanager
async def upgraded(tmp_path, is_postgres, world, **changes):
    """Move the world's rows, as 0.4.1 stored them and with ``changes`` by table, to a migrated database."""
    rows = earlier.as_of(
        "0.4.1", await world.store.engine.read(partial(earlier.read_rows, is_postgres=False))
    )
    for table, columns in changes.items():
        for row in rows[table]:
            row.update(columns)
    url = postgres.new_database("usher_of_0_4_1") if is_postgres else f"sqlite:///{tmp_path / 'former.db'}"
    make_engine = PostgresEngine if is_postgres else SqliteEngine
    former = make_engine(
        url.removeprefix("sqlite:///"), world.clock, CountingIds(), scripts=earlier.scripts_of("0.4.1")
    )
    await former.open()
    await former.migrate()
    await former.write(partial(earlier.write_rows, rows=rows, is_postgres=is_postgres))
    await former.close()
    store = await postgres.open_store(url, world.clock, world.ids)
    await store.migrate()
    world.store = store
    world.reborn()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture(params=[False, True], ids=["sqlite", "postgresql"])
def is_postgres(request):
    return request.param


async def test_held_work_goes_on_under_a_connections_new_title(world, tmp_path, is_postgres):
    operation_id = await world.begin(await world.own())
    sentence = SILENCE.format(at=make_time_placeholder(world.clock.now()))
    held = {"block_reason": sentence, "read_block_reason": sentence, "delayed_by": sentence}
    world.provider.fail("start", Unreachable("no route"), times=1000)
    world.provider.fail("status", Unreachable("no route"), times=1000)
    async with upgraded(tmp_path, is_postgres, world, operations=held) as store:
        migrated = await store.read(operations.find_operation, operation_id)
        assert (migrated.block_reason, migrated.delayed_by) == (None, "")
        await world.pass_time(120)
        assert is_hold(
            (await store.read(operations.find_operation, operation_id)).block_reason, HoldCode.SILENT
        )
        assert "Fake Cloud hasn't been available since" in str(world.slack.messages)
        world.provider.settings = fake_settings("cloud", title="Compute Cloud")
        world.reborn()
        await world.pass_time(600, step=5)
        assert "Compute Cloud hasn't been available since" in str(world.slack.messages)
        assert "Fake Cloud" not in str(world.slack.messages)
        world.provider.heal()
        assert await world.until_ended(operation_id, 600) is Outcome.FULFILLED
        assert (await store.read(operations.find_operation, operation_id)).block_reason is None


ERRORS = {
    "to be read:1800000000.0": (NoticeError.TO_BE_READ, False),
    "to be read:1800000000.0:1800000001.5": (NoticeError.TO_BE_READ, False),
    "to be read:1800000000.0 as text: invalid_blocks": (NoticeError.TO_BE_READ, True),
    "as text: invalid_blocks": ("invalid_blocks", True),
    "not sent": (NoticeError.NOT_SENT, False),
    "not ready": (NoticeError.NOT_READY, False),
    "no_answer": ("no_answer", False),
}


@pytest.mark.parametrize("error", ERRORS)
async def test_message_of_unknown_outcome_is_looked_for_before_it_is_sent_again(
    world, tmp_path, is_postgres, error
):
    """Slack has the message, but 0.4.1 didn't learn that.

    Whatever it stored, the message isn't sent twice.
    """
    await world.own(state=State.RUNNING)
    text = NewNotice("s", NoticeKind.MESSAGE, "1", ALICE, {"text": "Hello.", "blocks": []})
    await world.store.write(notices.add_notices, [text])
    await world.pass_time(5)
    assert world.slack.sent_kinds() == ["message"]
    unknown = {
        "state": "retry",
        "error": error,
        "unknown_since": world.clock.now(),
        "body": '{"text": "Hello."}',
    }
    unknown |= {"attempts": 1, "due_at": world.clock.now(), "sent_at": None, "message_ts": None}
    async with upgraded(tmp_path, is_postgres, world, notices=unknown) as store:
        (row,) = await store.engine.read(lambda tx: tx.all("SELECT * FROM notices"))
        assert (row["error"], bool(row["is_text"]), row["read_since"]) == (*ERRORS[error], None)
        await world.pass_time(60)
        assert world.slack.sent_kinds() == ["message"]
        (row,) = await store.engine.read(lambda tx: tx.all("SELECT * FROM notices"))
        assert row["state"] == "sent"


@pytest.mark.parametrize("is_sent", [False, True], ids=["waiting", "sent"])
async def test_answer_of_finished_texts_says_as_of_when_it_was_written(world, tmp_path, is_postgres, is_sent):
    """What it announces is fixed text that is never updated, so it says when it was true."""
    await world.own()
    now = world.clock.now()
    text = kit.join(["*nb* has hours.", fill("Next, I'll start it {at}.", at=kit.moment(now + 600, now))])
    body = stored.to_body(kit.message(text, [], [kit.button("Skip", ButtonValue("skip", "w", at=now + 600))]))
    await world.store.write(notices.add_notices, [NewNotice("s", NoticeKind.MESSAGE, "1", ALICE, body)])
    former = {"text": body["text"], "blocks": json.loads(json.dumps(body["blocks"])), "replaces": False}
    former["blocks"][0]["text"]["text"] = str(text)
    changes = {"cards": {"body": json.dumps(former)}, "notices": {"body": json.dumps(former)}}
    if is_sent:
        await world.pass_time(5)
    async with upgraded(tmp_path, is_postgres, world, **changes):
        await world.pass_time(5)
        (shown,) = world.slack.messages
        assert "Next, I'll start it" in str(shown)
        assert ("As of" in str(shown)) is not is_sent
        await world.pass_time(700, step=5)
        (shown,) = world.slack.messages
        assert "As of" in str(shown)
        assert "Skip" not in str(shown)
