"""When a teacher posts a course, the answer says how many members' workspaces can be ready in time."""

from functools import partial

from tests.handlers.class_rig import TRAINER, course_rig
from tests.handlers.rig import staged, words
from tests.rigs.store import linked

POST = "card notebook --title Statistics --hours tue,thu 8:00-9:30 --until 12 February"
bot = staged(partial(course_rig, "Europe/London"))


async def test_how_many_can_be_ready_in_time_is_said_when_the_card_is_posted(bot):
    saturn = bot.connections["saturn"]
    saturn.settings = saturn.settings.model_copy(update={"starts_per_second": 0.1})
    await linked(bot.store, TRAINER, names=["notebook"])
    assert "at most 252 people: Saturn Cloud can't start more" in words(await bot.say(POST, TRAINER))
    assert "at most" not in words(await bot.say(f"{POST} --max 252", TRAINER))
