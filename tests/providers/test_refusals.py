"""Tests of refused calls: the message in any format, and whether the state is already as wanted."""

import json

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bot.domain.failure_causes import lacks_capacity
from bot.messages.texts.problems import explain_cause
from bot.providers.answers import to_error
from bot.providers.requests import accept_already_done
from bot.providers.words import MAX_DETAILED_LENGTH, read_words
from bot.support import errors
from bot.support.responses import Response

WORDS = [
    pytest.param({"message": "Too small."}, "Too small.", id="message"),
    pytest.param(
        {"message": "Unable to validate", "detail": "memory: 1024 is less than 2048"},
        "Unable to validate: memory: 1024 is less than 2048",
        id="coder-detail",
    ),
    pytest.param(
        {
            "message": "Unable to validate.",
            "validations": [
                {"field": "region", "detail": "a value is required"},
                {"field": "size", "detail": "too large"},
            ],
        },
        "Unable to validate: region: a value is required; size: too large",
        id="coder-validations",
    ),
    pytest.param(
        {"detail": [{"loc": ["body", "spec", "size"], "msg": "field required", "type": "missing"}]},
        "spec.size: field required",
        id="fastapi",
    ),
    pytest.param({"detail": "Not allowed at night"}, "Not allowed at night", id="fastapi-text"),
    pytest.param(
        {"message": "Invalid", "errors": {"json": {"name": ["Shorter than 3.", "No capitals."]}}},
        "Invalid: name: Shorter than 3; name: No capitals",
        id="marshmallow",
    ),
    pytest.param(
        {"error": "invalid_grant", "error_description": "The code has been used"},
        "invalid_grant: The code has been used",
        id="oauth",
    ),
    pytest.param(
        {"title": "Out of credit", "detail": "You have 3 left"},
        "Out of credit: You have 3 left",
        id="problem",
    ),
    pytest.param({"code": 7, "message": "No such cluster"}, "No such cluster", id="workbench"),
    pytest.param(
        {"status": 400, "message": "alice:lab is not running"}, "alice:lab is not running", id="hub"
    ),
    pytest.param({"message": "Too small", "detail": "too small"}, "Too small", id="said-once"),
    pytest.param(
        {"message": {"json": {"debug_mode": ["Not a boolean."]}}},
        "debug_mode: Not a boolean",
        id="fields-as-message",
    ),
    pytest.param({"message": "\x1b[31mError:\x1b[0m no disk"}, "no disk", id="coloured"),
    pytest.param({"message": 7, "detail": {"a": 1}, "errors": [None, 3]}, "", id="nothing-to-say"),
]


@pytest.mark.parametrize(("body", "words"), WORDS)
def test_words_of_a_refusal_name_the_field_and_why(body, words):
    assert read_words(body) == words
    response = Response(422, {}, json.dumps(body).encode())
    assert to_error(response, changes=True).message == (words or "HTTP 422")


def test_words_of_a_refusal_are_cleaned_and_cut():
    body = {"message": "long " * 100, "detail": [{"field": "a\nb", "detail": "\u202etoo " * 200}] * 50}
    said = read_words(body)
    assert said.isprintable()
    assert len(said) <= MAX_DETAILED_LENGTH
    assert "a b: too too" in said


PAGE = b"<html><title>Forbidden</title></html>"
FRONT = "Something in front of Team hub refused this. Ask your Usher admin to look into it."


@pytest.mark.parametrize(
    ("status", "kind", "body", "said"),
    [
        (400, "text/plain", b"Not at night\n", "Not at night"),
        (400, "application/json", b'"Not at night"', "Not at night"),
        (400, "text/html", b"Not at night", "HTTP 400"),
        (400, "application/json", b"[]", "HTTP 400"),
        (400, "text/html", PAGE, "HTTP 400"),
        (401, "text/html", PAGE, "something in front of the server refused this (HTTP 401)"),
        (413, "text/html", PAGE, "something in front of the server refused this (HTTP 413)"),
        (409, "text/plain", b"", "HTTP 409"),
    ],
)
def test_refusal_without_an_object_says_a_sentence(status, kind, body, said):
    error = to_error(Response(status, {"Content-Type": kind}, body), changes=True)
    assert error.message == said
    assert error.is_ours is isinstance(error, errors.RefusedInFront) is said.startswith("something")


#: Answers of proxies and sign-in pages in front of a server, instead of its own.
IN_FRONT = {
    "istio": b"RBAC: access denied",
    "oauth2-proxy": b"{}",
    "ext-authz": b"",
    "cloudflare": b"error code: 1020",
    "traefik": b"401 Unauthorized\n",
    "gateway": b'{"error": "access_denied", "error_description": "Sign in first"}',
    "fastapi": b'{"detail": "Not authenticated"}',
    "access": b'{"success": false, "errors": [{"code": 10000, "message": "Authentication error"}]}',
    "quoted": b'"Access denied"',
    "quota": b"Forbidden: exceeded quota",
    "page": PAGE,
}


