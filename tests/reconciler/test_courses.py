"""A course from its card to its last lesson: who joins has a workspace ready when a lesson begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.classes import ClassCard
from bot.domain.errands import Outcome
from bot.domain.forms import Spec
from bot.domain.moments import read_hours
from bot.domain.operations import OperationVerb
from bot.domain.preferences import Preferences
from bot.domain.stops import End
from bot.domain.workspaces import State
from bot.services import accounts, acts, classes, hours, lessons, workspaces
from bot.store.preferences import save_preferences
from bot.support.errors import Conflict, LimitReached, Refused, ServerFailed
from tests.reconciler.classroom import CHANNEL, TRAINER, ask, people, post, press, seat, shown, told
from tests.reconciler.courses import LESSONS, course, state, until
from tests.reconciler.courses import world as world  # noqa: PLC0414 - a fixture
from tests.reconciler.hours import became, local
from tests.rigs.store import unlink, within


async def test_who_joined_is_ready_at_the_begin_and_stopped_at_the_end(world):
    alice, bob, cleo = people(3)
    card = await course(world, alice, bob)
    await until(world, "08:50")
    assert world.provider.accepted_starts == []
    await until(world, "08:59")
    assert (state(world, 0), state(world, 1)) == (State.RUNNING, State.RUNNING)
    assert told(world, alice) == []
    await until(world, "09:00", step=5)
    await world.pass_time(10, step=2)
    assert told(world, alice) == ["Statistics is starting, and your workspace is ready."]
    assert "2 of 2 are ready" in str(shown(world)["blocks"])
    # Who joins while it is on is started at once.
    await seat(world, cleo)
    assert (await press(world, card, cleo)).result == "started"
    await world.pass_time(40, step=5)
    assert "is ready" in told(world, cleo)[-1]
    await until(world, "10:29")
    assert "so name-r-U000 on Fake Cloud will be stopped then" in told(world, alice)[-1]
    await until(world, "10:33")
    # The warning has become the message that it is over, and nothing more was posted.
    # What began it goes with its end.
    assert told(world, alice) == ["Statistics is over, and name-r-U000 on Fake Cloud was stopped."]
    assert "ide_url" not in str(world.slack.messages)
    assert {state(world, number) for number in range(3)} == {State.STOPPED}
    assert "are ready" not in str(shown(world)["blocks"])
    assert await became(world) == [
        *[("22T09:00", "start", "started")] * 3,
        *[("22T10:30", "stop", "timer")] * 3,
    ]
    starts = len(world.provider.accepted_starts)
    await until(world, "08:59", day=24, step=120)
    assert len(world.provider.accepted_starts) == starts + 3


async def test_a_lesson_stops_only_what_it_started(world):
    """What ran overnight goes on, and so does what its person stopped and started again by hand."""
    alice, bob = people(2)
    await course(world, alice, state=State.RUNNING)
    await seat(world, bob)
    card = (await world.store.courses())[0]
    await press(world, card, bob)
    await until(world, "08:54")
    await until(world, "09:10", step=5)
    assert "your workspace is ready" in told(world, alice)[-1]
    (row,) = await world.store.workspaces(bob)
    for verb in (OperationVerb.STOP, OperationVerb.START):
        await ask(world, bob).to(workspaces.begin, row.id, verb)
        await world.pass_time(60, step=5)
    await until(world, "11:00")
    assert (state(world, 0), state(world, 1)) == (State.RUNNING, State.RUNNING)
    assert world.provider.accepted_stops == ["r-U001"]


async def test_a_start_by_an_assistant_in_between_keeps_nothing_up(world):
    """That of its person says that it goes on; Slackbot's, which may only start, says nothing of a stop."""
    alice, bob = people(2)
    await course(world, alice, bob)
    await until(world, "09:10")
    for one, via in ((alice, "assistant"), (bob, "")):
        lets = Preferences(assistant="start")
        await world.store.carry_out(lambda tx, who=one, to=lets: save_preferences(tx, who, to))
        (row,) = await world.store.workspaces(one)
        asked = replace(ask(world, one), via=via)
        await asked.to(workspaces.begin, row.id, OperationVerb.START)
    await until(world, "11:00")
    assert (state(world, 0), state(world, 1)) == (State.STOPPED, State.RUNNING)


async def test_what_was_found_up_only_after_its_start_was_asked_for_goes_on_too(world):
    """Where it wasn't read in time, nothing was called either."""
    (alice,) = people(1)
    await course(world, alice, state=State.RUNNING)
    await until(world, "11:00", step=240)
    assert await became(world) == [("22T09:00", "start", "started"), ("22T10:30", "stop", "needless")]
    assert (state(world), world.provider.accepted_stops) == (State.RUNNING, [])


