"""Only colleagues may use the bot: no guests, bots, people of other organisations, or people who left."""

import json

import pytest

from bot.store import accounts

GENERAL, SCIENCE, TRAINING = "C0GENERAL", "C0SCIENCE", "C0TRAINING"
REFUSED = [
    ("U0GRETA", TRAINING, "Guests can't use me."),
    ("U0PAVEL", SCIENCE, "I only work for people in Slack workspaces where I'm installed."),
]


async def test_guests_are_refused_in_words(bare):
    for number, text in enumerate(("list", "start notebook", "link", "about", "help", "unlink all"), 1):
        answer = await bare.person("U0GRETA").types(text, TRAINING)
        assert answer.is_private
        assert "Guests can't use me." in answer.text
        assert len([row for row in await bare.audit() if row["result"] == "refused"]) == number
    assert bare.calls("") == 0


@pytest.mark.parametrize(("user", "channel", "said"), REFUSED)
async def test_guests_and_people_of_other_organisations_are_refused_where_they_mention_and_write(
    bare, user, channel, said
):
    for text in ("list", "start notebook", "link", "about"):
        (answer,) = await bare.person(user).mentions(text, channel)
        assert answer.is_private
        assert said in answer.text
        (answer,) = await bare.person(user).writes(text)
        assert said in answer.text
    assert bare.calls("") == 0


@pytest.mark.parametrize(("user", "channel", "said"), REFUSED)
async def test_they_are_refused_at_a_colleagues_buttons_too(linked, user, channel, said):
    owner = linked.alice
    await owner.types("card training", channel)
    card = next(shown for shown in linked.person(user).sees(channel) if shown.labels)
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
@pytest.mark.parametrize("text", ["link saturn", "list", "start notebook"])
async def test_a_guest_whom_nobody_knows_yet_gets_no_link_and_nothing_is_read(bare, text):
    guest = bare.person("U0GRETA")
    answer = await guest.types(text, TRAINING)
    assert "Guests can't use me." in answer.text
    assert answer.labels == []
    await bare.pass_time(10)
    assert bare.calls("") == 0
    assert await bare.bot.store.read(accounts.list_accounts, bare.principal(guest.id)) == []
    assert bare.calls("users.info", bare.slack) == 1


@pytest.mark.parametrize("bare", [{"people_known": False}], indirect=True)
async def test_while_slack_does_not_say_who_somebody_is_their_request_waits_and_goes_on_by_itself(bare):
    alice = bare.alice
    bare.slack_fails("users.info", status=503, times=3)
    answer = await alice.types("link saturn")
    assert answer.text.startswith("Checking with Slack who you are.")
    assert bare.calls("") == 0
    await bare.pass_time(60, step=3)
    (asked,) = [shown for shown in alice.sees(GENERAL) if "Link Saturn Cloud" in shown.labels]
    await alice.links("alice", asked=asked)
    assert bare.calls("GET /api/user") > 0


@pytest.mark.parametrize("bare", [{"people_known": False}], indirect=True)
@pytest.mark.parametrize("code", ["team_access_not_granted", "user_not_visible"])
async def test_newcomer_whom_slack_does_not_describe_reads_why(bare, code):
    alice = bare.alice
    bare.slack_fails("users.info", status=200, times=99, body=json.dumps({"ok": False, "error": code}))
    answer = await alice.types("link saturn")
    assert answer.text.startswith("Checking with Slack who you are.")
    await bare.pass_time(10, step=2)
    assert [shown for shown in alice.sees(GENERAL) if "I couldn't check with Slack who you" in shown.text]
    assert bare.bot.notifier.lockout_code is None
    bare.heal()
    await bare.pass_time(60, step=5)
    await alice.types("link saturn")
    assert [shown for shown in alice.sees(GENERAL) if "Link Saturn Cloud" in shown.labels]


async def test_who_becomes_a_guest_meanwhile_is_told_and_what_was_under_way_ends_with_the_link(linked):
    alice = linked.alice
    linked.saturn_fails("/start", status=503, times=1)
    await alice.types("start notebook")
    await linked.slack.change_person(alice.id, is_restricted=True)
    await linked.pass_time(60)
    assert linked.calls("POST .*/start") == 1
    assert "guests can't use me" in alice.only("unlinked").text
    assert "cancelled" in alice.card.text
    assert await linked.bot.store.read(accounts.list_accounts, linked.principal(alice.id)) == []
    assert "Guests can't use me." in (await alice.types("list")).text


async def test_somebody_new_is_known_by_joining(bare):
    await bare.slack.change_person("U0NEWBIE", name="newbie", real_name="New Bie")
    bare.slack.state.channels[GENERAL].members.add("U0NEWBIE")
    assert (
        "To start *notebook*, link your Saturn Cloud account."
        in (await bare.person("U0NEWBIE").types("start notebook")).text
    )


async def test_who_takes_back_their_sign_in_is_told_why_they_are_unlinked_and_can_link_again(linked):
    alice, slack = linked.alice, linked.slack
    event = {"type": "tokens_revoked", "tokens": {"oauth": [alice.id], "bot": []}}
    assert await slack.events.emit({**event, "event_ts": slack.state.new_ts()})
    await linked.pass_time(5)
    assert await linked.bot.store.read(accounts.list_accounts, linked.principal(alice.id)) == []
    told = alice.only("unlinked")
    assert "took back the access you gave me by signing in with Slack" in told.text
    (invited,) = await alice.presses(told, "Link again")
    assert "Link Saturn Cloud" in invited.labels
