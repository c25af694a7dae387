"""If a commit takes longer than people wait, they are told so, and later they learn the outcome."""

import asyncio

import pytest

from bot.domain.notices import Answer, NoticeKind
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.services.message_context import Gatherer
from bot.store import operations, runs
from bot.store.cards import CARD_DELAY_SECONDS
from bot.support.errors import StoreBusy, StoreUnsure
from handlers import dispatch
from handlers.requests.response_targets import make_message_notice
from tests.handlers.rig import one_cloud, submit, words
from tests.handlers.run_rig import run_rig
from tests.rigs.store import ALICE

UNSURE = "I can't tell yet whether that went through. I'll message you."


@pytest.fixture
async def bot():
    async with one_cloud() as made:
        await made.link(state=State.STOPPED)
        yield made


async def start(bot, way: str):
    """Ask for a start in one of the ways."""
    if way == "button":
        return await bot.press("start", (await bot.workspace()).id)
    if way == "message":
        return await bot.direct("start notebook")
    return await bot.say("start notebook")


def hang(store, *, goes_through: bool, and_then=()):
    """Make a use case's next commit take too long. ``and_then`` has the errors of the commits after it."""
    left = [StoreUnsure("the commit is taking long"), *and_then]
    at_all = store._store.carry_out

    async def carry_out(work, subjects):
        if not left:
            return await at_all(work, subjects)
        error = left.pop(0)
        if isinstance(error, StoreUnsure) and goes_through:
            await at_all(work, subjects)
        raise error

    store.carry_out = carry_out


@pytest.mark.parametrize("goes_through", [True, False])
@pytest.mark.parametrize("way", ["command", "button", "message"])
async def test_who_could_not_be_told_in_time_is_told_what_came_of_it(bot, way, goes_through):
    hang(bot.store, goes_through=goes_through)
    answer = await start(bot, way)
    assert UNSURE in words(answer)
    assert answer.unwritten == "unsure"
    assert await bot.services.outcome_pool.drain(60.0) == 0
    # The start is accepted exactly once, whether the first commit went through or a second one was needed.
    (operation,) = await bot.store.read(operations.open_operations, ALICE)
    assert [row["action"] for row in await bot.audit()].count("workspace.start") == 1
    bot.clock.advance(CARD_DELAY_SECONDS)
    notices = await bot.notices()
    assert [one.subject for one in notices if one.kind is NoticeKind.CARD] == [operation.id]
    told = [one.body["text"] for one in notices if one.kind in {NoticeKind.MESSAGE, NoticeKind.REPLY}]
    # In a direct message the card already says everything.
    assert way == "message" or "notebook" in "".join(told)
    assert not any("can't tell" in one for one in told)


@pytest.mark.parametrize("way", ["command", "button", "message"])
@pytest.mark.parametrize("error", [StoreBusy("2 s"), StoreUnsure("long")])
async def test_what_was_rolled_back_is_not_offered_to_be_taken_back(bot, way, error):
    at_all = bot.store._store.carry_out

    async def carry_out(work, subjects):
        def rolled_back(tx):
            work(tx)
            raise error

        bot.store.carry_out = at_all
        return await at_all(rolled_back, subjects)

    bot.store.carry_out = carry_out
    answer = await start(bot, way)
    assert answer.unwritten
    assert list(kit.iterate_buttons(answer.blocks)) == []
    assert await bot.store.read(operations.open_operations, ALICE) == []
    await bot.services.outcome_pool.drain(60.0)


async def test_what_was_accepted_is_not_denied_if_the_store_fails_then(bot, monkeypatch):
    at_all, left = Gatherer.describe_workspace, [StoreBusy("2 s")]

    async def describe(*given, **named):
        if left:
            raise left.pop()
        return await at_all(*given, **named)

    monkeypatch.setattr(Gatherer, "describe_workspace", describe)
    assert UNSURE in words(await bot.say("start notebook for 2h"))
    assert await bot.services.outcome_pool.drain(60.0) == 0
    (told,) = await bot.notices(NoticeKind.MESSAGE)
    assert "notebook" in told.body["text"]
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1


@pytest.mark.parametrize("goes_through", [True, False])
async def test_what_a_form_asked_for_is_done_once(goes_through):
    async with run_rig() as bot:
        view = (await bot.say("job run", trigger_id="t1")).view
        block = next(one for one in view["blocks"] if one.get("block_id", "").startswith("command"))
        state = {block["block_id"]: {"field:command": {"type": "plain_text_input", "value": "date"}}}
        hang(bot.store, goes_through=goes_through)
        done = await submit(bot.services, ALICE, {**view, "state": {"values": state}})
        assert UNSURE in next(iter(done["errors"].values()))
        assert await bot.services.outcome_pool.drain(60.0) == 0
        (run,) = await bot.store.read(runs.list_runs, ALICE)
        assert [one.subject for one in await bot.notices(NoticeKind.JOB_CARD)] == [run.id]


async def test_nothing_untrue_is_told_while_the_store_takes_nothing(bot):
    hang(bot.store, goes_through=True, and_then=[StoreBusy("2 s"), StoreUnsure("long")])
    assert UNSURE in words(await start(bot, "command"))
    assert await bot.services.outcome_pool.drain(60.0) == 0
    (told,) = await bot.notices(NoticeKind.MESSAGE)
    assert "haven't" not in told.body["text"]
    assert len(await bot.store.read(operations.open_operations, ALICE)) == 1


async def test_a_store_that_takes_nothing_is_tried_again_after_a_pause(bot, monkeypatch):
    problems, pauses = [StoreBusy("2 s"), StoreBusy("2 s")], []

    async def write():
        if problems:
            raise problems.pop()

    async def pause(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", pause)
    await dispatch.retry_write(bot.services, write, "event:1")
    assert pauses == [dispatch._STORE_RETRY_SECONDS] * 2


async def test_an_answer_that_is_sent_as_a_message_replaces_nothing(bot):
    notice = make_message_notice(Answer("Said.", replaces=True), bot.surface(), ALICE, bot.services.ids)
    assert notice.body["replaces"] is False
