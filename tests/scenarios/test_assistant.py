"""Slack's assistant in the local Slack: a person writes its calls, and reads the answers."""

from tests.rigs.scenario import world

GENERAL = "C0GENERAL"


async def test_slackbot_call_is_answered_to_its_person_alone(tmp_path):
    async with world(tmp_path, settings={"USHER_ASSISTANT": "true"}) as scene:
        alice = scene.alice
        await alice.has_linked("alice")

        async def asks(line):
            answer = await scene.slack.say(alice.id, GENERAL, f"@slackbot {line}".strip())
            assert [one.ts for one in scene.bob.sees(GENERAL)] == []
            await scene.settle()
            return answer["text"]

        assert "start name=… until=…: Start a workspace" in (await asks("")).splitlines()
        assert '"name": "notebook"' in await asks("my_workspaces")
        assert "The person's settings don't let Slackbot do that" in await asks("start notebook")
        assert (await scene.slack.say(alice.id, GENERAL, "/workspace settings"))["ok"]
        assert (await alice.submits(assistant="start"))["ok"]
        assert '"did": "start"' in await asks('start notebook until="for 2h"')
        await scene.pass_time(60)
        assert alice.only("ready")
        # The person can undo the assistant's action like any other.
        assert '"did": "start"' in await asks("start training")
        assert "no such tool" in await asks("remove notebook")
        assert "No closing quotation" in await asks('start "notebook')


async def test_without_a_server_of_the_app_it_is_a_message_like_any_other(linked):
    said = await linked.slack.say(linked.alice.id, GENERAL, "@slackbot start notebook")
    assert "events" in said
