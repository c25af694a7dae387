"""Courses in words and buttons: posting one, joining, skipping, leaving, and what its teachers type."""

import json
import re
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from math import inf
from typing import Any

import pytest

from bot.domain.people import Person, Principal
from bot.domain.stops import StopEffect
from bot.domain.time_parsing import Wanted
from bot.domain.undoable_actions import RECENT_SECONDS
from bot.features.courses import store as class_rows
from bot.features.courses.message_context import load_class
from bot.features.courses.messages import render_class_card
from bot.features.courses.model import ClassKind, CourseContext
from bot.features.courses.tables import CLASS_CARDS
from bot.features.hours import store as rows
from bot.features.hours.model import HoursKind
from bot.messages.blocks.notices import is_true, render
from bot.store import workspaces
from tests.handlers.class_rig import ADMIN, BERLIN, BOB, TRAINER, course_rig, offer, posted
from tests.handlers.rig import ALICE, GUEST, activate, buttons, staged, words
from tests.rigs.golden import check_golden
from tests.rigs.store import linked
from tests.rigs.today import list_requests
from tests.rigs.use_cases import members_follow, tables

POST = "card notebook --title Statistics --hours tue,thu 8:00-9:30 --until 12 February"
bot = staged(partial(course_rig, "Europe/London"))


async def card_of(bot, card):
    card = await bot.store.read(class_rows.find_card, card.id)
    return render_class_card(await load_class(bot.services.gatherer, card, TRAINER))


async def told(bot):
    """Return what members are told, by person, once they have followed: nothing can be undone by then."""
    bot.clock.advance(RECENT_SECONDS)
    await members_follow(bot.services.context)
    changed = [one for one in await bot.notices() if one.kind is ClassKind.COURSE_CHANGED]
    return {one.principal: (one.body["what"], one.body) for one in changed}


async def test_a_course_is_posted_joined_and_left(bot):
    await linked(bot.store, ALICE, names=["notebook"])
    answer = await bot.say(POST, TRAINER)
    check_golden("answers/course-posted", answer)
    (notice,) = [one for one in await bot.notices() if one.kind is ClassKind.CLASS_CARD]
    card = await bot.store.read(class_rows.find_card, notice.subject)
    assert (card.days, card.starts, card.stops) == (frozenset({"tue", "thu"}), 480, 570)
    assert (card.first_day, card.last_day, card.time_zone) == ("2027-12-06", "2028-02-12", "Europe/Berlin")
    assert card.stops_at == datetime(2028, 2, 10, 9, 30, tzinfo=BERLIN).timestamp()
    joined = await bot.press("class_press", card.id)
    check_golden("answers/course-joined", joined)
    check_golden("cards/course", await card_of(bot, card))
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert (rule.wanted, rule.zone, rule.card) == (Wanted(card.days, 480, 570), "Europe/Berlin", card.id)
    skipped = await bot.press(*named(joined, "Skip next time"))
    assert "I'll skip *Statistics* on 7 Dec" in words(skipped)
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert rule.off == {"2027-12-07"}
    assert "I won't skip" in words(await bot.push(skipped, "Undo"))
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert rule.off == frozenset()
    assert "You've left *Statistics*." in words(await bot.press(*named(joined, "Leave")))
    assert await bot.store.read(rows.list_rules_of_person, ALICE) == []
    assert "You aren't in *Statistics*." in words(await bot.press(*named(joined, "Skip next time")))
    (agreed,) = [one for one in await bot.audit() if one["action"] == "class.join"]
    assert "tue,thu 08:00-09:30 until 2028-02-12" in str(agreed["detail"])
    audited = [one["action"] for one in await bot.audit()]
    assert [one for one in audited if one.startswith("class.")] == [
        *("class.post", "class.join", "class.skip", "class.leave")
    ]


def named(answer, label):
    """Return the action and the value of a button."""
    button = buttons(answer)[label]
    return button["action_id"].partition(":")[0], button.get("value") or ""


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--hours tue,thu 8:00", "I can't read that timetable."),
        ("--hours tomorrow 8:00-9:30", "I can't read that timetable."),
        ("--hours fri 22:00-2:00", "I can't read that timetable."),
        ("--hours tue 8:00-9:30 --until yesterday", "I can't read the course's days."),
        ("--hours tue 8:00-9:30 --from 1 March --until 2028-02-12", "I can't read the course's days."),
        ("--hours tue 8:00-9:30 --until 2029-12-24", "I can't read the course's days."),
        ("--hours tue 8:00-9:30 --until 6 Dec", "no lessons to come"),
    ],
)
async def test_a_timetable_that_is_none_posts_nothing(bot, flags, said):
    assert said in words(await bot.say(f"card notebook {flags}", TRAINER))
    assert await bot.notices() == []


