"""Checks of Slack: the tokens, their scopes, the administrators, and where Usher is installed."""

import re
from collections.abc import Sequence
from typing import Any, Final

from bot.domain.people import Person, Principal
from bot.domain.user_groups import is_group
from bot.services.checks import Check, add_trust, explain_failure, format_plain
from bot.slack.manifest import ASSISTANT_PATH, ASSISTANT_SCOPES, BOT_SCOPES, INSTALL_PATH
from bot.slack.methods import API_TEST
from bot.slack.people import to_person
from bot.support import errors
from bot.support.clock import SystemClock
from bot.support.http import Http
from bot.support.responses import Response
from bot.support.settings import Settings

REACH: Final = "Check that this machine can reach Slack."
#: Advice if Usher's Slack app lacks scopes. It doesn't suggest pasting what ``usher manifest`` prints,
#: because by default, that is a manifest for Socket Mode, and an app that uses HTTP would get no more
#: requests.
SCOPES: Final = "Add what is missing on your app's page, OAuth & Permissions, then reinstall the app."
#: If this machine's clock differs from Slack's by at least this many seconds, ``doctor`` reports it. Above
#: 300 seconds, Usher refuses Slack's requests.
CLOCK_SKEW_SECONDS: Final = 60.0
_SET_IT: Final = "Set it (timedatectl, chronyc tracking): from five minutes on, all requests are refused."
_ROUTE: Final = "Its answer should be 401: route that address to Usher, and restart it."
_ONE_APP: Final = "Copy both tokens from the pages of one app."
_APP_ID_PATTERN: Final = re.compile(r"xapp-\d+-(A[0-9A-Z]+)-")
ADMINS: Final = "Copy their member ids from people's profiles in Slack (⋮, Copy member ID)."


async def check_slack(settings: Settings, http: Http) -> list[Check]:
    """Check the bot token's identity and scopes with Slack, and try the app token if one is set."""
    checks = []
    if settings.slack_bot_token is not None:
        checks += await check_token(settings, http, settings.slack_bot_token.get_secret_value())
    if settings.slack_app_token is not None:
        checks.append(await _check_app_token(settings, http))
    return checks


async def check_clock(settings: Settings, http: Http) -> list[Check]:
    """Compare this machine's clock with Slack's. If Slack isn't responding, another check reports that."""
    try:
        at = (await http.request("POST", f"{settings.slack_api_url}{API_TEST}")).server_time()
    except errors.ProviderError:
        return []
    if at is None:
        return []
    ahead = SystemClock().now() - at
    if abs(ahead) < CLOCK_SKEW_SECONDS:
        return [Check("clock", True, "this machine's agrees with Slack's")]
    found = f"this machine's is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Slack's"
    return [Check("clock", False, found, _SET_IT)]


async def check_assistant(settings: Settings, http: Http) -> list[Check]:
    """Send an unsigned call to the assistant's address, which Usher must refuse."""
    if not settings.assistant or settings.public_url is None:
        return []
    url = settings.public_url + ASSISTANT_PATH
    try:
        status = (await http.request("POST", url)).status
    except errors.ProviderError as failed:
        return [Check("slack assistant", False, explain_failure(failed), _ROUTE)]
    return [Check("slack assistant", status == 401, f"{url} answers an unsigned call with {status}", _ROUTE)]


async def check_token(settings: Settings, http: Http, token: str, place: str = "") -> list[Check]:
    """Check a token's identity and scopes with Slack. ``place`` names the Slack workspace it is for."""
    of = f" of {place}" if place else ""
    advice = f"Install Usher there again: {settings.public_url}{INSTALL_PATH}" if place else ""
    checks = []
    try:
        answer, body = await _call_slack(settings, http, token, "auth.test")
    except errors.ProviderError as failed:
        return [Check(f"slack token{of}", False, explain_failure(failed), add_trust(REACH, failed))]
    if body.get("ok") is not True:
        copy = "Copy the Bot User OAuth Token from your app's page, OAuth & Permissions."
        found = f"Slack says {format_plain(body.get('error'))}"
        return [Check(f"slack token{of}", False, found, advice or copy)]
    found = f"{format_plain(body.get('user'))} in {format_plain(body.get('team'))}"
    checks.append(Check(f"slack token{of}", True, found))
    scopes = answer.headers.get("X-OAuth-Scopes")
    granted = {scope.strip() for scope in (scopes or "").split(",")}
    missing = sorted({*BOT_SCOPES, *(ASSISTANT_SCOPES if settings.assistant else ())} - granted)
    if scopes is None:
        compare = "Compare what `usher manifest` prints with your app's page, OAuth & Permissions."
        found = "unknown: Slack doesn't say"
        checks.append(Check(f"slack scopes{of}", True, found, compare, is_warning=True))
    elif missing:
        checks.append(Check(f"slack scopes{of}", False, f"missing: {', '.join(missing)}", advice or SCOPES))
    else:
        checks.append(Check(f"slack scopes{of}", True, "all there"))
    if scopes is None or not missing:
        places = [str(body.get(key) or "") for key in ("team_id", "enterprise_id")]
        checks += await _check_administrators(settings, http, token, places, of)
    return checks


