"""Times with a zone, typed on another keyboard, or copied from Usher's own messages."""

import pytest

from bot.domain.observations import Observed
from bot.domain.workspaces import State
from bot.store.hours import list_rules_of_person
from tests.handlers.rig import rig
from tests.rigs.store import ALICE, observe

WIDE = {ord(sign): 0xFEE0 + ord(sign) for sign in "0123456789:"}


@pytest.fixture
async def bot():
    """A person in Berlin with a running workspace, at nine in the morning there."""
    async with rig() as made:
        row = (await made.link()).workspaces[0]
        await observe(made.store, made.clock, row, Observed(State.RUNNING))
        made.people.marks[ALICE.user_id] = {"time_zone": "Europe/Berlin"}
        yield made


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        ("at 9:00 PT", 9),
        ("at 11pm Tokyo time", 6),
        ("at 14:00 UTC", 6),
        ("at 14:00+02:00", 4),
        ("2027-01-15T14:00:00+00:00", 6),
        ("in PT2H", 2),
        ("in 2 hours".translate(WIDE), 2),
        ("at 14:00 UTC".translate(WIDE), 6),
        ("<!date^1800021600^{date_short} at {time}|15 Jan 2027 at 14:00 UTC>", 6),
    ],
)
async def test_stop_comes_at_the_time_in_its_zone(bot, typed, hours):
    answer = await bot.say(f"stop notebook {typed}")
    assert (await bot.workspace()).stop_at == bot.clock.now() + hours * 3600
    assert f"<!date^{bot.clock.now() + hours * 3600:.0f}^" in answer.text


@pytest.mark.parametrize("sentence", ["stop notebook {}", "please stop notebook {}"])
@pytest.mark.parametrize("time", ["at 5pm XYZ", "at 5pm +25:00", "at 17:00 UTC+99"])
async def test_a_zone_that_is_not_read_offers_no_other_time(bot, sentence, time):
    """A button with the time in another zone would stop the workspace at a time that nobody meant."""
    answer = await bot.say(sentence.format(time))
    assert "Stop" not in " ".join(one["text"]["text"] for one in answer.blocks[-1].get("elements", []))
    assert (await bot.workspace()).stop_at is None


async def test_an_abbreviation_of_several_zones_is_asked_about(bot):
    answer = await bot.say("stop notebook at 18:00 IST")
    assert "`18:00 Asia/Kolkata`" in answer.blocks[0]["text"]["text"]
    assert (await bot.workspace()).stop_at is None
    answer = await bot.say("hours notebook weekdays 9:00-17:00 IST")
    assert "`weekdays 9:00-17:00 Asia/Kolkata`" in answer.blocks[0]["text"]["text"]


async def test_hours_come_in_the_zone_beside_them(bot):
    answer = await bot.say("hours notebook weekdays 10:00-18:00 UTC")
    assert "09:00" not in answer.text
    (rule,) = await bot.store.read(list_rules_of_person, ALICE)
    assert (rule.zone, rule.starts, rule.stops) == ("UTC", 600, 1080)
    assert "10:00" in answer.text
    assert "UTC" in answer.text


@pytest.mark.parametrize("now", ["now", "right now", "immediately", "Now!"])
async def test_now_is_a_time_that_commands_take(bot, now):
    answer = await bot.say(f"stop notebook {now}")
    assert answer.text.startswith("Stopping")
