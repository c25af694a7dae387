"""The doctor: all checks of ``usher doctor``.

Nothing is changed and nothing is sent to people. The exit status is 0 if every check is good, 2 if the
settings are wrong, otherwise 1.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Mapping

from bot.output.transcript import TOTAL
from bot.providers import base
from bot.support.http import Http
from bot.support.settings import Settings
from bot.upkeep.checks import Check
from bot.upkeep.connection_checks import check_connection, check_page, check_sign_in, check_way_in
from bot.upkeep.slack_checks import check_listed, check_slack
from bot.upkeep.store_checks import check_store


async def run_checks(
    settings: Settings, http: Http, providers: Mapping[str, base.Provider], wrong: Collection[str] = ()
) -> list[Check]:
    """Run every check that the settings allow; ``wrong`` are the variables that have no good value."""
    checks: list[Check] = []
    if "USHER_PUBLIC_URL" not in wrong:
        checks.append(_check_address(settings))
    if not {"SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"} & set(wrong):
        checks += check_sign_in(settings, providers)
    if not {"SLACK_BOT_TOKEN", "USHER_SLACK_API_URL"} & set(wrong):
        checks += await check_slack(settings, http)
        checks += check_listed(settings, providers)
    for name, provider in providers.items():
        checks.append(await check_connection(name, provider))
        checks += await check_page(name, provider)
        if settings.public_url is not None:
            checks += await check_way_in(name, provider, settings.public_url)
    checks += check_spool(providers)
    if "USHER_DATABASE_URL" not in wrong:
        has_keys = "USHER_ENCRYPTION_KEYS" not in wrong
        checks += await check_store(settings, providers, http, has_keys=has_keys)
    return checks


def _check_address(settings: Settings) -> Check:
    if settings.public_url is not None:
        return Check("public address", True, settings.public_url)
    advice = "Set USHER_PUBLIC_URL to the https address that people's browsers reach."
    return Check("public address", False, "not set, so nobody can link an account", advice)


def check_spool(providers: Mapping[str, base.Provider]) -> list[Check]:
    """Check that there is enough disk space for the outputs of runs, if there are runs."""
    if not any(isinstance(provider, base.Runs) for provider in providers.values()):
        return []
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    found = f"{free // 1_000_000} MB free in {folder}, and outputs take up to {TOTAL // 1_000_000} MB"
    advice = "" if free >= TOTAL else "Free some space or set TMPDIR to another folder: long outputs get cut."
    return [Check("room for outputs", free >= TOTAL, found, advice)]
