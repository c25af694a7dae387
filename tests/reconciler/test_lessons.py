"""A course from its card to its last lesson: every member has a workspace ready when a lesson begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.courses import ClassCard
from bot.domain.forms import Spec
from bot.domain.operations import OperationVerb
from bot.domain.preferences import Preferences
from bot.domain.stops import PlannedStop
from bot.domain.time_parsing import read_hours
from bot.domain.work_items import Outcome
from bot.domain.workspaces import State
from bot.services import accounts
from bot.services import course_changes as changes
from bot.services import courses as use_cases
from bot.services import hours as hours_use_cases
from bot.services.operation_requests import begin_operation
from bot.services.timers import set_timer
from bot.store import courses as class_rows
from bot.store import hours as hour_rows
from bot.store import operations
from bot.store import workspaces as workspace_rows
from bot.store.preferences import save_preferences
from bot.support.errors import Conflict, LimitReached, Refused, ServerFailed
from tests.reconciler.classroom import CHANNEL, TRAINER, ask, people, post, press, seat, shown, told
from tests.reconciler.courses import LESSONS, course, state, until
from tests.reconciler.courses import term as term  # noqa: PLC0414 - a fixture
from tests.reconciler.hours import local
from tests.rigs.store import unlink, want_read, within


async def test_who_joined_is_ready_at_the_begin_and_stopped_at_the_end(term):
    alice, bob, cleo = people(3)
    card = await course(term, alice, bob)
    await until(term, "08:50")
    assert term.provider.accepted_starts == []
    await until(term, "08:59")
    assert (state(term, 0), state(term, 1)) == (State.RUNNING, State.RUNNING)
    assert told(term, alice) == []
    await until(term, "09:00", step=5)
    await term.pass_time(10, step=2)
    assert told(term, alice) == ["Statistics is starting, and your workspace is ready."]
    assert "2 of 2 are ready" in str(shown(term)["blocks"])
    # A person who joins during the lesson is started at once.
    await seat(term, cleo)
    assert (await press(term, card, cleo)).result == "started"
    await term.pass_time(40, step=5)
    assert "is ready" in told(term, cleo)[-1]
    await until(term, "10:29")
    assert "so name-r-U000 stops then" in told(term, alice)[-1]
    await until(term, "10:33")
    # The warning has turned into the message that the lesson is over, without another message. The message
    # that it is ready was deleted.
    assert told(term, alice) == ["Statistics is over, and name-r-U000 on Fake Cloud was stopped."]
    assert "ide_url" not in str(term.slack.messages)
    assert {state(term, number) for number in range(3)} == {State.STOPPED}
    assert "are ready" not in str(shown(term)["blocks"])
    starts = len(term.provider.accepted_starts)
    await until(term, "08:59", day=24, step=120)
    assert len(term.provider.accepted_starts) == starts + 3


async def test_a_lesson_stops_only_what_it_started(term):
    """A workspace that ran overnight keeps running, and so does one that was restarted by hand."""
    alice, bob = people(2)
    await course(term, alice, state=State.RUNNING)
    await seat(term, bob)
    card = (await term.store.read(class_rows.list_courses))[0]
    await press(term, card, bob)
    await until(term, "08:54")
    await until(term, "09:10", step=5)
    assert "your workspace is ready" in told(term, alice)[-1]
    (row,) = await term.store.perform(workspace_rows.read_workspaces, bob)
    for verb in (OperationVerb.STOP, OperationVerb.START):
        await ask(term, bob).run(begin_operation, row.id, verb)
        await term.pass_time(60, step=5)
    await until(term, "11:00")
    assert (state(term, 0), state(term, 1)) == (State.RUNNING, State.RUNNING)
    assert term.provider.accepted_stops == ["r-U001"]


async def test_a_start_by_an_assistant_in_between_keeps_nothing_up(term):
    """Only a start by the person keeps the workspace running after the lesson.

    Slackbot may start workspaces but not stop them, so a start by it doesn't cancel the lesson's stop.
    """
    alice, bob = people(2)
    await course(term, alice, bob)
    await until(term, "09:10")
    for one, via in ((alice, "assistant"), (bob, "")):
        lets = Preferences(assistant="start")
        await term.store.carry_out(lambda tx, who=one, to=lets: save_preferences(tx, who, to))
        (row,) = await term.store.perform(workspace_rows.read_workspaces, one)
        caller = replace(ask(term, one), via=via)
        await caller.run(begin_operation, row.id, OperationVerb.START)
    await until(term, "11:00")
    assert (state(term, 0), state(term, 1)) == (State.STOPPED, State.RUNNING)


async def test_what_was_found_up_only_after_its_start_was_asked_for_goes_on_too(term):
    """A lesson's end doesn't stop a workspace that was already running when the lesson's start was requested.

    That is so even if Usher learned only afterwards that it was running.
    """
    (alice,) = people(1)
    await course(term, alice, state=State.RUNNING)
    await until(term, "11:00", step=240)
    assert (state(term), term.provider.accepted_stops) == (State.RUNNING, [])


async def test_own_hours_and_an_own_stop_go_first(term):
    alice, bob = people(2)
    await course(term, alice, bob)
    (mine,) = await term.store.perform(workspace_rows.read_workspaces, alice)
    await term.know(alice, time_zone="Europe/Berlin")
    await ask(term, alice).run(hours_use_cases.add, mine.id, read_hours("mon 9:15-12:00"))
    await until(term, "09:14")
    await until(term, "09:20", step=5)
    (theirs,) = await term.store.perform(workspace_rows.read_workspaces, bob)
    await ask(term, bob).run(set_timer, theirs.id, PlannedStop(local("10:00"), "stop"))
    await until(term, "10:05")
    assert (state(term, 0), state(term, 1)) == (State.RUNNING, State.STOPPED)
    await until(term, "11:00")
    assert state(term, 0) is State.RUNNING
    await until(term, "12:05")
    assert state(term, 0) is State.STOPPED


async def test_unlinking_leaves_the_course(term):
    (alice,) = people(1)
    card = await course(term, alice)
    await unlink(term.store, alice, "cloud")
    assert await term.store.read(hour_rows.list_rules_of_person, alice) == []
    assert await term.store.read(class_rows.find_participant, card.id, alice) is None
    await until(term, "09:05")
    assert term.provider.accepted_starts == []


TEMPLATE = {"spec": Spec("usher-class", {"template": "course"}), "pattern": ""}


async def test_what_can_be_made_without_being_started_is_for_a_lesson_later_on(term):
    """The new workspace isn't started when created. Nobody is told that it's ready; the lesson starts it."""
    alice, bob = people(2)
    term.provider.makes_at_rest = True
    await until(term, "13:00")
    card = await course(term, alice, **TEMPLATE)
    await until(term, "15:00")
    (_, row) = await term.store.perform(workspace_rows.read_workspaces, alice)
    assert (row.state, row.stop_at, row.is_provisional) == (State.STOPPED, None, False)
    made = await term.store.read(operations.find_latest_operation, row.id)
    assert (made.outcome, made.creates_stopped) == (Outcome.FULFILLED, True)
    assert (term.provider.accepted_starts, told(term, alice)) == ([], [])
    await until(term, "09:01", day=24, step=30)
    assert told(term, alice) == ["Statistics is starting, and your workspace is ready."]
    # In the hour before a lesson it is started at once, as the lesson might begin before it has been created.
    await until(term, "08:00", day=29, step=600)
    await seat(term, bob)
    assert not (await press(term, card, bob)).operation.creates_stopped


async def test_what_is_being_made_is_started_for_whoever_wants_it_now(term):
    (alice,) = people(1)
    term.provider.makes_at_rest = True
    await until(term, "13:00")
    term.provider.fail("create", ServerFailed("busy"), times=3)
    await course(term, alice, **TEMPLATE)
    (_, row) = await term.store.perform(workspace_rows.read_workspaces, alice)
    started = await ask(term, alice).run(begin_operation, row.id, OperationVerb.START)
    assert (started.joined, started.operation.creates_stopped) == (True, False)
    await term.pass_time(600, step=5)
    assert (await term.store.read(workspace_rows.find_workspace, row.id)).state is State.RUNNING


@pytest.mark.parametrize("is_course", [True, False], ids=["lesson", "class"])
async def test_what_is_being_made_is_started_and_stopped_for_a_lesson_or_class_that_is_on(term, is_course):
    (alice,) = people(1)
    term.provider.makes_at_rest = True
    await until(term, "13:00")
    course_ = await course(term, **TEMPLATE)
    await seat(term, alice)
    await term.know(alice)
    assert (await press(term, course_, alice)).operation.creates_stopped
    keys = LESSONS | {"starts": 12 * 60 + 30, "stops": 14 * 60} if is_course else {"stops_at": local("14:00")}
    draft = ClassCard(TRAINER, CHANNEL, "cloud", "Statistics", **keys | TEMPLATE)
    pressed = await press(term, await ask(term).run(use_cases.post, draft), alice)
    assert (pressed.result, pressed.operation.creates_stopped) == ("started", False)
    await until(term, "13:50")
    (_, row) = await term.store.perform(workspace_rows.read_workspaces, alice)
    assert (row.state, row.stop_at) == (State.RUNNING, local("14:00"))
    assert any("ready" in one for one in told(term, alice))


async def test_member_joining_lesson_is_notified_of_failed_creation(term):
    (alice,) = people(1)
    await until(term, "08:30")
    card = await course(term, **TEMPLATE)
    await until(term, "09:02")
    await seat(term, alice)
    term.provider.fail("create", LimitReached("no room for more memory"))
    assert (await press(term, card, alice)).result == "started"
    await until(term, "09:20", step=5)
    assert "no room for more memory" in told(term, alice)[-1]
    assert (await term.store.read(class_rows.find_member, card.id, alice)).state == "failed"


async def test_what_the_provider_allows_a_little_later_is_started_for_its_lesson(term):
    alice, bob = people(2)
    await course(term, alice, bob)
    await until(term, "08:50")
    rows = [
        row for one in (alice, bob) for row in await term.store.perform(workspace_rows.read_workspaces, one)
    ]
    machines = [term.provider.machines[row.remote_id] for row in rows]
    for machine in machines:
        machine.actions = frozenset({"open"})

    async def pass_while_read(minutes):
        """Keep reading the workspaces, since the allowed actions are known only shortly after a read."""
        for _ in range(6 * minutes):
            for row in rows:
                await want_read(term.store, row.id)
            await term.pass_time(10, step=5)

    await pass_while_read(20)
    assert term.provider.accepted_starts == told(term, alice) == []
    machines[0].actions = None
    await pass_while_read(60)
    assert term.provider.accepted_starts == ["r-U000"]
    assert "is ready" in told(term, alice)[-1]
    # For the other student it is too late.
    (said,) = told(term, bob)
    assert said.startswith("I couldn't start name-r-U001 on Fake Cloud for Statistics. Fake Cloud doesn't")


async def test_lesson_whose_start_is_refused_is_explained_to_student_and_teacher(term):
    (alice,) = people(1)
    await course(term, alice, state=State.RUNNING)
    await until(term, "11:00")
    # That the workspace was running before the first lesson doesn't count for the next one.
    term.provider._moved("r-U000").state = State.STOPPED
    await until(term, "08:40", day=24, step=300)
    before = len(told(term, alice))
    term.reborn(connections={})
    await until(term, "08:59", day=24)
    (said,) = told(term, alice)[before:]
    assert said.startswith("I couldn't start name-r-U000 on cloud for Statistics. The connection cloud isn't")
    assert "0 of 1 is ready for Statistics. 1 start failed:" in told(term, TRAINER)[-1]
    await until(term, "10:40", day=24)
    assert told(term, alice)[before:] == [said]


async def test_lessons_do_not_spare_the_question_whether_it_is_needed(term):
    """The workspace was running before the lesson, so the lesson won't stop it."""
    (alice,) = people(1)
    await course(term, alice, state=State.RUNNING)
    term.provider.machines["r-U000"].started_at = term.clock.now()
    await within(term.store, save_preferences, alice, Preferences(idle_prompt_after=1))
    await until(term, "10:29", step=60)
    assert term.slack.kinds().count("idle_prompt") == 1