async def test_the_card_that_is_offered_for_a_slip_has_the_same_timetable(bot):
    await linked(bot.store, TRAINER, names=["notebook"])
    asked = await bot.say(
        f"card notebok --hours tue 8:00-9:30 --from 7 January --until 3 March --with <@{BOB.user_id}>",
        TRAINER,
    )
    label = next(iter(buttons(asked)))
    await bot.push(asked, label, TRAINER)
    (card,) = await bot.store.read(class_rows.list_courses)
    assert (card.pattern, card.first_day, card.last_day) == ("notebook", "2028-01-07", "2028-03-03")
    assert (card.wanted, card.co_teachers) == (Wanted(frozenset({"tue"}), 480, 570), {BOB.key})


async def test_without_an_end_it_lasts_twenty_weeks_and_begins_when_its_teacher_says(bot):
    card = await posted(bot, "card notebook --hours mon-fri 8:00-9:30 --from 7 January")
    assert (card.first_day, card.last_day) == ("2028-01-07", "2028-05-26")


async def test_where_a_stop_ends_workspaces_for_good_no_course_is_posted(bot):
    provider = bot.connections["saturn"]
    provider.stop_effects = lambda _workspace: {"stop": StopEffect.ENDS}
    assert "a stop ends this workspace for good" in words(await bot.say(POST, TRAINER))
    assert await bot.notices() == []


CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "skip 23 Dec": ("skip", {"off": {"2027-12-23"}}),
    "skip 22 Dec to 6 Jan": (
        "skip",
        {"off": {*(f"2027-12-{day}" for day in range(22, 32)), *(f"2028-01-0{day}" for day in range(1, 7))}},
    ),
    "skip on Thursday": ("skip", {"off": {"2027-12-09"}}),
    "skip 22 Dec-24 Dec": ("skip", {"off": {f"2027-12-{day}" for day in (22, 23, 24)}}),
    "pause from 22 Dec to 24 Dec": ("skip", {"off": {f"2027-12-{day}" for day in (22, 23, 24)}}),
    "pause until 8 Dec": ("skip", {"off": {"2027-12-06", "2027-12-07"}}),
    "pause until Monday": ("skip", {"off": {f"2027-12-{day:02}" for day in range(6, 13)}}),
    "pause for a week": ("skip", {"off": {f"2027-12-{day:02}" for day in range(6, 13)}}),
    "skip today and tomorrow": ("skip", {"off": {"2027-12-06", "2027-12-07"}}),
    "skip 14 and 21 Dec": ("skip", {"off": {"2027-12-14", "2027-12-21"}}),
    "move 9 Dec to 10 Dec 10:00": ("move", {"off": {"2027-12-09"}, "moved": {"2027-12-10": [600, 690]}}),
    "move 9 Dec to friday 10-11": ("move", {"off": {"2027-12-09"}, "moved": {"2027-12-10": [600, 660]}}),
    "move thursday to friday": ("move", {"off": {"2027-12-09"}, "moved": {"2027-12-10": [480, 570]}}),
    "move 9 Dec to 9 Dec 14:00": ("shift", {"off": set(), "moved": {"2027-12-09": [840, 930]}}),
    "hours tue,thu 8:00-9:00": ("hours", {"days": {"tue", "thu"}, "stops": 540}),
    "hours tue,thu 7:00-8:30 from 7 Dec until 24 Dec": ("hours", {"starts": 420, "last_day": "2027-12-24"}),
    "until 11 Feb": ("hours", {"last_day": "2028-02-11"}),
}


