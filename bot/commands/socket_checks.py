"""The check of Socket Mode."""

from datetime import UTC, datetime

from bot.services.checks import STORE_CHECKS, Check
from bot.store import outages
from bot.store.outages import TWICE
from bot.store.store import Store
from bot.support.http import Http
from bot.support.settings import Settings


async def check_others(store: Store, _settings: Settings, _http: Http | None) -> list[Check]:
    """Report another Usher that uses the same app. Raises StoreError."""
    since = (await store.read(outages.list_outages)).get(TWICE)
    if since is None:
        return []
    at = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%d %H:%M UTC")
    found = f"since {at} another Usher has connections with the same app, and answers from its own records"
    return [Check("slack connections", False, found, "Stop it, or give it an app of its own in Slack.")]


STORE_CHECKS[30] = check_others
