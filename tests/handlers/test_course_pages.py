"""The pages of a course for its teacher, a member and a stranger; its forms, and that of a class card."""

from datetime import datetime

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.observations import Observed
from bot.domain.people import Person
from bot.domain.surfaces import Where
from bot.domain.time_parsing import Wanted
from bot.domain.workspaces import State
from bot.messages.blocks import kit
from bot.store import courses as store
from handlers.dispatch import add_introduction, run_search
from tests.handlers.class_rig import BERLIN, BOB, CARLA, TRAINER, course_rig, offer, posted
from tests.handlers.rig import ALICE, GUEST, buttons, invited, submit, words
from tests.rigs.golden import check_golden, check_limits
from tests.rigs.store import linked, observe

POST = "card notebook --title Statistics --hours tue,thu 8:00-9:30 --until 12 February"


@pytest.fixture
async def bot():
    async with course_rig() as made:
        await linked(made.store, ALICE, names=["notebook"])
        yield made


@pytest.fixture
async def card(bot):
    """A course that Alice has joined. Bob pressed the button too, but has no account yet."""
    card = await posted(bot, POST)
    await bot.press("class_press", card.id)
    await bot.press("class_press", card.id, BOB)
    return card


def sent(**fields):
    """Return a form's fields as Slack sends them."""
    kinds = {"channel": "selected_conversation", "with": "selected_users"}
    kinds |= dict.fromkeys(("begin", "end", "today", "time"), "selected_time")
    kinds |= dict.fromkeys(("from", "until", "day", "off", "back"), "selected_date")
    values = {name: {name: {kinds.get(name, "value"): value}} for name, value in fields.items()}
    if "hours" in fields:
        days = [{"value": day} for day in fields["hours"]]
        values["hours"] = {"hours": {"selected_options": days}}
    return {"values": values}


async def form(bot, answer, label, person=TRAINER, **fields):
    """Open a form with an answer's button, fill it in, and submit it."""
    opened = await bot.push(answer, label, person)
    check_limits(opened.view)
    return opened.view, await submit(
        bot.services, person, {**opened.view, "state": sent(**fields)}, f"view:{label}:{len(fields)}"
    )


async def test_a_teacher_reads_the_room_by_its_title(bot, card):
    check_golden("answers/course-room", await bot.direct("card Statistics", TRAINER))


@pytest.mark.parametrize("typed", ["card", "courses statistics", "courses", "when are my courses?"])
async def test_a_teacher_reads_the_room_however_they_ask(bot, card, typed):
    room = words(await bot.direct("card Statistics", TRAINER))
    answer = await bot.direct(typed, TRAINER)
    assert words(answer).startswith(room)
    assert "Post a class card" in buttons(answer)


async def test_who_only_joined_sees_what_they_joined(bot, card):
    assert "No courses yet" in words(await bot.direct("card", CARLA))


async def test_who_has_joined_reads_that_it_runs_and_is_offered_no_account(bot, card):
    """A member's first command isn't answered with an introduction to Usher, or with accounts to link."""
    assert "I'll start your workspace *notebook* on Saturn Cloud for it." in words(
        await bot.say("card", ALICE)
    )
    await observe(bot.store, bot.clock, await bot.workspace("notebook"), Observed(State.RUNNING))
    shown = await add_introduction(bot.services, ALICE, await bot.say("card", ALICE))
    assert "Your workspace *notebook* on Saturn Cloud is running." in words(shown)
    assert [*buttons(shown)] == ["View on Saturn Cloud", "Leave", "Post a class card"]
    assert "I start, stop and open" not in words(shown)


async def test_workspace_called_course_is_meant_by_its_name(bot):
    await linked(bot.store, CARLA, names=["course"])
    assert "card" not in words(await bot.say("course", CARLA))


async def test_a_card_is_posted_by_a_form_with_the_same_fields(bot):
    opened = await bot.say("card", TRAINER)
    check_limits(opened.view)
    check_golden("views/class-card", opened.view)
    lessons = {"hours": ["tue", "thu"], "begin": "08:00", "end": "09:30"}
    given = {"what": "notebook", "title": "R & D", "channel": "C7", "max": "60", **lessons}
    given |= {"from": "2027-12-13", "until": "2028-02-12", "with": [BOB.user_id]}
    done = await submit(bot.services, TRAINER, {**opened.view, "state": sent(**given)})
    assert "Posting *R &amp; D* in <#C7>" in str(done)
    (card,) = await bot.store.read(store.list_courses)
    assert (card.title, card.channel_id, card.pattern, card.maximum) == ("R & D", "C7", "notebook", 60)
    assert (card.wanted, card.co_teachers) == (Wanted(frozenset({"tue", "thu"}), 480, 570), {BOB.key})
    assert (card.first_day, card.last_day) == ("2027-12-13", "2028-02-12")
    # A class that takes place once ends at a time of day.
    await bot.press("card_form", "", TRAINER)
    once = {"what": "notebook", "channel": "C7", "today": "17:00"}
    await submit(bot.services, TRAINER, {**opened.view, "state": sent(**once)}, "view:2")
    ends = [one for one in await bot.notices() if one.kind is NoticeKind.CLASS_CARD]
    cards = [await bot.store.read(store.find_card, one.subject) for one in ends]
    assert datetime(2027, 12, 6, 17, tzinfo=BERLIN).timestamp() in {one.stops_at for one in cards}


