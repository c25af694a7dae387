"""Every call of an operation, with every response of a provider: one true message, and the work continues."""

import json
import re
from typing import Any

import pytest

from bot.domain.holds import HoldCode, make_hold
from bot.messages.texts import problems
from bot.messages.texts.holds import HOLDS, explain_hold
from tests.rigs.scenario import ID
from tests.rigs.thorough import draw

HTML = {"body": "<html><body>Sign in</body></html>", "headers": {"Content-Type": "text/html"}}
DATES = {"Date": "Fri, 15 Jan 2027 08:00:00 GMT", "Retry-After": "Fri, 15 Jan 2027 08:00:05 GMT"}
ELSEWHERE = {"Location": "http://127.0.0.1:9/"}
FAULTS: dict[str, dict[str, Any]] = {
    "nothing, not done": {"drop": True},
    "nothing, but done": {"drop": True, "after": True},
    "cut, but done": {"truncate": 3, "after": True},
    "a page": HTML,
    "a page, but done": {**HTML, "after": True},
    "null": {"body": "null"},
    "wrong types": {"body": '{"status": ["running"], "recipes": {}, "id": 7}'},
    "deep": {"body": "[" * 50_000},
    "large": {"body": json.dumps({"status": "x" * 3_000_000})},
    "garbage": {"garbage": True},
    "429 in seconds": {"status": 429, "headers": {"Retry-After": "4"}},
    "429 by date": {"status": 429, "headers": DATES},
    "429": {"status": 429},
    "500": {"status": 500},
    "502, but done": {"status": 502, "after": True},
    "503": {"status": 503, "headers": {"Retry-After": "5"}},
    "504": {"status": 504},
    "400": {"status": 400},
    "401": {"status": 401},
    "403": {"status": 403},
    "404": {"status": 404},
    "404 with a page": {"status": 404, "body": "<html>default backend</html>"},
    "409": {"status": 409},
    "422": {"status": 422},
    "a redirect": {"status": 302, "headers": ELSEWHERE},
}
READ = rf"/api/workspaces/{ID['notebook']}$"
CALLS = {
    "start": ("start notebook", "/start$", "ready"),
    "stop": ("stop notebook", "/stop$", "stopped"),
    "read of a start": ("start notebook", READ, "ready"),
    "read of a stop": ("stop notebook", READ, "stopped"),
}
#: Patterns of the catalogue's sentences, with anything in place of the placeholders. Sentences about faults
#: of Usher itself are left out.
_OPEN = re.compile(r"\\\{\w+\\\}")
SENTENCES = [
    re.compile(_OPEN.sub(".*?", re.escape(text)), re.DOTALL)
    for word, text in problems.CAUSES.items()
    if word not in {"internal", "slack", "busy", "store_unavailable"} and not _OPEN.fullmatch(re.escape(text))
] + [
    re.compile("Saturn Cloud hasn't been available since .*?I'll keep trying"),
    re.compile("The server redirects .*? Ask your Usher admin to check its address"),
    re.compile("Saturn Cloud asked me to slow down, so I'm waiting until "),
    # A refused read is only reported after a minute.
    re.compile(re.escape(HOLDS[HoldCode.UNSEEN])),
    re.compile("has been too busy for this since "),
]


def said(person):
    """Return the texts of all messages that the person sees now."""
    return {shown.text for shown in person.sees()}


#: Stops are handled like starts, so one fault of each kind is enough.
SORTS = ("nothing, but done", "a page", "429", "503", "401", "422")
CASES = [(call, name) for call in CALLS for name in FAULTS if "start" in call or name in SORTS]


@pytest.mark.parametrize(("call", "name"), draw(CASES))
async def test_a_call_that_fails_three_times(linked, call, name):
    text, path, end = CALLS[call]
    alice, resource = linked.alice, linked.resource("notebook")
    if end == "stopped":
        resource.start(linked.clock.now())
        await linked.pass_time(40)
    runs = len(resource.runs)
    linked.saturn_fails(path, times=3, **FAULTS[name])
    await alice.types(text)
    seen = set()
    for _ in range(15):
        await linked.pass_time(3, step=3)
        seen |= said(alice)
    left = linked.saturn.harness.faults[0].times
    linked.heal()
    # After three minutes, Usher reports that an accepted start never came up.
    await linked.pass_time(165, step=5)

    # The card of a stop says how it ended. The card of a start is removed.
    told = [shown.kind for shown in alice.sees() if shown.kind not in {"card", ""}]
    told += ["stopped" for shown in alice.told("stopped") if shown.kind == "card"]
    # Three refused calls don't count as a refused sign-in, because another call in between is accepted.
    assert len(told) == 1, told
    assert told[0] in {end, "failed"}
    assert problems.CAUSES["internal"] not in "".join(seen)
    has_waited = told[0] == end and not FAULTS[name].get("after") and "null" not in name and name != "409"
    if told[0] != end or (has_waited and left == 0):
        seen |= said(alice)
        assert any(sentence.search(text) for sentence in SENTENCES for text in seen), seen
    assert len(resource.runs) <= runs + 1
    if told[0] == end:
        assert resource.status(linked.clock.now()) == {"ready": "running", "stopped": "stopped"}[end]
        assert not any("I'll keep trying" in text for text in said(alice))


async def test_card_and_list_say_the_same_from_the_first_failure(linked):
    alice = linked.alice
    await alice.types("list")
    linked.saturn_fails("/api/", times=100_000, status=503)
    await alice.types("start notebook")
    await linked.pass_time(13)
    for seconds in (0, 60):
        await linked.pass_time(seconds)
        (silent,) = re.findall("hasn't been available since .*?>", alice.card.text)
        assert silent in (await alice.types("list")).text
    linked.heal()
    await linked.pass_time(60)
    assert "hasn't been available" not in (await alice.types("list")).text


async def test_a_sentence_is_known_by_its_pattern():
    assert any(one.search(explain_hold(make_hold(HoldCode.SILENT, 0.0), "Saturn Cloud")) for one in SENTENCES)
    assert not any(one.search("Something went wrong on my side.") for one in SENTENCES)


@pytest.mark.parametrize("name", draw(["nothing, not done", "a page", "500", "503"], 2))
async def test_after_a_long_outage_it_goes_on_within_a_minute(linked, name):
    alice = linked.alice
    linked.saturn_fails("/api/", times=100_000, **FAULTS[name])
    await alice.types("start notebook")
    await alice.types("start training")
    await linked.pass_time(900, step=10)
    assert "I'll keep trying" in alice.card.text
    assert linked.calls("") < 150
    linked.heal()
    await linked.pass_time(60)
    starts = linked.calls("POST .*/start")
    await linked.pass_time(60)
    assert len(alice.told("ready")) + len(alice.told("failed")) == 2
    assert all(len(linked.resource(one).runs) <= 1 for one in ("notebook", "training"))
    assert linked.calls("POST .*/start") == starts
