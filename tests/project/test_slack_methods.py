"""Tests of the table of Slack's methods: names, scopes and rate limits."""

from bot.slack import methods
from bot.slack.methods import METHODS
from tests.project.slack_scopes import scopes_of


def test_every_name_has_its_row_and_every_row_its_name():
    names = {value for key, value in vars(methods).items() if key.isupper() and isinstance(value, str)}
    assert names == set(METHODS)


def test_the_published_budgets():
    per_minute = {name: method.per_minute for name, method in METHODS.items() if method.per_minute}
    assert per_minute == {
        "apps.uninstall": 1,
        "auth.revoke": 50,
        "auth.teams.list": 20,
        "chat.postMessage": 500,
        "chat.delete": 50,
        "chat.getPermalink": 100,
        "chat.update": 50,
        "chat.postEphemeral": 100,
        "conversations.history": 50,
        "conversations.open": 50,
        "conversations.replies": 50,
        "files.getUploadURLExternal": 100,
        "files.completeUploadExternal": 100,
        "usergroups.users.list": 20,
        "users.info": 100,
        "users.list": 20,
        "views.open": 100,
        "views.update": 100,
        "views.publish": 100,
    }
    assert METHODS["chat.postMessage"].per_channel_per_minute == 60


def test_no_history_but_that_of_direct_messages_is_read():
    scopes = set().union(*(method.scopes for method in METHODS.values()))
    assert {scope for scope in scopes if scope.endswith(":history")} == {"im:history"}


def test_the_token_of_the_socket_is_no_token_of_the_bot():
    assert scopes_of("app") == {"connections:write"}
    assert "connections:write" not in scopes_of("bot")
