"""A course's room: what its teacher, a member and a stranger read of it; its forms, and that of a card."""

from datetime import datetime

import pytest

from bot.domain.courses import ClassKind
from bot.domain.time_parsing import Wanted
from bot.store import courses as store
from tests.handlers.class_rig import BERLIN, BOB, CARLA, TRAINER, course_rig, offer, posted
from tests.handlers.rig import ALICE, submit, words
from tests.rigs.golden import check_golden, check_limits
from tests.rigs.store import linked

POST = "card notebook --title Statistics --hours tue,thu 8:00-9:30 --until 12 February"


@pytest.fixture
async def bot():
    async with course_rig() as made:
        await linked(made.store, ALICE, names=["notebook"])
        yield made


@pytest.fixture
async def card(bot):
    """Return a course that one member has joined, and one waits for with no account."""
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    await bot.press("class_press", card.id, BOB)
    return card


def sent(**fields):
    """Return what Slack sends of a form's fields."""
    kinds = {"channel": "selected_conversation", "with": "selected_users"}
    kinds |= dict.fromkeys(("begin", "end", "today", "time"), "selected_time")
    kinds |= dict.fromkeys(("from", "until", "day", "off", "back"), "selected_date")
    values = {name: {name: {kinds.get(name, "value"): value}} for name, value in fields.items()}
    if "hours" in fields:
        days = [{"value": day} for day in fields["hours"]]
        values["hours"] = {"hours": {"selected_options": days}}
    return {"values": values}


async def form(bot, answer, label, person=TRAINER, **fields):
    """Open a form by an answer's button, and send it filled."""
    opened = await bot.push(answer, label, person)
    check_limits(opened.view)
    return opened.view, await submit(
        bot.services, person, {**opened.view, "state": sent(**fields)}, f"view:{label}:{len(fields)}"
    )


@pytest.mark.parametrize(
    "typed",
    [
        "card Statistics",
        "my courses",
        "courses",
        "course",
        "lesson",
        "classes",
    ],
)
async def test_a_teacher_reads_the_room_however_they_ask(bot, card, typed):
    answer = await bot.direct(typed, TRAINER)
    check_golden("answers/course-room", answer)


@pytest.mark.parametrize("typed", ["course", "courses", "class", "classes", "lesson", "help card"])
async def test_words_of_teaching_name_the_card(bot, typed):
    """A teacher's first word is the one that the pages use; a connection may have nearly that title."""
    assert "/workspace card" in words(await bot.say(typed, CARLA))


async def test_enrollment_without_link_is_shown_with_link(bot, card):
    """It counts on the card, so its person reads of it, too."""
    shown = await bot.direct("courses", BOB)
    check_golden("answers/course-room-pending", shown)
    assert await bot.direct("card Statistics", BOB) == shown
    check_golden("home/course-pending", await home_of(bot, BOB))
    for typed in ("join Statistics", "skip Statistics"):
        assert "You've pressed *Join*" in words(await bot.direct(typed, BOB))
    left = await bot.push(shown, "Leave", BOB)
    assert "You've left *Statistics*." in words(left)
    assert "No courses yet." in words(await bot.say("courses", BOB))
    assert "still ha" not in words(await bot.direct("who joined Statistics?", TRAINER))


