"""What counts a day presses buttons in copies, and knows what isn't true, what comes twice, what is grey."""

from benchmarks.days import at_work
from tests.rigs.scenario.conversation import Conversation, is_grey
from tests.rigs.scenario.people import BOT


async def test_every_button_is_pressed_in_a_copy_and_an_untrue_one_is_told(tmp_path):
    async with at_work(tmp_path) as stage:
        talk = Conversation(stage, stage.alice)
        await talk.does(BOT, "start notebook")
        await stage.pass_time(60)
        notebook = stage.resource("notebook")
        await talk.press_all()
        labels = {one.labelled for one in talk.pressed.values()}
        assert {"Open", "Stop"} <= labels
        assert talk.untrue() == []
        assert notebook.status(stage.clock.now()) == "running", "it was stopped here, not in a copy"
        asked = stage.calls("POST .*/stop")
        assert asked == 0
        # A button that stays when what it undoes was undone; and one that leads to what was stopped.
        await talk.does(BOT, "stop notebook in 2 hours")
        answer = next(one for one in reversed(stage.alice.sees()) if one.labels == ["Undo"])
        place = stage.slack.state.place(stage.alice.id, BOT).id
        message = stage.slack.state.message(place, answer.ts)
        await stage.alice.presses(answer, "Undo")
        stage.slack.state.edit(message, blocks=answer.json["blocks"])
        notebook.force("stopped", stage.clock.now())
        await talk.press_all()
        assert {"Undo", "Open"} <= {one.labelled for one in talk.untrue()}
        assert stage.calls("POST .*/start") == 1


async def test_messages_edits_grey_lines_and_acts_told_twice_are_counted(tmp_path):
    async with at_work(tmp_path) as stage:
        talk, state = Conversation(stage, stage.alice), stage.slack.state
        await talk.does(BOT, "status notebook")
        posts, edits = talk.posts, talk.edits
        place = state.place(stage.alice.id, BOT).id
        grey = [{"type": "context", "elements": [{"type": "mrkdwn", "text": "*notebook* is off."}]}]
        said = state.add(state.from_bot(place, "*notebook* is off."))
        assert (talk.posts, len(talk.twice()), talk.grey()) == (posts + 1, 1, [])
        state.edit(said, blocks=grey)
        state.edit(said, blocks=grey)
        assert (talk.edits, talk.grey_edits, len(talk.grey())) == (edits + 1, 1, 1)
        assert is_grey(said.to_json())
        state.remove(said)
        assert (talk.deletions, talk.twice(), talk.grey()) == (1, [], [])
        assert len(talk.at_rest()) == posts
