"""A provider that fails: messages are true, calls aren't repeated blindly, and work continues afterwards."""

import json
import re

import pytest

from bot.commands import connection_checks
from tests.rigs.scenario import ID

HTML = {"body": "<html><body>Bad gateway</body></html>", "headers": {"Content-Type": "text/html"}}
START = "/start$"
READ = rf"/api/workspaces/{ID['notebook']}$"

#: The response to a start, the text that the person reads, and whether the start succeeds later by itself.
AT_START = {
    "403": ({"status": 403}, "Saturn Cloud refused the request. Saturn Cloud says", False),
    "403 without words": ({"status": 403, "body": '{"message": ""}'}, "isn't allowed to do that.", False),
    "403 of a proxy": (
        {"status": 403, "body": "RBAC: access denied"},
        "Something in front of Saturn Cloud refused this. Ask your Usher admin to look into it.",
        False,
    ),
    "404": ({"status": 404}, "Saturn Cloud refused the request. Saturn Cloud says", False),
    "400": ({"status": 400}, "Saturn Cloud refused the request.", False),
    "409": ({"status": 409}, "", True),
    "429": (
        {"status": 429, "headers": {"Retry-After": "20"}},
        "Saturn Cloud has been too busy for this since",
        True,
    ),
    "500": ({"status": 500}, "Saturn Cloud", True),
    "503": ({"status": 503}, "Saturn Cloud has been too busy for this since", True),
    "html": (HTML, "Saturn Cloud", True),
    "null": ({"body": "null", "after": True}, "", True),
    "garbage": ({"garbage": True}, "", True),
    "nothing": ({"drop": True}, "Saturn Cloud", True),
    "cut short": ({"truncate": 1}, "", True),
}


def told(person):
    """Return everything that the person has been told in direct messages."""
    return "\n".join(shown.text for shown in person.hears())


async def test_ready_after_an_outage_says_how_long_the_person_waited(linked):
    """While the provider is down for a minute, a start waits. The last call alone takes much less time."""
    linked.saturn_fails(START, times=None, status=503)
    await linked.alice.writes("start notebook")
    asked_at = linked.clock.now()
    await linked.pass_time(60, step=5)
    linked.heal()
    while not linked.alice.told("ready"):
        await linked.pass_time(1)
    ready = linked.alice.only("ready").text
    minutes, seconds = map(int, re.search(r"It took (\d) min (\d+) s\.", ready).groups())
    assert 60 * minutes + seconds == pytest.approx(linked.clock.now() - asked_at, abs=2.0)


@pytest.mark.parametrize("name", AT_START)
async def test_a_start_that_is_answered_with(linked, name):
    fault, said, recovers = AT_START[name]
    alice = linked.alice
    linked.saturn_fails(START, times=1, **fault)
    await alice.writes("start notebook")
    await linked.pass_time(2)
    assert said in told(alice) or name == "404"
    await linked.pass_time(100, step=4)
    assert "Something went wrong" not in "".join(shown.text for shown in alice.sees())
    if recovers:
        assert alice.only("ready")
        assert not alice.told("failed")
        assert not alice.told("card")
    else:
        assert said in alice.only("failed").text
        assert re.search(r"Reference \w{4}-\w{4}", alice.only("failed").text)
        assert not alice.told("ready")
        assert linked.calls("POST .*/start") == 1
    assert len(linked.resource("notebook").runs) == int(recovers)


#: Responses by status that say that another operation is in progress.
UNDER_WAY = {
    409: "The workspace is being edited right now.",
    423: "A backup of it is in progress.",
    400: "The workspace is being updated.",
}


@pytest.mark.parametrize("verb", ["start", "stop"])
@pytest.mark.parametrize("status", UNDER_WAY)
async def test_call_that_meets_something_under_way_says_so_until_it_is_done(linked, verb, status):
    alice, name, words = linked.alice, "notebook" if verb == "start" else "training", UNDER_WAY[status]
    if verb == "stop":
        await alice.types("start training")
        await linked.pass_time(40)
    linked.saturn_fails(f"/{verb}$", times=None, status=status, body=json.dumps({"message": words}))
    await alice.types(f"{verb} {name}")
    await linked.pass_time(90, step=2)
    (card,) = alice.told("card")
    assert f"Saturn Cloud can't do that right now: “{words.rstrip('.')}.” I'll keep trying." in card.text
    linked.heal()
    await linked.pass_time(120, step=5)
    assert alice.told("ready" if verb == "start" else "stopped")
    assert "couldn't" not in told(alice)


