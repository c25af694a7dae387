"""Intents: one feature registers for each interface, and sentences about a missing feature are answered."""

import pytest

from bot.messages.texts import talk
from handlers import intents
from tests.handlers.rig import rig


@pytest.fixture
async def bot():
    async with rig() as made:
        yield made


@pytest.mark.parametrize("port", [intents.hours, intents.undo], ids=["hours", "undo"])
async def test_sentence_about_a_missing_feature_is_answered(bot, port, monkeypatch):
    await bot.link(names=("report",))
    monkeypatch.setattr(port, "_adapter", None)
    words = "report every weekday 9:00-17:00" if port is intents.hours else "undo"
    assert (await bot.say(words)).text == talk.NOT_UNDERSTOOD


def test_port_refuses_a_second_feature():
    port = intents.Port()
    port.register("first")
    with pytest.raises(ValueError, match="second adapter"):
        port.register("second")
    assert port.find() == "first"
