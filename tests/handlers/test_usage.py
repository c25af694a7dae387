"""Usage: what ran, for how long, and what it cost, for the person who asks."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.notices import NoticeKind
from bot.domain.snapshots import Allowance, Snapshot
from bot.domain.surfaces import Where
from bot.domain.usage import Known, Moment
from bot.domain.workspaces import State
from bot.providers import facets
from bot.store import accounts, snapshots
from tests.handlers.rig import Cloud, buttons, one_cloud, staged, words
from tests.rigs.golden import check_golden
from tests.rigs.lives import exact, keep, make_life
from tests.rigs.store import ALICE, BOB

bot = staged(lambda: one_cloud(Cloud))
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    """Pictures can't be drawn, so the text alone is the answer."""
    monkeypatch.setattr("handlers.workspace.usage.can_draw", lambda: False)


@pytest.fixture
def pictures(no_pictures, monkeypatch):
    monkeypatch.setattr("handlers.workspace.usage.can_draw", lambda: True)


@pytest.fixture(autouse=True)
async def alice_is_in_berlin_on_a_wednesday(bot):
    bot.clock.advance(at("2027-01-20T14:30") - bot.clock.now())
    await bot.link(names=("notebook", "lab"))
    await bot.zone()
    await bot.zone(who=BOB)


def make_week(notebook: str | None = None):
    """Return a week of usage: two workspaces, one of them still running, and runs of a job."""
    return [
        make_life(at("2027-01-18T09:00"), at("2027-01-18T12:05"), price="0.40 USD"),
        make_life(
            at("2027-01-19T09:00"), None, "lab", last_seen_at=at("2027-01-20T14:29"), workspace_id=notebook
        ),
        *(
            make_life(at(begin), at(end), "train", kind="run", subject=begin, price="2 USD")
            for begin, end in (
                ("2027-01-18T10:00", "2027-01-18T10:30"),
                ("2027-01-19T10:00", "2027-01-19T10:45"),
            )
        ),
    ]


async def test_week_is_shown_with_its_sum(bot):
    lab = await bot.sees(State.RUNNING, "lab")
    await keep(bot.store, *make_week(lab.id))
    answer = await bot.say("usage")
    check_golden("answers/usage", answer)
    assert list(buttons(answer)) == ["Stop", "Hours…", "Last week", "Send it every Monday"]
    assert words(await bot.push(await bot.direct("usage this week"), "Stop")).startswith("Stopping *lab*")


async def test_single_workspace_needs_no_sum(bot):
    await keep(bot.store, make_life(at("2027-01-18T09:00"), at("2027-01-18T09:20"), price="0.40 USD"))
    said = words(await bot.say("usage"))
    assert "in all" not in said
    assert "*notebook* on Saturn Cloud: 20 min · 0.13 USD" in said


async def test_nothing_ran_says_what_to_do_next(bot):
    await keep(bot.store)
    answer = await bot.say("usage")
    check_golden("answers/usage-nothing", answer)
    last, september = await bot.push(answer, "Last week"), await bot.say("usage September")
    assert "*Last week* · Mon 11 Jan – Sun 17 Jan\nNothing of yours ran." in words(last)
    assert "*September 2026* · Tue 1 Sep 2026 – Wed 30 Sep 2026\nNothing of yours ran." in words(september)
    assert "*Mon 18 Jan – Wed 20 Jan*\nNothing" in words(await bot.say("usage since Monday"))


async def test_thirty_workspaces_are_cut(bot):
    await keep(
        bot.store,
        *(make_life(at("2027-01-18T09:00"), at("2027-01-18T10:00") + one, f"w{one}") for one in range(30)),
    )
    said = words(await bot.say("usage"))
    assert "18 more: 18 h" in said
    assert said.count("on Saturn Cloud:") == 12
    assert "*30 h 7 min* in all · no price" in said


async def test_figures_that_are_not_exact_say_so(bot):
    hour = 3600.0
    begin = at("2027-01-18T09:00")
    await keep(
        bot.store,
        make_life(begin, Moment(begin + hour, begin + 2 * hour, Known.SEEN), "seen"),
        make_life(exact(begin, Known.UNKNOWN), begin + 3 * hour, "before"),
        make_life(begin, Moment(begin + 4 * hour, begin + 9 * hour, Known.UNKNOWN), "lost"),
    )
    check_golden("answers/usage-not-exact", await bot.say("usage"))


async def test_only_own_lives_are_shown(bot):
    await keep(bot.store, make_life(at("2027-01-18T09:00"), at("2027-01-18T12:00"), "theirs", principal=BOB))
    assert "Nothing of yours ran" in words(await bot.say("usage"))
    assert "theirs" in words(await bot.say("usage", BOB))


