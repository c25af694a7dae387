"""Sentences that only a missing feature could answer."""

import pytest

from bot.messages.texts import talk
from handlers.hooks import RequestHooks
from tests.handlers.rig import rig


@pytest.fixture
async def bot():
    async with rig() as made:
        yield made


async def test_undo_without_its_feature_is_not_understood(bot, monkeypatch):
    others = [hooks for hooks in RequestHooks.list_subscribers() if type(hooks).__name__ != "UndoHooks"]
    monkeypatch.setattr(RequestHooks, "list_subscribers", lambda: others)
    await bot.link(names=("report",))
    assert (await bot.say("undo")).text == talk.NOT_UNDERSTOOD
