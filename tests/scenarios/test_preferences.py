"""Settings from the form to the messages that they turn on or off, over signed HTTP."""


async def test_settings_from_a_command_and_from_a_direct_message_and_what_they_change(linked):
    alice = linked.alice
    asked = (await alice.writes("settings"))[-1]
    assert "I'll message you when a workspace is ready or a run ends." in asked.text
    await alice.presses(asked, "Change settings")
    assert alice.modal()["title"]["text"] == "Settings"
    answer = await alice.submits(tell=["run_ended"])
    assert answer["ok"], answer
    assert "I'll message you when a run ends." in str(alice.modal())
    await linked.slack.close_view(alice.id)
    # Only the card says that the workspace is ready.
    await alice.types("start notebook")
    await linked.pass_time(40)
    assert alice.told("ready") == []
    assert "*notebook*" in alice.card.text
    assert "is ready" in alice.card.text
    # A workspace may have its own settings. The slash command opens its form at once.
    assert (await linked.slack.say(alice.id, "C0GENERAL", "/workspace settings training"))["ok"]
    assert "Message me about training" in str(alice.modal())
    answer = await alice.submits(messages="on")
    assert answer["ok"], answer
    assert "I'll message you when *training*" in str(alice.modal())
    await linked.slack.close_view(alice.id)
    await alice.types("start training")
    await linked.pass_time(40)
    assert "*training* is ready" in alice.only("ready").text
    assert (await linked.slack.say(alice.id, "C0GENERAL", "/workspace settings"))["ok"]
    assert alice.modal()["title"]["text"] == "Settings"
