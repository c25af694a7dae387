"""Tests of which answer means which error, in every kind of wrapping."""

import json

import pytest

from bot.support import errors
from tests.providers.posit.fake import TOKEN, FakeWorkbench
from tests.support.http_rig import chain

CODES = {
    1: (errors.ServerFailed, errors.ServerFailed),
    2: (errors.ServerFailed, errors.ServerFailed),
    13: (errors.ServerFailed, errors.ServerFailed),
    3: (errors.Forbidden, errors.Forbidden),
    401: (errors.Forbidden, errors.Forbidden),
    **dict.fromkeys(range(5, 12), (errors.InvalidRequest, errors.InvalidRequest)),
    14: (errors.NotFound, errors.NotFound),
    404: (errors.NotFound, errors.NotFound),
    15: (errors.NoCapacity, errors.NoCapacity),
    16: (errors.NoCapacity, errors.NoCapacity),
    20: (errors.LimitReached, errors.LimitReached),
    17: (errors.Misconfigured, errors.Misconfigured),
    100: (errors.ServerFailed, errors.Misconfigured),
    200: (errors.ServerFailed, errors.UnknownOutcome),
}


async def failure(call) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        await call
    for error in chain(caught.value):
        assert isinstance(error, errors.ProviderError)
        assert TOKEN not in repr(error) + repr(vars(error))
    return caught.value


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
@pytest.mark.parametrize("code", CODES)
async def test_a_code_means_the_same_with_every_status(fake: FakeWorkbench, code, status):
    fake.answer = {"error": {"code": code, "message": f"bad\n{TOKEN}"}}
    fake.status = status
    read, changed = CODES[code]
    error = await failure(fake.client.get_sessions())
    assert type(error) is read
    assert error.message == "bad …"
    error = await failure(fake.client.resume_session("a1", None))
    assert type(error) is changed
    assert error.status == status


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (200, 9999, errors.InvalidRequest),
        (400, 9999, errors.InvalidRequest),
        (401, 9999, errors.InvalidRequest),
        (404, 9999, errors.InvalidRequest),
        (409, 9999, errors.Conflict),
        (429, None, errors.RateLimited),
        (500, 9999, errors.ServerFailed),
        (503, "busy", errors.ServerFailed),
        (502, 9999, errors.UnknownOutcome),
        (200, 409, errors.Conflict),
        (200, 429, errors.RateLimited),
        (200, 503, errors.ServerFailed),
        (400, 504, errors.UnknownOutcome),
    ],
)
async def test_status_decides_about_an_unknown_code(fake: FakeWorkbench, status, code, kind):
    """A code that isn't known may be an HTTP status."""
    fake.answer = {"error": {"code": code, "message": "Not now"}}
    fake.status, fake.headers = status, {"Retry-After": "7"}
    error = await failure(fake.client.resume_session("a1", None))
    assert type(error) is kind
    assert getattr(error, "retry_after", 7.0) == 7.0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": "The session is busy"}, errors.InvalidRequest),
        ({"result": {"error": {"code": 20, "message": "The session is busy"}}}, errors.LimitReached),
        ({"result": {"result": {"error": "The session is busy"}}}, errors.InvalidRequest),
        ({"result": None, "error": {"code": "20", "message": "The session is busy"}}, errors.LimitReached),
        ({"error": {"code": 20.0, "message": "The session is busy"}}, errors.LimitReached),
    ],
    ids=["text", "wrapped", "wrapped-text", "without-result", "float"],
)
async def test_error_in_any_wrapping_is_a_refusal(fake: FakeWorkbench, answer, kind):
    fake.answer = answer
    error = await failure(fake.client.stop_session("a1", "stop"))
    assert (type(error), error.message) == (kind, "The session is busy")


SAYS_NOTHING = {"code": 100, "message": "Error occurred while executing method"}
NO_HOME = {"code": 2, "category": "system", "message": "No such file or directory", "location": "A.cpp:7"}


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"error": NO_HOME}, "No such file or directory"),
        ({"error": NO_HOME, "client_info": f"Your home\n{TOKEN} is missing"}, "Your home … is missing"),
        ({"error": NO_HOME, "client_info": {"path": "/home"}}, "No such file or directory"),
        ({"error": None, "client_info": None}, "Error occurred while executing method"),
        ({"error": NO_HOME, "message": "Your account is locked"}, "Your account is locked"),
    ],
)
async def test_a_failed_execution_says_why(fake: FakeWorkbench, told, words):
    fake.answer = {"error": SAYS_NOTHING | told}
    for call in (fake.client.get_sessions(), fake.client.resume_session("a1", None)):
        assert (await failure(call)).message == words