@pytest.mark.parametrize("typed", CHANGES)
async def test_its_teacher_changes_it_and_whoever_joined_is_told(bot, typed):
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    (agreed,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    answer = await bot.say(f"card Statistics {typed}", TRAINER)
    if "Cancel" in " ".join(buttons(answer)):
        answer = await bot.push(answer, next(iter(buttons(answer))), TRAINER)
    assert "I'll tell everyone who joined." in words(answer)
    what, fields = CHANGES[typed]
    before, card = card, await bot.store.read(class_rows.find_card, card.id)
    assert {name: getattr(card, name) for name in fields} == fields
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert {name: getattr(rule, name, None) for name in fields} == fields
    assert {who: said for who, (said, _) in (await told(bot)).items()} == {ALICE: what}
    assert "change the lessons of *Statistics*" in await list_requests(bot.services.context, TRAINER)
    assert "The lessons of *Statistics* are as they were before." in words(
        await bot.push(answer, "Undo", TRAINER)
    )
    now = await bot.store.read(class_rows.find_card, card.id)
    assert (now.timetable(), now.stops_at) == (before.timetable(), before.stops_at)
    await told(bot)
    assert (await bot.store.read(rows.list_rules_of_person, ALICE))[0].timetable() == agreed.timetable()


@pytest.mark.parametrize(
    "typed",
    [
        "skip the moon",
        "resume",
        "on Friday",
        "hours",
        "hours tue",
        "hours tue 9:00-8:00",
        "move 9 Dec",
        "move 9 Dec to the moon",
        "move 9 Dec to 10 Dec 10:00-12:00",
        "move 9 Dec to today 10:00",
        "move 9 Dec to 14 Dec",
        "move 9 Dec to 14 Feb",
    ],
)
async def test_what_is_no_change_is_said_with_what_is(bot, typed):
    card = await posted(bot, POST)
    assert "`/workspace card Statistics skip 24 Dec`" in words(
        await bot.say(f"card Statistics {typed}", TRAINER)
    )
    assert await bot.store.read(class_rows.find_card, card.id) == card


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "skip 24 Dec",
            "*Statistics* has no lesson on Fri 24 Dec. The next ones are on Tue 7 Dec and Thu 9 Dec.",
        ),
        ("skip 10 Dec to 13 Dec", "*Statistics* has no lesson from Fri 10 Dec to Mon 13 Dec."),
        ("skip 14 Feb 2028", "*Statistics* has no lesson on Mon 14 Feb."),
        ("pause until tomorrow", "*Statistics* has no lesson on Mon 6 Dec."),
        ("move 8 Dec to 10 Dec", "*Statistics* has no lesson on Wed 8 Dec."),
        ("skip 7 Dec to 31 Dec 9999", "That leaves no lessons to come"),
        ("pause until 1 March", "That leaves no lessons to come"),
        ("pause from 22 Dec", "I can't read that change"),
        ("until 1 Feb from 1 March", "I can't read that change"),
        ("hours mon 8:00-9:00 until today", "That leaves no lessons to come"),
    ],
)
async def test_what_has_no_lesson_is_neither_skipped_nor_moved(bot, typed, said):
    card = await posted(bot, POST)
    assert said in words(await bot.say(f"card Statistics {typed}", TRAINER))
    assert await bot.store.read(class_rows.find_card, card.id) == card
    only = await posted(bot, "card notebook --title Physics --hours tue 8:00-9:30 --until 7 Dec")
    assert "The next one is on Tue 7 Dec." in words(await bot.say("card Physics skip 8 Dec", TRAINER))
    assert only.stops_at is not None


async def test_with_hours_a_card_is_only_ever_posted(bot):
    """Also where a course is called as the workspace that its card is about."""
    await linked(bot.store, ALICE, names=["notebook"])
    await linked(bot.store, TRAINER, names=["notebook"])
    first = await posted(bot, "card notebook --hours wed 8:00-9:30")
    await bot.press("class_press", first.id)
    for title in ("Physics", "notebook"):
        await bot.say(f"card notebook --title {title} --hours fri 10:00-11:30", TRAINER)
    assert await bot.store.read(class_rows.find_card, first.id) == replace(first, **await seen(bot, first))
    assert sorted((one.title, *one.days) for one in await bot.store.read(class_rows.list_courses)) == [
        ("Physics", "fri"),
        ("notebook", "fri"),
        ("notebook", "wed"),
    ]
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert rule.days == {"wed"}


async def seen(bot, card):
    """Return what a press alone changes of a card."""
    now = await bot.store.read(class_rows.find_card, card.id)
    return {"lead_seconds": now.lead_seconds, "fan_out_at": now.fan_out_at}


