"""Tests that the manifest is generated, is valid for Slack, and requests nothing that isn't used."""

import json
from itertools import chain
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from bot.slack.manifest import (
    ASSISTANT_SCOPES,
    BOT_SCOPES,
    COMMANDS,
    EVENTS,
    OPTIONAL_SCOPES,
    SHORTCUTS,
    SIGN_IN_REDIRECT_PATH,
    SLACK_PATH,
    USER_SCOPES,
    create_url,
    http_manifest,
    render,
    socket_manifest,
)
from handlers import former
from handlers.requests import routes
from tests.project.repository import ROOT
from tests.project.slack_scopes import scopes_of
from tests.web.rig import rig

URL = "https://usher.example.org"
SCHEMA = json.loads(
    (ROOT / "tests/project/schemas/slack-app-manifest.2.0.0.json").read_text(encoding="utf-8")
)
FORMS = {
    "socket": socket_manifest(),
    "socket with pages": socket_manifest(URL),
    "http": http_manifest(URL),
    "http for several": http_manifest(URL, by_oauth=True),
    "http with Slack's assistant": http_manifest(URL, with_assistant=True),
    "socket for several": socket_manifest(URL, by_oauth=True),
}

#: The bot scopes that each event and command needs, from Slack's reference of events.
NEEDED_BY_EVENTS = {
    "app_home_opened": set(),
    "app_mention": {"app_mentions:read"},
    "app_uninstalled": set(),
    "channel_id_changed": set(),
    "message.im": {"im:history"},
    "team_join": {"users:read"},
    "tokens_revoked": set(),
    "user_change": {"users:read"},
}


def addresses(node):
    """Return every address in a manifest."""
    if isinstance(node, dict):
        return list(chain.from_iterable(addresses(value) for value in node.values()))
    if isinstance(node, list):
        return list(chain.from_iterable(addresses(value) for value in node))
    return [node] if isinstance(node, str) and node.startswith("http") else []


def test_the_file_is_what_the_code_makes():
    assert yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8")) == socket_manifest()


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_valid_under_the_published_schema(form):
    import jsonschema  # a second, which every worker would take

    validator = jsonschema.Draft7Validator(SCHEMA)
    assert list(validator.iter_errors(FORMS[form])) == []
    assert not validator.is_valid({**FORMS[form], "settings": {"event_subscriptions": {"bot_events": "all"}}})


@pytest.mark.parametrize("form", FORMS)
def test_rendering_loses_nothing(form):
    # Slack's form accepts both formats, each in its own tab.
    assert json.loads(render(FORMS[form])) == yaml.safe_load(render(FORMS[form])) == FORMS[form]


@pytest.mark.parametrize("form", FORMS)
def test_every_scope_event_and_command_has_a_use_and_every_use_is_asked_for(form):
    manifest = FORMS[form]
    more = ASSISTANT_SCOPES if "assistant" in form else {}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == {*BOT_SCOPES, *OPTIONAL_SCOPES, *more}
    assert ("mcp_servers" in manifest) == bool(more)
    assert set(manifest["oauth_config"]["scopes"]["bot_optional"]) == set(OPTIONAL_SCOPES)
    assert not set(BOT_SCOPES) & set(OPTIONAL_SCOPES)
    assert set(manifest["oauth_config"]["scopes"]["user"]) == set(USER_SCOPES)
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    assert {command["command"] for command in manifest["features"]["slash_commands"]} == set(COMMANDS)


def test_every_shortcut_has_its_handler_and_the_other_way_round():
    for manifest in FORMS.values():
        assert {one["callback_id"] for one in manifest["features"]["shortcuts"]} == set(SHORTCUTS)
    assert set(routes.shortcut) == {*SHORTCUTS, *former.SHORTCUTS}


def test_no_link_is_unfurled():
    """A preview would show a workspace to people who have nothing to do with it."""
    for made in FORMS.values():
        assert "unfurl_domains" not in made["features"]
    assert not {"link_shared"} & set(EVENTS)
    assert not {"links:read", "links:write"} & set(BOT_SCOPES)


