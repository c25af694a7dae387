"""oauth.v2.access, openid.connect.token and openid.connect.userInfo. Each code can be used only once."""

from __future__ import annotations

import secrets

from playground.slack.calls import Call, basic
from playground.slack.errors import SlackError
from playground.slack.methods.table import method
from playground.slack.openid import CODE_SECONDS, Grant
from playground.slack.records import Json, Token

#: Lifetime of a token, in seconds, if token rotation is on.
TOKEN_SECONDS = 43_200.0


def _client(call: Call) -> None:
    """Check the client id and secret, which may be in the Basic header or in the arguments."""
    given = basic(call.request) or (call.text("client_id"), call.text("client_secret"))
    app = call.state.app
    if given[0] != app.client_id:
        raise SlackError("invalid_client_id")
    if not secrets.compare_digest(given[1].encode(), app.client_secret.encode()):
        raise SlackError("bad_client_secret")


@method("apps.uninstall", kinds=("bot", "user"))
async def uninstall(call: Call) -> Json:
    """Remove the app from the workspace, and revoke all its tokens."""
    _client(call)
    await call.services.uninstall()
    return {}


def _grant(call: Call, flow: str) -> Grant:
    """Use up a code. Refuse one that is unknown, old or used, another redirect_uri, and PKCE."""
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
    if grant.has_challenge or call.text("code_verifier"):
        # The app isn't a public client: it sends its secret, and PKCE in addition isn't supported.
        raise SlackError("internal_error")
    return grant


@method("openid.connect.token", kinds=())
async def openid_token(call: Call) -> Json:
    """Exchange a code for the id_token of the person who signed in."""
    grant = _grant(call, "openid")
    value = f"xoxp-{secrets.token_urlsafe(24)}"
    call.state.tokens[value] = Token(value, "user", grant.user, tuple(grant.scopes))
    person = call.state.person(grant.user)
    claims = call.services.openid.claims(person, grant)
    return {"access_token": value, "token_type": "Bearer", "id_token": call.services.openid.sign(claims)}


@method("openid.connect.userInfo", kinds=("user",), scope="openid")
async def user_info(call: Call) -> Json:
    """Return who signed in, with the details that the sign-in's scopes allow."""
    person = call.state.person(call.token.user if call.token else None)
    return call.services.openid.identity(person, call.token.scopes if call.token else ())


@method("oauth.v2.access", kinds=())
async def oauth_access(call: Call) -> Json:
    """Exchange an installation's code, or a refresh token, for the bot's token."""
    if call.text("grant_type") == "refresh_token":
        return _installed(call, _refreshed(call), None)
    grant = _grant(call, "install")
    state = call.state
    token = next((t for t in state.tokens.values() if t.kind == "bot" and not t.revoked), None)
    if token is None or state.app.token_rotation:
        token = _new_token(call, tuple(grant.scopes))
    token.scopes = tuple(grant.scopes)
    state.app.scopes, state.app.installed = list(grant.scopes), True
    return _installed(call, token, grant.user)


def _new_token(call: Call, scopes: tuple[str, ...]) -> Token:
    app, state = call.state.app, call.state
    token = Token(f"xoxb-{secrets.token_urlsafe(24)}", "bot", app.bot_user, scopes)
    if app.token_rotation:
        token.value = f"xoxe.xoxb-1-{secrets.token_urlsafe(40)}"
        token.refresh = f"xoxe-1-{secrets.token_urlsafe(40)}"
        token.expires_at = state.clock.now() + TOKEN_SECONDS
    state.tokens[token.value] = token
    return token


def _refreshed(call: Call) -> Token:
    """Exchange a refresh token, which can't be used again. The access token stays valid until it expires."""
    _client(call)
    given = call.text("refresh_token")
    old = next(
        (t for t in call.state.tokens.values() if given and t.refresh == given and not t.revoked), None
    )
    if old is None:
        raise SlackError("invalid_refresh_token")
    old.refresh = None
    return _new_token(call, old.scopes)


def _installed(call: Call, token: Token, user: str | None) -> Json:
    state = call.state
    is_whole, team = state.app.is_enterprise_install, state.team
    made: Json = {
        "access_token": token.value,
        "token_type": "bot",
        "scope": ",".join(token.scopes),
        "bot_user_id": state.app.bot_user,
        "app_id": state.app.id,
        "team": None if is_whole else {"name": team.name, "id": team.id},
        "enterprise": team.enterprise(),
        "is_enterprise_install": is_whole,
    }
    if user is not None:
        made["authed_user"] = {"id": user}
    if token.expires_at is not None:
        lasts = int(token.expires_at - state.clock.now())
        made |= {"refresh_token": token.refresh, "expires_in": lasts}
    return made