async def test_own_hours_and_an_own_stop_go_first(world):
    alice, bob = people(2)
    await course(world, alice, bob)
    (mine,) = await world.store.workspaces(alice)
    await world.know(alice, time_zone="Europe/Berlin")
    await ask(world, alice).to(hours.add, mine.id, read_hours("mon 9:15-12:00"))
    await until(world, "09:14")
    await until(world, "09:20", step=5)
    (theirs,) = await world.store.workspaces(bob)
    await ask(world, bob).to(workspaces.set, theirs.id, End(local("10:00"), "stop"))
    await until(world, "10:05")
    assert (state(world, 0), state(world, 1)) == (State.RUNNING, State.STOPPED)
    await until(world, "11:00")
    assert state(world, 0) is State.RUNNING
    await until(world, "12:05")
    assert state(world, 0) is State.STOPPED


async def test_one_skips_the_next_lesson_another_leaves(world):
    alice, bob, cleo = people(3)
    card = await course(world, alice, bob, cleo)
    rule, days = await ask(world, alice).to(lessons.skip, card.id, "")
    assert (rule.principal, days) == (alice, ["2027-11-22"])
    # A second press of the same button means the same lesson.
    assert (await ask(world, alice).to(lessons.skip, card.id, ""))[1] == days
    await ask(world, bob).to(lessons.leave, card.id)
    with pytest.raises(Refused, match=r"course\.not_joined"):
        await ask(world, bob).to(lessons.skip, card.id, "")
    await until(world, "09:05")
    assert [state(world, number) for number in range(3)] == [State.STOPPED, State.STOPPED, State.RUNNING]
    assert told(world, alice) == told(world, bob) == []
    assert "1 of 1 is ready" in str(shown(world)["blocks"])
    # Once it was started, or from the message that it begins, the one after it is meant.
    assert (await ask(world, cleo).to(lessons.skip, card.id, ""))[1] == ["2027-11-24"]
    await ask(world, cleo).to(acts.undo)
    assert (await ask(world, cleo).to(lessons.skip, card.id, f"{local('10:30'):.0f}"))[1] == ["2027-11-24"]
    await until(world, "09:05", day=24, step=120)
    assert [state(world, number) for number in range(3)] == [State.RUNNING, State.STOPPED, State.STOPPED]


async def test_what_a_teacher_changes_is_told_once_and_never_adds_to_what_was_agreed(world):
    # In steps of minutes a look that asks a minute ahead would find each warning too late for its stop.
    world.looks.takes_all = True
    alice, bob = people(2)
    card = await course(world, alice, bob)
    by = ask(world)
    off = {"off": frozenset({"2027-11-22"})}
    await by.to(lessons.change, card.id, "skip", {"days": "on 22 Nov"}, off)
    await by.to(lessons.change, card.id, "skip", {"days": "on 22 Nov"}, off)
    await until(world, "09:30")
    assert told(world, alice) == told(world, bob) == ["There's no Statistics on 22 Nov."]
    assert state(world) is State.STOPPED
    times = {"days": frozenset({"mon", "wed", "thu"}), "starts": 14 * 60, "stops": 16 * 60}
    await ask(world).to(lessons.change, card.id, "hours", {}, times)
    await world.pass_time(130, step=2)
    assert "It's now on Thursdays, too." in told(world, alice)[-1]
    assert (await press(world, card, bob)).result == "enrolled"
    await until(world, "15:20", day=24, step=120)
    assert (state(world, 0), state(world, 1)) == (State.RUNNING, State.RUNNING)
    # Alice agreed to an hour and a half on Mondays and Wednesdays, Bob to all.
    # What was read a minute ago would have to be read again before each look.
    await until(world, "15:42", day=24)
    assert (state(world, 0), state(world, 1)) == (State.STOPPED, State.RUNNING)
    await until(world, "14:05", day=25, step=120)
    assert (state(world, 0), state(world, 1)) == (State.STOPPED, State.RUNNING)
    await ask(world).to(lessons.change, card.id, "end", {}, {})
    await until(world, "16:05", day=25, step=60)
    assert "Statistics has ended." in told(world, alice)[-1]
    assert state(world, 1) is State.STOPPED
    assert await world.store.courses() == []
    assert await world.store.rules(bob) == []
    with pytest.raises(Refused):
        await ask(world, alice).to(lessons.change, card.id, "end", {}, {})


