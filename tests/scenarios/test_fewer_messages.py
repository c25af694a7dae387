"""Messages that nobody needs: separate results of one request, repeated warnings, and invisible edits."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from playground.demo.person import spoken
from tests.scenarios.class_seeds import TRAINER
from tests.scenarios.course_room import ANN, _begin, _joins, _until, room

__all__ = ["room"]


@dataclass
class Written:
    """A post, edit or deletion of a message by the bot, and its time."""

    what: str
    ts: str
    at: float
    text: str


def follow(world, person):
    """Record changes to a person's direct messages from now on, except edits that change nothing."""
    written, channel = [], world.slack.state.place(person.id, "@bot").id

    def heard(what, message, before):
        now = message.to_json()
        is_same = before is not None and all(now.get(name) == before.get(name) for name in ("text", "blocks"))
        if message.channel == channel and message.user != person.id and (what == "deleted" or not is_same):
            written.append(Written(what, message.ts, world.clock.now(), spoken(now)))

    world.slack.state.listeners.append(heard)
    return written


async def test_planned_stop_edits_its_warning_once(linked):
    """People were warned of the stop, so they aren't notified again.

    The warning is edited to say that it has stopped.
    """
    await linked.alice.types("start training for 20 min")
    await linked.pass_time(40)
    written = follow(linked, linked.alice)
    await linked.pass_time(1300, step=5)
    (warned,) = [one for one in written if one.what == "posted"]
    (edited,) = [one for one in written if one.ts == warned.ts and one.what == "changed"]
    assert "*training* has stopped on Saturn Cloud. This stop was planned." in edited.text


async def test_failed_planned_stop_is_a_new_message(linked):
    """The owner has to do something about the failure, so Slack must notify them. An edit wouldn't."""
    alice = linked.alice
    await alice.types("start training for 20 min")
    await linked.pass_time(40)
    linked.saturn_fails(r"/stop$", status=403, times=1000)
    await linked.pass_time(1800, step=10)
    assert "*training*" in alice.only("failed").text
    assert not [one for one in alice.told("stop_warning") if "has stopped" in one.text]


async def test_results_of_several_name_what_failed(linked):
    """One message contains all results, including failures, with a button for each that keeps working."""
    alice = linked.alice
    await alice.types("start notebook")
    await alice.types("start training")
    await linked.pass_time(60, step=5)
    linked.saturn_fails(rf"{linked.resource('training').id}/stop$", status=403, times=1000)
    written = follow(linked, alice)
    await alice.writes("stop notebook, training and report")
    await linked.pass_time(200, step=5)
    (posted,) = [one for one in written if one.what == "posted" and "I'll message you" not in one.text]
    assert "have stopped." in posted.text
    failed = next(line for line in posted.text.splitlines() if "*training*" in line)
    assert "stop" in failed
    assert any(label.endswith(": training") for label in alice.only("results").labels)


async def test_start_is_not_edited_before_it_is_deleted(linked):
    written = follow(linked, linked.alice)
    await linked.alice.writes("start notebook")
    await linked.pass_time(60, step=3)
    assert [one.what for one in written] == ["posted", "posted", "deleted"]
    assert linked.alice.only("ready")


@pytest.mark.parametrize("stop_seconds", [2, 1000])
async def test_answer_that_only_announces_is_deleted_once_the_card_is_there(linked, stop_seconds):
    alice = linked.alice
    linked.resource("notebook").start_seconds = 100
    linked.resource("notebook").stop_seconds = stop_seconds
    await alice.writes("start notebook")
    await linked.pass_time(6, step=2)
    written = follow(linked, alice)
    await alice.writes("stop notebook")
    await linked.pass_time(120, step=5)
    answer = next(one for one in written if "I'm stopping it again" in one.text)
    (card,) = [one for one in written if one.what == "posted" and one is not answer]
    assert [one.what for one in written if one.ts == answer.ts] == ["posted", "deleted"]
    assert ("*notebook* has stopped" in card.text) is (stop_seconds == 2)


async def test_cards_are_not_edited_in_the_second_of_the_end(linked):
    """This also applies if the message about the end replaces the card."""
    alice = linked.alice
    written = follow(linked, alice)
    await alice.writes("start notebook")
    await linked.pass_time(60, step=5)
    await alice.writes("stop notebook")
    await linked.pass_time(60, step=5)
    moments = [(one.ts, one.at) for one in written]
    assert len(moments) == len(set(moments))


async def test_lessons_end_edits_each_message_once(room):
    """From the warning to the end of the lesson there is only one edit, and the result stays."""
    made, ann = room, room.person(ANN)
    begin = _begin(made)
    end = begin + timedelta(minutes=40)
    hours = f"{begin:%A}".lower() + f" {begin:%H:%M}-{end:%H:%M}"
    await made.person(TRAINER).types(f"card notebook --title Statistics --hours {hours}")
    await made.pass_time(2)
    await _joins(made, ANN)
    await _until(made, end - timedelta(minutes=1), step=20)
    written = follow(made, ann)
    await _until(made, end + timedelta(minutes=2), step=3)
    (edit,) = [one for one in written if "*Statistics* is over" in one.text]
    assert [one.what for one in written if one.ts == edit.ts] == ["changed"]


async def test_failure_after_the_deadline_is_told_alone(linked):
    """If a start is about to fail, its owner needn't be told first that it is taking long."""
    alice = linked.alice
    linked.resource("notebook").start_seconds = 100_000
    await alice.types("start notebook")
    await linked.pass_time(605, step=5)
    linked.resource("notebook").force("error", linked.clock.now())
    await linked.pass_time(120, step=5)
    assert "*notebook*" in alice.only("failed").text
    assert alice.told("waiting") == []
