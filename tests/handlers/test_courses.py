"""Courses in commands and buttons: posting, joining, skipping, leaving, and what their teachers type."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from math import inf

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.stops import StopEffect
from bot.domain.time_parsing import Wanted
from bot.messages.blocks.courses import render_class_card
from bot.store import courses as class_rows
from bot.store import workspaces
from bot.store.tables import CLASS_CARDS
from tests.handlers.class_rig import ADMIN, BERLIN, BOB, TRAINER, course_rig, offer, posted
from tests.handlers.rig import ALICE, activate, buttons, staged, words
from tests.rigs.golden import check_golden
from tests.rigs.store import linked

POST = "card notebook --title Statistics --hours tue,thu 8:00-9:30 --until 12 February"
bot = staged(partial(course_rig, "Europe/London"))


async def card_of(bot, card):
    card = await bot.store.read(class_rows.find_card, card.id)
    return render_class_card(await bot.services.gatherer.describe_class(card, TRAINER))


async def test_a_course_is_posted_joined_and_left(bot):
    await linked(bot.store, ALICE, names=["notebook"])
    answer = await bot.say(POST, TRAINER)
    check_golden("answers/course-posted", answer)
    (notice,) = [one for one in await bot.notices() if one.kind is NoticeKind.CLASS_CARD]
    card = await bot.store.read(class_rows.find_card, notice.subject)
    assert (card.days, card.starts, card.stops) == (frozenset({"tue", "thu"}), 480, 570)
    assert (card.first_day, card.last_day, card.time_zone) == ("2027-12-06", "2028-02-12", "Europe/Berlin")
    assert card.stops_at == datetime(2028, 2, 10, 9, 30, tzinfo=BERLIN).timestamp()
    joined = await bot.press("class_press", card.id)
    check_golden("answers/course-joined", joined)
    check_golden("cards/course", await card_of(bot, card))
    assert [one.card_id for one in await bot.store.read(class_rows.list_memberships, ALICE)] == [card.id]
    assert "You've left *Statistics*." in words(await bot.press(*named(joined, "Leave")))
    assert await bot.store.read(class_rows.list_memberships, ALICE) == []
    (agreed,) = [one for one in await bot.audit() if one["action"] == "class.join"]
    assert "tue,thu 08:00-09:30 until 2028-02-12" in str(agreed["detail"])
    audited = [one["action"] for one in await bot.audit()]
    assert [one for one in audited if one.startswith("class.")] == [
        *("class.post", "class.join", "class.leave")
    ]


def named(answer, label):
    """Return the action and the value of the button with this label."""
    button = buttons(answer)[label]
    return button["action_id"].partition(":")[0], button.get("value") or ""


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--hours tue,thu 8:00", "I can't read that timetable."),
        ("--hours tomorrow 8:00-9:30", "I can't read that timetable."),
        ("--hours fri 22:00-2:00", "I can't read that timetable."),
        ("--hours tue 8:00-9:30 +05:30", "leave the zone out"),
        ("--hours tue 8:00-9:30 Europe/Paris", "leave the zone out"),
        ("--hours tue 8:00-9:30 IST", "leave the zone out"),
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


async def test_a_co_teacher_has_the_key_of_their_own_requests(bot):
    """Some people's keys keep the enterprise that Slack named when they linked their accounts."""
    context = bot.services.context
    place = replace(context.installation, other_enterprises={BOB.user_id: "E1"})
    bot.services = replace(bot.services, context=replace(context, installation=place))
    card = await posted(bot, POST + f" --with <@{BOB.user_id}>")
    assert card.co_teachers == {place.resolve_principal(BOB).key} == {"E1:T1:UBOB"}


async def test_without_an_end_it_lasts_twenty_weeks_and_begins_when_its_teacher_says(bot):
    card = await posted(bot, "card notebook --hours mon-fri 8:00-9:30 --from 7 January")
    assert (card.first_day, card.last_day) == ("2028-01-07", "2028-05-26")


async def test_where_a_stop_ends_workspaces_for_good_no_course_is_posted(bot):
    provider = bot.connections["saturn"]
    provider.stop_effects = lambda _workspace: {"stop": StopEffect.ENDS}
    assert "a stop ends this workspace for good" in words(await bot.say(POST, TRAINER))
    assert await bot.notices() == []