@pytest.mark.parametrize("code", ["14", 14, 14.0])
async def test_a_code_may_be_a_text(fake: FakeWorkbench, code):
    fake.answer = {"error": {"code": code}}
    error = await failure(fake.client.get_sessions())
    assert (type(error), error.message) == (errors.NotFound, "error 14")


@pytest.mark.parametrize("code", [None, "x", True, [], 1.5])
async def test_an_error_without_a_code_is_refused_all_the_same(fake: FakeWorkbench, code):
    fake.answer = {"error": {"code": code, "message": 7}, "result": {"sessions": []}}
    assert type(await failure(fake.client.get_sessions())) is errors.InvalidRequest


async def test_no_error_is_none(fake: FakeWorkbench):
    fake.answer = {"error": None, "result": {"sessions": []}}
    assert (await fake.client.get_sessions()) == []


@pytest.mark.parametrize(
    ("status", "body", "read", "changed"),
    [
        (302, b"<html>", errors.PermanentError, errors.PermanentError),
        (302, b'{"error": {"code": 14}}', errors.PermanentError, errors.PermanentError),
        (400, b"Bad request", errors.InvalidRequest, errors.InvalidRequest),
        (401, b"<html>", errors.RefusedInFront, errors.RefusedInFront),
        (403, b"RBAC: access denied", errors.RefusedInFront, errors.RefusedInFront),
        (403, b"", errors.RefusedInFront, errors.RefusedInFront),
        (404, b"<html>", errors.BadAnswer, errors.BadAnswer),
        (404, b"Not found", errors.BadAnswer, errors.BadAnswer),
        (404, b"{}", errors.BadAnswer, errors.NotFound),
        (401, b'{"message": "Unauthorized"}', errors.RefusedInFront, errors.RefusedInFront),
        (403, b'{"error": "access_denied"}', errors.RefusedInFront, errors.RefusedInFront),
        (429, b"", errors.RateLimited, errors.RateLimited),
        (500, b"<html>", errors.ServerFailed, errors.ServerFailed),
        (502, b"<html>", errors.ServerFailed, errors.UnknownOutcome),
        (200, b"<html>Sign in</html>", errors.BadAnswer, errors.UnknownOutcome),
        (200, b"x" * 11_000_000, errors.BadAnswer, errors.UnknownOutcome),
    ],
)
async def test_an_answer_that_is_none_of_the_apis(fake: FakeWorkbench, status, body, read, changed):
    fake.answer, fake.status = body, status
    fake.headers = {"Location": f"{fake.root}/sign-in", "Content-Type": "text/html"}
    assert type(await failure(fake.client.get_sessions())) is read
    assert type(await failure(fake.client.resume_session("a1", None))) is changed
    assert [asked.method for asked in fake.asked] == ["get_session", "resume_session"]


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"The disk is full", "text/plain; charset=utf-8", "The disk is full"),
        (b"The disk is full", "text/html", "HTTP 400"),
        (b"<p>The disk", "text/plain", "HTTP 400"),
        (b"x" * 3000, "text/plain", "HTTP 400"),
        (b"", "text/plain", "HTTP 400"),
        (json.dumps({"message": "no"}).encode(), "text/plain", "no"),
    ],
)
async def test_a_sentence_is_said_and_a_page_is_not(fake: FakeWorkbench, body, kind, said):
    fake.answer, fake.status, fake.headers = body, 400, {"Content-Type": kind}
    assert (await failure(fake.client.get_sessions())).message == said


@pytest.mark.parametrize("code", [1, 2, 13, 100, 200], ids=str)
async def test_code_says_whether_a_resume_was_refused(fake: FakeWorkbench, code):
    """The method wasn't executed if the service is unreachable, unavailable or offline."""
    fake.answer = {"error": {"code": code, "message": "away"}}
    error = await failure(fake.client.resume_session("a1", None))
    assert getattr(error, "is_refusal", False) is (code in {1, 2, 13})