NESTED = "HTTP 500: error (The licence server is down. Ask the lab office.)"
WORDS = "Saturn Cloud says: “The licence server is down. Ask the lab office.”"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_words_of_a_failing_provider_are_told_while_it_fails_and_at_the_end(linked, status):
    alice = linked.alice
    linked.saturn_fails(START, times=None, status=status, body=json.dumps({"message": NESTED}))
    await alice.writes("start notebook")
    await linked.pass_time(60, step=2)
    assert WORDS in alice.card.text
    assert "hasn't answered" not in alice.card.text
    await linked.pass_time(1200, step=10)
    assert status == 503 or WORDS in alice.only("failed").text


async def test_page_of_a_gateway_is_not_quoted_while_the_provider_is_away(linked):
    alice, page = linked.alice, "<html><body>The licence server is down</body></html>"
    linked.saturn_fails(START, times=None, status=502, body=page, headers={"Content-Type": "text/html"})
    await alice.writes("start notebook")
    await linked.pass_time(60, step=2)
    assert "licence" not in told(alice)
    assert alice.card.text


async def test_a_start_that_was_taken_in_words_only_ends_with_try_again_and_no_second_call(linked):
    linked.saturn_fails(START, times=1, body="null")
    await linked.alice.types("start notebook")
    await linked.pass_time(70, step=5)
    assert "accepted the start" in linked.alice.card.text
    await linked.pass_time(130, step=5)
    failed = linked.alice.only("failed")
    assert linked.calls("POST .*/start") == 1
    await linked.alice.presses(failed, "Try again")
    await linked.pass_time(60)
    assert linked.alice.only("ready")


@pytest.mark.parametrize("after", [False, True], ids=["never arrived", "accepted"])
async def test_after_an_unknown_outcome_it_looks_before_it_starts_again(linked, after):
    linked.saturn_fails(START, times=1, after=after, drop=True)
    await linked.alice.types("start notebook")
    await linked.pass_time(100, step=4)
    assert linked.alice.only("ready")
    assert len(linked.resource("notebook").runs) == 1
    assert linked.calls("POST .*/start") == (1 if after else 2)


async def test_a_workspace_that_is_just_stopping_is_started_as_soon_as_that_is_over(linked):
    linked.resource("report").stop_seconds = 25
    linked.resource("report").stop(linked.clock.now())
    await linked.alice.types("start report")
    await linked.pass_time(90)
    assert linked.alice.only("ready")
    assert not linked.alice.told("failed")


#: The response to three consecutive reads of a status, and the text on the card in the meantime.
AT_STATUS = {
    "429": (
        {"status": 429, "headers": {"Retry-After": "15"}},
        "Saturn Cloud asked me to slow down, so I'm waiting until",
    ),
    "500": ({"status": 500}, "Saturn Cloud hasn't been available since"),
    "html": (HTML, "Saturn Cloud hasn't been available since"),
    "null": ({"body": "null"}, "Saturn Cloud hasn't been available since"),
    "a list": ({"body": "[]"}, "Saturn Cloud hasn't been available since"),
    "a wrong type": (
        {"body": '{"status": 7}'},
        "I can't tell from Saturn Cloud what it's doing: its state can't be read",
    ),
    "a strange word": (
        {"body": '{"status": "meditating"}'},
        "I can't tell from Saturn Cloud what it's doing: unknown state 'meditating'",
    ),
    "nothing": ({"drop": True}, "Saturn Cloud hasn't been available since"),
    "cut short": ({"truncate": 5}, "Saturn Cloud hasn't been available since"),
    "a redirect": ({"status": 302, "headers": {"Location": "http://127.0.0.1:9/"}}, None),
}


@pytest.mark.parametrize("name", AT_STATUS)
async def test_a_status_that_is_answered_with(linked, name):
    fault, said = AT_STATUS[name]
    alice = linked.alice
    await alice.types("start notebook")
    linked.saturn_fails(READ, times=3, **fault)
    await linked.pass_time(33)
    if said is None:
        assert "Saturn Cloud" in told(alice)
        return
    assert said in told(alice)
    assert not alice.told("failed")
    await linked.pass_time(90)
    assert alice.only("ready")
    assert said not in told(alice)
    assert linked.calls("POST .*/start") == 1


async def test_a_workspace_that_somebody_deletes_meanwhile_is_told(linked):
    alice = linked.alice
    await alice.writes("start notebook")
    await linked.pass_time(3)
    del linked.saturn.state.resources[ID["notebook"]]
    await linked.pass_time(30)
    assert "It no longer exists on Saturn Cloud." in alice.only("failed").text
    assert set(alice.only("failed").labels) <= {"Forget", "View on Saturn Cloud"}
    assert not alice.told("card")