async def _call_slack(
    settings: Settings, http: Http, token: str, method: str, **query: str
) -> tuple[Response, dict[str, Any]]:
    url, headers = f"{settings.slack_api_url}{method}", {"Authorization": f"Bearer {token}"}
    answer = await http.request("GET" if query else "POST", url, headers=headers, query=query)
    return answer, answer.json_object()


async def _check_administrators(
    settings: Settings, http: Http, token: str, places: Sequence[str], of: str
) -> list[Check]:
    """Look up Usher's administrators in Slack, or only those of the token's own workspaces (``places``)."""
    label, known, unknown = f"administrators{of}", [], []
    for name in sorted(settings.admin_ids() | settings.global_admin_ids()):
        place, _, user = name.rpartition(":")
        if of and place not in places:
            continue
        method, asked = ("usergroups.users.list", "usergroup") if is_group(user) else ("users.info", "user")
        try:
            _, body = await _call_slack(settings, http, token, method, **{asked: user})
        except errors.ProviderError as failed:
            return [Check(label, False, explain_failure(failed), add_trust(REACH, failed))]
        if isinstance(body.get("users"), list):
            known.append(f"{len(body['users'])} people of the user group {name}")
            continue
        found = body.get("user")
        if body.get("error") == "missing_scope":
            lacking = f"{name} can't be read, as the app lacks {format_plain(body.get('needed'))}"
            return [Check(label, False, lacking, SCOPES)]
        if body.get("ok") is not True or not isinstance(found, dict):
            unknown.append(f"{name} (Slack says {format_plain(body.get('error'))})")
            continue
        person = to_person(found, Principal(None, place or places[0], user), 0.0)
        problem = _find_administrator_problem(person)
        if problem is None:
            known.append(f"{format_plain(person.name)} ({name})")
        else:
            unknown.append(f"{name} ({format_plain(person.name)} {problem})")
    if unknown:
        return [Check(label, False, f"not people who can act: {', '.join(unknown)}", ADMINS)]
    return [Check(label, True, ", ".join(known))] if known else []


def _find_administrator_problem(person: Person) -> str | None:
    reasons = {
        "is deactivated": person.is_deleted,
        "is a bot": person.is_bot,
        "is a guest": person.is_guest,
        "belongs to another Slack workspace": person.is_stranger,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


async def _is_of_bot(settings: Settings, http: Http, app_token: str) -> bool:
    """Return whether an app-level token, which contains its app's id, belongs to the bot token's app.

    If Slack doesn't say which app that is, return True.
    """
    app, bot = _APP_ID_PATTERN.match(app_token), settings.slack_bot_token
    if app is None or bot is None:
        return True
    _, own = await _call_slack(settings, http, bot.get_secret_value(), "auth.test")
    query = {"bot": str(own.get("bot_id") or "")}
    _, body = await _call_slack(settings, http, bot.get_secret_value(), "bots.info", **query)
    found = body.get("bot")
    app_id = found.get("app_id") if isinstance(found, dict) else None
    return not app_id or app_id == app[1]


async def _check_app_token(settings: Settings, http: Http) -> Check:
    token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else ""
    try:
        _, body = await _call_slack(settings, http, token, "apps.connections.open")
        is_same_app = await _is_of_bot(settings, http, token)
    except errors.ProviderError as failed:
        return Check("slack app token", False, explain_failure(failed), add_trust(REACH, failed))
    if body.get("ok") is True and not is_same_app:
        return Check("slack app token", False, "it belongs to another Slack app than the bot token", _ONE_APP)
    if body.get("ok") is True:
        return Check("slack app token", True, "Socket Mode can be opened")
    advice = "Create an app-level token with connections:write and turn on Socket Mode."
    return Check("slack app token", False, f"Slack says {format_plain(body.get('error'))}", advice)
