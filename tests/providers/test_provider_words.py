"""Tests of quoting a provider: the innermost message is used, before anything is shortened."""

import json
from time import thread_time

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bot.domain.causes import to_cause
from bot.domain.failure_causes import MAX_REASON_LENGTH, Reason, find_reason
from bot.messages.texts.problems import explain_cause, explain_reason
from bot.providers.answers import to_error
from bot.providers.jupyterhub.servers import parse_last_event
from bot.providers.posit.envelope import to_provider_error
from bot.providers.words import clean_words, read_words
from bot.reconciler.provider_calls import refine_start_refusal
from bot.support import errors
from bot.support.responses import Response

QUOTA_WORDS = 'pods "jupyter-ana" is forbidden: exceeded quota: compute, requested: limits.cpu=2'
STATUS_BODY = {
    "kind": "Status",
    "apiVersion": "v1",
    "message": QUOTA_WORDS,
    "reason": "Forbidden",
    "details": {"name": "jupyter-ana", "kind": "pods"},
    "code": 403,
}
LONG_HEADERS = (
    "<CIMultiDictProxy('Audit-Id': '1', 'X-Content-Type-Options': 'nosniff', 'Server': '" + "x" * 500
)
CLIENT_EXCEPTION = f"(403)\nReason: error\nHTTP response headers: {LONG_HEADERS}')>\nHTTP response body: "
USED_UP = (
    "Current memory usage = 80.00 GiB-hours is over the quota limit of 10.00 GiB-hours over the last 30 days."
)
HUB_PAGE = (
    "<!DOCTYPE html><html><head><title>JupyterHub</title><style>p {}</style></head>"
    "<body><h1>403 : Forbidden</h1><p>Your lab has no credit.<br>Ask Bob &amp; Eve.</p></body></html>"
)
GATEWAY_PAGE = (
    "<html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx/1.27</center></body></html>"
)

