"""What people say about courses in a sentence: who joins, skips, leaves, ends one, or teaches it."""

import pytest

from bot.features.courses import store
from bot.features.hours import store as hours_store
from tests.handlers.class_rig import BOB, TRAINER, course_rig, posted
from tests.handlers.rig import ALICE, buttons, staged, words
from tests.rigs.store import linked

POST = 'card notebook --title "ML Basics" --hours tue,thu 8:00-9:30 --until 12 February'
bot = staged(course_rig)


@pytest.fixture
async def member(bot):
    """Return a course that Alice has joined, and nobody else."""
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    return card


async def test_a_member_joins_skips_and_leaves_in_words(bot, member):
    assert "I'll skip *ML Basics* on 9 Dec" in words(await bot.direct("skip thursday"))
    assert "I'll skip *ML Basics* on 7 Dec" in words(await bot.direct("skip the next lesson"))
    assert "I'll skip *ML Basics* on 14 Dec" in words(await bot.direct("no class on 14 Dec"))
    for typed in ("pause ML Basics", "end ml-basics", "move ML Basics to Friday"):
        told = await bot.direct(typed)
        assert "Only its teachers can do that with *ML Basics*." in words(told)
        labels = ["Don't skip any day", "Skip next time", "Leave", "Calendar"]
        assert list(buttons(told)) == labels
    assert "You've left *ML Basics*." in words(await bot.direct("leave ml-basics"))
    assert await bot.store.read(hours_store.list_rules_of_person, ALICE) == []
    assert "You aren't in *ML Basics*." in words(await bot.direct("card ML Basics leave"))
    asked = await bot.direct("join ml basics")
    said = "Join once: I'll start your own workspace *notebook* on Saturn Cloud before each lesson"
    assert said in words(asked)
    assert await bot.store.read(hours_store.list_rules_of_person, ALICE) == []
    await bot.push(asked, "Join")
    assert [one.card for one in await bot.store.read(hours_store.list_rules_of_person, ALICE)] == [member.id]
    assert list(buttons(await bot.direct("join ML Basics"))) == ["Skip next time", "Leave", "Calendar"]


async def test_what_may_be_about_hours_or_a_workspace_is_not_done_to_a_course(bot, member):
    await bot.direct("hours notebook weekdays 9:00-18:00")
    asked = await bot.direct("skip thursday")
    assert [*buttons(asked)] == [
        "ML Basics \u00b7 Tuesdays and Thursdays 08:00",
        "Skip the hours of notebook thursday",
    ]
    await bot.push(asked, "Skip the hours of notebook thursday")
    assert [
        one.off for one in await bot.store.read(hours_store.list_rules_of_person, ALICE) if one.is_own
    ] == [{"2027-12-09"}]
    await posted(bot, "card notebook --title notebook --hours fri 8:00-9:30")
    assert "course" not in words(await bot.direct("end notebook", TRAINER)).casefold()