async def test_hours_for_a_title_post_another_card_only_if_that_is_meant(bot):
    await linked(bot.store, TRAINER, names=["notebook"])
    card = await posted(bot, POST)
    asked = await bot.say("card Statistics --hours tue,thu 9:00-10:30 --until 24 Dec", TRAINER)
    assert "That would post another card. Did you want to change your course *Statistics*" in words(asked)
    assert await bot.store.read(class_rows.find_card, card.id) == card
    changes, posts = list(buttons(asked))
    assert changes == "Statistics \u00b7 Tuesdays and Thursdays 08:00"
    await bot.push(asked, changes, TRAINER)
    (now,) = await bot.store.read(class_rows.list_courses)
    assert (now.starts, now.last_day) == (540, "2027-12-24")
    await bot.push(asked, posts, TRAINER)
    assert len(await bot.store.read(class_rows.list_courses)) == 2


async def test_course_of_this_channel_is_preferred_among_same_titles(
    bot,
):
    tuesday = await posted(bot, "card notebook --title Biology --hours tue 8:00-9:30", channel_id="C1")
    await bot.say("card notebook --title Biology --hours wed 8:00-9:30", TRAINER, channel_id="C2")
    wednesday = next(one for one in await bot.store.read(class_rows.list_courses) if one.days == {"wed"})
    asked = await bot.say("card Biology skip wednesday", TRAINER, channel_id="C3")
    assert words(asked).startswith("Which course do you mean?")
    assert list(buttons(asked)) == [
        "Biology \u00b7 Tuesdays 08:00",
        "Biology \u00b7 Wednesdays 08:00",
    ]
    assert "Biology \u00b7 Tuesdays 08:00 \u00b7 <#C1>" in words(asked)
    assert {(await bot.store.read(class_rows.find_card, one.id)).off for one in (tuesday, wednesday)} == {
        frozenset()
    }
    # Wednesday is the one of the day on which it was typed, whenever the button is pressed.
    bot.clock.advance(86_400.0)
    answer = await bot.push(asked, "Biology \u00b7 Wednesdays 08:00", TRAINER)
    assert "There's no *Biology* on 8 Dec." in words(answer)
    assert (await bot.store.read(class_rows.find_card, wednesday.id)).off == {"2027-12-08"}
    bot.clock.advance(2 * 86_400.0)
    late = await bot.push(asked, "Biology \u00b7 Wednesdays 08:00", TRAINER)
    assert "has no lesson on Wed 8 Dec. The next ones are on Wed 15 Dec" in words(late)
    await bot.say("card Biology skip 14 Dec", TRAINER, channel_id="C1")
    assert (await bot.store.read(class_rows.find_card, tuesday.id)).off == {"2027-12-14"}


async def test_what_takes_much_from_members_is_asked_about_with_their_number(bot):
    for one in (ALICE, BOB):
        await linked(bot.store, one, names=["notebook"])
    card = await posted(bot, POST)
    assert "has a new timetable" in words(await bot.say("card Statistics hours thu,fri 8:00-9:30", TRAINER))
    await bot.press("class_press", card.id)
    await bot.say("card Statistics hours tue,thu,fri 8:00-9:30", TRAINER)
    await bot.press("class_press", card.id, BOB)
    questions = {
        "hours thu,fri 8:00-9:30": ("This cancels Tuesdays for 1 person.", "Cancel Tuesdays"),
        "hours tue 8:00-9:30": (
            "This cancels Thursdays and Fridays for 2 people.",
            "Cancel Thursdays and Fridays",
        ),
        "pause until 31 January": ("This cancels 24 lessons for 2 people.", "Cancel 24 lessons"),
        "end": ("This ends *Statistics* for 2 people.", "End course"),
    }
    before = await bot.store.read(class_rows.find_card, card.id)
    for typed, (said, label) in questions.items():
        asked = await bot.say(f"card Statistics {typed}", TRAINER)
        assert (words(asked), next(iter(buttons(asked)))) == (said, label)
        assert "Left as it is." in words(await bot.push(asked, list(buttons(asked))[1], TRAINER))
    assert (await bot.store.read(class_rows.find_card, card.id)).timetable() == before.timetable()
    await bot.push(asked, "End course", TRAINER)
    assert (await bot.store.read(class_rows.find_card, card.id)).closed_at is not None