NESTED_ANSWERS = [
    pytest.param(CLIENT_EXCEPTION + json.dumps(STATUS_BODY) + "\n", QUOTA_WORDS, id="kubernetes"),
    pytest.param(CLIENT_EXCEPTION + f"b'{json.dumps(STATUS_BODY)}'", QUOTA_WORDS, id="kubernetes-bytes"),
    pytest.param(
        " ".join((CLIENT_EXCEPTION + json.dumps(STATUS_BODY)).split()), QUOTA_WORDS, id="kubernetes-one-line"
    ),
    pytest.param((CLIENT_EXCEPTION + json.dumps(STATUS_BODY))[:-60], QUOTA_WORDS, id="kubernetes-cut"),
    pytest.param(
        f"client.exceptions.ApiException: {CLIENT_EXCEPTION}no such node", "no such node", id="text-body"
    ),
    pytest.param("(403)\nReason: Forbidden\n", "", id="kubernetes-status-only"),
    pytest.param(f"Failed to make it: {json.dumps(STATUS_BODY)}", QUOTA_WORDS, id="status-in-a-sentence"),
    pytest.param(
        "## Error\n\n**Quota reached**: ask [the desk](https://desk.example/q) or run `quota`.",
        "Error Quota reached: ask the desk (https://desk.example/q) or run quota.",
        id="markdown",
    ),
    pytest.param("```json\n" + json.dumps({"detail": "No seat"}) + "\n```", "No seat", id="fenced-json"),
    pytest.param("![sad](https://x.example/a.png) _No_ *seat* ~left~", "No seat left", id="emphasis"),
    pytest.param(
        "See <https://desk.example|the desk> or <https://x.example>",
        "See the desk (https://desk.example) or https://x.example",
        id="slack-links",
    ),
    pytest.param(
        "Error: `__init__.py` of *.py isn't in ~/my_lab_a or ~/b: 2 * 3",
        "__init__.py of *.py isn't in ~/my_lab_a or ~/b: 2 * 3",
        id="marks-of-names",
    ),
    pytest.param("HTTP 500: error (No credit left. Ask Bob.)", "No credit left. Ask Bob.", id="tornado"),
    pytest.param("HTTPError(429, 'No room in your lab')", "No room in your lab", id="arguments"),
    pytest.param("ApiError(status=403, reason='No credit')", "No credit", id="named-arguments"),
    pytest.param("SpawnError(reason=No credit left)", "No credit left", id="named-argument-unquoted"),
    pytest.param("HTTPError(500)", "", id="status-argument"),
    pytest.param(
        "An error occurred (Capacity) when calling the RunInstances operation (reached max retries: 4): No "
        "machine is free.",
        "No machine is free.",
        id="aws",
    ),
    pytest.param(
        "<_InactiveRpcError of RPC that terminated with:\n\tstatus = StatusCode.UNKNOWN\n"
        '\tdetails = "no such pool"\n\tdebug_error_string = "{}"\n>',
        "no such pool",
        id="grpc-python",
    ),
    pytest.param("HTTP 403: Forbidden (No room (yet))", "No room (yet)", id="tornado-brackets"),
    pytest.param("HTTP 403: No credit left", "No credit left", id="tornado-reason"),
    pytest.param("HTTP 500: Internal Server Error", "", id="tornado-without-words"),
    pytest.param("403 Forbidden: No credit left", "No credit left", id="werkzeug"),
    pytest.param("422 SpawnException(reason=None): No.<br>Stop", "No. Stop", id="spawn-exception"),
    pytest.param("HTTPError('No credit left')", "No credit left", id="constructor"),
    pytest.param("RuntimeError: HTTP 500: error (“No credit”)", "No credit", id="three-layers"),
    pytest.param("'gpu'", "gpu", id="one-quoted-word"),
    pytest.param('"Not at night"', "Not at night", id="json-text"),
    pytest.param('{"error": {"message": "{\\"detail\\": \\"Not at night\\"}"}}', "Not at night", id="json"),
    pytest.param("{'message': 'Not at night'}", "Not at night", id="python-dict"),
    pytest.param('{"code": 3, "retry": true}', "", id="json-without-words"),
    pytest.param(
        'APIError: 500 Server Error for http+docker://localhost/v1/x: Error ("No such image: foo:1")',
        "No such image: foo:1",
        id="docker",
    ),
    pytest.param(
        "HTTPError: 402 Client Error: Payment Required for url: https://h/x", "", id="requests-status"
    ),
    pytest.param("404 Client Error: No credit for url: https://h/x", "No credit", id="requests"),
    pytest.param(
        "ClientResponseError: 403, message='Forbidden', url=URL('https://h')", "", id="aiohttp-status"
    ),
    pytest.param("502, message='No lab today', url='https://h'", "No lab today", id="aiohttp"),
    pytest.param("rpc error: code = Unknown desc = no such image", "no such image", id="grpc"),
    pytest.param(
        "Traceback (most recent call last):\n  File 'x.py', line 3\n    run()\nRuntimeError: No seat left",
        "No seat left",
        id="traceback",
    ),
    pytest.param(
        "<Error><Code>Denied</Code><Message>Not &amp; never</Message></Error>", "Not & never", id="xml"
    ),
    pytest.param(
        "<?xml version='1.0'?><error><message>No seats</message></error>", "No seats", id="xml-declared"
    ),
    pytest.param(
        "java.lang.IllegalStateException: No seat\n\tat com.x.Y.z(Y.java:33)\nCaused by: x.SeatError: No "
        "seat left\n\t... 3 more",
        "No seat left",
        id="java-causes",
    ),
    pytest.param("Error: No seat left\n    at run (/srv/a.js:3:4)", "No seat left", id="javascript"),
    pytest.param("<class 'RuntimeError'>: No seat left", "No seat left", id="python-class"),
    pytest.param("Error from server (Forbidden): No seat left", "No seat left", id="kubectl"),
    pytest.param("unexpected status code 402: No seat left", "No seat left", id="status-code"),
    pytest.param("status code: 403, request id: 1f, error: No seat left", "No seat left", id="request-id"),
    pytest.param("[ERROR] No seat left", "No seat left", id="level"),
    pytest.param("AxiosError: Request failed with status code 403", "", id="axios"),
    pytest.param("Error code: 403", "", id="code-alone"),
    pytest.param("An error occurred.", "", id="error-occurred"),
    pytest.param(
        "HTTPClientError: HTTP 599: Failed to connect to 10.0.0.3: refused",
        "Failed to connect to 10.0.0.3: refused",
        id="tornado-client",
    ),
    pytest.param(
        "\x1b[31m╷\x1b[0m\n│ Error: Wrong value\n│ The size must be small.\n╵",
        "Wrong value The size must be small.",
        id="terraform-frame",
    ),
    pytest.param('{"Message": "Disk is full"}', "Disk is full", id="key-in-capitals"),
    pytest.param('{"errorMessage": "Disk is full"}', "Disk is full", id="key-that-ends-in-message"),
    pytest.param(
        '{"fault": {"faultstring": "No seat left", "id": "a7", "at": "2026-11-29 10:00"}}',
        "faultstring: No seat left",
        id="unknown-keys",
    ),
    pytest.param('{"size": ["This is required."]}', "size: This is required", id="fields-alone"),
    pytest.param("500 : Internal Server Error", "", id="page-heading"),
    pytest.param("None", "", id="none"),
    pytest.param("null", "", id="null"),
    pytest.param("[object Object]", "", id="object"),
    pytest.param("Error: ", "", id="error-alone"),
    pytest.param(HUB_PAGE, "Your lab has no credit. Ask Bob & Eve.", id="page"),
    pytest.param(f"Proxy error: {GATEWAY_PAGE}", "Proxy error", id="page-after-words"),
    pytest.param(GATEWAY_PAGE, "", id="page-of-a-status"),
    pytest.param(
        "Not enough credits to start 'a:b'.<br>Required: 10.<br/>You have <b>5</b> / 25.",
        "Not enough credits to start 'a:b'. Required: 10. You have 5 / 25.",
        id="tags",
    ),
    pytest.param("Spawner failed with: RuntimeError('No seat left')", "No seat left", id="cause-at-the-end"),
    pytest.param(
        "Couldn't start it: docker.errors.APIError: 500 Server Error: No seat left",
        "No seat left",
        id="cause-with-module",
    ),
    pytest.param(
        "HTTPConnectionPool(host='quota', port=80): Max retries exceeded with url: /x (Caused by "
        "NewConnectionError(\"HTTPConnection(host='quota', port=80): Failed to connect: refused\"))",
        "HTTPConnection: Failed to connect: refused",
        id="requests-cause",
    ),
    pytest.param('{"msg": null, "message": "", "reason": "No seat left"}', "No seat left", id="empty-first"),
    # Text in other formats stays unchanged.
    pytest.param("untolerated taint {pool: gpu}", "untolerated taint {pool: gpu}", id="braces"),
    pytest.param("<none> is not a <workspace>", "<none> is not a <workspace>", id="angle-brackets"),
    pytest.param("200 servers are running", "200 servers are running", id="number"),
    pytest.param("404 page not found", "404 page not found", id="phrase-of-go"),
    pytest.param("Conflict: lab is running", "Conflict: lab is running", id="phrase-in-a-sentence"),
    pytest.param("2 GPUs: none is free", "2 GPUs: none is free", id="number-before-a-colon"),
    pytest.param("#2 in the queue", "#2 in the queue", id="place"),
    pytest.param("at 5pm the lab closes", "at 5pm the lab closes", id="at"),
    pytest.param("TimeoutError: pod lab", "TimeoutError: pod lab", id="class-is-the-reason"),
    pytest.param("ana's 'lab' isn't 'ready'", "ana's 'lab' isn't 'ready'", id="quotes-inside"),
]


