"""Tests of webhooks: they are authenticated before they are parsed, and result in one sentence."""

import hashlib
import hmac
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.providers.sphere.webhooks import check_signature, parse_messages
from bot.support.errors import BadAnswer, CredentialRefused

SECRET = SecretStr("shh")
WORKSPACE = "48dba362e85e4aebac3dc8e6b0677ff7"


def message(**keys: Any) -> dict[str, Any]:
    return {
        "id": "event-1",
        "origin": "secow",
        "timestamp": 1_700_000_000,
        "type": "workspace.scenario.finished",
        "payload": {
            "workspace": {"id": WORKSPACE},
            "scenario": "tests",
            "result": {"status": {"code": 15, "name": "ok"}, "score": 87.5, "time": 1.0},
        },
        **keys,
    }


def body(*messages: Any) -> bytes:
    return json.dumps(list(messages)).encode()


def signed(text: bytes, secret: str = "shh") -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def test_a_good_signature_in_either_case():
    text = body(message())
    check_signature(SECRET, signed(text), text)
    check_signature(SECRET, signed(text).upper(), text)


@pytest.mark.parametrize(
    "signature", ["", "0" * 64, "x" * 64, "é" * 64, signed(b"x"), signed(body(), "other")]
)
def test_a_wrong_one_is_refused(signature):
    with pytest.raises(CredentialRefused):
        check_signature(SECRET, signature, body())


@pytest.mark.parametrize("key", ["", "shh"])
def test_without_a_secret_nothing_is_taken(key):
    with pytest.raises(CredentialRefused):
        check_signature(None, signed(b"x", key), b"x")


def test_what_a_scenario_came_to():
    (event,) = parse_messages(body(message()))
    assert (event.key, event.remote_id) == ("event-1", WORKSPACE)
    assert event.message == "Scenario tests finished at {time:1700000000}: passed, score 87.5."


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (
            {"result": {"status": {"name": "FAIL"}, "score": 0}},
            "Scenario tests finished: did not pass, score 0.",
        ),
        ({"result": None}, "Scenario tests finished."),
        ({"scenario": None}, "A scenario finished: passed, score 87.5."),
        ({"scenario": "a\n\u202eb", "result": {}}, "Scenario a b finished."),
        ({"result": {"status": {"name": "OK"}, "score": True}}, "Scenario tests finished: passed."),
    ],
)
def test_what_is_left_out_is_not_said(change, remark):
    told = message(timestamp=None)
    told["payload"].update(change)
    assert parse_messages(body(told))[0].message == remark


@pytest.mark.parametrize(
    ("code", "name", "remark"),
    [
        (12, "runtime error", "Scenario tests finished: did not pass, score 0."),
        (14, "fail", "Scenario tests finished: did not pass, score 0."),
        (15, "ok", "Scenario tests finished: passed, score 0."),
        (20, "internal error", "Scenario tests finished: no result, because of an error at Sphere Engine."),
        (
            22,
            "project error",
            "Scenario tests finished: no result, because of an error in the project's settings.",
        ),
        (99, "unheard of", "Scenario tests finished: did not pass, score 0."),
    ],
)
def test_result_is_what_the_code_of_its_status_says(code, name, remark):
    """The person's work can't pass or fail if Sphere Engine couldn't judge it."""
    told = message(timestamp=None)
    told["payload"]["result"] = {"status": {"code": code, "name": name}, "score": 0}
    assert parse_messages(body(told))[0].message == remark


def test_other_kinds_are_left_out():
    assert parse_messages(body(message(type="workspace.scenario.custom"), message(type=None))) == []


def test_message_of_another_module_is_ignored():
    """One webhook receives the messages of all modules, whose messages aren't all in lists."""
    other = {"id": "event-1", "origin": "secom", "type": "submission.finished", "payload": {"id": 7}}
    assert parse_messages(json.dumps(other).encode()) == []
    assert parse_messages(body(other)) == []


def test_broken_message_does_not_hide_the_others():
    broken = message(id="event-2", payload={"workspace": None})
    events = parse_messages(body(message(), broken, message(id="event-3")))
    assert [event.key for event in events] == ["event-1", "event-3"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"null",
        b"[1]",
        b"[" * 100_000,
        b"\xff",
        body(*[message()] * 11),
        body(message(id="")),
        body(message(id=7)),
        body(message(id="x" * 101)),
        body(message(id="a\nb")),
        body(message(payload=None)),
        body(message(payload={"workspace": {"id": "../x"}})),
        body(message(payload={"workspace": "x"})),
    ],
)
def test_what_is_no_list_of_messages_is_refused(text):
    with pytest.raises(BadAnswer):
        parse_messages(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


# Characters that are unassigned, that join others, or that would start a new line.
@example(
    payload={"workspace": {"id": WORKSPACE}, "scenario": "\U00018cd6\u200d\u2028\x85\ud800"}, timestamp=None
)
@given(
    payload=st.fixed_dictionaries(
        {"workspace": st.just({"id": WORKSPACE})},
        optional={
            "scenario": VALUES,
            "result": VALUES | st.fixed_dictionaries({"status": VALUES, "score": VALUES}),
        },
    ),
    timestamp=VALUES,
)
def test_whatever_is_told_is_one_line(payload, timestamp):
    (event,) = parse_messages(body(message(payload=payload, timestamp=timestamp)))
    assert {unicodedata.category(letter) for letter in event.message}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert len(event.message) < 300
