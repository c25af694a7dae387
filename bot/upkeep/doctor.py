"""The checks of ``python -m bot doctor``: one line each, with what to do.

Nothing is changed and nothing is sent to people. The exit status is 0 if every check is good, 2 if the
settings are wrong, otherwise 1.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Mapping

from bot.output.spool import TOTAL
from bot.providers import base
from bot.providers.base import Provider
from bot.services.linking import return_address
from bot.support.errors import CredentialRefused, ProviderError, TemporaryError
from bot.support.http import Http
from bot.support.settings import Settings
from bot.upkeep.checks import Check, plain, why
from bot.upkeep.slack_checks import check_listed, check_slack
from bot.upkeep.store_checks import check_store


async def check_connection(name: str, provider: Provider) -> Check:
    """Ask a provider's server for its version, without any person's credential."""
    label = f"connection {name}"
    try:
        version, remark = await provider.probe(), await provider.remark()
    except TemporaryError as failed:
        return Check(
            label, False, why(failed), "Check base_url, and whether this machine reaches the server."
        )
    except CredentialRefused as failed:
        return Check(label, False, why(failed), "Check the connection's own token in the connections file.")
    except ProviderError as failed:
        return Check(label, False, why(failed), "Check base_url in the connections file.")
    return Check(label, True, f"{provider.settings.base_url} answers ({plain(version)}). {remark}".strip())


def check_sign_in(settings: Settings, providers: Mapping[str, Provider]) -> list[Check]:
    """Check that people can be told apart on workspace pages, if a provider needs such pages."""
    needing = sorted(name for name, provider in providers.items() if isinstance(provider, base.Page))
    if not needing:
        return []
    if settings.slack_client_id is not None and settings.slack_client_secret is not None:
        return [Check("sign in with slack", True, "set up")]
    found = f"not set up, so nobody can open a workspace on {', '.join(needing)}"
    advice = "Set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET (your app's page, Basic Information)."
    return [Check("sign in with slack", False, found, advice)]


async def check_way_in(name: str, provider: Provider, public_url: str) -> list[Check]:
    """Ask a provider at which people can sign in whether it knows Usher; say what is missing there."""
    if not isinstance(provider, base.SignIn) or not provider.links_by("token"):
        return []
    label, back = f"connection {name} sign-in", return_address(public_url, name)
    if provider.oauth is None:
        return [Check(label, True, "people paste a token. To let them sign in:", provider.registration(back))]
    try:
        is_known = await provider.oauth.is_known()
    except ProviderError:
        return []  # A problem with the server is reported where its version is asked for.
    if not is_known:
        found = "it doesn't accept the client id and secret, so nobody can sign in"
        return [Check(label, False, found, provider.registration(back))]
    return [Check(label, True, f"people sign in there, and come back to {back}")]


async def run_checks(
    settings: Settings, http: Http, providers: Mapping[str, Provider], wrong: Collection[str] = ()
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


def check_spool(providers: Mapping[str, Provider]) -> list[Check]:
    """Check that there is enough disk space for the outputs of runs, if there are runs."""
    if not any(isinstance(provider, base.Runs) for provider in providers.values()):
        return []
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    found = f"{free // 1_000_000} MB free in {folder}, and outputs take up to {TOTAL // 1_000_000} MB"
    advice = "" if free >= TOTAL else "Free some space or set TMPDIR to another folder: long outputs get cut."
    return [Check("room for outputs", free >= TOTAL, found, advice)]