@pytest.mark.parametrize(("text", "words"), NESTED_ANSWERS)
def test_words_of_an_answer_within_an_answer_are_the_innermost(text, words):
    assert clean_words(text, MAX_REASON_LENGTH) == words
    assert read_words({"message": text}) == words
    response = Response(422, {}, json.dumps({"message": text}).encode())
    assert to_error(response, changes=True).message == (words or "HTTP 422")
    assert to_provider_error({"message": text}, None, changes=True).message == (words or "error None")


def test_words_are_read_before_they_are_cut_and_classified():
    words = clean_words(CLIENT_EXCEPTION + json.dumps(STATUS_BODY), MAX_REASON_LENGTH)
    assert find_reason(words) is Reason.QUOTA
    assert find_reason(clean_words("HTTP 403: Forbidden", MAX_REASON_LENGTH)) is None


#: Lengths to compare, in repetitions of the hostile part, and the maximum factor of the CPU time. Quadratic
#: reading would take 64 times as much.
SHORT, LONG, MOST = 250, 2_000, 20.0
#: Seconds of CPU time below which growth doesn't matter.
SMALL = 0.002


@pytest.mark.parametrize(
    ("begin", "part", "end"),
    [
        pytest.param("", "{{{{", "", id="braces"),
        pytest.param("", '{"a":', "", id="json"),
        pytest.param("", "[{'a':", "", id="literal"),
        pytest.param("", "<script", "", id="scripts"),
        pytest.param("", "(403) Reason: ", "", id="exceptions"),
        pytest.param("", "AAAA", "Error", id="class"),
        pytest.param("", "a.a.", "", id="modules"),
        pytest.param("HTTP 500: ", "((((", "", id="brackets"),
        pytest.param("", "<b ", "", id="tags"),
        pytest.param("SpawnError(", "(", "", id="arguments"),
        pytest.param("<E of RPC that terminated with:", "details = ", "", id="grpc"),
    ],
)
def test_reading_a_longer_hostile_answer_costs_no_more_than_its_length(begin, part, end):
    def cost(times):
        text = begin + part * times + end
        began = thread_time()
        clean_words(text)
        return thread_time() - began

    tries = [(cost(SHORT), cost(LONG)) for _ in range(3)]
    little, much = (min(one) for one in zip(*tries, strict=True))
    assert much <= max(MOST * little, SMALL)