async def test_a_lesson_that_has_begun_ends_as_planned(term):
    (alice,) = people(1)
    card = await course(term, alice)
    await until(term, "08:57")
    with pytest.raises(Refused, match=r"course\.began"):
        await ask(term).run(changes.leave_out, card.id, {"2027-11-22"})
    await ask(term).run(changes.leave_out, card.id, {"2027-11-24"})
    await until(term, "10:35")
    assert state(term) is State.STOPPED


async def test_who_would_have_nothing_ready_hears_the_evening_before_and_once(term):
    alice, bob, cleo = people(3)
    card = await course(term, alice)
    for one in (bob, cleo):
        await term.know(one)
        assert (await press(term, card, one)).result == "noted"
    await until(term, "10:00", step=120.0)
    # People aren't told a day before the first lesson, as they had just been told how to link.
    assert told(term, bob) == told(term, cleo) == []
    await until(term, "17:59", day=23, step=300.0)
    assert told(term, bob) == told(term, cleo) == []
    await seat(term, cleo)
    await press(term, card, cleo)
    await until(term, "18:01", day=23)
    (said,) = told(term, bob)
    assert said.startswith("Statistics begins ")
    assert "you haven't linked your Fake Cloud account. Link it and I'll do the rest." in said
    assert "Link Fake Cloud" in str(term.slack.messages[-1]["blocks"])
    assert "get your workspace ready" not in str(told(term, cleo)) + str(told(term, alice))
    await until(term, "08:59", day=24)
    assert told(term, bob) == [said]
    assert "2 of 3 are ready for Statistics. 1 hasn't linked their account, as of" in told(term, TRAINER)[-1]