async def test_co_teachers_are_named_told_and_taken_out(bot):
    answer = await bot.say(f"{POST} --with <@UBOB|bob>", TRAINER)
    assert "<@UBOB> can change it, too, and I'm letting them know." in words(answer)
    (card,) = await bot.store.read(class_rows.list_courses)
    assert await teachers_told(bot) == [(BOB, "You're now a co-teacher of *Statistics*, with <@UTRAINER>")]
    answer = await bot.say("card Statistics with <@UALICE> and <@UADMIN>", BOB)
    who = "<@UADMIN>, <@UALICE>, <@UBOB> and <@UTRAINER>"
    assert f"*Statistics* can now be changed by {who}." in words(answer)
    assert {one for one, _ in await teachers_told(bot)} == {ALICE, ADMIN}
    taken_out = await bot.say("card Statistics without <@UBOB>", ALICE)
    assert "You're no longer a co-teacher of *Statistics*." in str(await teachers_told(bot))
    assert BOB.key not in (await bot.store.read(class_rows.find_card, card.id)).co_teachers
    assert "for <@UTRAINER>" in words(await bot.say("card Statistics end", BOB))
    assert "The co-teachers of *Statistics* are the same" in words(await bot.push(taken_out, "Undo", ALICE))
    assert BOB.key in (await bot.store.read(class_rows.find_card, card.id)).co_teachers
    assert "change who teaches *Statistics*" in str(await list_requests(bot.services.context, ALICE))


async def teachers_told(bot):
    """Return what is true by now of what co-teachers are told."""
    found = [one for one in await bot.notices() if one.kind is ClassKind.COURSE_TEACHER]
    drawn = [(one.principal, one.kind, await bot.services.gatherer.describe_notice(one)) for one in found]
    return [
        (who, words(render(kind, facts)).partition(":")[0])
        for who, kind, facts in drawn
        if is_true(kind, facts)
    ]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("Berta", "I don't know who Berta is. Mention co-teachers"),
        ("<@UBOB> and Berta", "I don't know who Berta is."),
        ("<@UGUEST>", "<@UGUEST> is a guest, and guests can't use me, so I haven't done anything."),
        ("<@UGONE>", "<@UGONE> couldn't be found in Slack, so I haven't done anything."),
        ("<@ULEFT>", "<@ULEFT> has a deactivated Slack account, so I haven't done anything."),
    ],
)
async def test_who_cannot_teach_is_refused_in_a_sentence(bot, named, said):
    left = Principal(None, "T1", "ULEFT")
    await bot.store.save_people([Person(left, "Lea", is_deleted=True, seen_at=bot.clock.now())])
    await bot.store.save_people([Person(GUEST, "Greta", is_guest=True, seen_at=bot.clock.now())])
    bot.people.silent = True
    named, said = (one.replace("UGUEST", GUEST.user_id) for one in (named, said))
    assert said in words(await bot.say(f"{POST} --with {named}", TRAINER))
    assert await bot.store.read(class_rows.list_courses) == []
    card = await posted(bot, POST)
    assert said in words(await bot.say(f"card Statistics with {named}", TRAINER))
    assert (await bot.store.read(class_rows.find_card, card.id)).co_teachers == frozenset()


async def test_others_may_change_it_only_where_its_teacher_said_so(bot):
    card = await posted(bot, POST)
    assert "for <@UTRAINER>, who posted this card" in words(await bot.say("card Statistics skip 23 Dec", BOB))
    assert (await bot.store.read(class_rows.find_card, card.id)).off == frozenset()
    other = await posted(bot, POST.replace("Statistics", "Algebra") + f" --with <@{BOB.user_id}>")
    assert other.co_teachers == {BOB.key}
    await bot.say("card Algebra skip 23 Dec", BOB)
    assert (await bot.store.read(class_rows.find_card, other.id)).off == {"2027-12-23"}
    await bot.say("card Algebra end", ADMIN)
    assert (await bot.store.read(class_rows.find_card, other.id)).closed_at is not None


async def test_ending_a_course_is_asked_about_and_told(bot):
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    asked = await bot.press("ask", f"class_stop {card.id}", TRAINER)
    assert "There'll be no more lessons" in str(asked)
    assert "has ended" in words(await bot.press("class_stop", card.id, TRAINER))
    assert [what for what, _ in (await told(bot)).values()] == ["end"]
    assert "The course has ended." in words(await bot.press("class_press", card.id))