async def test_a_teacher_skips_moves_and_pauses_by_buttons_and_can_undo_it(bot, card):
    room = await bot.direct("my courses", TRAINER)
    skipped = await bot.push(room, "Cancel 7 Dec for everyone", TRAINER)
    assert "There's no *Statistics* on 7 Dec." in words(skipped)
    assert (await bot.store.read(store.find_card, card.id)).off == {"2027-12-07"}
    # Pressed once more, it says what is so.
    assert "has no lesson on Tue 7 Dec." in words(await bot.push(room, "Cancel 7 Dec for everyone", TRAINER))
    await bot.push(skipped, "Undo", TRAINER)
    assert (await bot.store.read(store.find_card, card.id)).off == frozenset()
    view, wrong = await form(bot, room, "Move…", day="2027-12-09", time="10:00")
    check_golden("views/course-move", view)
    assert "no lesson yet" in wrong["errors"]["day"]
    _, done = await form(bot, room, "Move…", day="2027-12-08", time="10:00", hours=[])
    assert "moves from 7 Dec to 8 Dec, 10:00" in str(done)
    assert (await bot.store.read(store.find_card, card.id)).moved == {"2027-12-08": [600, 690]}
    (undo,) = [one for one in kit.iterate_buttons(done["view"]["blocks"]) if one["text"]["text"] == "Undo"]
    await bot.press(undo["action_id"], undo["value"], TRAINER, where=Where.FORM)
    assert (await bot.store.read(store.find_card, card.id)).moved == {}
    view, wrong = await form(bot, room, "Pause…", back="2027-12-06")
    check_golden("views/course-pause", view)
    assert "no lessons between these days" in wrong["errors"]["back"]
    await form(bot, room, "Pause…", off="2027-12-22", back="2028-01-07", title="")
    off = (await bot.store.read(store.find_card, card.id)).off
    assert (min(off), max(off)) == ("2027-12-22", "2028-01-06")
    await form(bot, room, "Pause…", back="2027-12-10", hours=[])
    assert (await bot.store.read(store.find_card, card.id)).off >= {"2027-12-07", "2027-12-09"}
    # Whoever isn't its teacher reads whose it is, and changes nothing.
    before = await bot.store.read(store.find_card, card.id)
    assert "for <@UTRAINER>" in words(
        await bot.press("course_change", f"{card.id} 2027-12-06 skip 2027-12-14", CARLA)
    )
    assert "for <@UTRAINER>" in words(await bot.press("course_form:move", card.id, ALICE))
    moving = {**view, "private_metadata": f"{card.id} pause ", "state": sent(back="2028-01-01")}
    await submit(bot.services, ALICE, moving, "view:forged")
    assert await bot.store.read(store.find_card, card.id) == before


async def test_co_teachers_are_chosen_with_those_that_there_are_filled_in(bot, card):
    room = await bot.direct("my courses", TRAINER)
    await form(bot, room, "Co-teachers…", **{"with": [BOB.user_id]})
    assert (await bot.store.read(store.find_card, card.id)).co_teachers == {BOB.key}
    assert "Move…" in buttons(await bot.direct("my courses", BOB))
    view, _ = await form(bot, room, "Co-teachers…", **{"with": [], "title": ""})
    check_golden("views/course-teachers", view)
    assert (await bot.store.read(store.find_card, card.id)).co_teachers == frozenset()
    assert "*Statistics* are the same as before" in words(await bot.direct("undo", TRAINER))
    assert (await bot.store.read(store.find_card, card.id)).co_teachers == {BOB.key}
    assert {one.kind for one in await bot.notices()}.isdisjoint({ClassKind.COURSE_CHANGED})


async def test_home_has_a_section_for_each_own_course(bot, card):
    check_golden("home/course-taught", await home_of(bot, TRAINER))
    drawn = await home_of(bot, ALICE)
    check_golden("home/course-joined", drawn)
    for number in range(12):
        await bot.say(POST.replace("Statistics", f"Course {number}"), TRAINER)
    drawn = await home_of(bot, TRAINER)
    check_limits(drawn)
    assert "9 more: `/workspace courses`" in str(drawn)


