"""Tests for server faults: every method must raise exactly the error that the contract specifies."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pytest

from bot.domain.workspaces import State
from bot.providers import facets
from bot.support import errors
from usher.conformance.rigs import Rig, build_row

METHODS: dict[str, Callable[[Rig], Awaitable[Any]]] = {
    "check_credential": lambda rig: rig.provider.check_credential(rig.access.credential),
    "discover": lambda rig: rig.read_list(),
    "status": lambda rig: rig.provider.status(rig.access, [rig.remote_id]),
    "start": lambda rig: rig.provider.start(
        rig.access, build_row(rig.provider, rig.remote_id, rig.initial_state)
    ),
    "stop": lambda rig: rig.provider.stop(rig.access, build_row(rig.provider, rig.remote_id, State.RUNNING)),
}
READS = ("check_credential", "discover", "status")
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


def mark_repeated(values: Iterable[Any], *first: Any) -> list[Any]:
    """Return values as test parameters. All but ``first`` are marked as repeating the same mapping."""
    return [one if one in first else pytest.param(one, marks=pytest.mark.again) for one in values]


def list_causes(error: BaseException) -> list[BaseException]:
    """Return an error together with all causes and contexts in its chain, even suppressed ones."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__]
    return found


async def fail_with_error(rig: Rig, method: str) -> errors.ProviderError:
    """Return the error that a method raises, after checking that it doesn't contain the token."""
    with pytest.raises(errors.ProviderError) as caught:
        await METHODS[method](rig)
    token = rig.secret
    for error in list_causes(caught.value):
        assert isinstance(error, errors.ProviderError)
        assert token not in repr(error) + str(error) + repr(vars(error))
    assert len(caught.value.message) <= 200
    assert caught.value.message.isprintable()
    return caught.value


def expect_error(rig: Rig, method: str, what: int | str, usual: type[Exception]) -> type[Exception]:
    """Return the error to expect: the rig's or else the usual one. If the rig names None, skip the test."""
    found = rig.expected_errors.get((method, what), usual)
    if found is None:
        pytest.skip("the rig declares that this differs")
    return found


#: Test cases, each a method and a status. All methods map statuses in the same way, so ``CASES`` tests every
#: status with only one read and one change, and ``SHARED_CASES`` tests every method with two statuses.
CASES = [(one, status) for one in ("status", "start") for status in STATUSES]
SHARED_CASES = [(one, status) for one in METHODS for status in (401, 503)]


@pytest.mark.parametrize("case", mark_repeated(sorted({*CASES, *SHARED_CASES}), *SHARED_CASES))
async def test_a_status_means_one_error(quiet_rig: Rig, case: tuple[str, int]) -> None:
    method, status = case
    kind = expect_error(quiet_rig, method, status, STATUSES[status])
    quiet_rig.inject_fault(of=method, status=status, headers={"Location": "http://127.0.0.1:1/elsewhere"})
    error = await fail_with_error(quiet_rig, method)
    assert type(error) is kind
    assert error.status == status
    if 300 <= status < 400:
        assert "check its address" in error.message
    else:
        assert error.message == "injected fault", "an error of the local server has the harness's words"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", mark_repeated([408, 502, 504], 502))
async def test_what_something_between_says_leaves_a_change_open(
    quiet_rig: Rig, method: str, status: int
) -> None:
    usual = errors.UnknownOutcome if method in CHANGES else errors.ServerFailed
    kind = expect_error(quiet_rig, method, status, usual)
    quiet_rig.inject_fault(of=method, status=status)
    assert type(await fail_with_error(quiet_rig, method)) is kind


@pytest.mark.parametrize("method", METHODS)
async def test_403_with_a_good_token_is_a_missing_right(quiet_rig: Rig, method: str) -> None:
    kind = expect_error(quiet_rig, method, 403, errors.Forbidden)
    quiet_rig.inject_fault(of=method, status=403)
    error = await fail_with_error(quiet_rig, method)
    # Some servers also answer 403 to an invalid token (``forbidden_as_credential_refused``).
    is_refused = method == "check_credential" and type(error) is errors.CredentialRefused
    assert is_refused or type(error) is kind