async def test_one_members_failure_of_the_day_before_is_not_counted_again(term):
    alice, bob, _ = people(3)
    card = await course(term, alice, bob)
    term.provider.fail("start", Conflict("no"), times=99)
    await until(term, "10:40")
    term.provider.heal()
    assert (await term.store.read(class_rows.count_members, card.id)).failed == 0
    await until(term, "08:50", day=24, step=300.0)
    await until(term, "08:59", day=24)
    assert told(term, TRAINER)[-1] == "2 of 2 are ready for Statistics."


async def test_a_link_made_anywhere_wakes_every_press_that_waits_and_is_still_good(term):
    (alice,) = people(1)
    await term.know(alice)
    cards = [await post(term), await post(term), await post(term, **LESSONS)]
    over = await post(term)
    for card in (over, *cards):
        await press(term, card, alice)
        term.clock.advance(1.0)
    await ask(term).run(use_cases.stop_all, over.id)
    waiting = {"principal": alice.key, "text": f"press {cards[1].id}", "channel_id": "C9"}
    begin = ask(term, alice).run
    secret = term.seal(alice)
    of = {"actor": "x", "proof": "sign_in", "link_source": "sign_in"}
    await begin(accounts.link_account, "cloud", "alice", secret, deferred_command=waiting, **of)
    await term.pass_time(20, step=2)
    woken = [command["text"] for who, command in term.replayed if who == alice]
    assert sorted(woken) == sorted(f"press {card.id}" for card in cards)
    # The command from the button is still answered where the button was pressed.
    assert [one.get("channel_id") for _, one in term.replayed if one["text"] == waiting["text"]] == ["C9"]
    # Pressing a class's card stays valid for twelve hours, pressing a course's until the course ends.
    term.replayed.clear()
    term.clock.advance(12 * 3600.0)
    await begin(accounts.link_account, "cloud", "alice", secret, **of)
    await term.pass_time(20, step=2)
    assert [command["text"] for _, command in term.replayed] == [f"press {cards[2].id}"]


async def test_a_course_that_ends_after_its_lesson_of_the_day_includes_that_lesson(term):
    (alice,) = people(1)
    card = await course(term, alice)
    await until(term, "12:00", step=60)
    ended = await ask(term).run(changes.end, card.id)
    assert (ended.last_day, ended.stops_at) == ("2027-11-22", local("10:30"))
