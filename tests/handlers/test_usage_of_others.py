"""Usage of a class for its teachers, and of everybody for Usher's administrators."""

from __future__ import annotations

import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.people import Person, Principal
from bot.messages.blocks.notices import render
from bot.store.tables import CLASS_CARDS, PARTICIPANTS
from handlers.assistant.tools import TOOLS, run_tool
from tests.handlers.class_rig import ADMIN, BOB, CARLA, TRAINER, class_rig, posted
from tests.handlers.rig import staged, words
from tests.rigs.golden import check_golden
from tests.rigs.lives import keep, make_life
from tests.rigs.store import ALICE, unlink

bot = staged(class_rig)
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600.0
MANY = [Principal(None, "T1", f"UMANY{number}") for number in range(5)]


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.fixture(autouse=True)
async def it_is_a_wednesday(bot):
    bot.clock.advance(at("2027-01-20T08:00") - bot.clock.now())
    zones = [Person(one, "", time_zone="Europe/Berlin", seen_at=bot.clock.now()) for one in (TRAINER, ADMIN)]
    await bot.store.save_people(zones)


async def join(bot, card, *people):
    """Let people press a card, and return each person's workspace id."""
    keys = {}
    for one in people:
        linked = await bot.link(one, names=("notebook",), username=one.user_id)
        keys[one] = linked.workspaces[0].id
        await bot.press("class_press", card.id, one, channel_id="C1")
    return keys


async def run(bot, keys, hours=2.0, **more):
    """Record usage, an hour more for each person than for the one before, and advance the clock to 18:00."""
    begin = bot.clock.now()
    await keep(
        bot.store,
        *(
            make_life(
                begin, begin + (hours + at) * HOUR, principal=one, workspace_id=key, subject=key, **more
            )
            for at, (one, key) in enumerate(keys.items())
        ),
    )
    bot.clock.advance(10 * HOUR)


async def test_teacher_sees_the_hours_of_a_class(bot):
    card = await posted(bot, "card notebook --title Biology")
    await run(bot, await join(bot, card, ALICE, BOB), price="0.50 USD")
    answer = await bot.say("usage Biology", TRAINER)
    check_golden("answers/usage-class", answer)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "card notebook --title Biology",
            "They can see how long it runs until then. Pressing means you agree.",
        ),
        (
            "card notebook --title Biology --hours mon 8:00-9:00",
            "can see how long it runs during the course.",
        ),
    ],
    ids=["class", "course"],
)
async def test_card_says_that_hours_are_seen_unless_it_is_older(bot, command, said):
    card = await posted(bot, command)

    async def draw():
        facts = await bot.services.gatherer.describe_card(NoticeKind.CLASS_CARD, card.id)
        return words(render(NoticeKind.CLASS_CARD, facts))

    assert said in await draw()
    await bot.store.carry_out(lambda tx: CLASS_CARDS.change(tx, {"id": card.id}, shows_hours=False))
    assert "see how long" not in await draw()


async def test_only_the_time_within_the_class_counts(bot):
    card = await posted(bot, "card notebook --title Biology --until 12:00")
    keys = await join(bot, card, ALICE)
    await keep(
        bot.store,
        make_life(at("2027-01-20T06:00"), at("2027-01-20T17:00"), workspace_id=keys[ALICE]),
    )
    bot.clock.advance(10 * HOUR)
    assert "1 person: *4 h* in all" in words(await bot.say("usage biology", TRAINER))


async def test_person_who_keeps_their_workspace_is_not_in_it(bot):
    card = await posted(bot, "card notebook --title Biology")
    keys = await join(bot, card, ALICE, BOB)
    await bot.store.carry_out(
        lambda tx: PARTICIPANTS.change(tx, {"card_id": card.id, "principal": BOB}, withdrawn_at=tx.now())
    )
    await run(bot, keys)
    said = words(await bot.say("usage Biology", TRAINER))
    assert "1 person: *2 h* in all" in said
    assert "UBOB" not in said


async def test_person_who_unlinked_is_not_in_it(bot):
    card = await posted(bot, "card notebook --title Biology --until 17:00")
    keys = await join(bot, card, ALICE, BOB)
    await run(bot, keys)
    await unlink(bot.store, BOB, "saturn")
    said = words(await bot.say("usage Biology", TRAINER))
    assert "1 person: *2 h* in all" in said
    assert "UBOB" not in said