async def test_ended_course_is_not_shown_to_members_who_have_not_followed(bot):
    """Nothing says that it goes on before the members' rules follow its card."""
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    await bot.press("lesson_skip", card.id)
    said = await bot.say("hours notebook", ALICE)
    assert "Lessons of *Statistics*: Tue, Thu 08:00" in words(said)
    assert "You're skipping *Statistics* on 7 Dec." in words(said)
    await bot.press("class_stop", card.id, TRAINER)
    (rule,) = [one for one in await bot.store.read(rows.list_rules_of_person, ALICE) if not one.is_own]
    assert (
        rule.applied_state != (await bot.store.read(class_rows.find_card, card.id)).state
        or rule.after(bot.clock.now()) is None
    )
    for typed in ("hours notebook", "hours", "courses", "status notebook"):
        said = await bot.say(typed, ALICE)
        assert "Lessons of" not in words(said)
        assert not [one for one in buttons(said) if "Statistics" in one]
    found = await bot.services.gatherer.describe_workspaces(
        ALICE, await bot.store.perform(workspaces.read_workspaces, ALICE)
    )
    assert not [one for one in found if one.of(CourseContext).lessons], (
        "Home and lists are drawn from the same"
    )


async def test_skipped_lesson_is_shown_and_taken_back(bot):
    """In the rows of its member, and in the numbers that its teachers read."""
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST + f" --with <@{ALICE.user_id}>")
    await bot.press("class_press", card.id)
    assert "Don't skip Tue 7 Dec" not in buttons(await bot.say("courses", ALICE))
    await bot.press("lesson_skip", card.id)
    for person in (ALICE, TRAINER):
        shown = await bot.say("courses", person)
        assert "1 joined · 0 agreed to this lesson · 1 skipping it · 0 linked an account" in words(shown)
        assert ("You're skipping *Statistics* on 7 Dec." in words(shown)) is (person == ALICE)
    # A co-teacher's button for all says so.
    shown = await bot.say("courses", ALICE)
    assert {"Don't skip Tue 7 Dec", "Cancel 7 Dec for everyone"} <= buttons(shown).keys()
    back = await bot.push(shown, "Don't skip Tue 7 Dec", ALICE)
    assert "I won't skip *Statistics* on 7 Dec after all." in words(back)
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert rule.off == frozenset()
    assert "You aren't skipping any lessons" in words(await bot.push(shown, "Don't skip Tue 7 Dec", ALICE))
    assert "I'll skip *Statistics* as before." in words(await bot.push(back, "Undo", ALICE))
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert rule.off == {"2027-12-07"}


async def test_resume_takes_back_own_skips_alone(bot):
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    await bot.say("card Statistics skip 14 Dec", TRAINER)
    for day in ("7 Dec", "9 Dec", "21 Dec"):
        await bot.say(f"card Statistics skip {day}", ALICE)
    shown = await bot.say("courses", ALICE)
    assert "No lessons on 14 Dec." in words(shown)
    assert "You're skipping *Statistics* from 7 to 9 Dec and on 21 Dec." in words(shown)
    assert "Don't skip any day" in buttons(shown)
    said = await bot.say("card Statistics resume", ALICE)
    assert "I won't skip *Statistics* from 7 to 9 Dec and on 21 Dec after all." in words(said)
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert (rule.off, rule.skipped) == ({"2027-12-14"}, frozenset())
    assert (await bot.store.read(class_rows.find_card, card.id)).off == {"2027-12-14"}


async def test_moved_lesson_is_shown_to_members(bot):
    """Whoever joined is started then, without another consent: it's no longer than the one before."""
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    await bot.say("card Statistics move 9 Dec to 10 Dec 10:00", TRAINER)
    for typed in ("hours", "courses"):
        said = words(await bot.say(typed, ALICE))
        assert re.search(r"No lessons on 9 Dec\.\s+On 10 Dec: .*10:00.*11:30", said), typed
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert [one.side for one in rule.on(date(2027, 12, 10))] == ["start", "stop"]
    # One that is cancelled after that isn't shown as moved.
    await bot.say("card Statistics skip 10 Dec", TRAINER)
    assert "On 10 Dec" not in words(await bot.say("hours", ALICE)) + words(await card_of(bot, card))


async def test_message_of_several_changes_names_each(bot):
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    await bot.say("card Statistics skip 23 Dec", TRAINER)
    await told(bot)
    for order in ("skip 14 Dec", "move 9 Dec to 10 Dec 10:00", "move 16 Dec to 17 Dec 8:00"):
        await bot.say(f"card Statistics {order}", TRAINER)
    bot.clock.advance(RECENT_SECONDS)
    await members_follow(bot.services.context)
    notice = [one for one in await bot.notices() if one.kind is ClassKind.COURSE_CHANGED][-1]
    check_golden(
        "notices/course-several", render(notice.kind, await bot.services.gatherer.describe_notice(notice))
    )


