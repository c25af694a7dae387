"""Tests that Slack is asked about each shape of message, one per second, until it asks for a pause."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from playground.slack.kit import check_message, check_view
from tests.rigs.golden_files import list_shapes
from tools import contracts
from tools.shape_checks import PAUSE_SECONDS, VALIDATE_URL, check_shapes

WRONG = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}


class Slack(ThreadingHTTPServer):
    """A server for the method, with the requests it got and the function that answers them."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Method)
        self.asked, self.answer = [], judge
        self.url = f"http://127.0.0.1:{self.server_port}/api/blocks.validate"


class Method(BaseHTTPRequestHandler):
    """The method as Slack documents it, with the local Slack's rules."""

    server: Slack

    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((dict(self.headers), parse_qs(asked, strict_parsing=True)))
        status, body = self.server.answer(self.server.asked[-1][1])
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def slack():
    server = Slack()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def judge(arguments):
    ((kind, (written,)),) = arguments.items()
    content = json.loads(written)
    if kind == "message":
        assert set(content) == {"blocks"}
        report = check_message(content["blocks"])
    else:
        report = check_view(content, content["type"], "")
    errors = [
        {"pointer": message.split("json-pointer:")[1][:-1], "code": "failed_constraint", "message": message}
        for message in report.messages
    ]
    return 200, {"ok": False, "error": f"invalid_{kind}", "errors": errors} if errors else {"ok": True}


def test_all_shapes_are_asked_about_without_a_token(slack, capsys):
    shapes, pauses = list_shapes(), []
    assert check_shapes(shapes, slack.url, pauses.append) == 0
    assert capsys.readouterr().out == f"blocks.validate: nothing refused of {len(shapes)} shapes\n"
    assert len(slack.asked) == len(shapes) > 100
    assert pauses == [PAUSE_SECONDS] * (len(shapes) - 1)
    assert not any({"Authorization", "Cookie"} & set(headers) for headers, _ in slack.asked)
    kinds = {json.loads(asked["view"][0])["type"] for _, asked in slack.asked if "view" in asked}
    assert kinds == {"modal", "home"}


def test_refused_shape_is_named_with_slack_s_words(slack, capsys):
    refused = {"text": "x", "blocks": [{"type": "divider"}, WRONG]}
    shapes = {"cards/good": {"blocks": [{"type": "divider"}]}, "cards/long": refused}
    assert check_shapes(shapes, slack.url, lambda _: None) == 1
    head, line = capsys.readouterr().out.splitlines()
    assert head == "blocks.validate: 1 problems of 2 shapes"
    assert line.startswith("  cards/long /blocks/1/text/text: must be less than 3001 characters")
    assert line.endswith("(failed_constraint)")


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (429, {"ok": False, "error": "ratelimited"}, "HTTP Error 429: Too Many Requests"),
        (200, {"ok": False, "error": "invalid_arguments"}, "it answered invalid_arguments"),
        (200, [], "the answer is no object"),
    ],
    ids=["pause", "other error", "odd answer"],
)
def test_another_answer_ends_the_questions(slack, capsys, status, body, why):
    good = {"blocks": [{"type": "divider"}]}
    slack.answer = lambda asked: judge(asked) if len(slack.asked) < 2 else (status, body)
    assert check_shapes({"a": good, "b": good, "c": good}, slack.url, lambda _: None) == 2
    assert capsys.readouterr().out == f"blocks.validate: nothing refused; ended after 1 of 3 shapes: {why}\n"
    assert len(slack.asked) == 2


def test_contracts_ask_slack_after_the_documents(monkeypatch):
    asked = []
    monkeypatch.setattr(contracts, "contracts", dict)
    monkeypatch.setattr(contracts, "check_shapes", lambda shapes: asked.append(len(shapes)) or 1)
    assert (contracts.main([]), asked) == (1, [len(list_shapes())])
    assert VALIDATE_URL.startswith("https://slack.com/api/")
