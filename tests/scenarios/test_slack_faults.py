"""A Slack that fails: messages are sent exactly once, and ``doctor`` reports those that couldn't be sent."""

import json

import pytest

from bot.commands import store_checks
from bot.store import accounts

POST = "chat.postMessage"


def refusal(word, status=200):
    return {"status": status, "body": json.dumps({"ok": False, "error": word})}


def limited(seconds):
    return {**refusal("ratelimited", 429), "headers": {"Retry-After": str(seconds)}}


async def dead(world):
    """Return the text of ``doctor`` about notices that were given up, or "" if there are none."""
    (*_, check) = await store_checks.read_store(world.bot.store)
    return "" if check.is_good else check.found


async def test_a_message_that_arrived_without_an_answer_is_not_sent_again(linked):
    alice = linked.alice
    linked.slack_fails(POST, times=2, after=True, drop=True)
    await alice.writes("start training")
    await linked.pass_time(200, step=2)
    assert sorted(shown.kind for shown in alice.sees()) == ["", "ready"]
    assert linked.calls("conversations.history", linked.slack) >= 1


async def test_a_ready_message_that_arrived_before_the_bot_was_killed_is_not_sent_again(linked):
    alice = linked.alice
    await alice.types("start training")
    await linked.pass_time(4)
    linked.slack_fails(POST, times=1, after=True, drop=True)
    await linked.pass_time(8)
    assert len(alice.told("ready")) == 1
    await linked.stop_bot()
    await linked.start_bot()
    await linked.pass_time(120, step=2)
    assert len(alice.told("ready")) == 1


async def test_a_person_who_can_be_sent_no_direct_message_is_told_in_the_channel_without_an_address(linked):
    alice = linked.alice
    linked.slack_fails(POST, times=10, **refusal("channel_not_found"))
    await alice.types("start training")
    await linked.pass_time(30)
    told = [
        shown for shown in alice.sees("C0GENERAL") if "doesn't let me send you direct messages" in shown.text
    ]
    assert told
    assert all(shown.is_private for shown in told)
    assert not alice.told("ready")
    assert "channel_not_found" in await dead(linked)
    linked.heal()
    assert "Running" in (await alice.types("status training")).text


@pytest.mark.parametrize("word", ["cannot_dm_bot", "metadata_too_large"])
async def test_what_slack_refuses_for_good_is_dead_and_shown_by_doctor(linked, word):
    linked.slack_fails(POST, times=1, **refusal(word))
    await linked.alice.writes("start training")
    await linked.pass_time(30)
    assert word in await dead(linked)
    assert linked.alice.only("ready")
    assert any(line["event"] == "notice given up" for line in linked.watch.lines())


async def test_an_app_that_is_shut_out_loses_nothing_and_goes_on_when_it_is_let_in_again(linked):
    alice = linked.alice
    for method in (POST, "auth.test"):
        linked.slack_fails(method, times=1_000, **refusal("token_revoked"))
    await alice.types("start training")
    await linked.pass_time(400, step=4)
    assert not alice.told("ready")
    assert linked.calls("chat.postMessage", linked.slack) < 12
    assert linked.bot.notifier.lockout_code == "token_revoked"
    linked.heal()
    await linked.pass_time(200, step=2)
    assert alice.only("ready")
    assert await dead(linked) == ""


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"type": "app_uninstalled"}, id="uninstalled"),
        pytest.param({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0USHER"]}}, id="revoked"),
        pytest.param({"type": "tokens_revoked", "tokens": {"bot": ["U0OTHER"]}}, id="of-another-bot"),
    ],
)
async def test_removal_counts_once_slack_refuses_the_token(linked, event):
    """The app was installed again before the event about the removal came. Slack may not answer just then."""
    slack, account = linked.slack, linked.principal()

    async def told():
        await slack.events.emit({**event, "event_ts": slack.state.new_ts()})
        await linked.settle()
        return await linked.bot.store.read(accounts.list_accounts, account)

    assert len(await told()) == 1
    linked.slack_fails("auth.test", times=1, status=503)
    assert len(await told()) == 1
    # Slack repeats the event at once, after a minute, and after five minutes.
    await linked.pass_time(60)
    assert len(await linked.bot.store.read(accounts.list_accounts, account)) == 1
    linked.slack_fails("auth.test", times=9, **refusal("account_inactive"))
    assert bool(await told()) is (event.get("tokens") == {"bot": ["U0OTHER"]})


async def test_a_card_that_can_not_be_drawn_now_is_drawn_later_as_it_is_then(linked):
    alice = linked.alice
    await alice.writes("stop report")
    assert alice.only("card")
    linked.slack_fails("chat.update", times=3, **limited(30))
    await linked.pass_time(200, step=2)
    assert alice.only("stopped").ts == alice.only("card").ts


async def test_a_card_that_was_deleted_is_let_go_and_the_message_comes(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(3)
    state = linked.slack.state
    state.remove(state.message(state.direct[alice.id], alice.card.ts))
    await linked.pass_time(60)
    assert alice.only("ready")
    assert not alice.told("card")


async def test_where_only_messages_fail_an_end_is_told_as_it_is_within_a_minute_of_their_return(linked):
    """Slack answers all other calls. The workspace was stopped at the provider in the meantime."""
    alice, history = linked.alice, "conversations.history"
    for method in (POST, history):
        linked.slack_fails(method, status=503, times=100_000)
    asked = linked.calls("auth.test", linked.slack)
    await alice.types("start training")
    await linked.pass_time(300, step=5)
    searches = linked.calls(history, linked.slack)
    assert searches > 20
    linked.resource("training").stop(linked.clock.now())
    linked.heal()
    await linked.pass_time(60)
    (told,) = alice.told("ready")
    assert "was stopped later" in told.text
    assert "Open" not in told.labels
    assert linked.calls("auth.test", linked.slack) == asked
