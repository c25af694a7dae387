"""Which answer means which error, whichever way it is wrapped."""

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
    9999: (errors.InvalidRequest, errors.InvalidRequest),
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
    assert error.message == ("bad …" if status < 500 else f"error {code}")
    error = await failure(fake.client.resume_session("a1", None))
    assert type(error) is changed
    assert error.status == status


@pytest.mark.parametrize("code", ["14", 14])
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
        (401, b"<html>", errors.Forbidden, errors.Forbidden),
        (403, b"", errors.Forbidden, errors.Forbidden),
        (404, b"<html>", errors.BadAnswer, errors.BadAnswer),
        (404, b"Not found", errors.BadAnswer, errors.BadAnswer),
        (404, b"{}", errors.NotFound, errors.NotFound),
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
    """The method wasn't executed where the service couldn't be reached, is unavailable or offline."""
    fake.answer = {"error": {"code": code, "message": "away"}}
    error = await failure(fake.client.resume_session("a1", None))
    assert getattr(error, "is_refusal", False) is (code in {1, 2, 13})
