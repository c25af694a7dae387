"""Who may use the bot: colleagues; not guests, other organisations, bots, or who has left."""

from __future__ import annotations

import pytest

GENERAL, SCIENCE, TRAINING = "C0GENERAL", "C0SCIENCE", "C0TRAINING"
REFUSED = [
    ("U0GRETA", TRAINING, "Guests can't use me."),
    ("U0PAVEL", SCIENCE, "I only work for people of the Slack workspace that I was installed in."),
]


@pytest.mark.parametrize("text", ["list", "start notebook", "link", "whoami", "help", "unlink all"])
async def test_guests_are_refused_in_words(bare, text):
    answer = await bare.person("U0GRETA").types(text, TRAINING)
    assert answer.is_private
    assert "Guests can't use me." in answer.text
    assert bare.calls("") == 0
    assert [row for row in await bare.audit() if row["result"] == "refused"]


@pytest.mark.parametrize(("user", "channel", "said"), REFUSED)
@pytest.mark.parametrize("text", ["list", "start notebook", "link", "whoami"])
async def test_guests_and_people_of_other_organisations_are_refused_where_they_mention_and_write(
    bare, user, channel, said, text
):
    (answer,) = await bare.person(user).mentions(text, channel)
    assert answer.is_private
    assert said in answer.text
    (answer,) = await bare.person(user).writes(text)
    assert said in answer.text
    assert bare.calls("") == 0


@pytest.mark.parametrize(("user", "channel", "said"), REFUSED)
async def test_they_are_refused_at_a_colleagues_buttons_too(linked, user, channel, said):
    owner = linked.alice
    await owner.types("start training --share", channel)
    card = next(shown for shown in linked.person(user).sees(channel) if "Stop" in shown.labels)
    before = linked.calls("")
    for label in card.labels:
        told = await linked.person(user).presses(card, label)
        assert said in told[-1].text
        assert told[-1].is_private
    assert linked.calls("POST .*/stop") == 0
    assert linked.calls("") == before


async def test_another_bot_is_not_answered(bare):
    await bare.slack.say("U0ROBOT", GENERAL, "@usher start notebook")
    await bare.settle()
    assert not [shown for shown in bare.person("U0ROBOT").sees(GENERAL) if shown.json["user"] == "U0USHER"]
    answer = await bare.slack.say("U0ROBOT", GENERAL, "/workspace list")
    assert "I only take requests from people." in answer["text"]
    assert bare.calls("") == 0


@pytest.mark.parametrize("bare", [{"people_known": False}], indirect=True)
async def test_a_guest_whom_nobody_knows_yet_is_looked_up_before_the_first_call_to_a_provider(bare):
    guest = bare.person("U0GRETA")
    await guest.types("help", TRAINING)
    # Slack's table of people is not there yet: what is linked meanwhile is stopped at the first wish.
    await guest.links("alice", asked=await guest.types("link saturn", TRAINING))
    before = bare.calls("/api/workspaces/.*/start")
    await guest.types("start notebook", TRAINING)
    await bare.pass_time(40)
    assert bare.calls("/api/workspaces/.*/start") == before == 0
    assert "Guests can't use me." in guest.sees()[-1].text


@pytest.mark.parametrize("bare", [{"people_known": False}], indirect=True)
async def test_while_slack_does_not_say_who_somebody_is_a_start_waits_and_is_not_refused(bare):
    alice = bare.alice
    await alice.links("alice")
    bare.slack_fails("users.info", status=503, times=2)
    await alice.types("start notebook")
    await bare.pass_time(20)
    assert bare.calls("POST .*/start") == 0
    assert "I am asking Slack who you are before I go on." in alice.card.text
    await bare.pass_time(120, step=3)
    assert alice.only("ready")


async def test_who_becomes_a_guest_is_refused_from_then_on(linked):
    await linked.slack.change_person(linked.alice.id, is_restricted=True)
    answer = await linked.alice.types("start notebook")
    assert "Guests can't use me." in answer.text
    assert linked.calls("POST .*/start") == 0


async def test_a_wish_of_somebody_who_became_a_guest_meanwhile_is_refused_with_a_message(linked):
    alice = linked.alice
    linked.saturn_fails("/start", status=503, times=1)
    await alice.types("start notebook")
    await linked.slack.change_person(alice.id, is_restricted=True)
    await linked.pass_time(60)
    assert linked.calls("POST .*/start") == 1
    assert "was refused" in alice.only("refused").text
    assert "Guests can't use me." in alice.only("refused").text


async def test_somebody_new_is_known_by_joining(bare):
    await bare.slack.change_person("U0NEWBIE", name="newbie", real_name="New Bie")
    bare.slack.state.channels[GENERAL].members.add("U0NEWBIE")
    assert "not linked yet" in (await bare.person("U0NEWBIE").types("start notebook")).text
