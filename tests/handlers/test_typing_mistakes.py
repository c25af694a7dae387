"""A token typed into Slack by mistake is never used, repeated or stored; an id still counts as an id."""

import base64
import json
import re

import pytest

from bot.providers import list_provider_classes
from bot.store import audit, counts, notices, runs, tasks, workspaces
from tests.handlers.rig import Cloud, Hub, activate, buttons, invited, one_cloud, rig, submit, words
from tests.rigs.clock import FakeClock
from tests.rigs.providers import fake_settings
from tests.rigs.store import ALICE

#: In the format of Saturn Cloud's and a hub's tokens. An id there is half as long.
TOKEN = "c0ffee00" * 8
HEX = "0dd0c0de" * 4
SLACK = "xoxb-2222222222-CanaryCanary"


def b64(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


class Saturn(Cloud):
    def parse_reference(self, text):
        return text.lower() if re.fullmatch(r"[0-9a-fA-F]{32}", text) else super().parse_reference(text)


@pytest.fixture
async def empty():
    async with one_cloud(Saturn) as bot:
        await activate(bot.store, ALICE, "saturn")
        yield bot


@pytest.fixture
async def cloud(empty):
    await empty.link(names=("notebook",))
    await empty.notices()
    return empty


async def kept(bot) -> str:
    """Return everything that was stored, as text."""
    store = bot.store
    found = [
        await store.read(audit.read_audit),
        await store.perform(notices.claim_notices, 100, 1.0),
        await store.claim(tasks.claim_tasks, 100, 1.0),
    ]
    found += [
        await store.perform(workspaces.read_workspaces, ALICE, hidden=True),
        await store.read(runs.list_runs, ALICE),
        await invited(bot),
    ]
    return repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "{0}",
        "link saturn {0}",
        "start {0}",
        "job run {0}",
        "job logs {0}",
        'alias notebook "{0}"',
        "whoami token={0}",
        "my token is `{0}`, help",
        "add {0}",
        "add <https://app.example.test/?token={0}>",
        "nonsense\u00a0\u201c{0}\u201d",
        "hi, here is my token {0}, can you link me?",
        "why doesn't {0} work?",
        "don't stop {0}, stop notebook",
        "end {0}",
        "join {0}",
        "no, {0}",
        "> {0}",
        "stop it at {0}",
        "meine Token ist {0}" + " und" * 120,
    ],
)
@pytest.mark.parametrize("token", [TOKEN, SLACK])
@pytest.mark.parametrize("kind", ["command", "message"])
async def test_a_token_is_neither_repeated_nor_kept(cloud, text, token, kind, capsys):
    answer = await cloud.say(text.format(token), kind=kind)
    told = words(answer)
    assert ("delete your message" in told) is (kind == "message")
    assert list(buttons(answer)) == ([] if token == SLACK else ["Link Saturn Cloud"])
    assert "Slack token" in told if token == SLACK else "token from Saturn Cloud" in told
    assert ("api.slack.com" if token == SLACK else "app.example.test/token") in told
    for shown in (
        repr(answer),
        await kept(cloud),
        repr(await invited(cloud)),
        "".join(capsys.readouterr()),
    ):
        assert token not in shown
        assert token.casefold() not in shown.casefold()


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("my token is {0}, please link me", "ab12cd34ef"),
        ("the api key: {0}", "9f8a-7b6c"),
        ("Mein Passwort lautet {0}", "geheim123"),
        ("use {0} for saturn", "ghp_a1b2c3d4e5f6a7b8c9d0"),
        ("AWS is {0}", "AKIAIOSFODNN7EXAMPLE"),
    ],
)
async def test_nor_is_any_other_secret(cloud, text, token):
    answer = await cloud.direct(text.format(token))
    assert "looks like a token or a password" in words(answer)
    assert token not in repr(answer) + await kept(cloud)


@pytest.mark.parametrize(
    "text",
    ["what is a token", "my token is old", "where do I get a token?", "link saturn token"],
)
async def test_who_only_speaks_of_tokens_has_typed_none(cloud, text):
    assert "looks like" not in words(await cloud.direct(text))


@pytest.mark.parametrize("token", [TOKEN, SLACK])
@pytest.mark.parametrize(
    "text",
    [
        "start {0}.",
        "{0}!",
        "{0}:",
        "start *{0}*, please",
        "start _{0}_",
        "start [{0}]",
        "start ~{0}~",
        "link saturn:{0}",
        "link saturn/{0}#1",
        "token:{0}",
        "Authorization:Bearer:{0}",
        "alias notebook key:{0}",
        "start token_{0}",
        "start {0}-old",
        "alias notebook a+{0}",
        "add https://app.example.test/{0}",
    ],
)
async def test_nor_with_what_people_put_round_it(cloud, text, token):
    answer = await cloud.say(text.format(token))
    assert ("Slack token" if token == SLACK else "token from Saturn Cloud") in words(answer)
    assert token not in repr(answer) + await kept(cloud)


@pytest.mark.parametrize("text", ["start {0}", "link saturn:{0}.", "{0}!", "job run {0}"])
@pytest.mark.parametrize("token", [TOKEN, SLACK])
async def test_nor_is_it_kept_until_slack_says_who_typed_it(text, token):
    async with one_cloud(Saturn) as bot:
        bot.people.silent = True
        answer = await bot.say(text.format(token))
        assert "I couldn't check with Slack who you are" in words(answer)
        assert (await bot.store.perform(counts.count_rows))["tasks"] == 0
        assert token not in repr(answer) + await kept(bot)


