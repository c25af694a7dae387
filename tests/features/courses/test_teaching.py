"""Courses for those who lead them: how many can be ready, and nobody who teaches."""

from functools import partial

from bot.domain.people import Person
from bot.features.courses import use_cases
from bot.features.courses.model import ClassKind
from bot.messages.blocks.notices import is_true, render
from tests.handlers.class_rig import ADMIN, TRAINER, course_rig, posted
from tests.handlers.rig import staged, words
from tests.rigs.golden import check_golden
from tests.rigs.store import linked
from tests.rigs.use_cases import members_follow

POST = "card notebook --title Statistics --hours tue,thu 8:00-9:30 --until 12 February"
bot = staged(partial(course_rig, "Europe/London"))


async def test_how_many_can_be_ready_in_time_is_said_when_the_card_is_posted(bot):
    saturn = bot.connections["saturn"]
    saturn.settings = saturn.settings.model_copy(update={"starts_per_second": 0.1})
    await linked(bot.store, TRAINER, names=["notebook"])
    assert "at most 252 people: Saturn Cloud can't start more" in words(await bot.say(POST, TRAINER))
    assert "at most" not in words(await bot.say(f"{POST} --max 252", TRAINER))


async def test_an_administrator_is_asked_about_a_course_that_nobody_teaches(bot):
    card = await posted(bot, POST)
    gone = Person(TRAINER, "Tara", is_deleted=True, seen_at=bot.clock.now())
    await bot.store.save_people([gone])
    await bot.services.create_caller(TRAINER).run(use_cases.CLASS_WORK.carry_out, card)
    await members_follow(bot.services.context)
    (notice,) = [one for one in await bot.notices() if one.kind is ClassKind.COURSE_WITHOUT_TEACHER]
    assert notice.principal == ADMIN
    facts = await bot.services.gatherer.describe_notice(notice)
    asked = render(notice.kind, facts)
    check_golden("notices/course-untaught", asked)
    assert is_true(notice.kind, facts)
    taken = await bot.push(asked, "Take it over", ADMIN)
    assert "*Statistics* can now be changed by <@UADMIN> and <@UTRAINER>" in words(taken)
    assert not is_true(notice.kind, await bot.services.gatherer.describe_notice(notice))
    await bot.push(taken, "Undo", ADMIN)
    assert "*Statistics* has ended." in words(await bot.push(asked, "End it", ADMIN))