def test_the_scopes_are_those_that_methods_events_and_commands_need():
    assert set(NEEDED_BY_EVENTS) == set(EVENTS)
    needed = set().union(scopes_of("bot"), *NEEDED_BY_EVENTS.values(), {"commands"})
    # Of the optional scopes, one is needed by a method.
    assert needed - set(BOT_SCOPES) == {"usergroups:read"} <= set(OPTIONAL_SCOPES)
    assert set(BOT_SCOPES) <= needed


def test_every_use_is_a_sentence():
    tables = (BOT_SCOPES, OPTIONAL_SCOPES, ASSISTANT_SCOPES, USER_SCOPES, EVENTS, COMMANDS, SHORTCUTS)
    uses = chain.from_iterable(table.values() for table in tables)
    assert [why for why in uses if not why[0].isupper() or not why.endswith(".")] == []


def test_the_socket_form_needs_no_address():
    assert addresses(FORMS["socket"]) == []
    assert FORMS["socket"]["settings"]["socket_mode_enabled"] is True


def test_the_socket_form_with_pages_names_only_the_way_back_from_sign_in():
    assert addresses(FORMS["socket with pages"]) == [URL + SIGN_IN_REDIRECT_PATH]


def test_the_http_form_sends_everything_to_the_one_slack_address():
    form = FORMS["http"]
    assert form["settings"]["socket_mode_enabled"] is False
    redirects = form["oauth_config"]["redirect_urls"]
    assert redirects == [URL + SIGN_IN_REDIRECT_PATH]
    assert sorted(addresses(form)) == sorted([*redirects, *[URL + SLACK_PATH] * (3 + len(COMMANDS))])


@pytest.mark.parametrize("form", [name for name in FORMS if name.endswith("several")])
def test_an_app_for_several_workspaces_is_installed_from_our_page_with_tokens_that_expire(form):
    made = FORMS[form]
    assert made["oauth_config"]["redirect_urls"] == [f"{URL}/link/slack", f"{URL}/slack/oauth_redirect"]
    assert made["settings"]["org_deploy_enabled"]
    assert made["settings"]["token_rotation_enabled"]


def test_a_slash_at_the_end_of_the_address_makes_no_difference():
    assert http_manifest(URL + "/") == http_manifest(URL)


def test_two_commands_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two different slash commands"):
        socket_manifest(command="/job")


@pytest.mark.parametrize("command", ["", "/", "workspace", "/Work", "/work space", "/" + "x" * 32])
def test_a_command_that_slack_refuses_is_refused(command):
    for names in ({"command": command}, {"job_command": command}):
        with pytest.raises(ValueError, match="a slash command is"):
            socket_manifest(**names)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "usher.example.org",
        "http://usher.example.org",
        "https://",
        "https://user@usher.example.org",
        "https://usher.example.org/?a=b",
        "https://usher.example.org/#a",
        "https://usher.example.org/a b",
        # `serve` doesn't accept an address with a path either, as every form has addresses below it.
        "https://usher.example.org/usher",
    ],
)
def test_an_address_that_slack_cannot_use_is_refused(url):
    with pytest.raises(ValueError, match=r"the address (must be https|needs)"):
        http_manifest(url)


@pytest.mark.parametrize("form", FORMS)
def test_the_link_that_creates_the_app_carries_all_of_it(form):
    parts = urlsplit(create_url(FORMS[form]))
    query = parse_qs(parts.query, strict_parsing=True)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "api.slack.com", "/apps")
    assert query["new_app"] == ["1"]
    assert json.loads(query["manifest_json"][0]) == FORMS[form]


async def test_every_address_in_the_http_form_is_served():
    """The page may refuse the request, as long as the address exists."""
    paths = {address.removeprefix(URL) for address in addresses(FORMS["http"])}
    async with rig(sign_in=True) as made:
        browser = await made.browser()
        for path in paths:
            method = "POST" if path == SLACK_PATH else "GET"
            async with browser.session.request(method, made.origin + path) as answer:
                assert answer.status not in (404, 405), path