@pytest.mark.parametrize("body", IN_FRONT.values(), ids=IN_FRONT)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_not_in_the_apis_form_says_nothing_about_the_account(status, body):
    error = to_error(Response(status, {}, body), changes=True)
    assert type(error) is errors.RefusedInFront
    assert explain_cause(error, "Team hub") == FRONT


@pytest.mark.parametrize(
    ("status", "is_ours"), [(None, True), (299, False), (300, True), (399, True), (400, False)]
)
def test_a_redirect_says_nothing_of_its_own(status, is_ours):
    assert errors.ProviderError("Moved", status=status).is_ours is is_ours


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('User is not active (status = "suspended"). Contact an admin.', errors.Forbidden),
        ("Your account has been deactivated", errors.Forbidden),
        ("The user is dormant", errors.Forbidden),
        ("Your account is awaiting approval", errors.Forbidden),
        ("The account was closed", errors.Forbidden),
        ("Your trial has expired", errors.CredentialExpired),
        ("No such token", errors.CredentialRefused),
    ],
)
def test_suspended_account_is_no_bad_credential(message, kind):
    response = Response(401, {}, json.dumps({"message": message}).encode())
    assert type(to_error(response, changes=False)) is kind


ALREADY = [
    ("stop", "alice:lab is not running", True),
    ("stop", "The workspace is currently not running.", True),
    ("stop", "already stopped", True),
    ("stop", "is pending spawn", False),
    ("stop", "alice is not running (pending: spawn)", False),
    ("stop", "The service is down", False),
    ("stop", "Your account is not active", False),
    ("start", "p/training is already running on node 3", True),
    ("start", "p/training is pending stop", False),
    ("start", "The workspace is not running", False),
    ("start", "The template version is running. Wait for it", False),
    ("start", "A backup is already running", False),
    ("stop", "alice's server 'lab' is not running", True),
    ("start", "You can only run one workspace: 'etl2' is running", False),
    ("start", "Another workspace is already running", False),
    ("start", "lab is pending: insufficient cpu", False),
    ("start", "The scheduler is starting, try later", False),
    ("start", "Image build is pending", False),
    ("start", "Conflict: workspace 'lab' is already running", True),
    ("stop", "cannot stop: the agent is not running", False),
    ("stop", "Cannot stop: the workspace isn't running", True),
    ("stop", "It is already stopped.", True),
    ("stop", "alice's server 'lab' is not running", True),
    ("start", "The template version is running. Wait for it", False),
    ("remove", "Workspace was deleted", True),
]


@pytest.mark.parametrize("status", [400, 404, 409])
@pytest.mark.parametrize(("goal", "message", "is_so"), ALREADY)
async def test_refusal_that_says_already_so_is_returned(goal, message, is_so, status):
    async def refused():
        raise to_error(Response(status, {}, json.dumps({"message": message}).encode()), changes=True)

    if is_so:
        assert await accept_already_done(goal, refused(), "lab", "p/training") == message
    else:
        with pytest.raises(errors.PermanentError):
            await accept_already_done(goal, refused(), "lab", "p/training")


NO_GPU = "No free GPUs available: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu"
#: Errors of a failing server in the API's format, with the words that people read.
IN_FORM = {
    NO_GPU: NO_GPU,
    "HTTP 500: error (No credit left. Ask the lab office.)": "No credit left. Ask the lab office.",
    '(500)\nReason: error\nHTTP response body: {"message": "The disk is read-only"}': "The disk is read-only",
    "<html><body><h1>The licence server is down</h1></body></html>": "The licence server is down",
    "Internal Server Error": "",
    None: "",
}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        *(({"message": said}, words) for said, words in IN_FORM.items()),
        ({"detail": NO_GPU}, NO_GPU),
        ({"detail": "The gateway has no healthy backend"}, ""),
        ("The gateway has no healthy backend", ""),
        ("<html><body>The site is down for maintenance</body></html>", ""),
    ],
)
@pytest.mark.parametrize("status", [500, 501, 502, 503, 504])
def test_failing_server_is_quoted_in_the_apis_form_or_about_room(status, body, words):
    text = body if isinstance(body, str) else json.dumps(body)
    response = Response(status, CIMultiDictProxy(CIMultiDict()), text.encode())
    for changes in (False, True):
        error = to_error(response, changes=changes)
        assert type(error) is (
            errors.UnknownOutcome if changes and status in {502, 504} else errors.ServerFailed
        )
        assert error.is_quoted is bool(words)
        assert not words or error.message == words
        assert ("Hub says: “" + words.rstrip(".") + ".”" in explain_cause(error, "Hub")) is bool(words)