async def test_unlinking_leaves_the_course(world):
    (alice,) = people(1)
    card = await course(world, alice)
    await unlink(world.store, alice, "cloud")
    assert await world.store.rules(alice) == []
    assert await world.store.participant(card.id, alice) is None
    await until(world, "09:05")
    assert world.provider.accepted_starts == []


async def test_who_may_not_use_the_template_any_more_is_out_of_the_course(world):
    (alice,) = people(1)
    card = await course(world, alice, spec=Spec("usher-class", {"template": "course"}), pattern="")
    world.provider.withholds = lambda _spec, one: one == alice
    await until(world, "08:58")
    (out,) = [one for one in told(world, alice) if "for Statistics any more. The template" in one]
    assert "isn't available to you" in out
    assert "Leave" not in str([one["blocks"] for one in world.slack.messages])
    await until(world, "09:05")
    # What was made when she joined was stopped again by then: no lesson puts that off any more.
    assert (await world.store.workspaces(alice))[-1].state is State.SUSPENDED
    assert await world.store.participant(card.id, alice) is None
    assert world.provider.accepted_starts == []


TEMPLATE = {"spec": Spec("usher-class", {"template": "course"}), "pattern": ""}


async def test_what_can_be_made_without_being_started_is_for_a_lesson_later_on(world):
    """Nobody has a look for an hour, is told that it's ready, or warned of its stop; the lesson starts it."""
    alice, bob = people(2)
    world.provider.makes_at_rest = True
    await until(world, "13:00")
    card = await course(world, alice, **TEMPLATE)
    await until(world, "15:00")
    (_, row) = await world.store.workspaces(alice)
    assert (row.state, row.stop_at, row.is_provisional) == (State.STOPPED, None, False)
    made = await world.store.latest_operation(row.id)
    assert (made.outcome, made.rests) == (Outcome.FULFILLED, True)
    assert (world.provider.accepted_starts, told(world, alice)) == ([], [])
    await until(world, "09:01", day=24, step=30)
    assert told(world, alice) == ["Statistics is starting, and your workspace is ready."]
    # Within the hour before a lesson it is started at once, as that might come before it was made.
    await until(world, "08:00", day=29, step=600)
    await seat(world, bob)
    assert not (await press(world, card, bob)).operation.rests


async def test_what_is_being_made_is_started_for_whoever_wants_it_now(world):
    (alice,) = people(1)
    world.provider.makes_at_rest = True
    await until(world, "13:00")
    world.provider.fail("create", ServerFailed("busy"), times=3)
    await course(world, alice, **TEMPLATE)
    (_, row) = await world.store.workspaces(alice)
    started = await ask(world, alice).to(workspaces.begin, row.id, OperationVerb.START)
    assert (started.joined, started.operation.rests) == (True, False)
    await world.pass_time(600, step=5)
    assert (await world.store.workspace(row.id)).state is State.RUNNING


@pytest.mark.parametrize("is_course", [True, False], ids=["lesson", "class"])
async def test_what_is_being_made_is_started_and_stopped_for_a_lesson_or_class_that_is_on(world, is_course):
    (alice,) = people(1)
    world.provider.makes_at_rest = True
    await until(world, "13:00")
    course_ = await course(world, **TEMPLATE)
    await seat(world, alice)
    await world.know(alice)
    assert (await press(world, course_, alice)).operation.rests
    keys = LESSONS | {"starts": 12 * 60 + 30, "stops": 14 * 60} if is_course else {"stops_at": local("14:00")}
    draft = ClassCard(TRAINER, CHANNEL, "cloud", "Statistics", **keys | TEMPLATE)
    pressed = await press(world, await ask(world).to(classes.post, draft), alice)
    assert (pressed.result, pressed.operation.rests) == ("started", False)
    await until(world, "13:50")
    (_, row) = await world.store.workspaces(alice)
    assert (row.state, row.stop_at) == (State.RUNNING, local("14:00"))
    assert any("ready" in one for one in told(world, alice))


async def test_who_joins_a_lesson_is_told_that_nothing_could_be_made_as_that_isnt_tried_again(world):
    (alice,) = people(1)
    await until(world, "08:30")
    card = await course(world, **TEMPLATE)
    await until(world, "09:02")
    await seat(world, alice)
    world.provider.fail("create", LimitReached("no room for more memory"))
    assert (await press(world, card, alice)).result == "started"
    await until(world, "09:20", step=5)
    assert "no room for more memory" in told(world, alice)[-1]
    assert (await world.store.member_of(card.id, alice)).state == "failed"


