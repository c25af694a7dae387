"""Every method against all that a server can do wrong: the error that the contract names, and no other."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.domain.workspaces import State
from bot.providers import base
from bot.support import errors
from tests.contract.providers.rigs import Rig, at_each
from tests.support.http_rig import chain

pytestmark = pytest.mark.asyncio(loop_scope="session")

METHODS: dict[str, Callable[[Rig], Awaitable[Any]]] = {
    "check": lambda rig: rig.provider.check(rig.access.credential),
    "discover": lambda rig: rig.listing(),
    "status": lambda rig: rig.provider.status(rig.access, [rig.remote_id]),
    "start": lambda rig: rig.provider.start(rig.access, rig.remote_id),
    "stop": lambda rig: rig.provider.stop(rig.access, rig.remote_id),
}
READS = ("check", "discover", "status")
CHANGES = ("start", "stop")

STATUSES: dict[int, type[errors.ProviderError]] = {
    300: errors.PermanentError,
    301: errors.PermanentError,
    302: errors.PermanentError,
    303: errors.PermanentError,
    307: errors.PermanentError,
    308: errors.PermanentError,
    400: errors.InvalidRequest,
    401: errors.CredentialRefused,
    402: errors.LimitReached,
    405: errors.InvalidRequest,
    409: errors.Conflict,
    422: errors.InvalidRequest,
    423: errors.Conflict,
    425: errors.ServerFailed,
    429: errors.RateLimited,
    500: errors.ServerFailed,
    501: errors.ServerFailed,
    503: errors.ServerFailed,
}


async def failure(rig: Rig, method: str) -> errors.ProviderError:
    """Return what a method raises, having looked at all that it carries."""
    with pytest.raises(errors.ProviderError) as caught:
        await METHODS[method](rig)
    token = rig.secret
    for error in chain(caught.value):
        assert isinstance(error, errors.ProviderError)
        assert token not in repr(error) + str(error) + repr(vars(error))
    assert len(caught.value.message) <= 200
    assert caught.value.message.isprintable()
    return caught.value


#: Every status for a read and a change; all methods share the mapping, so two of its values do for each.
CASES = [(one, status) for one in ("status", "start") for status in STATUSES]
FEW = [(one, status) for one in METHODS for status in (401, 503)]


@at_each("case", sorted({*CASES, *FEW}), *FEW)
async def test_a_status_means_one_error(quiet_rig: Rig, case):
    method, status = case
    quiet_rig.spoil(of=method, status=status, headers={"Location": "http://127.0.0.1:1/elsewhere"})
    error = await failure(quiet_rig, method)
    expected = STATUSES[status]
    if expected is errors.ServerFailed and method == "start" and quiet_rig.provider.kind == "jupyterhub":
        expected = errors.UnknownOutcome  # the hub answers a start that failed with 500
    if expected is errors.CredentialRefused and method != "check" and quiet_rig.provider.kind == "posit":
        expected = errors.Forbidden  # Workbench says 401 of a right too, and the token turned out good
    assert type(error) is expected
    assert error.status == status
    if 300 <= status < 400:
        assert "check its address" in error.message
    elif status >= 500:
        assert error.message in {f"HTTP {status}", "error None"}
    else:
        assert error.message == "injected fault"


@pytest.mark.parametrize("method", METHODS)
@at_each("status", [408, 502, 504], 502)
async def test_what_something_between_says_leaves_a_change_open(quiet_rig: Rig, method, status):
    quiet_rig.spoil(of=method, status=status)
    expected = errors.UnknownOutcome if method in CHANGES else errors.ServerFailed
    assert type(await failure(quiet_rig, method)) is expected


@pytest.mark.parametrize("method", METHODS)
async def test_403_with_a_good_token_is_a_missing_right(quiet_rig: Rig, method):
    quiet_rig.spoil(of=method, status=403)
    expected = errors.CredentialRefused if method == "check" else errors.Forbidden
    if quiet_rig.provider.kind == "sphere":  # the one token may do all: a quota, or the state it is in
        expected = {"start": errors.NoRoom, "stop": errors.Conflict}.get(method, expected)
    assert type(await failure(quiet_rig, method)) is expected


@pytest.mark.parametrize("method", METHODS)
async def test_404_of_the_api_is_not_found_and_of_something_else_is_not(quiet_rig: Rig, method):
    if method == "status":
        quiet_rig.spoil(of=method, status=404)
        seen = await quiet_rig.provider.status(quiet_rig.access, [quiet_rig.remote_id])
        assert seen[quiet_rig.remote_id].state is State.GONE
    elif not (method == "check" and quiet_rig.provider.kind == "saturn"):  # that one degrades
        quiet_rig.spoil(of=method, status=404)
        assert type(await failure(quiet_rig, method)) is errors.NotFound
    if method not in {"check", "discover"}:
        quiet_rig.spoil(of=method, status=404, body="<html>default backend - 404</html>")
        error = await failure(quiet_rig, method)
        assert type(error) is errors.BadAnswer
        assert error.status == 404


@pytest.mark.parametrize(
    ("method", "after"), [*((name, False) for name in METHODS), *((name, True) for name in READS)]
)
async def test_a_hang_up_is_an_unknown_outcome_and_sent_once(quiet_rig: Rig, method, after):
    before = quiet_rig.sent()
    quiet_rig.spoil(of=method, drop=True, after=after)
    assert type(await failure(quiet_rig, method)) is errors.UnknownOutcome
    assert quiet_rig.sent() == before + quiet_rig.requests.get(method, 1)


@pytest.mark.parametrize("method", ["status", "start", "stop"])
async def test_no_answer_in_time_is_an_unknown_outcome(hasty_rig: Rig, method):
    hasty_rig.spoil(of=method, delay_s=2.5, status=500)
    assert type(await failure(hasty_rig, method)) is errors.UnknownOutcome


async def test_a_start_whose_answer_was_lost_was_accepted_once(rig: Rig):
    rig.spoil("/start$|/servers/|/resume(_session)?$", drop=True, after=True)
    with pytest.raises(errors.UnknownOutcome):
        await rig.provider.start(rig.access, rig.remote_id)
    assert ((await rig.until(State.RUNNING))[-1].url is None) is isinstance(rig.provider, base.Page)
    assert rig.starts() == 1
    await rig.provider.stop(rig.access, rig.remote_id)


@pytest.mark.parametrize("method", READS)
async def test_a_truncated_answer_is_an_unknown_outcome(quiet_rig: Rig, method):
    quiet_rig.spoil(of=method, truncate=5, after=True)
    assert type(await failure(quiet_rig, method)) is errors.UnknownOutcome


BODIES = {
    "html": "<!doctype html><html><body>Sign in</body></html>",
    "nothing": "",
    "null": "null",
    "list": "[]",
    "text": '"running"',
    "empty object": "{}",
    "cut": '{"status": "runn',
    "deep": "[" * 100_000,
    "large": json.dumps({"status": "x" * 3_000_000}),
}


@pytest.mark.parametrize("method", READS)
@at_each("kind", BODIES, "html", "empty object")
async def test_a_read_takes_nothing_but_the_documented_answer(quiet_rig: Rig, method, kind):
    quiet_rig.spoil(of=method, body=BODIES[kind])
    if (method, kind, quiet_rig.provider.kind) in {
        ("status", "empty object", "jupyterhub"),
        ("discover", "empty object", "jupyterhub"),
    }:
        expected: type[errors.ProviderError] = errors.Forbidden  # servers left out: a narrow token
    else:
        expected = errors.BadAnswer
    assert type(await failure(quiet_rig, method)) is expected


@pytest.mark.parametrize("method", READS)
async def test_rubbish_is_a_bad_answer(quiet_rig: Rig, method):
    quiet_rig.spoil(of=method, garbage=True)
    assert type(await failure(quiet_rig, method)) is errors.BadAnswer


@pytest.mark.parametrize("method", CHANGES)
@at_each("kind", ["html", "cut", "deep", "large"], "html")
async def test_a_change_answered_by_a_page_stays_open(quiet_rig: Rig, method, kind):
    quiet_rig.spoil(of=method, body=BODIES[kind])
    assert type(await failure(quiet_rig, method)) is errors.UnknownOutcome


@pytest.mark.parametrize("method", CHANGES)
@at_each("kind", ["nothing", "null", "text", "empty object"], "empty object")
async def test_a_change_is_accepted_whatever_json_comes_back(quiet_rig: Rig, method, kind):
    quiet_rig.spoil(of=method, body=BODIES[kind])
    assert await METHODS[method](quiet_rig) is None


@pytest.mark.parametrize("method", METHODS)
async def test_a_servers_words_are_cleaned_and_hold_no_token(quiet_rig: Rig, method):
    token = quiet_rig.secret
    words = f"bad\x00\r\n\u202etoken {token} \ud83d\ude80 " + "long " * 1000
    quiet_rig.spoil(of=method, status=422, body=json.dumps({"message": words}))
    error = await failure(quiet_rig, method)
    assert error.message.startswith("bad token … 🚀 long")
    assert error.message.endswith("long…")


@at_each("body", ["", "<html>", '{"message": null}', '{"message": 7}', '{"error": "x"}', "[]"], "<html>")
async def test_without_words_the_status_is_said(quiet_rig: Rig, body):
    quiet_rig.spoil(status=400, body=body)
    assert (await failure(quiet_rig, "status")).message == "HTTP 400"
