"""oauth.v2.access, openid.connect.token and openid.connect.userInfo: codes become tokens, once."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from playground.slack.calls import basic
from playground.slack.errors import SlackError
from playground.slack.methods.table import method
from playground.slack.openid import CODE_SECONDS, Grant, verifies
from playground.slack.records import Token

if TYPE_CHECKING:
    from playground.slack.calls import Call
    from playground.slack.records import Json


def _client(call: Call) -> None:
    """Check client id and secret, from the Basic header or from the fields."""
    given = basic(call.request) or (call.text("client_id"), call.text("client_secret"))
    app = call.state.app
    if given[0] != app.client_id:
        raise SlackError("invalid_client_id")
    if not secrets.compare_digest(given[1].encode(), app.client_secret.encode()):
        raise SlackError("bad_client_secret")


def _grant(call: Call, flow: str, bad_verifier: str) -> Grant:
    """Take a code: unknown, old or used ones, another redirect_uri and a wrong code_verifier are refused."""
    if call.text("grant_type", "authorization_code") != "authorization_code":
        raise SlackError("invalid_grant_type")
    _client(call)
    grant = call.services.openid.grants.pop(call.text("code"), None)
    if grant is None or call.state.clock.now() - grant.made > CODE_SECONDS:
        raise SlackError("invalid_code")
    if grant.flow != flow:
        raise SlackError("oauth_authorization_url_mismatch")
    if (call.text("redirect_uri") or grant.redirect_uri) != grant.redirect_uri:
        raise SlackError("bad_redirect_uri")
    if grant.redirect_was_sent and not call.text("redirect_uri"):
        raise SlackError("bad_redirect_uri")
    if not verifies(grant, call.text("code_verifier")):
        raise SlackError(bad_verifier)
    return grant


@method("openid.connect.token", kinds=())
async def openid_token(call: Call) -> Json:
    """Exchange a code for the id_token of the person who signed in."""
    grant = _grant(call, "openid", "invalid_grant")
    value = f"xoxp-{secrets.token_urlsafe(24)}"
    call.state.tokens[value] = Token(value, "user", grant.user, tuple(grant.scopes))
    person = call.state.person(grant.user)
    claims = call.services.openid.claims(person, grant)
    return {"access_token": value, "token_type": "Bearer", "id_token": call.services.openid.sign(claims)}


@method("openid.connect.userInfo", kinds=("user",), scope="openid")
async def user_info(call: Call) -> Json:
    """Tell who signed in, as far as the scopes of the sign-in went."""
    person = call.state.person(call.token.user if call.token else None)
    return call.services.openid.identity(person, call.token.scopes if call.token else ())


@method("oauth.v2.access", kinds=())
async def oauth_access(call: Call) -> Json:
    """Exchange the code of an installation for the bot's token."""
    grant = _grant(call, "install", "invalid_code_verifier")
    state = call.state
    token = next((t for t in state.tokens.values() if t.kind == "bot" and not t.revoked), None)
    if token is None:
        value = f"xoxb-{secrets.token_urlsafe(24)}"
        token = Token(value, "bot", state.app.bot_user, ())
        state.tokens[value] = token
    token.scopes = tuple(grant.scopes)
    state.app.scopes, state.app.installed = list(grant.scopes), True
    return {
        "access_token": token.value,
        "token_type": "bot",
        "scope": ",".join(grant.scopes),
        "bot_user_id": state.app.bot_user,
        "app_id": state.app.id,
        "team": {"name": state.team.name, "id": state.team.id},
        "enterprise": state.team.enterprise(),
        "is_enterprise_install": state.app.is_enterprise_install,
        "authed_user": {"id": grant.user},
    }