async def test_a_right_that_is_taken_away_meanwhile_is_told_once(linked):
    alice = linked.alice
    await alice.types("start notebook")
    linked.saturn_fails(READ, times=50, status=403, body='{"message": "Permission denied"}')
    await linked.pass_time(120, step=3)
    assert "Your Saturn Cloud account isn't allowed to do that." in alice.only("failed").text
    # Refusals for more than a minute are reported. After that, the status is rarely read.
    assert linked.calls(f"GET .*{ID['notebook']}") < 9


@pytest.mark.parametrize("at", [START, READ])
async def test_a_single_refusal_of_a_token_is_no_news_and_the_start_goes_on_after_half_a_minute(linked, at):
    alice = linked.alice
    linked.resource("notebook").start_seconds = 4
    linked.saturn_fails(at, times=1, status=401)
    await alice.types("start notebook")
    await linked.pass_time(28, step=2)  # a card would go with *ready*
    assert [shown.kind for shown in alice.sees() if shown.kind in {"card", "sign_in_refused"}] == []
    await linked.pass_time(30, step=2)
    assert alice.only("ready")
    assert "sign-in" not in "".join(shown.text for shown in alice.sees())


async def test_a_refused_token_is_told_once_and_the_start_goes_on_after_linking_again(linked):
    alice = linked.alice
    await alice.types("start notebook")
    await linked.pass_time(3)
    linked.saturn.state.accounts.mark("alice", "revoked")
    await linked.pass_time(60, step=5)
    assert alice.only("sign_in_refused").labels == ["Link again"]
    assert "Saturn Cloud has refused your sign-in." in alice.card.text
    used = linked.calls(f"GET .*{ID['notebook']}")
    await linked.pass_time(960, step=15)
    assert linked.calls(f"GET .*{ID['notebook']}") - used <= 5
    again = alice.only("sign_in_refused")
    assert not alice.told("failed")

    await alice.links("alice", asked=again)
    await linked.pass_time(30)
    assert alice.only("ready")
    assert alice.told("sign_in_refused") == [], "it isn't refused any more"
    assert len(linked.resource("notebook").runs) == 1


async def test_a_whole_provider_that_is_away_is_named_once_and_everything_goes_on_afterwards(linked):
    alice, bob = linked.alice, linked.bob
    await bob.has_linked("bob")
    linked.saturn_fails("/api/", times=10_000, drop=True)
    for text in ("start notebook", "start training", "stop report"):
        await alice.types(text)
    await bob.types("start analysis")
    await linked.pass_time(240, step=3)
    assert all("Saturn Cloud hasn't been available since" in shown.text for shown in alice.told("card"))
    assert not alice.told("failed")
    listed = await alice.types("list")
    assert "Your workspaces" in listed.text
    assert linked.calls("") < 200
    linked.heal()
    await linked.pass_time(180, step=3)
    assert len(alice.told("ready")) == 2
    assert alice.only("stopped")
    assert bob.only("ready")
    assert [len(linked.resource(name).runs) for name in ("notebook", "training")] == [1, 1]


async def test_what_one_persons_account_lacks_delays_nobody_else(linked):
    await linked.bob.has_linked("bob")
    linked.saturn.state.accounts.mark("alice", "revoked")
    await linked.alice.types("start notebook")
    await linked.bob.types("start analysis")
    await linked.pass_time(60)
    assert linked.bob.only("ready")
    assert not linked.bob.told("sign_in_refused")
    assert linked.alice.only("sign_in_refused")


async def test_an_unusable_list_is_asked_for_again_and_delays_no_command_for_ever(bare):
    bare.saturn_fails("/api/recipes", times=2, status=500)
    alice = bare.alice
    await alice.links("alice", asked=await alice.types("start training"))
    await bare.pass_time(60)
    assert alice.only("ready")


@pytest.mark.parametrize(
    "url", ["http://evil.example/ide/", "javascript:alert(1)", "https://127.0.0.1:1@evil.example/"]
)
async def test_an_address_that_leads_elsewhere_is_never_passed_on(just_linked, url):
    world, alice = just_linked, just_linked.alice
    world.saturn_fails(rf"/api/workspaces/{ID['report']}$", body=f'{{"status": "running", "url": "{url}"}}')
    await alice.types("start report")
    await world.pass_time(15)
    told = alice.only("ready")
    assert "didn't give me a link that I can pass on" in told.text
    assert told.labels[0] == "View on Saturn Cloud"
    assert not [text for _, text in world.watch.versions if "evil.example" in text or "javascript" in text]


async def test_doctor_says_so_when_a_provider_is_away(linked):
    linked.saturn_fails("/api/status", times=1, status=502)
    provider = linked.bot.providers["saturn"]
    assert not (await connection_checks.check_connection("saturn", provider)).is_good
    assert (await connection_checks.check_connection("saturn", provider)).is_good