async def test_token_that_lacks_the_list_is_not_refused(quiet_rig: Rig) -> None:
    """The server has already told us whose token this is, so a 403 now means that a permission is missing."""
    rig = quiet_rig
    if not rig.list_requests or "token" not in rig.provider.settings.linking:
        pytest.skip("the rig has no list_requests")
    rig.inject_fault(rig.list_requests, status=403)
    try:
        await rig.provider.check_credential(rig.access.credential)
    except errors.Forbidden:
        return
    except errors.CredentialRefused:
        pytest.fail("`forbidden_as_credential_refused` is for the request that says whose token it is")


@pytest.mark.parametrize("method", METHODS)
async def test_404_of_the_api_is_not_found_and_of_something_else_is_not(quiet_rig: Rig, method: str) -> None:
    if method not in {"check_credential", "discover"}:
        quiet_rig.inject_fault(of=method, status=404, body="<html>default backend - 404</html>")
        error = await fail_with_error(quiet_rig, method)
        assert type(error) is errors.BadAnswer
        assert error.status == 404
    if method == "status":
        quiet_rig.inject_fault(of=method, status=404)
        seen = await quiet_rig.provider.status(quiet_rig.access, [quiet_rig.remote_id])
        assert seen[quiet_rig.remote_id].state is State.GONE
        return
    usual = expect_error(quiet_rig, method, 404, errors.NotFound)
    quiet_rig.inject_fault(of=method, status=404)
    assert type(await fail_with_error(quiet_rig, method)) is usual


@pytest.mark.parametrize(
    ("method", "after"), [*((name, False) for name in METHODS), *((name, True) for name in READS)]
)
async def test_a_hang_up_is_an_unknown_outcome_and_sent_once(
    quiet_rig: Rig, method: str, after: bool
) -> None:
    before = quiet_rig.count_requests()
    quiet_rig.inject_fault(of=method, drop=True, after=after)
    assert type(await fail_with_error(quiet_rig, method)) is errors.UnknownOutcome
    assert quiet_rig.count_requests() == before + quiet_rig.request_counts.get(method, 1)


@pytest.mark.parametrize("method", ["status", "start", "stop"])
async def test_no_answer_in_time_is_an_unknown_outcome(impatient_rig: Rig, method: str) -> None:
    impatient_rig.inject_fault(of=method, delay_s=2.5, status=500)
    assert type(await fail_with_error(impatient_rig, method)) is errors.UnknownOutcome


async def test_a_start_whose_answer_was_lost_was_accepted_once(rig: Rig) -> None:
    workspace = await rig.read_row()
    rig.inject_fault(rig.request_patterns.get("start", ""), drop=True, after=True)
    with pytest.raises(errors.UnknownOutcome):
        await rig.provider.start(rig.access, workspace)
    assert ((await rig.read_until(State.RUNNING))[-1].url is None) is isinstance(
        rig.provider, facets.EmbeddedPage
    )
    assert rig.count_starts() == 1
    await rig.provider.stop(rig.access, await rig.read_row())


@pytest.mark.parametrize("method", READS)
async def test_a_truncated_answer_is_an_unknown_outcome(quiet_rig: Rig, method: str) -> None:
    quiet_rig.inject_fault(of=method, truncate=5, after=True)
    assert type(await fail_with_error(quiet_rig, method)) is errors.UnknownOutcome


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
@pytest.mark.parametrize("kind", mark_repeated(BODIES, "html", "empty object"))
async def test_a_read_takes_nothing_but_the_documented_answer(quiet_rig: Rig, method: str, kind: str) -> None:
    quiet_rig.inject_fault(of=method, body=BODIES[kind])
    usual = expect_error(quiet_rig, method, kind, errors.BadAnswer)
    assert type(await fail_with_error(quiet_rig, method)) is usual


