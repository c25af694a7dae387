"""Checks of Usher's installations: which Slack workspaces may install Usher, and whether its tokens work."""

from collections.abc import Mapping

from bot.commands.slack_checks import ADMINS, check_token
from bot.providers import base
from bot.services.checks import Check, format_plain
from bot.slack.manifest import INSTALL_PATH
from bot.slack.tokens import is_listed
from bot.store import installations
from bot.store.store import Store
from bot.support import errors
from bot.support.http import Http
from bot.support.settings import Settings
from bot.support.settings.core import ANY_WORKSPACE
from bot.support.vault import Vault


def check_listed(settings: Settings, providers: Mapping[str, base.Provider]) -> list[Check]:
    """Warn if any Slack workspace may install Usher by OAuth. Name the connections that could cost money."""
    if settings.slack_bot_token is not None or ANY_WORKSPACE not in settings.workspace_ids():
        return []
    found = "any Slack workspace of the world may install Usher and use its connections"
    advice = "Name yours in USHER_SLACK_WORKSPACES, unless you mean that."
    costly = sorted(
        name
        for name, provider in providers.items()
        if provider.has_link_method("none") and provider.settings.workspaces is None
    )
    if costly:
        found += f", and workspaces of {', '.join(costly)} are made on your account"
        advice += " Limit those connections with their key workspaces."
    return [Check("slack workspaces", True, found, advice, is_warning=True)]


async def check_installations(store: Store, settings: Settings, http: Http | None) -> list[Check]:
    """Check the tokens of OAuth installations, unless the environment contains a token.

    This may raise StoreError.
    """
    if settings.slack_bot_token is not None or http is None:
        return []
    vault, checks = Vault(settings.keys()), []
    page = f"{settings.public_url}{INSTALL_PATH}"
    rows = await store.read(installations.list_installations)
    places = {place for row in rows for place in (row.id, row.enterprise_id)}
    administrators = settings.admin_ids() | settings.global_admin_ids()
    homeless = sorted(name for name in administrators if name.partition(":")[0] not in places)
    if rows and homeless:
        found = f"Usher isn't installed in the Slack workspace of {', '.join(homeless)}"
        checks.append(Check("administrators", False, found, f"{ADMINS} Or install Usher there: {page}"))
    for row in rows:
        place = format_plain(f"{row.team_name} ({row.id})")
        label = f"slack token of {place}"
        if not is_listed(row, settings.workspace_ids()):
            found = "it isn't in USHER_SLACK_WORKSPACES, so nobody there is served"
            advice = "Add it to that setting, or have Usher removed there."
            checks.append(Check(f"slack workspace {place}", False, found, advice))
            continue
        try:
            secret = vault.open(row.row_key, row.secret)
        except errors.SecretError:
            found = "it doesn't open with any of the keys"
            advice = f"Put the old key back, or install Usher there again: {page}"
            checks.append(Check(label, False, found, advice))
            continue
        if row.lost_at is not None:
            found = "Slack doesn't let me replace it when it expires"
            checks.append(Check(label, False, found, f"Install Usher there again: {page}"))
            continue
        if row.expires_at is not None and row.expires_at <= await store.now() and "refresh" in secret:
            checks.append(Check(label, True, "expired, and replaced when it is needed"))
            continue
        checks += await check_token(settings, http, secret["token"], place)
    if not rows:
        checks.append(Check("slack", False, "Usher isn't installed in any Slack workspace", f"Open {page}"))
    return checks