async def test_names_and_currencies_from_outside_are_escaped(bot):
    life = make_life(at("2027-01-18T09:00"), at("2027-01-18T12:00"), "<!channel> & co", price="1 <US>")
    await keep(bot.store, life)
    said = words(await bot.say("usage"))
    assert "<!channel>" not in said
    assert "3.00 &lt;US&gt;" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("usage last week", "*Last week* · Mon 11 Jan – Sun 17 Jan"),
        ("usage yesterday", "*Yesterday* · Tue 19 Jan"),
        ("usage since Monday", "*Mon 18 Jan – Wed 20 Jan*"),
        ("usage December", "*December 2026* · Tue 1 Dec 2026 – Thu 31 Dec 2026"),
        ("usage 2027-01-12", "*Tue 12 Jan*"),
        ("usage Q4 2026", "*Q4 2026* · Thu 1 Oct 2026 – Thu 31 Dec 2026"),
        ("usage 2027-W02", "*Mon 11 Jan – Sun 17 Jan*"),
        ("usage past 10 days", "*Mon 11 Jan – Wed 20 Jan*"),
        ("usage 1-15 January", "*Fri 1 Jan – Fri 15 Jan*"),
        ("spending last week", "*Last week* · Mon 11 Jan – Sun 17 Jan"),
        ("spending 24-25 December 2026", "*Thu 24 Dec 2026 – Fri 25 Dec 2026*"),
    ],
)
async def test_window_is_named(bot, text, said):
    await keep(bot.store, make_life(at("2026-12-01T09:00"), at("2027-01-20T12:00")))
    assert said in words(await bot.say(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("usage whenever", "I can't read `whenever` as a time"),
        ("usage 2027-02-01", "hasn't begun yet"),
        ("usage next week", "`next week` hasn't begun yet"),
        ("usage last night", "I add up whole days, so I can't read the time of day in `last night`"),
        (
            "usage since Monday 9am",
            "can't read the time of day in `since Monday 9am`. Type `/workspace usage",
        ),
        ("usage from 7 Jan to 3 Jan", "ends before it begins"),
        ("usage June 2025", "I only keep what ran for 400 days, so I have nothing of `June 2025` any more."),
    ],
)
async def test_wrong_window_gets_a_clear_sentence(bot, text, said):
    await keep(bot.store)
    assert said in words(await bot.say(text))


@pytest.mark.parametrize("text", ["usage all", "usage everything"])
async def test_usage_of_everything_is_that_of_all_workspaces(bot, text):
    await keep(bot.store, *make_week())
    assert words(await bot.say(text)) == words(await bot.say("usage"))


async def test_window_that_reaches_further_back_than_lives_are_kept_says_so(bot):
    said = "I only keep what ran for 400 days, so anything that ended before Tue 16 Dec 2025 isn't in it."
    await keep(bot.store)
    assert said in words(await bot.say("usage since 2025-06-01"))
    await keep(bot.store, *make_week())
    assert said in words(await bot.say("usage since 2025-06-01"))
    assert said not in words(await bot.say("usage last year"))


async def pictures_of(bot):
    return [one for one in await bot.notices() if one.kind is NoticeKind.USAGE_PICTURE]


async def test_week_is_sent_as_a_picture_once(bot, pictures):
    lost = Moment(at("2027-01-19T10:00"), at("2027-01-19T20:00"), Known.UNKNOWN)
    await keep(bot.store, *make_week(), make_life(at("2027-01-19T08:00"), lost, "lost"))
    await bot.zone(who=ALICE)
    answer = await bot.say("usage", interaction="command:once")
    assert "I'm sending it as a picture, too" in words(answer)
    assert "picture" not in words(await bot.say("usage", where=Where.DIRECT, interaction="command:once"))
    (notice,) = await pictures_of(bot)
    assert notice.body["svg"].startswith("<svg")
    assert notice.body["alt_text"] == (
        "Mon 18 Jan – Sun 24 Jan, times of Europe/Berlin. "
        "lab: 29 h 29 min (Tue 09:00–Wed 14:29). "
        "notebook: 3 h 5 min (Mon 09:00–12:05). "
        "lost: 2 h (Tue 08:00–10:00, not known from Tue 10:00 on). "
        "train: 1 h 15 min (Mon 10:00–10:30, Tue 10:00–10:45)."
    )


async def test_picture_has_what_is_planned(bot, pictures):
    lab = await bot.sees(State.RUNNING, "lab")
    await bot.say("hours notebook fri 9:00-12:00")
    await bot.say("stop lab at 18:00")
    await keep(bot.store, *make_week(lab.id))
    await bot.say("usage")
    (notice,) = await pictures_of(bot)
    assert "planned Wed 14:30–18:00)" in notice.body["alt_text"]
    assert "planned Fri 09:00–12:00)" in notice.body["alt_text"]


@pytest.mark.parametrize("text", ["usage yesterday", "usage January", "usage last week"])
async def test_other_windows_and_empty_weeks_are_not_drawn(bot, pictures, text):
    await keep(bot.store, *make_week())
    await bot.say(text)
    assert await pictures_of(bot) == []


async def test_without_pictures_the_text_alone_is_the_answer(bot):
    await keep(bot.store, *make_week())
    assert "picture" not in words(await bot.say("usage"))
    assert await pictures_of(bot) == []


class Limited(Cloud, facets.Allowances):
    """A cloud with a limit."""

    async def read_allowances(self, access):
        raise AssertionError("a verb never waits for a provider")


async def test_what_limits_leave_is_shown_as_last_read(bot):
    bot.connections["saturn"].__class__ = Limited
    (account,) = await bot.store.read(accounts.list_accounts, ALICE)
    assert "Left on" not in words(await bot.say("usage"))
    tasks = await bot.store.engine.read(lambda tx: tx.all("SELECT * FROM tasks"))
    assert [one["subject"] for one in tasks if one["kind"] == "snapshot"] == [f"{account.id}/allowances"]
    left = [Allowance("hours this month", 12.0, 40.0), Allowance("credits", 1.5, None, "team")]
    now = await bot.store.now()
    snapshot = Snapshot("saturn", account.id, "allowances", [asdict(one) for one in left], now)
    await bot.store.write(snapshots.save_snapshot, snapshot)
    await keep(bot.store, *make_week())
    for said in (words(await bot.say("usage")), words(await bot.say("usage last year"))):
        assert "Left on Saturn Cloud: 12 of 40 hours this month.\n" in said
        assert "Left on Saturn Cloud (team): 1.5 credits." in said
