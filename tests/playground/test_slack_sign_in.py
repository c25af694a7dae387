"""Tests of Sign in with Slack at the local Slack: codes, keys, claims, no PKCE; and of installing."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.playground.slack_help import CHEN, OLIVIA, refusal

#: For these two methods, slack_sdk still uses aiohttp's BasicAuth, which is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

BACK = "http://127.0.0.1:9/link/callback"
VERIFIER = "v" * 50
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


async def authorize(session, server, path="/openid/connect/authorize", **more):
    query = {
        "client_id": server.credentials["client_id"],
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": BACK,
        "state": "s1",
        "nonce": "n1",
        **more,
    }
    url = server.state.base_url + path
    async with session.get(url, params=query, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


async def code_for(session, server, **more) -> str:
    status, location, _ = await authorize(session, server, **{"as": OLIVIA, **more})
    assert status == 302
    assert location.startswith(BACK)
    query = parse_qs(urlsplit(location).query)
    assert query["state"] == ["s1"]
    return query["code"][0]


def exchange(client: AsyncWebClient, server, code: str, **more):
    told = {"redirect_uri": BACK, "client_id": server.credentials["client_id"], **more}
    told.setdefault("client_secret", server.credentials["client_secret"])
    return client.openid_connect_token(code=code, **told)


@pytest.mark.parametrize(
    ("asked", "given", "error"),
    [
        ({}, {"client_secret": "wrong"}, "bad_client_secret"),
        ({}, {"client_id": "wrong"}, "invalid_client_id"),
        ({}, {"redirect_uri": BACK + "/other"}, "bad_redirect_uri"),
        # Secret and PKCE together, as when a team sent both (docs/internals/slack.md).
        (
            {"code_challenge": CHALLENGE, "code_challenge_method": "S256"},
            {"code_verifier": VERIFIER},
            "internal_error",
        ),
        ({"code_challenge": CHALLENGE}, {}, "internal_error"),
        ({}, {"code_verifier": VERIFIER}, "internal_error"),
        ({}, {"grant_type": "password"}, "invalid_grant_type"),
    ],
)
async def test_what_does_not_fit_is_refused(server, client, session, asked, given, error):
    code = await code_for(session, server, **asked)
    assert (await refusal(exchange(client, server, code, **given)))["error"] == error


async def test_a_code_is_old_after_ten_minutes(server, client, session):
    code = await code_for(session, server)
    server.harness.clock.advance(601)
    assert (await refusal(exchange(client, server, code)))["error"] == "invalid_code"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"client_id": "wrong"}, "client_id"),
        ({"scope": "chat:write"}, "openid"),
        ({"response_type": "token"}, "response_type"),
        ({"redirect_uri": BACK + "x"}, "redirect_uri did not match"),
    ],
)
async def test_the_authorize_page_redirects_nowhere_when_something_is_wrong(server, session, change, words):
    server.state.app.redirect_urls = [BACK]
    status, location, text = await authorize(session, server, **{"as": OLIVIA, **change})
    assert (status, location) == (400, "")
    assert words in text


async def test_who_sits_at_the_browser_is_chosen_or_known(server, session):
    status, _, text = await authorize(session, server)
    assert status == 200
    assert "Olivia Osei" in text
    server.state.signed_in = CHEN
    assert (await authorize(session, server))[0] == 302
    assert next(iter(server.openid.grants.values())).user == CHEN
    assert (await authorize(session, server, **{"as": OLIVIA}))[0] == 302
    assert [grant.user for grant in server.openid.grants.values()] == [CHEN, OLIVIA]
    _, location, _ = await authorize(session, server, deny="1")
    assert "error=access_denied" in location


async def test_client_id_and_secret_may_be_form_fields(server, client, session):
    told = {"client_id": server.credentials["client_id"], "redirect_uri": BACK}
    told |= {"client_secret": server.credentials["client_secret"], "code": await code_for(session, server)}
    answer = await client.api_call("openid.connect.token", data=told)
    assert answer["id_token"].count(".") == 2
