"""Tests of the table of Slack's error codes: complete, consistent, and the only list of codes in the code."""

import ast
import tomllib

import pytest

from bot.messages.texts import courses as courses_texts
from bot.slack import errors
from bot.slack.errors import SHUT_OUT_SECONDS, Meaning, classify, classify_code, find_retry_delay
from bot.slack.methods import METHODS, UPLOAD_URL
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, SlackUnknownOutcome
from tests.project.repository import ROOT

TABLE = errors.read_table()
FILE = ROOT / "bot/slack/error_codes.toml"
#: Tables that are no method's.
SHARED = {"every method", "no page", "usher"}
#: Methods that are called before or without the table of methods.
BESIDE = {"openid.connect.userInfo"}


def codes_of(*methods: str) -> dict[str, Meaning]:
    """Return the error codes of some methods, with the meaning of each."""
    return {code: Meaning(name) for one in methods for name, codes in TABLE[one].items() for code in codes}


def test_each_method_that_is_called_has_its_codes_and_no_other_has():
    called = set(METHODS) - {UPLOAD_URL}
    assert called <= set(TABLE) - SHARED <= called | BESIDE


def test_every_meaning_is_explained_and_used():
    explained = tomllib.loads(FILE.read_text(encoding="utf-8"))["meanings"]
    used = {name for by_meaning in TABLE.values() for name in by_meaning}
    assert set(explained) == used == set(Meaning) - {Meaning.UNKNOWN}


def test_a_code_means_the_same_everywhere():
    for by_meaning in TABLE.values():
        for name, codes in by_meaning.items():
            assert [code for code in codes if classify_code(code) != name] == []
            assert codes == sorted(set(codes))


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (SlackLimited("views.publish", 20.0), 20.0),
        (SlackPermanent("chat.update", "token_revoked"), SHUT_OUT_SECONDS),
        (SlackPermanent("views.publish", "accesslimited"), SHUT_OUT_SECONDS),
        (SlackUnknownOutcome("chat.update", "no_answer"), 4.0),
        (SlackFailed("views.publish", "some_error"), 4.0),
        (SlackFailed("chat.update", "update_failed"), 4.0),
        (SlackPermanent("chat.update", "message_not_found"), None),
        (SlackPermanent("views.publish", "not_enabled"), None),
    ],
)
def test_how_long_a_card_a_home_or_an_output_rests_after_a_failure(error, seconds):
    assert find_retry_delay(error, otherwise=4.0) == seconds


@pytest.mark.parametrize(
    "code",
    [
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "is_archived",
        "ekm_access_denied",
    ],
)
def test_a_channel_that_is_closed_to_apps_is_no_matter_of_time(code):
    found = classify_code(code)
    assert (found, found.is_final, found.is_shut_out) == (Meaning.PLACE, True, False)
    assert code in courses_texts.HELPS


def test_what_would_help_is_said_for_every_channel_that_does_not_take_a_card():
    places = {
        code
        for code, found in codes_of("chat.postMessage", "every method").items()
        if found is Meaning.PLACE and code != "messages_tab_disabled"
    }
    assert set(courses_texts.HELPS) == places


def test_only_passing_refusals_are_not_final():
    assert {one for one in Meaning if not one.is_final} == {
        Meaning.LIMITED,
        Meaning.UNSURE,
        Meaning.AGAIN,
        Meaning.UNKNOWN,
    }
    assert classify(SlackLimited("x", 1.0)) is Meaning.LIMITED
    assert classify(SlackUnknownOutcome("x", "channel_not_found")) is Meaning.UNSURE
    assert classify(SlackPermanent("x", "channel_not_found")) is Meaning.PLACE
    assert classify(SlackFailed("x", "solar_flare")) is Meaning.UNKNOWN


def lists_of_codes(source: str) -> list[int]:
    """Return the lines of lists, sets or tuples that contain two or more of Slack's codes."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.List | ast.Set | ast.Tuple | ast.Dict):
            held = node.keys if isinstance(node, ast.Dict) else node.elts
            texts = [
                one.value for one in held if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            if sum(classify_code(text) is not Meaning.UNKNOWN for text in texts) > 1:
                found.append(node.lineno)
    return found


def test_nothing_else_keeps_a_list_of_codes():
    assert lists_of_codes('codes = {"is_archived", "not_in_channel"}') == [1]
    kept = {
        f"{path.relative_to(ROOT)}:{line}"
        for room in ("bot/slack", "bot/reconciler", "bot/web", "bot/commands", "handlers")
        for path in sorted((ROOT / room).rglob("*.py"))
        if not path.stem.endswith("texts")
        for line in lists_of_codes(path.read_text(encoding="utf-8"))
    }
    assert kept == set()


def test_what_the_local_slack_refuses_is_on_the_pages():
    #: The code push_limit_reached belongs to views.push, which Usher doesn't call.
    unknown_by_intent = {"methods/views.py: push_limit_reached"}
    modules = ["methods/chat.py", "methods/files.py", "methods/views.py", "api.py", "content.py", "limits.py"]
    unknown = set[str]()
    for module in modules:
        tree = ast.parse((ROOT / "playground/slack" / module).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "SlackError":
                first = node.args[0]
                code = str(first.value) if isinstance(first, ast.Constant) else ""
                if code and classify_code(code) is Meaning.UNKNOWN:
                    unknown.add(f"{module}: {code}")
    assert unknown == unknown_by_intent