async def test_home_and_hours_show_a_course_beside_own_hours_with_leave(bot):
    (mine,) = (await linked(bot.store, ALICE, names=["notebook"])).workspaces
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    alone = await bot.say("hours notebook", ALICE)
    assert "Lessons of *Statistics*: Tue, Thu 08:00" in words(alone)
    assert "Leave Statistics" in buttons(alone)
    await bot.say("hours notebook weekdays 10:00-18:00", ALICE)
    check_golden("answers/hours-beside-a-course", await bot.say("hours notebook", ALICE))
    assert "Lessons of *Statistics*" in words(await bot.say("hours", ALICE))
    # What ends one's own hours leaves the lessons, and what brings all of them back leaves those off.
    await bot.say("card Statistics skip 23 Dec", TRAINER)
    await bot.press("lesson_skip", card.id)
    (before,) = [one for one in await bot.store.read(rows.list_rules_of_person, ALICE) if not one.is_own]
    await bot.press("hours_on", mine.id)
    await bot.press("hours_off", mine.id)
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert (rule.card, rule.off) == (card.id, before.off)
    assert (len(rule.off), "2027-12-23" in rule.off) == (2, True)
    assert "You've left" in words(await bot.press(*named(alone, "Leave Statistics")))


@pytest.mark.parametrize("rests", [True, False])
async def test_who_joins_hears_whether_what_is_made_is_started(bot, rests):
    await offer(bot)
    await activate(bot.store, ALICE, "saturn", "alice")
    bot.connections["saturn"].makes_at_rest = rests
    card = await posted(bot, POST.replace("notebook", "saturn/local"))
    said = words(await bot.press("class_press", card.id))
    assert ("I'm creating it now, without starting it." in said) is rests
    assert ("on Saturn Cloud, that also starts it" in said) is not rests
    (row,) = await bot.store.perform(workspaces.read_workspaces, ALICE)
    assert (row.stop_at is None) is rests
    # It isn't called what its template is.
    shown = await bot.say("courses", ALICE)
    assert f"I'll start your workspace *{row.title}* on Saturn Cloud for it." in words(shown)
    assert row.title == "statistics"


async def test_a_calendar_is_shown_once_and_replaced_and_ended(bot):
    """Its address is in a form, which nothing keeps; where that can't be opened, there can be a new one."""
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    assert "You aren't in *Statistics*." in words(await bot.press("course_calendar", card.id))
    joined = await bot.press("class_press", card.id)
    first = await bot.push(joined, "Calendar")
    (url,) = re.findall(r"https?://\S+/calendar/[\w-]{43}\.ics", str(first.view))
    check_golden("views/calendar", first.view | {"blocks": [one_of_views(first.view, url)]})
    check_golden("answers/course-calendar", replace(first, view=None))
    again = await bot.push(await bot.say("hours notebook", ALICE), "Statistics calendar")
    assert (again.view, words(again)) == (None, words(first))
    renewed = await bot.push(again, "New address")
    assert url not in str(renewed)
    assert "doesn't work any more" in words(await bot.push(again, "End it"))
    assert (await bot.press("course_calendar", card.id)).view is not None
    assert url.rpartition("/")[2] not in str(await tables(bot.store))
    audited = [one["action"] for one in await bot.audit() if "calendar" in one["action"]]
    assert audited == [*["class.calendar"] * 2, "class.calendar_end", "class.calendar"]
    assert "calendar" not in str(await list_requests(bot.services.context, ALICE))


def one_of_views(view, url):
    """Return what a form says, with an address that is the same in every test."""
    return json.loads(
        json.dumps(view["blocks"][0]).replace(url, "https://usher.example.org/calendar/ADDRESS.ics")
    )


async def test_where_browsers_reach_no_address_there_is_no_calendar(bot):
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    bot.services.gatherer._public_url = None
    joined = await bot.press("class_press", card.id)
    hours = await bot.say("hours notebook", ALICE)
    assert not [one for one in [*buttons(joined), *buttons(hours)] if "alendar" in one]