async def seen(bot, card):
    """Return the only part of a card that a press changes."""
    now = await bot.store.read(class_rows.find_card, card.id)
    return {"lead_seconds": now.lead_seconds}


async def test_course_of_this_channel_is_preferred_among_same_titles(
    bot,
):
    tuesday = await posted(bot, "card notebook --title Biology --hours tue 8:00-9:30", channel_id="C1")
    await bot.say("card notebook --title Biology --hours wed 8:00-9:30", TRAINER, channel_id="C2")
    wednesday = next(one for one in await bot.store.read(class_rows.list_courses) if one.days == {"wed"})
    asked = await bot.say("card Biology skip 6 Dec to 9 Dec", TRAINER, channel_id="C3")
    assert words(asked).startswith("Which course do you mean?")
    assert list(buttons(asked)) == [
        "Biology \u00b7 Tuesdays 08:00",
        "Biology \u00b7 Wednesdays 08:00",
    ]
    assert "Biology \u00b7 Tuesdays 08:00 \u00b7 <#C1>" in words(asked)
    assert {(await bot.store.read(class_rows.find_card, one.id)).off for one in (tuesday, wednesday)} == {
        frozenset()
    }
    # Only one of the courses has a lesson on Wednesdays, so it isn't asked which is meant.
    answer = await bot.say("card Biology skip wednesday", TRAINER, channel_id="C3")
    assert "No lessons on Wed 8 Dec." in words(answer)
    assert (await bot.store.read(class_rows.find_card, wednesday.id)).off == {"2027-12-08"}
    bot.clock.advance(3 * 86_400.0)
    late = await bot.push(asked, "Biology \u00b7 Wednesdays 08:00", TRAINER)
    assert "No lessons" in words(late)
    await bot.say("card Biology skip 14 Dec", TRAINER, channel_id="C1")
    assert (await bot.store.read(class_rows.find_card, tuesday.id)).off == {"2027-12-14"}


async def test_others_may_change_it_only_where_its_teacher_said_so(bot):
    card = await posted(bot, POST)
    assert "for <@UTRAINER>, who posted this card" in words(await bot.say("card Statistics skip 23 Dec", BOB))
    assert (await bot.store.read(class_rows.find_card, card.id)).off == frozenset()
    other = await posted(bot, POST.replace("Statistics", "Algebra") + f" --with <@{BOB.user_id}>")
    assert other.co_teachers == {BOB.key}
    await bot.say("card Algebra skip 23 Dec", BOB)
    assert (await bot.store.read(class_rows.find_card, other.id)).off == {"2027-12-23"}
    asked = await bot.say("card Algebra end", ADMIN)
    assert "This will end *Algebra*" in words(asked)
    await bot.push(asked, "End course", ADMIN)
    assert (await bot.store.read(class_rows.find_card, other.id)).closed_at is not None


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
    # The workspace isn't named after its template.
    shown = await bot.say("courses", ALICE)
    assert f"I'll start your workspace *{row.title}* on Saturn Cloud for it." in words(shown)
    assert row.title == "statistics"


async def test_where_workspaces_are_removed_before_the_next_lesson_no_course_is_posted(bot):
    provider = bot.connections["saturn"]
    provider.retention_seconds = lambda: (86_400.0, inf)
    assert "removes workspaces after 1 day" in words(await bot.say(POST, TRAINER))
    provider.retention_seconds = lambda: (8 * 86_400.0, 30 * 86_400.0)
    assert "removes workspaces after 30 days" in words(await bot.say(POST, TRAINER))
    assert await bot.notices() == []
    assert await posted(bot, POST.replace("12 February", "24 December"))


CHANGES = {
    "skip 23 Dec": {"2027-12-23"},
    "skip 22 Dec to 6 Jan": {
        *(f"2027-12-{day}" for day in range(22, 32)),
        *(f"2028-01-0{day}" for day in range(1, 7)),
    },
    "skip on Thursday": {"2027-12-09"},
    "skip 14 and 21 Dec": {"2027-12-14", "2027-12-21"},
}