@pytest.mark.parametrize(
    ("pointer", "keys", "body", "is_own"),
    [
        ("/message", (), {"message": ""}, True),
        ("/message", (), {}, False),
        ("/message", ("status",), {"message": "Sign in first"}, False),
        ("/message", ("status",), {"status": 404, "message": None}, True),
        ("/error/message", (), {"error": "access_denied"}, False),
        ("/error/message", (), {"message": "Unauthorized"}, False),
        ("/error/message", (), {"error": {"message": ""}}, True),
        ("/errors/0", (), {"errors": []}, False),
        ("/errors/0", (), {"errors": ["No"]}, True),
    ],
)
def test_an_answer_in_another_form_is_from_something_in_front(pointer, keys, body, is_own):
    for status, kind in {401: errors.CredentialRefused, 403: errors.Forbidden, 404: errors.NotFound}.items():
        response = Response(status, CIMultiDictProxy(CIMultiDict()), json.dumps(body).encode())
        error = to_error(response, changes=False, message_pointer=pointer, error_keys=keys)
        other = errors.BadAnswer if status == 404 else errors.RefusedInFront
        assert type(error) is (kind if is_own else other)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("exceeded quota: pods, used: 2, limited: 2", errors.LimitReached),
        ("Pods is forbidden: Exceeded quota: gpus, requested: 1", errors.LimitReached),
        ("You already have the maximum of 3 named servers", errors.LimitReached),
        ("Limit of 3 GPUs exceeded", errors.LimitReached),
        ("workspace limit reached", errors.LimitReached),
        ("You may not see quotas", errors.Forbidden),
        ("The quota service can't be reached", errors.Forbidden),
        ("API rate limit exceeded for user ID 7", errors.Forbidden),
        ("The time limit of a job is 2 hours", errors.Forbidden),
    ],
)
def test_refusal_for_a_quota_is_a_limit_of_ones_own(said, kind):
    response = Response(403, CIMultiDictProxy(CIMultiDict()), json.dumps({"message": said}).encode())
    error = to_error(response, changes=True)
    assert (type(error), lacks_capacity(error.message)) == (kind, False)


@pytest.mark.parametrize("status", [407, 412, 424, 426, 451])
@pytest.mark.parametrize("said", ["", "A dependency failed."])
def test_refusal_for_the_circumstances_asks_for_no_other_request(status, said):
    body = json.dumps({"message": said}).encode() if said else b""
    text = explain_cause(
        to_error(Response(status, CIMultiDictProxy(CIMultiDict()), body), changes=True), "Hub"
    )
    assert "Change what you asked for" not in text
    assert said in text or status == 407


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ("", "Raise that limit there"),
        ("Your plan has ended.", "Raise that limit there"),
        ("You have used 120 of 100 GPU hours.", "frees up as time passes"),
    ],
    ids=["no words", "plan", "hours"],
)
def test_payment_that_is_required_is_not_freed_by_stopping(said, helps):
    body = json.dumps({"message": said}).encode() if said else b""
    text = explain_cause(to_error(Response(402, CIMultiDictProxy(CIMultiDict()), body), changes=True), "Hub")
    assert helps in text
    assert "Stop something" not in text


@pytest.mark.parametrize(
    ("message", "is_under_way"),
    [
        ("The workspace is being updated.", True),
        ("The resource is currently being edited", True),
        ("An operation is in progress", True),
        ("Snapshot in progress", True),
        ("The workspace is under maintenance", True),
        ("Locked by another request", True),
        ("The previous stop has not finished", True),
        ("Please wait until the current task is done", True),
        ("Only two starts may be in progress at once", False),
        ("You have reached the limit of builds in progress", False),
        ("The workspace is busy", True),
        ("lab is stopping", True),
        ("A build is already running for it", True),
        ("lab is pending stop", True),
        ("You aren't allowed to stop it", False),
        ("The instance size is unknown", False),
        ("Your account is locked", False),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 409, 422, 423])
async def test_refusal_for_what_is_under_way_is_a_conflict(message, is_under_way, status):
    async def refused():
        raise to_error(Response(status, {}, json.dumps({"message": message}).encode()), changes=True)

    with pytest.raises(errors.PermanentError) as raised:
        await accept_already_done("start", refused(), "lab")
    assert isinstance(raised.value, errors.Conflict) is (is_under_way or status in {409, 423})