async def test_a_teacher_ends_it_asks_who_is_not_ready_and_names_who_else_teaches(bot, member):
    assert "This ends *ML Basics* for 1 person." in words(await bot.direct("end ML Basics", TRAINER))
    assert (await bot.store.read(store.find_card, member.id)).closed_at is None
    asked = await bot.direct("skip ML Basics", TRAINER)
    assert words(asked) == "This cancels the lesson of *ML Basics* on Tue 7 Dec for everyone."
    await bot.push(asked, "Cancel 7 Dec for everyone", TRAINER)
    assert (await bot.store.read(store.find_card, member.id)).off == {"2027-12-07"}
    asked = await bot.direct("skip thursday", TRAINER)
    assert (await bot.store.read(store.find_card, member.id)).off == {"2027-12-07"}
    assert list(buttons(asked)) == ["ML Basics \u00b7 Tuesdays and Thursdays 08:00"]
    for typed in ("who isn't ready in ML Basics?", "who is not ready yet?"):
        assert words(await bot.direct(typed, TRAINER)) == words(
            await bot.press("class_problems", member.id, TRAINER)
        )
    asked = await bot.direct("add <@UBOB> to ML Basics", TRAINER)
    assert "This lets <@UBOB> change *ML Basics*, as a co-teacher." in words(asked)
    assert (await bot.store.read(store.find_card, member.id)).co_teachers == set()
    await bot.push(asked, "Add as co-teacher", TRAINER)
    assert (await bot.store.read(store.find_card, member.id)).co_teachers == {BOB.key}
    assert "isn't a co-teacher" in words(await bot.direct("remove <@UALICE> from ML Basics", TRAINER))
    await bot.direct("remove <@UBOB> from the ML Basics course", TRAINER)
    assert (await bot.store.read(store.find_card, member.id)).co_teachers == set()
    assert "Mention co-teachers" in words(await bot.direct("add @bob to ML Basics", TRAINER))
    assert "Only its teachers" in words(await bot.direct("add <@UBOB> to ML Basics", ALICE))
    assert words(await bot.direct("who teaches ml basics?", ALICE)) == "*ML Basics* is taught by <@UTRAINER>."
    assert words(await bot.direct("Who teaches ML Basics", TRAINER)) == "*ML Basics* is taught by you."


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("pause the basics over the holidays, 21 dec to 4 jan", ["Pause ML Basics from 21 Dec to 4 Jan"]),
        ("pause basics from 21 dec to 4 jan", ["Pause ML Basics from 21 Dec to 4 Jan"]),
        ("move thursdays basics lesson to friday 10am", ["Move ML Basics 9 Dec to 10 Dec 10:00"]),
        ("thursday's lesson moves to friday 10-11:30", ["Move ML Basics 9 Dec to 10 Dec 10:00-11:30"]),
        ("basics on thursday moves to friday 10 to 11", ["Move ML Basics 9 Dec to 10 Dec 10:00-11:00"]),
        ("thursday's lesson moves to friday 10-12", ["Show my courses"]),
        ("thursday's lesson moves to friday afternoon", ["Show my courses"]),
        ("move thursday's lesson to friday at 10 for an hour", ["Show my courses"]),
        ("cancel basics on tuesday and thursday", ["Skip ML Basics 7 Dec", "Skip ML Basics 9 Dec"]),
        ("end the basics course", ["End ML Basics"]),
        ("don't skip basics on thursday", ["Show my workspaces"]),
        ("remove <@UBOB> from ML Basics?", ["Remove co-teachers from ML Basics"]),
        ("stop waiting?", ["Unqueue"]),
    ],
    ids=[
        "pause over",
        "pause",
        "move",
        "span",
        "shorter",
        "longer",
        "unread time",
        "length",
        "two lessons",
        "end",
        "negated",
        "asked",
        "wait",
    ],
)
async def test_a_change_is_offered_by_a_part_of_its_title_with_all_its_days(bot, member, text, labels):
    assert list(buttons(await bot.direct(text, TRAINER))) == labels
    assert (await bot.store.read(store.find_card, member.id)).off == set()


async def test_the_lesson_of_an_only_course_is_changed_and_one_that_is_over_says_so(bot, member):
    assert "On 7 Dec, *ML Basics* is now at 14:00" in words(
        await bot.direct("move tuesday's lesson to 14:00", TRAINER)
    )
    assert "no *ML Basics* on 9 Dec" in words(await bot.direct("cancel the lesson on thursday", TRAINER))
    said = words(await bot.say('card "ML Basics" skip 14 Dec', TRAINER))
    assert "no *ML Basics* on 14 Dec" in said
    await bot.store.carry_out(
        lambda tx: tx.run("UPDATE class_cards SET done_at = :now, closed_at = :now", now=bot.clock.now())
    )
    assert "*ML Basics* has been over since" in words(await bot.direct("card ML Basics end", TRAINER))


@pytest.mark.parametrize(
    "text",
    [
        "end ML Basics?",
        "no class on 14 Dec?",
        "skip ML Basics on thursday?",
        '"end ML Basics"',
        "skip ML Basics on thursday if it rains",
        "remove <@UBOB> from ML Basics?",
    ],
)
async def test_course_change_that_is_asked_or_quoted_is_not_made(bot, member, text):
    await bot.direct("add <@UBOB> to ML Basics as a co-teacher", TRAINER)
    before = await bot.store.read(store.find_card, member.id)
    said = words(await bot.direct(text, TRAINER))
    assert await bot.store.read(store.find_card, member.id) == before
    assert "for 1 person" not in said


async def test_course_change_that_is_asked_for_politely_is_made(bot, member):
    await bot.direct("can you skip ML Basics on thursday?", TRAINER)
    assert (await bot.store.read(store.find_card, member.id)).off == {"2027-12-09"}
