"""Once an announced event has happened, its sentence, or the whole message, is removed."""

from datetime import timedelta

import pytest

from tests.scenarios.class_seeds import TRAINER
from tests.scenarios.course_room import ANN, BOB, _begin, _joins, _until, room

__all__ = ["room"]


def there(alice, shown):
    return next((one for one in alice.sees() if one.ts == shown.ts), None)


async def test_answer_that_announced_a_start_goes_once_it_comes(linked):
    alice = linked.alice
    (said,) = await alice.writes("hours training today 8:10")
    assert "I'll start *training* on Saturn Cloud at <!date^" in said.text
    await linked.pass_time(480, step=10)
    assert there(alice, said)
    await linked.pass_time(240, step=10)
    assert there(alice, said) is None
    assert alice.only("ready")


async def test_hours_lose_what_came_next_and_their_old_button(linked):
    alice = linked.alice
    (said,) = await alice.writes("hours training every day 8:30-18:00")
    assert "Next start: " in said.read
    assert "Skip Fri 15 Jan" in said.labels
    await linked.pass_time(40 * 60, step=20)
    left = there(alice, said)
    assert "now runs every day 08:30–18:00" in left.read
    assert "Next" not in left.read
    assert not {"Skip Fri 15 Jan", "Pause until Mon 18 Jan"} & set(left.labels)
    assert "Turn hours off" in left.labels


@pytest.mark.parametrize("order", ["off", "every day 9:30-18:00"])
async def test_hours_that_change_take_back_what_came_next(linked, order):
    alice = linked.alice
    (said,) = await alice.writes("hours training every day 8:30-18:00")
    await alice.writes(f"hours training {order}")
    await linked.pass_time(60, step=5)
    left = there(alice, said)
    assert "now runs every day 08:30–18:00" in left.read
    assert "Next, I'll start it" not in left.read


@pytest.mark.parametrize("is_running", [False, True], ids=["down", "running"])
@pytest.mark.parametrize("order", ["off", "skip Fri 15 Jan", "every day 9:30-18:00"])
async def test_hours_that_change_take_back_their_buttons(linked, order, is_running):
    """A day can't be skipped if the hours no longer include it. The other buttons stay."""
    alice = linked.alice
    if is_running:
        await alice.types("start training")
        await linked.pass_time(60, step=5)
    (said,) = await alice.writes("hours training every day 8:30-18:00")
    assert "Skip Fri 15 Jan" in said.labels
    await alice.writes(f"hours training {order}")
    await linked.pass_time(60, step=5)
    left = there(alice, said)
    assert "Next start" not in left.read
    assert not {"Skip Fri 15 Jan", "Pause until Mon 18 Jan"} & set(left.labels)
    assert "Turn hours off" in left.labels


async def test_button_goes_with_the_rest_of_its_line(linked):
    """The text after an outdated sentence is removed with it, and so is its button."""
    alice = linked.alice
    await alice.types("start training for 40 min")
    await linked.pass_time(60, step=5)
    (said,) = await alice.writes("hours training every day 20:00-22:00")
    assert "I'll still stop it at " in said.read
    assert "Next start: " in said.read
    assert "Skip Fri 15 Jan" in said.labels
    await linked.pass_time(45 * 60, step=20)
    left = there(alice, said)
    assert "Next start" not in left.read
    assert not [label for label in left.labels if label.startswith("Skip")]


async def test_nothing_will_stop_it_is_said_until_something_will(linked):
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(60, step=5)
    await alice.writes("hours training every day until 18:00")
    (said,) = await alice.writes("hours training off")
    assert "no stop is planned" in said.read
    await alice.writes("stop training in 2 hours")
    await linked.pass_time(60, step=5)
    assert "no longer has working hours" in there(alice, said).read
    assert "no stop is planned" not in there(alice, said).read


async def test_question_is_over_once_its_button_was_pressed(linked):
    alice = linked.alice
    for name in ("notebook", "training"):
        await alice.types(f"start {name}")
    await linked.pass_time(60, step=5)
    (asked,) = await alice.writes("stop all")
    (label,) = asked.labels
    assert label == "Stop 3 workspaces"
    await alice.presses(asked, label)
    now = there(alice, asked)
    assert "Stopping" in now.read
    # The buttons that start each again are also on the message about the end, which replaces the answer.
    backs = {"Start notebook", "Start report", "Start training"}
    assert set(now.labels) == backs
    await linked.pass_time(8, step=1)
    assert there(alice, asked).labels == now.labels
    await linked.pass_time(60, step=5)
    assert [set(one.labels) for one in alice.told("results")] == [backs]
    assert there(alice, asked) is None
    assert not [one for one in alice.sees() if label in one.labels]


