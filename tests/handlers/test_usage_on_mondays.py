"""Last week's usage, sent every Monday morning to people who turned that on."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.workspaces import State
from bot.messages.blocks.notices import render
from bot.reconciler.scheduled_work import ScheduledWorkRunner
from bot.services.usage import WEEKLY_WORK
from bot.store.tables import MONDAYS
from tests.handlers.rig import Cloud, buttons, one_cloud, staged, words
from tests.rigs.golden import check_golden
from tests.rigs.lives import keep, make_life
from tests.rigs.store import ALICE

bot = staged(lambda: one_cloud(Cloud))
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.fixture(autouse=True)
async def something_ran_last_week(bot):
    bot.clock.advance(at("2027-01-20T14:30") - bot.clock.now())
    await bot.link(names=("notebook", "lab"))
    await bot.zone()
    lab = await bot.sees(State.RUNNING, "lab")
    await keep(
        bot.store,
        make_life(at("2027-01-18T09:00"), at("2027-01-18T12:05"), price="0.40 USD"),
        make_life(
            at("2027-01-22T09:00"), None, "lab", last_seen_at=at("2027-01-25T08:59"), workspace_id=lab.id
        ),
    )


async def sent(bot, now: str):
    """Run the scheduled work at a time in Berlin, and return the weekly messages that it wrote."""
    bot.clock.advance(at(now) - bot.clock.now())
    await ScheduledWorkRunner(bot.services.context, [WEEKLY_WORK]).step()
    return [one for one in await bot.notices(NoticeKind.WEEK) if one.created_at == at(now)]


async def due_at(bot):
    """Return when Alice's next message is due, or None if she gets none."""
    row = await bot.store.engine.read(lambda tx: MONDAYS.row(tx, principal=ALICE))
    return row and row["due_at"]


async def turn_on(bot):
    answer = await bot.push(await bot.say("usage"), "Send it every Monday")
    assert "Every Monday at 9:00 AM I'll send you last week's hours." in words(answer)
    return answer


async def test_nobody_gets_it_unasked(bot):
    assert await sent(bot, "2027-01-25T09:00") == []


async def test_it_comes_on_monday_at_nine_with_what_still_runs(bot):
    await turn_on(bot)
    assert await sent(bot, "2027-01-25T08:59") == []
    (notice,) = await sent(bot, "2027-01-25T09:00")
    assert notice.principal == ALICE
    answer = render(notice.kind, await bot.services.gatherer.describe_notice(notice))
    check_golden("answers/usage-on-monday", answer)
    assert list(buttons(answer)) == ["Stop", "Hours…", "Stop sending it"]


async def test_it_comes_once_a_week(bot):
    await turn_on(bot)
    assert len(await sent(bot, "2027-01-25T09:00")) == 1
    assert await sent(bot, "2027-01-25T09:30") == []
    assert await sent(bot, "2027-01-26T09:00") == []
    assert await due_at(bot) == at("2027-02-01T09:00")


async def test_missed_monday_is_made_up_for_on_the_same_day_only(bot):
    await turn_on(bot)
    assert len(await sent(bot, "2027-01-25T23:50")) == 1
    assert await sent(bot, "2027-02-02T00:10") == []
    assert await due_at(bot) == at("2027-02-08T09:00")


async def test_it_follows_its_person_to_another_zone(bot):
    """Nine o'clock in Berlin is three in the morning in New York, so they get it six hours later."""
    await turn_on(bot)
    await bot.zone("America/New_York")
    assert await sent(bot, "2027-01-25T09:00") == []
    assert len(await sent(bot, "2027-01-25T15:00")) == 1


async def test_week_in_which_nothing_ran_is_not_sent(bot):
    await turn_on(bot)
    await keep(bot.store)
    assert await sent(bot, "2027-01-25T09:00") == []


async def test_it_can_be_turned_off_again(bot):
    answer = await turn_on(bot)
    assert "I won't send you last week's hours any more." in words(await bot.push(answer, "Stop sending it"))
    assert list(buttons(await bot.say("usage")))[-1] == "Send it every Monday"
    assert await sent(bot, "2027-01-25T09:00") == []


async def test_turned_off_between_claim_and_work_is_not_sent(bot):
    await turn_on(bot)
    bot.clock.advance(at("2027-01-25T09:00") - bot.clock.now())
    context = bot.services.context
    (row,) = await context.store.claim(WEEKLY_WORK.claim, context)
    await bot.press("weekly_off")
    await bot.services.create_caller(ALICE).run(WEEKLY_WORK.carry_out, row)
    assert await bot.notices(NoticeKind.WEEK) == []
    assert await due_at(bot) is None


async def test_person_who_left_gets_nothing(bot):
    await turn_on(bot)
    bot.people.marks["UALICE"] = {"is_deleted": True}
    await bot.people.look_up(ALICE)
    assert await sent(bot, "2027-01-25T09:00") == []
    assert await due_at(bot) > at("2027-01-25T09:00")


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Pacific/Kiritimati"])
async def test_it_comes_on_the_monday_of_a_zone_far_east(bot, zone):
    """When it is nine on Monday in Los Angeles, it is Tuesday there."""
    await bot.zone("America/Los_Angeles")
    await turn_on(bot)
    assert await due_at(bot) == at("2027-01-25T18:00")
    await bot.zone(zone)
    monday = datetime(2027, 1, 25, 9, tzinfo=ZoneInfo(zone)).astimezone(BERLIN)
    assert len(await sent(bot, f"{monday:%Y-%m-%dT%H:%M}")) == 1
