"""Tests of reading answers: JSON within limits, and both formats of Retry-After."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from bot.support.errors import BadAnswer
from bot.support.responses import MAX_DEPTH, Response, parse_retry_after

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


def response(body: bytes = b"", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(200, CIMultiDictProxy(CIMultiDict(named)), body)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("12", 12),
        ("1.5", 1.5),
        (" 7 ", 7),
        ("-3", 0),
        ("1e400", 3600),
        ("99999999999999999999", 3600),
        ("inf", 3600),
        ("-inf", 0),
        ("nan", None),
        ("soon", None),
        ("1800000090", 90),
        ("1700000000", 0),
        ("Fri, 15 Jan 2027 08:00:30 GMT", 30),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0),
        ("Fri, 15 Jan 2038 07:00:00 GMT", 3600),
        ("Fri, 99 Jan 2027 08:00:30 GMT", None),
        ("Fri, 15 Jan 99999 08:00:30 GMT", None),
    ],
)
def test_retry_after(value, seconds):
    assert parse_retry_after(value, NOW) == seconds


@given(st.text())
def test_retry_after_never_fails(text):
    seconds = parse_retry_after(text, NOW)
    assert seconds is None or 0 <= seconds <= 3600


def test_a_date_counts_from_the_servers_own_clock():
    late = response(Retry_After="Tue, 01 Jan 2030 00:01:00 GMT", Date="Tue, 01 Jan 2030 00:00:00 GMT")
    assert late.retry_after() == 60
    assert response(Retry_After="9", Date="rubbish").retry_after() == 9
    assert response().retry_after() is None


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\x00\xff", b'{"a":', b"'a'", b"\xed\xa0\x80", b"1" * 10_000]
)
def test_what_is_no_json_is_a_bad_answer(body):
    with pytest.raises(BadAnswer):
        response(body).json()


@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"1", b"true", b"NaN"])
def test_what_is_no_object_is_a_bad_answer(body):
    with pytest.raises(BadAnswer):
        response(body).json_object()


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1000, 500_000])
@pytest.mark.parametrize(("left", "right"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_json_is_a_bad_answer(depth, left, right):
    with pytest.raises(BadAnswer):
        response(left * depth + b"1" + right * depth).json()


def test_json_of_usual_depth_is_read():
    assert response(b"[" * 20 + b"]" * 20).json() is not None
    assert response('{"name": "Büro"}'.encode()).json_object() == {"name": "Büro"}


def test_what_is_not_json_is_carried_along_by_no_error():
    with pytest.raises(BadAnswer) as raised:
        response(b"canary-7c1d-token").json(unredacted=True)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    assert "canary" not in f"{raised.value!r} {raised.value}"