def test_fields_code_is_what_is_wrong_with_it():
    entry = {"resource": "Codespace", "field": "machine", "code": "invalid"}
    assert (
        read_words({"message": "Validation Failed", "errors": [entry]})
        == "Validation Failed: machine: invalid"
    )
    missing = {"resource": "Codespace", "field": "ref", "code": "missing_field"}
    assert read_words({"errors": [missing]}) == "ref: missing field"


@pytest.mark.parametrize(
    "said",
    [
        USED_UP,
        "You have used 120 of 100 GPU hours.",
        "Your monthly limit has been reached.",
        "AssocGrpCPUMinutesLimit",
        "Quota exceeded: 20 hours per week",
    ],
    ids=["memory", "gpu", "month", "slurm", "week"],
)
def test_quota_of_hours_is_not_one_of_room(said):
    assert find_reason(said) is Reason.USAGE
    text = explain_reason(said, "Hub", is_over=True)
    assert said.rstrip(".") in text
    assert "Stop something" not in text


@pytest.mark.parametrize(
    "said",
    [
        "Spawn failure occurred due to a failed dependency in the usage quota system. Contact your hub admin",
        "The quota service could not be reached",
        "You may not see quotas",
    ],
    ids=["dependency", "away", "forbidden"],
)
def test_broken_quota_service_is_quoted_and_nothing_is_guessed(said):
    assert find_reason(said) is None
    assert explain_reason(said, "Hub", is_over=True).startswith("Hub says: “")


@pytest.mark.parametrize("status", [400, 403, 409, 422])
@pytest.mark.parametrize("said", [USED_UP, "exceeded quota: gpus, requested: 1"], ids=["hours", "room"])
def test_start_refused_for_a_limit_reads_like_one_that_failed(said, status):
    body = json.dumps({"message": said}).encode()
    refused = refine_start_refusal(
        to_error(Response(status, CIMultiDictProxy(CIMultiDict()), body), changes=True)
    )
    assert type(refused) is errors.LimitReached
    assert explain_cause(to_cause(refused), "Hub") == explain_cause(f"provider_failed: {said}", "Hub")


def test_denied_start_is_quoted_without_guessing_what_it_lacks():
    said = 'pods "jupyter-ana" is forbidden: no PriorityClass with name gpu was found'
    text = explain_reason(said, "Hub", is_over=True)
    assert "no PriorityClass with name gpu was found" in text
    assert "permission" not in text


HUB_FAILURES = [
    pytest.param(f"Spawn failed: {CLIENT_EXCEPTION}{json.dumps(STATUS_BODY)}", QUOTA_WORDS, id="kubernetes"),
    pytest.param("Spawn failed: HTTP 500: error (No credit left.)", "No credit left.", id="tornado"),
    pytest.param("Spawn failed: HTTP 500: Internal Server Error", "", id="no-words"),
    pytest.param(f"Spawn failed: 422 SpawnException(reason='hours'): {USED_UP}", USED_UP, id="quota"),
]


@pytest.mark.parametrize(("said", "words"), HUB_FAILURES)
def test_failed_event_of_a_hub_has_the_innermost_words(said, words):
    event = {"progress": 100, "failed": True, "message": said}
    progress = parse_last_event(f"data: {json.dumps(event)}\n\n".encode())
    assert (progress.message, progress.has_failed) == (words, True)
