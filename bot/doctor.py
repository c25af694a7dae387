"""What ``python -m bot doctor`` checks: one line each, with what to do.

Nothing is changed and nothing is sent to people. The exit status is 0 when every check is good, else 1.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from bot.errors import ProviderError, StoreError, TemporaryError
from bot.manifest import BOT_SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.http import Http
    from bot.providers.base import Provider
    from bot.settings import Settings
    from bot.store.base import Store


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one finding; ``advice`` says what to do and is empty when all is well."""

    name: str
    is_good: bool
    found: str
    advice: str = ""


async def check_slack(settings: Settings, http: Http) -> list[Check]:
    """Ask Slack who the bot token is and which scopes it carries; try the app token where one is set."""
    token = settings.slack_bot_token.get_secret_value()
    checks = []
    try:
        answer = await http.request(
            "POST", f"{settings.slack_api_url}auth.test", headers={"Authorization": f"Bearer {token}"}
        )
        body = answer.json_object()
    except ProviderError as failed:
        return [Check("slack token", False, f"Slack did not answer: {failed}", "Check the way out to Slack.")]
    if body.get("ok") is not True:
        advice = "Copy the Bot User OAuth Token from your app's page, OAuth & Permissions."
        return [Check("slack token", False, f"Slack says {body.get('error', 'nothing')}", advice)]
    checks.append(Check("slack token", True, f"{body.get('user')} in {body.get('team')}"))
    granted = {scope.strip() for scope in answer.headers.get("X-OAuth-Scopes", "").split(",")}
    missing = sorted(set(BOT_SCOPES) - granted)
    if missing:
        advice = "Add them by pasting manifest.yml into your app's manifest page, then reinstall the app."
        checks.append(Check("slack scopes", False, f"missing: {', '.join(missing)}", advice))
    else:
        checks.append(Check("slack scopes", True, "all there"))
    if settings.slack_app_token is not None:
        checks.append(await _check_app_token(settings, http))
    return checks


async def _check_app_token(settings: Settings, http: Http) -> Check:
    token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else ""
    try:
        answer = await http.request(
            "POST",
            f"{settings.slack_api_url}apps.connections.open",
            headers={"Authorization": f"Bearer {token}"},
        )
        body = answer.json_object()
    except ProviderError as failed:
        return Check(
            "slack app token", False, f"Slack did not answer: {failed}", "Check the way out to Slack."
        )
    if body.get("ok") is True:
        return Check("slack app token", True, "Socket Mode can be opened")
    advice = "Make an app-level token with connections:write and switch Socket Mode on."
    return Check("slack app token", False, f"Slack says {body.get('error', 'nothing')}", advice)


async def check_connection(name: str, provider: Provider) -> Check:
    """Ask a provider's server for its version, without anybody's credential."""
    label = f"connection {name}"
    try:
        version = await provider.probe()
    except TemporaryError as failed:
        return Check(label, False, f"no good answer: {failed}", "Check base_url and the way to that server.")
    except ProviderError as failed:
        return Check(label, False, str(failed), "Check base_url in the connections file.")
    return Check(label, True, f"{provider.settings.base_url} answers ({version})")


async def check_store(store: Store) -> list[Check]:
    """Read the store's counts and its dead notices."""
    try:
        counts = await store.statistics()
        dead = await store.dead_notices(5)
    except StoreError as failed:
        advice = "Check the disk, the file's rights and USHER_DATABASE_URL."
        return [Check("store", False, str(failed), advice)]
    found = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(counts.items()))
    checks = [Check("store", True, found)]
    if dead:
        causes = ", ".join(sorted({notice.error or "unknown cause" for notice in dead}))
        advice = (
            "These people were not told something: check their Slack accounts and the app's direct messages."
        )
        checks.append(Check("dead notices", False, f"{counts['dead_notices']} ({causes})", advice))
    else:
        checks.append(Check("dead notices", True, "none"))
    return checks


async def run_checks(
    settings: Settings, http: Http, providers: Mapping[str, Provider], open_store: Store | StoreError
) -> list[Check]:
    """Run every check; the store is handed in opened, or as the error that opening it raised."""
    checks = [Check("settings", True, "all there")]
    if settings.public_url is None:
        advice = "Set USHER_PUBLIC_URL to the https address that people's browsers reach."
        checks.append(Check("public address", False, "not set, so nobody can link an account", advice))
    checks += await check_slack(settings, http)
    for name, provider in providers.items():
        checks.append(await check_connection(name, provider))
    if isinstance(open_store, StoreError):
        advice = "Check the disk, the file's rights and USHER_DATABASE_URL."
        checks.append(Check("store", False, str(open_store), advice))
    else:
        checks += await check_store(open_store)
    return checks


def exit_status(checks: Iterable[Check]) -> int:
    """Return 0 when every check is good, else 1."""
    return 0 if all(check.is_good for check in checks) else 1


def as_text(checks: Sequence[Check]) -> str:
    """Write a line a check, with what to do below the ones that are not good."""
    lines = []
    for check in checks:
        lines.append(f"{'ok  ' if check.is_good else 'BAD '} {check.name}: {check.found}")
        if check.advice:
            lines.append(f"     {check.advice}")
    return "\n".join(lines)


def as_json(checks: Sequence[Check]) -> str:
    """Write the same as one JSON object."""
    return json.dumps({"ok": exit_status(checks) == 0, "checks": [asdict(check) for check in checks]})