async def test_where_workspaces_are_removed_before_the_next_lesson_no_course_is_posted(bot):
    provider = bot.connections["saturn"]
    provider.retention_seconds = lambda: (86_400.0, inf)
    assert "removes workspaces after 1 day" in words(await bot.say(POST, TRAINER))
    provider.retention_seconds = lambda: (8 * 86_400.0, 30 * 86_400.0)
    assert "removes workspaces after 30 days" in words(await bot.say(POST, TRAINER))
    assert await bot.notices() == []
    assert await posted(bot, POST.replace("12 February", "24 December"))


async def test_lessons_that_pause_are_left_where_they_can_not_go_on(bot):
    """A member is told of the course, and neither of hours nor of how to turn them off."""
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    await bot.store.carry_out(lambda tx: rows.pause(tx, rule, "gone"))
    (notice,) = [one for one in await bot.notices() if one.kind is HoursKind.HOURS_PAUSED]
    drawn = render(notice.kind, await bot.services.gatherer.describe_notice(notice))
    assert "I can't start *notebook* on Saturn Cloud for *Statistics* any more." in words(drawn)
    assert list(buttons(drawn)) == ["Leave"]


async def test_a_teacher_takes_a_change_back_with_the_button_below_the_answer(bot):
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    answer = await bot.say("card Statistics skip 9 Dec", TRAINER)
    assert [what for what, _ in (await told(bot)).values()] == ["skip"]
    assert "The lessons of *Statistics* are as" in words(await bot.push(answer, "Undo", TRAINER))
    assert (await bot.store.read(class_rows.find_card, card.id)).off == frozenset()
    back = (await told(bot))[ALICE]
    assert (back[0], back[1]["days"]) == ("back", "on 9 Dec")
    ended = await bot.press("class_stop", card.id, TRAINER)
    undone = words(await bot.push(ended, "Undo", TRAINER))
    assert "The lessons of *Statistics* are as they were before." in undone
    assert not (await bot.store.read(class_rows.find_card, card.id)).is_over(bot.clock.now())
    # Whoever isn't its teacher any more takes nothing back.
    other = await bot.say("card Statistics until 24 Dec", TRAINER)
    other = await bot.push(other, "Cancel 14 lessons", TRAINER) if "Cancel" in str(other) else other
    await bot.store.carry_out(lambda tx: CLASS_CARDS.change(tx, {"id": card.id}, principal=BOB))
    assert "Only the person who posted that card" in words(await bot.push(other, "Undo", TRAINER))
    assert (await bot.store.read(class_rows.find_card, card.id)).last_day == "2027-12-24"


async def test_days_off_are_said_as_spans_between_which_there_are_lessons(bot):
    card = await posted(bot, POST)
    for typed in ("skip 22 Dec to 6 Jan", "skip 14 Dec", "skip 9 Dec"):
        await bot.say(f"card Statistics {typed}", TRAINER)
    shown = words(await card_of(bot, card))
    assert "No lessons from 9 to 14 Dec and from 22 Dec to 6 Jan.\n" in shown
    back = await bot.say("card Statistics resume", TRAINER)
    assert "takes place from 9 to 14 Dec and from 22 Dec to 6 Jan after all." in words(back)
    assert "No lesson" not in words(await card_of(bot, card))


async def test_a_colleagues_card_of_the_title_takes_nobodys_words(bot):
    await linked(bot.store, ALICE, names=["notebook"])
    mine = await posted(bot, POST)
    await bot.press("class_press", mine.id)
    await bot.say(POST, BOB)
    (theirs,) = [one for one in await bot.store.read(class_rows.list_courses) if one.id != mine.id]
    await bot.say("card Statistics skip 9 Dec", TRAINER)
    assert (await bot.store.read(class_rows.find_card, mine.id)).off == {"2027-12-09"}
    assert "I'll skip *Statistics* on 14 Dec" in words(await bot.say("card Statistics skip 14 Dec", ALICE))
    assert "I'll skip *Statistics* from 20 to 24 Dec" in words(
        await bot.say("card Statistics skip 20 Dec to 24 Dec", ALICE)
    )
    for typed in ("end", "pause until 10 January"):
        said = words(await bot.say(f"card Statistics {typed}", ALICE))
        assert "for <@UTRAINER>, who posted this card" in said
    (rule,) = await bot.store.read(rows.list_rules_of_person, ALICE)
    assert rule.off == {f"2027-12-{day:02}" for day in (9, 14, *range(20, 25))}
    assert (await bot.store.read(class_rows.find_card, theirs.id)).off == frozenset()