async def test_offer_whose_button_is_gone_is_over(linked):
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(60, step=5)
    (offered,) = await alice.writes("could you stop training at half past six?")
    assert offered.labels == ["Stop training at 18:30"]
    await alice.writes("stop training")
    await linked.pass_time(60, step=5)
    assert there(alice, offered) is None


async def test_offer_of_a_planned_start_goes_when_its_time_has_come(linked):
    alice = linked.alice
    (offered,) = await alice.writes("please start training in 30 minutes")
    (label,) = offered.labels
    assert label.startswith("Start training Fri 15 Jan at ")
    await linked.pass_time(28 * 60, step=20)
    assert there(alice, offered).labels == [label]
    await linked.pass_time(4 * 60, step=5)
    assert there(alice, offered) is None


async def test_pressed_offer_of_a_planned_start_plans_it(linked):
    alice = linked.alice
    (offered,) = await alice.writes("please start training in 30 minutes")
    await alice.presses(offered, *offered.labels)
    assert "I'll start *training* on Saturn Cloud at 08:30" in there(alice, offered).read
    await linked.pass_time(32 * 60, step=20)
    assert alice.only("ready")


async def test_pressed_offer_is_replaced_by_its_answer(linked):
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(60, step=5)
    (offered,) = await alice.writes("could you stop training at half past six?")
    await alice.presses(offered, "Stop training at 18:30")
    now = there(alice, offered)
    assert "I'll stop *training* at " in now.read
    assert now.labels == ["Cancel it"]


async def test_answer_to_a_slash_command_is_dated(linked):
    said = await linked.alice.types("hours training every day 8:30-18:00")
    assert "Next start: <!date^" in said.text
    assert "As of <!date^" in said.text


@pytest.mark.parametrize("said", ["keep training", "stop training in 2 hours", "stop training"])
async def test_stop_that_is_changed_goes_from_what_named_it(linked, said):
    """It isn't enough that the button is removed: the sentence next to it has to be true, too."""
    alice = linked.alice
    await alice.types("start training for 40 min")
    await linked.pass_time(60, step=5)
    assert "I'll stop it" in alice.only("ready").read
    await alice.writes(said)
    await linked.pass_time(60, step=5)
    ready = alice.only("ready").read
    assert ("*training* became ready at " if said == "stop training" else "🟢 *training* is ready.") in ready
    assert "I'll stop it" not in alice.only("ready").read


async def test_warning_stands_while_its_workspace_restarts(linked):
    """The stop still happens, and the warning becomes the message about it."""
    alice = linked.alice
    await alice.types("start training for 20 min")
    await linked.pass_time(15 * 60, step=5)
    warned = alice.only("stop_warning")
    await alice.writes("restart training")
    await linked.pass_time(60, step=5)
    assert there(alice, warned).labels == ["Keep running", "1 hour more"]
    await linked.pass_time(5 * 60, step=5)
    assert "has stopped" in there(alice, warned).read


async def test_warning_stands_until_a_stop_that_is_late(linked):
    """The bot was down at that time. Nothing is deleted before there is something else to say."""
    alice = linked.alice
    await alice.types("start training for 20 min")
    await linked.pass_time(15 * 60, step=5)
    warned = alice.only("stop_warning")
    await linked.stop_bot()
    linked.clock.advance(400)
    await linked.start_bot()
    await linked.pass_time(120, step=5)
    assert "has stopped" in there(alice, warned).read


async def test_lesson_goes_for_whoever_leaves_its_course(room):
    made, ann, bob = room, room.person(ANN), room.person(BOB)
    begin = _begin(made)
    end = begin + timedelta(minutes=40)
    hours = f"{begin:%A}".lower() + f" {begin:%H:%M}-{end:%H:%M}"
    await made.person(TRAINER).types(f"card notebook --title Statistics --hours {hours}")
    await made.pass_time(2)
    for user in (ANN, BOB):
        await _joins(made, user)
    await _until(made, begin + timedelta(minutes=5))
    assert ann.only("lesson")
    await ann.writes("card Statistics leave")
    await made.pass_time(60)
    assert ann.told("lesson") == []
    await _until(made, end - timedelta(minutes=2))
    await bob.presses(bob.only("stop_warning"), "Keep running")
    assert bob.only("lesson")
    await _until(made, end + timedelta(minutes=2))
    assert bob.told("lesson") == []