@pytest.mark.parametrize("method", READS)
async def test_rubbish_is_a_bad_answer(quiet_rig: Rig, method: str) -> None:
    quiet_rig.inject_fault(of=method, garbage=True)
    assert type(await fail_with_error(quiet_rig, method)) is errors.BadAnswer


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("kind", mark_repeated(["html", "cut", "deep", "large"], "html"))
async def test_a_change_answered_by_a_page_stays_open(quiet_rig: Rig, method: str, kind: str) -> None:
    quiet_rig.inject_fault(of=method, body=BODIES[kind])
    assert type(await fail_with_error(quiet_rig, method)) is errors.UnknownOutcome


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("kind", mark_repeated(["nothing", "null", "text", "empty object"], "empty object"))
async def test_a_change_is_accepted_whatever_json_comes_back(quiet_rig: Rig, method: str, kind: str) -> None:
    quiet_rig.inject_fault(of=method, body=BODIES[kind])
    assert await METHODS[method](quiet_rig) is None


def build_error_body(rig: Rig, words: Any, **beside: Any) -> str:
    """Return an error body with a message at the provider's ``message_pointer``, next to other values."""
    for key in reversed(rig.provider.message_pointer.split("/")[1:]):
        words, beside = [words] if key == "0" else {key: words, **beside}, {}
    others = dict.fromkeys(rig.provider.error_keys, 0)
    return json.dumps({**others, **words} if isinstance(words, dict) else words)


@pytest.mark.parametrize("method", METHODS)
async def test_a_servers_words_are_cleaned_and_hold_no_token(quiet_rig: Rig, method: str) -> None:
    token = quiet_rig.secret
    words = f"bad\x00\r\n\u202etoken {token} \ud83d\ude80 " + "long " * 1000
    quiet_rig.inject_fault(of=method, status=422, body=build_error_body(quiet_rig, words))
    error = await fail_with_error(quiet_rig, method)
    assert error.message.startswith("bad token … 🚀 long")
    assert error.message.endswith("long…")


async def test_the_servers_own_words_are_told(quiet_rig: Rig) -> None:
    # The fault uses the local server's own format, which follows the API's documentation.
    quiet_rig.inject_fault(status=422)
    assert (await fail_with_error(quiet_rig, "status")).message != "HTTP 422"


@pytest.mark.parametrize("status", mark_repeated([404, 410, 422], 410))
@pytest.mark.parametrize("method", CHANGES)
async def test_a_refused_change_says_its_words_and_details(quiet_rig: Rig, method: str, status: int) -> None:
    details = [{"loc": ["body", "size"], "msg": "choose a newer one"}]
    body = build_error_body(quiet_rig, "This size was retired", detail=details)
    quiet_rig.inject_fault(of=method, status=status, body=body)
    error = await fail_with_error(quiet_rig, method)
    assert isinstance(error, errors.NotFound) is (status != 422)
    assert "This size was retired" in error.message
    assert "size: choose a newer one" in error.message or "detail" not in body


@pytest.mark.parametrize("body", mark_repeated(["", "<html>", None, 7, '{"else": "x"}', "[]"], "<html>"))
async def test_without_words_the_status_is_said(quiet_rig: Rig, body: str | int | None) -> None:
    quiet_rig.inject_fault(
        status=400, body=body if isinstance(body, str) else build_error_body(quiet_rig, body)
    )
    assert (await fail_with_error(quiet_rig, "status")).message == "HTTP 400"


@pytest.mark.parametrize("method", mark_repeated(METHODS, "status", "start"))
async def test_what_is_sent_elsewhere_gets_no_further(quiet_rig: Rig, method: str) -> None:
    before = quiet_rig.count_requests()
    quiet_rig.inject_fault(status=302, headers={"Location": "http://127.0.0.1:9/api/user?next=1"})
    error = await fail_with_error(quiet_rig, method)
    assert isinstance(error, errors.PermanentError)
    assert "check its address" in error.message
    assert quiet_rig.count_requests() == before + 1