async def test_lessons_do_not_spare_the_question_whether_it_is_needed(world):
    """It ran before the lesson, which so doesn't stop it."""
    (alice,) = people(1)
    await course(world, alice, state=State.RUNNING)
    world.provider.machines["r-U000"].started_at = world.clock.now()
    await within(world.store, save_preferences, alice, Preferences(asks_after=1))
    await until(world, "10:29", step=60)
    assert world.slack.kinds().count("needed") == 1


async def test_a_lesson_that_has_begun_ends_as_planned(world):
    (alice,) = people(1)
    card = await course(world, alice)
    await until(world, "08:57")
    for to in ({"off": frozenset({"2027-11-22"})}, {"starts": 14 * 60, "stops": 15 * 60}):
        with pytest.raises(Refused, match=r"course\.began"):
            await ask(world).to(lessons.change, card.id, "skip", {"days": "on 22 Nov"}, to)
    next_one = {"off": frozenset({"2027-11-24"})}
    await ask(world).to(lessons.change, card.id, "skip", {"days": "on 24 Nov"}, next_one)
    await until(world, "10:35")
    assert state(world) is State.STOPPED


async def test_who_would_have_nothing_ready_hears_the_evening_before_and_once(world):
    alice, bob, cleo = people(3)
    card = await course(world, alice)
    for one in (bob, cleo):
        await world.know(one)
        assert (await press(world, card, one)).result == "noted"
    await until(world, "10:00", step=120.0)
    # Not a day before the first lesson: they had just been told how to link.
    assert told(world, bob) == told(world, cleo) == []
    await until(world, "17:59", day=23, step=300.0)
    assert told(world, bob) == told(world, cleo) == []
    await seat(world, cleo)
    await press(world, card, cleo)
    await until(world, "18:01", day=23)
    (said,) = told(world, bob)
    assert said.startswith("Statistics begins ")
    assert "you haven't linked your Fake Cloud account. Link it and I'll do the rest." in said
    assert "Link Fake Cloud" in str(world.slack.messages[-1]["blocks"])
    assert "get your workspace ready" not in str(told(world, cleo)) + str(told(world, alice))
    await until(world, "08:59", day=24, step=120.0)
    assert told(world, bob) == [said]
    assert "2 of 3 are ready for Statistics. 1 hasn't linked their account, as of" in told(world, TRAINER)[-1]


async def test_who_joins_later_hears_an_hour_before(world):
    alice, bob, _ = people(3)
    card = await course(world, alice)
    await until(world, "20:00", day=23, step=600.0)
    await world.know(bob)
    await press(world, card, bob)
    await until(world, "07:59", day=24, step=300.0)
    assert told(world, bob) == []
    await until(world, "08:01", day=24)
    assert len(told(world, bob)) == 1


async def test_one_members_failure_of_the_day_before_is_not_counted_again(world):
    alice, bob, _ = people(3)
    card = await course(world, alice, bob)
    world.provider.fail("start", Conflict("no"), times=99)
    await until(world, "10:40")
    world.provider.heal()
    assert (await world.store.class_counts(card.id)).failed == 0
    await until(world, "08:50", day=24, step=300.0)
    await until(world, "08:59", day=24)
    assert told(world, TRAINER)[-1] == "2 of 2 are ready for Statistics."


async def test_a_link_made_anywhere_wakes_every_press_that_waits_and_is_still_good(world):
    (alice,) = people(1)
    await world.know(alice)
    cards = [await post(world), await post(world), await post(world, **LESSONS)]
    over = await post(world)
    for card in (over, *cards):
        await press(world, card, alice)
        world.clock.advance(1.0)
    await ask(world).to(classes.stop_all, over.id)
    waiting = {"principal": alice.key, "text": f"press {cards[1].id}", "channel_id": "C9"}
    begin = ask(world, alice).to
    secret = world.seal(alice)
    of = {"actor": "x", "proof": "sign_in", "made_by": "sign_in"}
    await begin(accounts.begin, "cloud", "alice", secret, waiting=waiting, **of)
    await world.pass_time(20, step=2)
    woken = [command["text"] for who, command in world.replayed if who == alice]
    assert sorted(woken) == sorted(f"press {card.id}" for card in cards)
    # The button's own keeps its way back to where it was pressed.
    assert [one.get("channel_id") for _, one in world.replayed if one["text"] == waiting["text"]] == ["C9"]
    # A press of a class is good for twelve hours, one of a course until that ends.
    world.replayed.clear()
    world.clock.advance(12 * 3600.0)
    await begin(accounts.begin, "cloud", "alice", secret, **of)
    await world.pass_time(20, step=2)
    assert [command["text"] for _, command in world.replayed] == [f"press {cards[2].id}"]
