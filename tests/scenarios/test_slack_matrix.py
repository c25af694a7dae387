"""Every Slack method that the bot calls, with every response of Slack: nothing is lost or sent twice."""

import json

import pytest

from bot.domain.tasks import TaskKind
from bot.slack import methods
from bot.store import counts, notices, tasks
from bot.store.tasks import NewTask
from tests.rigs.scenario.stage import inject_fault

OK_FALSE = {
    word: {"status": 200, "body": json.dumps({"ok": False, "error": word})}
    for word in (
        "invalid_blocks", "channel_not_found", "user_disabled", "user_not_found", "token_revoked",
        "expired_trigger_id", "invalid_trigger", "message_not_found", "cant_update_message", "fatal_error",
        "missing_scope", "msg_too_long", "ratelimited", "not_a_word_of_slack",
    )
}  # fmt: skip
TROUBLE = {
    "429": {"status": 429, "headers": {"Retry-After": "3"}, "body": '{"ok": false, "error": "ratelimited"}'},
    "429 with a date": {"status": 429, "headers": {"Retry-After": "Fri, 15 Jan 2027 08:00:09 GMT"}},
    "429 without a time": {"status": 429},
    "500": {"status": 500},
    "502 with a page": {"status": 502, "body": "<html></html>", "headers": {"Content-Type": "text/html"}},
    "a redirect": {"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}},
    "nothing, not done": {"drop": True},
    "nothing, but done": {"drop": True, "after": True},
    "cut, but done": {"truncate": 4, "after": True},
    "null": {"body": "null"},
    "a list": {"body": "[]"},
    "garbage": {"garbage": True},
    **OK_FALSE,
}
#: Methods that the bot calls while it is running. Those for signing in and for the socket have their own
#: tests.
METHODS = [
    methods.CHAT_POST_MESSAGE,
    methods.CHAT_UPDATE,
    methods.CHAT_POST_EPHEMERAL,
    methods.CONVERSATIONS_HISTORY,
    methods.CONVERSATIONS_OPEN,
    methods.USERS_INFO,
    methods.USERS_LIST,
    methods.VIEWS_OPEN,
]
#: After these errors, a message is given up or sent without its blocks, and ``doctor`` shows it.
GIVEN_UP = {
    "invalid_blocks",
    "channel_not_found",
    "user_disabled",
    "user_not_found",
    "msg_too_long",
    "cant_update_message",
    "message_not_found",
    "missing_scope",
    "expired_trigger_id",
    "invalid_trigger",
}
#: Slack may refuse the app in only one conversation. The reply is then sent, and seen, as a direct message.
REPLIED_DIRECTLY = (methods.CHAT_POST_EPHEMERAL, "token_revoked")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", TROUBLE)
async def test_a_method_that_fails_twice_loses_and_doubles_nothing(linked, method, name):
    """The operation ends, each message is there at most once, and those given up are marked as such."""
    alice = linked.alice
    linked.slack_fails(method, times=2, **TROUBLE[name])
    if method in {methods.CONVERSATIONS_HISTORY, methods.CONVERSATIONS_OPEN}:
        linked.slack_fails(methods.CHAT_POST_MESSAGE, times=1, drop=True, after=True)
    said = await alice.mentions("status training")
    assert said or method == methods.CHAT_POST_EPHEMERAL
    await linked.bot.store.write(tasks.add_tasks, [NewTask(TaskKind.SYNC_PEOPLE, "everybody")])
    assert (await linked.slack.say(alice.id, "C0GENERAL", "/workspace link code"))["ok"]
    await alice.types("start training")
    await linked.pass_time(150, step=5)
    kinds = sorted(shown.kind for shown in alice.sees() if shown.kind)
    dead = {notice.kind.value for notice in await linked.bot.store.read(notices.list_dead_notices)}
    assert len(kinds) == len(set(kinds)), kinds
    assert set(kinds) | dead >= {"ready"}
    if name not in GIVEN_UP:
        # A card that is delayed until after the end is dropped. A message says what may be missing.
        replied = {"reply"} if (method, name) == REPLIED_DIRECTLY else set()
        assert {*kinds, "card", "message"} == {"card", "message", "ready"} | replied
    assert linked.calls("POST .*/start") == 1
    assert (await linked.bot.store.perform(counts.count_rows))["pending_notices"] == 0
    assert (await linked.bot.store.perform(counts.count_rows))["open_operations"] == 0


@pytest.mark.parametrize(
    "name", ["429", "500", "nothing, not done", "nothing, but done", "a redirect", "null"]
)
async def test_an_address_for_answers_that_fails_leaves_the_operation_as_it_is(linked, name):
    """A response_url gets the answer once or never. Important answers are sent as direct messages."""
    alice = linked.alice
    shown = await alice.types("status training")
    inject_fault(linked.slack.harness, "^/(actions|commands)/", times=1, **TROUBLE[name])
    await alice.presses(shown, "Start")
    await linked.pass_time(40)
    assert alice.only("ready")
    assert len([one for one in alice.sees("C0GENERAL") if "Starting *training*" in one.text]) <= 1


async def test_an_address_that_has_run_out_is_not_used_and_the_answer_comes_directly(bare):
    """The command waited for a list while the bot was down, longer than Slack keeps its response_url."""
    alice = bare.alice
    bare.saturn_fails("/api/recipes", times=99, status=503)
    await alice.links("alice", asked=await alice.types("status"))
    await bare.stop_bot()
    bare.clock.advance(31 * 60)
    bare.heal()
    await bare.start_bot()
    await bare.pass_time(20)
    assert "Your workspaces" in "".join(shown.text for shown in alice.sees())
    assert bare.slack.harness.violations == []


@pytest.mark.parametrize("word", ["expired_trigger_id", "invalid_trigger", "not_authed"])
async def test_a_form_whose_trigger_has_run_out_is_answered_with_words(linked, word):
    fault = {"status": 200, "body": json.dumps({"ok": False, "error": word})}
    linked.slack_fails(methods.VIEWS_OPEN, times=1, **fault)
    told = await linked.alice.types("link code")
    assert "Enter code" in told.text
    assert (linked.alice.modal() or {}).get("callback_id") != "code"