@pytest.mark.parametrize("typed", CHANGES)
async def test_its_teacher_leaves_lessons_out_and_takes_that_back(bot, typed):
    card = await posted(bot, POST)
    answer = await bot.say(f"card Statistics {typed}", TRAINER)
    assert "No lessons" in words(answer)
    changed = await bot.store.read(class_rows.find_card, card.id)
    assert changed.off == CHANGES[typed]
    assert "Restore cancelled lessons" in buttons(answer)
    await bot.say("card Statistics resume", TRAINER)
    assert await bot.store.read(class_rows.find_card, card.id) == card


@pytest.mark.parametrize(
    "text", ["skip 23 Dec?", "resume?", "leave?", "end?", "end.", "skip.", "leave next week", "resume later"]
)
async def test_question_or_sentence_about_a_course_changes_nothing(bot, text):
    card = await posted(bot, POST)
    await bot.say("card Statistics skip 16 Dec", TRAINER)
    await bot.say(f"card Statistics {text}", TRAINER)
    after = await bot.store.read(class_rows.find_card, card.id)
    assert (after.off, after.closed_at) == ({"2027-12-16"}, None)


async def test_sentence_about_leaving_a_course_leaves_it_not(bot):
    await linked(bot.store, ALICE, names=["notebook"])
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    for text in ("leave?", "leave the room open"):
        assert "Leave" in buttons(await bot.say(f"card Statistics {text}"))
        assert len(await bot.store.read(class_rows.list_memberships, ALICE)) == 1
    assert "You've left *Statistics*." in words(await bot.say("card Statistics leave."))


async def test_course_in_quotes_is_changed_and_no_card_is_posted(bot):
    card = await posted(bot, POST.replace("Statistics", "Intro Stats"))
    await bot.say('card "Intro Stats" skip 23 Dec', TRAINER)
    assert (await bot.store.read(class_rows.find_card, card.id)).off == {"2027-12-23"}
    assert "This will end *Intro Stats*" in words(await bot.say('card "Intro Stats" end', TRAINER))
    await bot.say('card "Intro Physics" skip 23 Dec', TRAINER)
    assert await bot.say('card "Intro Stats"', TRAINER) == await bot.say("card Intro Stats", TRAINER)
    assert [one for one in await bot.notices() if one.kind is NoticeKind.CLASS_CARD] == []


@pytest.mark.parametrize("flags", ["--from 9999-12-31", "--from 31.12.9999 --until 31.12.9999"])
async def test_a_course_in_the_last_year_of_the_calendar_is_refused(bot, flags):
    said = words(await bot.say(f"card notebook --hours tue 8:00-9:30 {flags}", TRAINER))
    assert "a course lasts a year at most" in said


@pytest.mark.parametrize("typed", ["skip 23-12-2027", "skip 2027-23-12", "skip 12-23-2027,"])
async def test_a_day_that_cannot_be_read_leaves_out_no_lesson(bot, typed):
    card = await posted(bot, POST)
    assert "skip 24 Dec" in words(await bot.say(f"card Statistics {typed}", TRAINER))
    assert await bot.store.read(class_rows.find_card, card.id) == card


async def test_a_day_in_machine_format_needs_a_lesson_too(bot):
    card = await posted(bot, POST)
    assert "has no lesson on Wed 22 Dec" in words(await bot.say("card Statistics skip 2027-12-22", TRAINER))
    await bot.say("card Statistics skip 2027-12-23,2027-12-28", TRAINER)
    changed = await bot.store.read(class_rows.find_card, card.id)
    assert changed.off == {"2027-12-23", "2027-12-28"}


async def test_day_that_is_none_in_an_old_row_breaks_no_answer(bot):
    """Release 0.5.0 stored the date in ``card TITLE skip 24-12-2027`` as it was typed."""
    card = await posted(bot, POST)
    await bot.store.carry_out(
        lambda tx: CLASS_CARDS.change(tx, {"id": card.id}, off="2027-12-23 24-12-2027 2027-02-30")
    )
    assert (await bot.store.read(class_rows.find_card, card.id)).off == {"2027-12-23"}
    assert "Thu 23 Dec" in words(await bot.say("card Statistics", TRAINER))