async def test_an_id_may_look_like_a_token(empty):
    cloud = empty
    # Commands that take any id accept it as one.
    assert "on your list" in words(await cloud.say(f"add {HEX}"))
    # An id on the person's list is accepted everywhere.
    assert "Starting" in words(await cloud.say(f"start {HEX}"))
    # Elsewhere it may be an unknown id or a token, so it is neither stored nor repeated.
    other = "feedf00d" * 4
    answer = await cloud.say(f"start {other}")
    assert "with that id" in words(answer)
    assert "token from Saturn Cloud" in words(answer)
    assert other not in repr(answer) + await kept(cloud)
    # `whoami` takes no id.
    assert "looks like a token" in words(await cloud.say(f"whoami {other}"))
    # Part of a name on the list may look like one, and so may part of an id where any id is accepted.
    joined = f"lab-{other}"
    await cloud.link(names=(joined,))
    assert "Starting" in words(await cloud.say(f"start {joined}"))
    assert "token" not in words(await cloud.say(f"add notebook_{other}"))
    assert "token" not in words(await cloud.say("status 0dd0c0de-0dd0-4c0d-80de-0dd0c0de0dd0"))
    # Part of a link that a provider recognises may look like one, too.
    assert "token" not in words(await cloud.say(f"start https://app.example.test/dash/{other}"))


async def test_what_a_program_is_given_is_the_persons_own_affair(cloud):
    for text in (f"job run train -- python x.py --key {SLACK}", f"job run train --env KEY={TOKEN}"):
        assert "looks like" not in words(await cloud.say(text))


async def test_a_name_that_is_long_is_a_name(cloud):
    assert "looks like" not in words(await cloud.say("start deadbeef"))
    assert "looks like" not in words(await cloud.say("start " + "a-very-long-name-of-a-workspace-2026" * 2))


async def test_the_connections_own_secret_is_one_whatever_it_looks_like(cloud, monkeypatch):
    provider = cloud.connections["saturn"]
    # The secrets are read only once, when the provider is created.
    monkeypatch.setattr(provider, "_secrets", frozenset({"own-canary"}))
    assert "own-canary" not in repr(await cloud.say("start own-canary")) + await kept(cloud)


@pytest.mark.parametrize(
    ("form", "field"), [("ask_link", "username"), ("code", "code"), ("remove", "name"), ("make", "name")]
)
@pytest.mark.parametrize("token", [TOKEN, SLACK])
@pytest.mark.parametrize("typed", [" {0} ", "key:{0}."])
async def test_a_field_where_no_secret_belongs_takes_none(cloud, form, field, token, typed, capsys):
    state = {"values": {field: {"x": {"type": "plain_text_input", "value": typed.format(token)}}}}
    view = {"state": state, "blocks": [], "private_metadata": "saturn list"}
    answer = await submit(cloud.services, ALICE, view, callback_id=form)
    assert answer["response_action"] == "errors"
    assert "looks like a token from" in answer["errors"][field]
    assert token not in repr(answer) + await kept(cloud) + "".join(capsys.readouterr())


async def test_a_name_with_an_id_in_it_can_be_typed_to_remove_what_has_it(cloud):
    name = f"lab-{HEX}"
    await cloud.link(names=(name,))
    state = {"values": {"name": {"x": {"type": "plain_text_input", "value": f" {name}"}}}}
    view = {"state": state, "blocks": [], "private_metadata": "saturn list"}
    answer = await submit(cloud.services, ALICE, view, callback_id="remove")
    assert "looks like a token" not in repr(answer)


JWT = f"{b64({'alg': 'ES256', 'typ': 'JWT'})}.{b64({'jti': 'a' * 32, 'sub': 'user/1'})}.{'c2ln' * 20}"
TOKENS = (TOKEN, HEX, "k3Zq9vX-2LmT_8uYwB4nRc6sDf7gHjJa1oPiEeWxVt0", JWT)
NAMES = (
    "notebook",
    "a-very-long-name-of-a-workspace-from-2026",
    "My Long Workspace Name 2026 For Statistics",
    "My-Long-Workspace-Name-2026-For-Statistics",
    "eyJ.eyJ.eyJ",
)


def test_one_list_tells_what_tokens_look_like_whichever_provider_made_them():
    for kind in list_provider_classes().values():
        provider = kind.__new__(kind)
        provider._secrets = frozenset()
        assert all(provider.looks_like_token(token) for token in TOKENS)
        assert not any(provider.looks_like_token(name) for name in NAMES)


@pytest.mark.parametrize("typed", ["{0}", "link saturn {0}", "start {0}", "link saturn token:{0}"])
async def test_a_json_web_token_is_a_token_in_every_command(cloud, typed):
    told = words(await cloud.say(typed.format(JWT)))
    assert "looks like a token from" in told
    assert JWT not in told + await kept(cloud)


async def test_a_token_of_one_of_several_names_none_of_them():
    """Nobody knows which connection it is from, so the advice fits all of them, and each can be linked."""
    connections = {
        "saturn": Saturn(FakeClock(), fake_settings("saturn", title="Saturn Cloud")),
        "hub": Hub(FakeClock(), fake_settings("hub", title="Hub", base_url="https://hub.example.test")),
    }
    async with rig(connections=connections) as bot:
        answer = await bot.direct(f"link {TOKEN}")
    assert "That looks like a token. I haven't used" in words(answer)
    assert "please delete your message and replace it now. To link" in words(answer)
    assert "example.test" not in words(answer)
    assert list(buttons(answer)) == ["Link Hub", "Link Saturn Cloud"]


@pytest.mark.parametrize("way", ["say", "direct"])
async def test_advice_to_link_is_no_command_about_jobs(cloud, way):
    told = words(await getattr(cloud, way)(f"job status {TOKEN}"))
    assert f"type `{'/workspace ' if way == 'say' else ''}link`" in told
