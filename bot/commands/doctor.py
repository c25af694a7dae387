"""All the checks run by ``usher doctor``.

The checks change nothing and send nothing to anyone. The exit status is 0 if every check passes, 2 if the
settings are invalid, and 1 otherwise.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Collection, Mapping
from typing import Final

from bot.commands.connection_checks import check_connection, check_page, check_sign_in, check_way_in
from bot.commands.installed_checks import check_listed
from bot.commands.slack_checks import check_assistant, check_clock, check_slack
from bot.commands.store_checks import check_store, find_linked
from bot.domain.transcript import TOTAL
from bot.providers import base, facets
from bot.services.backups import FREE_SPACE_FACTOR
from bot.services.checks import Check, add_trust, format_plain
from bot.support import errors
from bot.support.addresses import PAGE_PROOF, PROOF_PATH, find_local_origin
from bot.support.environment import command
from bot.support.http import Http
from bot.support.settings import Settings
from bot.support.vault import Vault
from bot.support.zones import describe_zones

#: How long, in seconds, ``doctor`` waits for a response from the public address.
_LOOK_SECONDS: Final = 5.0
_CERTIFICATE_ADVICE: Final = "Check the proxy's certificate."
#: If the database's disk has less free space than this, in bytes, ``doctor`` reports it as nearly full. The
#: database's log alone can take a sixth of this space.
MIN_FREE_BYTES: Final = 100_000_000
_FULL_ADVICE: Final = (
    "Make room there, or Usher can't write: `usher docs incidents#the-database-cant-be-written`."
)
_BACKUPS_ADVICE: Final = "Make room there, or use a larger disk: `usher docs operate#backups`."


async def run_checks(
    settings: Settings, http: Http, providers: Mapping[str, base.Provider], wrong: Collection[str] = ()
) -> list[Check]:
    """Run every check that the settings allow. ``wrong`` lists the variables whose values are invalid."""
    checks: list[Check] = []
    if not {"USHER_PUBLIC_URL", "USHER_PAGE_URL", "USHER_ENCRYPTION_KEYS"} & set(wrong):
        checks.append(await check_address(settings, http))
        checks += await check_pages(settings, http, providers)
    if not {"SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"} & set(wrong):
        checks += check_sign_in(settings, providers)
    if not {"SLACK_BOT_TOKEN", "USHER_SLACK_API_URL"} & set(wrong):
        checks += await check_slack(settings, http)
        checks += await check_clock(settings, http)
        checks += check_listed(settings, providers)
        checks += await check_assistant(settings, http)
    linked = await find_linked(settings) if "USHER_DATABASE_URL" not in wrong else ()
    for name, provider in providers.items():
        checks.append(await check_connection(name, provider, is_linked=name in linked))
        checks += await check_page(name, provider)
        if settings.public_url is not None:
            checks += await check_way_in(name, provider, settings.public_url)
    checks += check_spool(providers)
    checks.append(Check("time zones", True, describe_zones()))
    if "USHER_DATABASE_URL" not in wrong:
        checks += check_disks(settings)
        has_keys = "USHER_ENCRYPTION_KEYS" not in wrong
        checks += await check_store(settings, providers, http, has_keys=has_keys)
    return checks


async def check_address(settings: Settings, http: Http) -> Check:
    """Check that the public address leads to this Usher."""
    label, url = "public address", settings.public_url
    if url is None:
        advice = "Set USHER_PUBLIC_URL to the https address that people's browsers reach."
        return Check(label, False, "not set, so nobody can link an account", advice)
    return await _check_at(label, url, settings, http)


async def check_pages(settings: Settings, http: Http, providers: Mapping[str, base.Provider]) -> list[Check]:
    """Check the separate host name for workspace pages. If there is none, warn about vendors' scripts."""
    label, url = "page address", settings.page_url
    if url is not None:
        return [await _check_at(label, url, settings, http, PAGE_PROOF)]
    found = "not set, so the provider's script runs at the public address: it could write cookies there"
    advice = "Set USHER_PAGE_URL to a second host name of this Usher: `usher docs install#two-host-names`."
    needing = any(isinstance(provider, facets.EmbeddedPage) for provider in providers.values())
    return [Check(label, True, found, advice, is_warning=True)] if needing else []


async def _check_at(label: str, url: str, settings: Settings, http: Http, place: str = "") -> Check:
    """Send a request that only this Usher, which has the keys, can answer correctly.

    If nothing responds at the URL, Usher may not have been started yet, so a local address is tried instead.
    """
    here = find_local_origin(settings.host, settings.ports()[0])
    forward = f"Forward it to {here}, with its name as Host: `usher docs install#behind-a-proxy`."
    try:
        if (other := await _find_other_at(url, settings, http, place)) is not None:
            return Check(label, False, f"{url} leads to something else ({other})", forward)
    except errors.UntrustedCertificate as failed:
        return Check(label, False, f"{url}: {format_plain(failed)}", add_trust(_CERTIFICATE_ADVICE, failed))
    except errors.ProviderError as failed:
        found = f"nothing answers at {url} ({format_plain(failed)})"
        try:
            is_here = await _find_other_at(here, settings, http) is None
        except errors.ProviderError:
            is_here = False
        if is_here:
            return Check(label, False, f"{found}, though Usher runs here", forward)
        advice = f"Usher doesn't run on this machine: start it with {command('serve')}, and look again."
        return Check(label, False, found, advice)
    return Check(label, True, f"{url} leads to this Usher")


async def _find_other_at(url: str, settings: Settings, http: Http, place: str = "") -> str | None:
    """Say what else responds at a URL, or return None if it is this Usher. This may raise ProviderError."""
    nonce = secrets.token_hex(16)
    try:
        answer = await http.request("GET", f"{url}{PROOF_PATH}/{nonce}", total=_LOOK_SECONDS)
    except errors.BadAnswer as failed:
        return format_plain(failed)
    if Vault(settings.keys()).is_proof(nonce + place, answer.body.decode(errors="replace")):
        return None
    return format_plain(f"HTTP {answer.status} {answer.headers.get('Server') or ''}".strip())


def check_spool(providers: Mapping[str, base.Provider]) -> list[Check]:
    """Check that there is enough disk space for the output of runs, if any provider has runs."""
    if not any(isinstance(provider, facets.Runs) for provider in providers.values()):
        return []
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    found = f"{free // 1_000_000} MB free in {folder}, and outputs take up to {TOTAL // 1_000_000} MB"
    advice = "" if free >= TOTAL else "Free some space or set TMPDIR to another folder: long outputs get cut."
    return [Check("room for outputs", free >= TOTAL, found, advice)]


def check_disks(settings: Settings, min_free: int = MIN_FREE_BYTES) -> list[Check]:
    """Warn if the disk with the database file, or the one with its nightly copies, is nearly full."""
    places = settings.nightly_backups()
    if places is None:
        return []
    file, folder = (place.absolute() for place in places)
    needed = FREE_SPACE_FACTOR * file.stat().st_size if file.is_file() else 0
    rooms = [("room for the database", file.parent, min_free, _FULL_ADVICE)]
    # The default folder is created next to the database when it is first needed.
    copies = folder if folder.exists() or folder.parent != file.parent else file.parent
    rooms.append(("room for backups", copies, needed, _BACKUPS_ADVICE))
    checks = []
    for label, place, least, advice in rooms:
        # Other checks report a missing folder.
        free = shutil.disk_usage(place).free if place.is_dir() else least
        if free < least:
            found = f"{free // 1_000_000} MB free in {place}, and it takes {least // 1_000_000} MB"
            checks.append(Check(label, False, found, advice))
    return checks