async def test_what_everyone_gets_is_chosen_from_all_that_the_teacher_can_give(bot):
    """Every choice posts a card, and the form's other page keeps its fields."""
    await linked(bot.store, TRAINER, names=["notebook"])
    await offer(bot)
    opened = await bot.say("card", TRAINER)
    element = opened.view["blocks"][0]["element"]
    assert (element["type"], element["action_id"]) == ("external_select", "card:template")

    async def found(typed):
        return await run_search(bot.services, TRAINER, element["action_id"], typed, opened.view)

    choices = {one["text"]["text"]: one["value"] for one in await found("")}
    assert choices["Everyone's own notebook"] == "notebook"
    assert choices["Kubernetes · Saturn Cloud"] == "saturn/Kubernetes"
    assert [one["value"] for one in await found("kube")] == ["saturn/Kubernetes"]
    for number, value in enumerate(choices.values()):
        chosen = {"values": {"what": {"card:template": {"selected_option": {"value": value}}}}}
        chosen["values"] |= sent(channel="C7")["values"]
        done = await submit(bot.services, TRAINER, {**opened.view, "state": chosen}, f"view:c{number}")
        assert "errors" not in done, value
    cards = [one for one in await bot.notices() if one.kind is NoticeKind.CLASS_CARD]
    assert len(cards) == len(choices) == 3


async def test_the_timetable_is_on_the_other_page_of_the_form(bot):
    opened = await bot.say("card", TRAINER)
    fields = [one["block_id"] for one in opened.view["blocks"] if one["type"] == "input"]
    assert fields == ["what", "title", "channel", "today", "max"]
    course = await bot.press("card_page", "course", TRAINER)
    check_limits(course.view)
    check_golden("views/class-card-course", course.view)
    missing = await submit(
        bot.services, TRAINER, {**course.view, "state": sent(what="notebook", channel="C7")}
    )
    assert list(missing["errors"]) == ["hours"]
    back = await bot.press("card_page", "class", TRAINER)
    assert back.view["blocks"] == opened.view["blocks"]


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


async def test_what_is_wrong_with_a_card_is_said_at_a_field_of_its_form(bot):
    """Otherwise Slack refuses the answer, or everything that the teacher has filled in is lost."""
    await bot.store.save_people([Person(GUEST, "Greta", is_guest=True, seen_at=bot.clock.now())])
    opened = await bot.say("card", TRAINER)
    given = {"what": "notebook", "channel": "C7"}
    dashed = sent(**given, title="Statistics \u2013Week 1")
    done = await submit(bot.services, TRAINER, {**opened.view, "state": dashed})
    assert done["errors"].keys() == {"title"}
    assert "has no option --week, so I haven't posted anything." in done["errors"]["title"]
    course = (await bot.press("card_page", "course", TRAINER, where=Where.FORM)).view
    lessons = {"hours": ["tue"], "begin": "08:00", "end": "09:30", "with": [GUEST.user_id]}
    done = await submit(bot.services, TRAINER, {**course, "state": sent(**given, **lessons)})
    assert done["errors"].keys() == {"with"}
    assert done["errors"]["with"].startswith("Greta ")
    assert [one for one in await bot.notices() if one.kind is NoticeKind.CLASS_CARD] == []


async def test_form_of_a_card_that_waits_for_a_link_keeps_its_channel(bot):
    opened = await bot.say("card", CARLA)
    state = sent(what="saturn/local", title="Maths", channel="C7")
    done = await submit(bot.services, CARLA, {**opened.view, "state": state})
    (button,) = [one for one in kit.iterate_buttons(done["view"]["blocks"]) if "url" in one]
    assert button["text"]["text"] == "Link Saturn Cloud"
    ((who, _, waiting),) = await invited(bot)
    assert (who, waiting["channel_id"]) == (CARLA, "C7")
    assert waiting["text"].startswith("card saturn/local --title Maths")