async def test_a_card_is_posted_by_a_form_with_the_same_fields(bot):
    opened = await bot.say("card", TRAINER)
    check_limits(opened.view)
    check_golden("views/class-card", opened.view)
    lessons = {"hours": ["tue", "thu"], "begin": "08:00", "end": "09:30"}
    given = {"what": "notebook", "title": "R & D", "channel": "C7", "max": "60", **lessons}
    given |= {"from": "2027-12-13", "until": "2028-02-12", "with": [BOB.user_id]}
    done = await submit(bot.services, TRAINER, {**opened.view, "state": sent(**given)})
    assert "posting the card for *R &amp; D* in <#C7>" in str(done)
    (card,) = await bot.store.read(store.list_courses)
    assert (card.title, card.channel_id, card.pattern, card.maximum) == ("R & D", "C7", "notebook", 60)
    assert (card.wanted, card.co_teachers) == (Wanted(frozenset({"tue", "thu"}), 480, 570), {BOB.key})
    assert (card.first_day, card.last_day) == ("2027-12-13", "2028-02-12")
    # A class of one day ends at a time.
    await bot.press("card_form", "", TRAINER)
    once = {"what": "notebook", "channel": "C7", "today": "17:00"}
    await submit(bot.services, TRAINER, {**opened.view, "state": sent(**once)}, "view:2")
    ends = [one for one in await bot.notices() if one.kind is ClassKind.CLASS_CARD]
    cards = [await bot.store.read(store.find_card, one.subject) for one in ends]
    assert datetime(2027, 12, 6, 17, tzinfo=BERLIN).timestamp() in {one.stops_at for one in cards}


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"hours": ["tue"], "begin": "08:00"}, "hours"),
        ({"hours": ["tue"], "begin": "08:00", "end": "09:30", "until": "2027-12-01"}, "until"),
        ({"until": "2028-02-12"}, "hours"),
        ({"hours": ["tue"], "begin": "08:00", "end": "09:30", "today": "17:00"}, "today"),
        ({"max": "many"}, "max"),
        ({"today": "12:05"}, "today"),
        ({"what": "saturn/mainframe"}, "what"),
    ],
)
async def test_what_is_wrong_with_a_card_is_said_at_its_field(bot, fields, at):
    await offer(bot)
    view = (await bot.say("card", TRAINER)).view
    given = {"what": "notebook", "channel": "C7", **fields}
    answered = await submit(bot.services, TRAINER, {**view, "state": sent(**given)})
    assert list(answered["errors"]) == [at]
    assert await bot.notices() == []


async def test_a_member_reads_their_own_lessons_and_a_stranger_whose_it_is(bot, card):
    for typed in ("card statistics", "courses"):
        check_golden("answers/course-room-of-a-member", await bot.direct(typed, ALICE))
    assert "No courses yet." in words(await bot.say("courses", CARLA))
    # The button on the card answers each alone.
    assert "Move…" in buttons(await bot.press("course_room", card.id, TRAINER))
    assert "Move…" in buttons(await bot.press("course_room", card.id, ADMIN))
    assert list(buttons(await bot.press("course_room", card.id, ALICE))) == [
        "Skip next time",
        "Leave",
        "Calendar",
    ]
    assert buttons(await bot.press("course_room", card.id, CARLA)) == {}
    # What a member has skipped isn't next for them.
    await bot.press("lesson_skip", card.id)
    assert "Next lesson: <!date^1828335600^" in words(await bot.press("course_room", card.id, ALICE))


async def test_who_joined_is_told_to_teachers_by_name_and_to_others_as_a_number(bot, card):
    told = words(await bot.direct("courses Statistics", TRAINER))
    assert "*Statistics*: 2 people have joined. <@UALICE>, <@UBOB>" in told
    assert "<@UBOB>" not in words(await bot.direct("courses statistics", ALICE))
    many = [Principal(None, "T1", f"U{number:04}") for number in range(40)]
    await bot.store.save_people([Person(one, one.user_id, seen_at=bot.clock.now()) for one in many])
    for one in many:
        await bot.press("class_press", card.id, one)
    told = words(await bot.direct("courses Statistics", TRAINER))
    assert (told.count("<@"), "and 12 more" in told) == (30, True)


async def test_of_several_courses_of_one_title_each_is_shown(bot, card):
    await bot.say(POST, BOB)
    assert words(await bot.direct("card Statistics", TRAINER)).count("Next lesson") == 1
    await bot.say(POST.replace("tue,thu", "fri"), TRAINER)
    both = words(await bot.direct("card Statistics", TRAINER))
    assert ("Fridays" in both, "Tuesdays" in both, both.count("Next lesson")) == (True, True, 2)
