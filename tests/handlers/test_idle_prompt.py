"""The question whether a workspace is still needed, and its buttons."""

import pytest

from bot.domain.message_context import WorkspaceFacts
from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.stops import PlannedStop
from bot.domain.workspaces import State
from bot.messages.blocks.notices import render
from tests.handlers.rig import rig, words
from tests.rigs.store import observe, set_timer

HOUR = 3600.0


@pytest.fixture
async def bot():
    async with rig() as made:
        row, *_ = (await made.link(names=("notebook",))).workspaces
        await observe(made.store, made.clock, row, Observed(State.RUNNING))
        yield made


async def question(bot, stop_at=None):
    """Return the question as rendered for Alice."""
    workspace, now = await bot.workspace("notebook"), bot.clock.now()
    body = {"since": now - 30 * HOUR, "is_unused": False, "evening": now + 6 * HOUR, "stop_at": stop_at}
    known = {"connection": "saturn", "connection_title": "Saturn Cloud", "body": body}
    effects = bot.connections["saturn"].stop_effects(workspace)
    return render(
        NoticeKind.IDLE_PROMPT, WorkspaceFacts(now=now, workspace=workspace, effects=effects, **known)
    )


async def test_it_is_kept(bot):
    answer = await bot.push(await question(bot), "Keep")
    assert words(answer) == "*notebook* keeps running. No stop is planned."
    assert (await bot.workspace("notebook")).used_at == bot.clock.now()
    assert (await bot.audit())[-1]["action"] == "workspace.keep"


async def test_it_is_stopped_at_six(bot):
    workspace, at = await bot.workspace("notebook"), bot.clock.now() + 6 * HOUR
    assert f"stop:1:u{at:.0f}" in str((await question(bot)).blocks)
    await bot.press(f"stop:1:u{at:.0f}", f"{workspace.id}@{workspace.generation}")
    assert (await bot.workspace("notebook")).stop_at == at


async def test_what_is_planned_for_want_of_an_answer_is_said_and_taken_back(bot):
    at = bot.clock.now() + 6 * HOUR
    row = await bot.workspace("notebook")
    await set_timer(bot.store, row, PlannedStop(at, "stop"))
    answer = await question(bot, stop_at=at)
    assert "If you don't answer, I'll stop it" in words(answer)
    assert "Stop it then" not in str(answer.blocks)
    await bot.push(answer, "Keep")
    assert (await bot.workspace("notebook")).stop_at is None


async def test_what_went_down_meanwhile_is_not_said_to_run(bot):
    answer = await question(bot)
    await bot.sees(State.STOPPED)
    assert "running" not in words(await bot.push(answer, "Keep"))
