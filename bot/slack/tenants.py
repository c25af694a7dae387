"""The installations whose requests Usher serves, and their tokens."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

import structlog
from pydantic import SecretStr

from bot.domain.installations import AnyInstallation, Installation
from bot.slack.calls import Budget, PacedSlack, SlackCaller, check_token, is_channel
from bot.slack.installed import AnySlack, InstalledSlack
from bot.slack.methods import AUTH_TEST
from bot.store import installations
from bot.store.store import Store
from bot.support.clock import Clock
from bot.support.errors import SlackFailed
from bot.support.settings import Settings

log = structlog.get_logger(__name__)


class OneTenant:
    """The only installation, whose bot token is in the settings. ``caller`` calls Slack with that token."""

    def __init__(self, installation: Installation, bot_token: SecretStr, caller: SlackCaller) -> None:
        self._installation = installation
        self._token = bot_token.get_secret_value()
        self._caller = caller

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return the only installation if the team belongs to it, otherwise None."""
        return self._installation.find_for_team(enterprise_id, team_id)

    def token_of(self, name: str) -> str:  # noqa: ARG002 - as ``InstalledSlack`` has it
        """Return the bot token, because there is no other."""
        return self._token

    async def find_refused_token(self, installation: Installation) -> str | None:  # noqa: ARG002 - as ``Tenants``
        """Return the token if Slack no longer accepts it, otherwise None. Raises SlackFailed."""
        return None if await check_token(self._caller) is None else self._token

    async def forget_token(self, installation: Installation, refused: str) -> None:
        """Do nothing, because the token is in the settings, where only an operator can replace it."""

    async def has_channel(self, installation: Installation, channel: str, ts: str) -> bool:  # noqa: ARG002
        """Return whether Slack knows a channel id. Raise SlackFailed if Slack can't be reached."""
        return await is_channel(self._caller, channel, ts)


class SlackSetup(NamedTuple):
    """The installations, their tokens and the clients. ``by_oauth`` is None with a bot token."""

    installation: AnyInstallation
    tenants: OneTenant | InstalledSlack
    slack: AnySlack
    by_oauth: InstalledSlack | None = None


async def set_up_slack(
    settings: Settings, store: Store, make: Callable[[str], SlackCaller], clock: Clock
) -> SlackSetup:
    """Ask Slack which installation the bot token belongs to, or read the OAuth installations.

    Slack's response is stored with the token's digest, for later starts at which Slack doesn't respond or
    refuses the token. People's keys keep the enterprise of the first response, whatever Slack says later.
    ``make`` returns a client for a token. Raises StoreError, and SlackFailed if no response is stored.
    """
    if settings.slack_bot_token is None:
        installed = await InstalledSlack.enter(settings, store, make, clock)
        return SlackSetup(installed.installations, installed, installed, installed)
    token, administrators = settings.slack_bot_token, settings.admin_ids() | settings.global_admin_ids()
    caller = make(token.get_secret_value())
    digest = hashlib.sha256(token.get_secret_value().encode()).hexdigest()
    try:
        identity = (await caller.call(AUTH_TEST, {})).data
        problem = ""
    except SlackFailed as error:
        stored = await store.read(installations.find_identity, digest)
        if stored is None:
            raise
        identity, problem = stored, error.code
    installation = Installation.from_auth_test(identity, administrators)
    enterprise_id = await store.write(installations.keep_place, installation.id, installation.enterprise_id)
    others = await store.read(installations.find_other_enterprises, installation.id, enterprise_id)
    installation = replace(installation, enterprise_id=enterprise_id, other_enterprises=others)
    if not problem:
        await store.write(installations.save_identity, digest, identity)
    slack = PacedSlack(caller, Budget(store, installation), clock)
    if problem:
        log.warning("started without slack", problem=problem)
        # This call will fail, which records that nothing can be sent.
        with suppress(SlackFailed):
            await slack.call(AUTH_TEST, {})
    return SlackSetup(installation, OneTenant(installation, token, caller), slack)