async def test_time_between_leaving_a_course_and_joining_it_again_does_not_count(bot):
    card = await posted(bot, "card notebook --title Biology --hours wed 9:00-10:00")
    keys = await join(bot, card, ALICE)
    bot.clock.advance(HOUR / 2)
    await bot.press("course_leave", card.id, ALICE)
    await run(bot, keys)
    await bot.press("class_press", card.id, ALICE, channel_id="C1")
    assert "Nothing ran." in words(await bot.say("usage Biology", TRAINER))


async def test_card_that_did_not_say_so_shows_no_persons(bot):
    """Cards of earlier releases don't say that teachers see hours; a total for a few people isn't shown."""
    card = await posted(bot, "card notebook --title Biology")
    await bot.store.carry_out(lambda tx: CLASS_CARDS.change(tx, {"id": card.id}, shows_hours=False))
    keys = await join(bot, card, *MANY)
    await run(bot, dict([*keys.items()][:4]))
    assert "Fewer than 5 people" in words(await bot.say("usage Biology", TRAINER))
    await run(bot, keys)
    said = words(await bot.say("usage Biology", TRAINER))
    assert "5 people: *20 h* in all" in said
    assert "I don't show people's own hours, as the card didn't say" in said
    assert "UMANY" not in said


async def test_class_is_nobody_elses(bot):
    card = await posted(bot, "card notebook --title Biology")
    await run(bot, await join(bot, card, ALICE))
    assert "I can't read `Biology` as a time" in words(await bot.say("usage Biology", CARLA))
    assert "1 person: *2 h* in all" in words(await bot.say("usage Biology", ADMIN))


async def test_window_of_a_class_may_be_named(bot):
    card = await posted(bot, "card notebook --title Biology")
    await run(bot, await join(bot, card, ALICE))
    assert "*Biology* · Wed 20 Jan\nNothing" not in words(await bot.say("usage Biology", TRAINER))
    assert "Nothing ran." in words(await bot.say("usage Biology last week", TRAINER))
    assert "1 person" in words(await bot.say("usage Biology this week", TRAINER))
    assert "I can't read `whenever`" in words(await bot.say("usage Biology whenever", TRAINER))


async def test_newest_card_of_a_title_counts_that_the_window_has(bot):
    first = await posted(bot, "card notebook --title Biology --until 12:00")
    await run(bot, await join(bot, first, ALICE))
    bot.clock.advance(7 * 24 * HOUR)
    await bot.say("card notebook --title Biology", TRAINER)
    assert "Nothing ran." in words(await bot.say("usage Biology", TRAINER))
    assert "1 person" in words(await bot.say("usage Biology last week", TRAINER))


async def test_admin_sees_sums_without_names(bot):
    begin = bot.clock.now() - 40 * HOUR
    lives = [make_life(begin, begin + HOUR, principal=one, price="1 USD") for one in MANY]
    lives.append(make_life(begin, begin + HOUR, principal=ALICE, connection="hub"))
    await keep(bot.store, *lives)
    answer = await bot.say("usage team", ADMIN)
    check_golden("answers/usage-team", answer)
    await keep(bot.store, lives[-1])
    assert "Fewer than 5 people" in words(await bot.say("usage team", ADMIN))
    await keep(bot.store)
    assert "Nothing ran." in words(await bot.say("usage team", ADMIN))


async def test_names_are_shown_where_the_operator_allows_it(bot):
    object.__setattr__(bot.services.context, "names_usage", True)
    begin = bot.clock.now() - 40 * HOUR
    await keep(
        bot.store,
        make_life(begin, begin + HOUR, principal=ALICE),
        make_life(begin, begin + 2 * HOUR, principal=BOB),
    )
    check_golden("answers/usage-team-names", await bot.say("usage team this week", ADMIN))


async def test_team_is_for_admins_only(bot):
    assert "Usher admin" in words(await bot.say("usage team", TRAINER))
    (refused,) = [one for one in await bot.audit() if one["result"] == "refused"]
    assert (refused["action"], refused["actor"]) == ("usage_team", TRAINER.key)


@pytest.mark.parametrize("when", ["Biology", "team"])
async def test_an_assistant_learns_nothing_about_others(bot, when):
    card = await posted(bot, "card notebook --title Biology")
    await run(bot, await join(bot, card, ALICE, BOB))
    assert "I can't read" not in words(await bot.say(f"usage {when}", ADMIN))
    slack = {"user_id": ADMIN.user_id, "team_id": ADMIN.team_id, "enterprise_id": ADMIN.enterprise_id}
    result = json.loads(await run_tool(bot.services, slack, TOOLS["usage"], {"when": when}, "signed"))
    assert result["usage"] is None
    assert result["says"].startswith(f"I can't read `{when}` as a time.")
