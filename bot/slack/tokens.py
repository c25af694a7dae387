"""The bot tokens of installations.

Each token is replaced before it expires, by a single process that uses the token's row as a lock.
"""

import asyncio
import contextvars
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import structlog

from bot.domain.installations import Installed
from bot.domain.notices import NewNotice
from bot.slack.calls import NOT_INSTALLED_CODE, SlackCaller
from bot.slack.errors import Meaning, classify
from bot.slack.methods import OAUTH_ACCESS
from bot.store import installations
from bot.store.store import Store
from bot.support.errors import SecretError, SlackFailed, SlackLimited, SlackPermanent, StoreError
from bot.support.settings.core import ANY_WORKSPACE
from bot.support.vault import Vault

log = structlog.get_logger(__name__)


#: A token that is used within this many seconds of its expiry is replaced.
REPLACE_EARLY_SECONDS: Final = 7_200.0


class OpenedInstallation(NamedTuple):
    """An installation's row with its decrypted secret. The token is "" if no key can decrypt it."""

    row: Installed
    token: str
    refresh: str


class InstallationTokens:
    """The token of each installation. ``client`` is the app's id and secret, and ``make`` returns a client.

    Rows of workspaces and organisations that aren't ``listed`` are ignored. A refresh token is lost if Slack
    has replaced it but Usher never stored the new one. ``lost`` returns the notices that report the loss.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        client: tuple[str, str],
        make: Callable[[str], SlackCaller],
        listed: frozenset[str],
        lost: Callable[[Installed], Sequence[NewNotice]],
    ) -> None:
        self._store = store
        self._vault = vault
        self.client = {"client_id": client[0], "client_secret": client[1]}
        self._make = make
        self.listed = listed
        self._lost = lost
        self._opened: dict[str, OpenedInstallation] = {}
        self._renewing: dict[str, asyncio.Task[None]] = {}
        #: Issued tokens that haven't been stored yet, keyed by the encrypted secret that each of them
        #: replaces.
        self._unwritten: dict[str, tuple[str, float | None]] = {}
        #: Encrypted secrets that Slack refused to rotate because the app is locked out of the Slack
        #: workspace.
        self._lockouts: set[str] = set()

    async def read(self) -> list[Installed]:
        """Read and return the rows. Raise StoreError if that fails."""
        rows = [
            row
            for row in await self._store.read(installations.list_installations)
            if is_listed(row, self.listed)
        ]
        self._opened = {row.id: self._open_row(row) for row in rows}
        self._lockouts &= {row.secret for row in rows}
        return rows

    async def write(self) -> None:
        """Write issued tokens that couldn't be written earlier. Raise StoreError if that fails again."""
        for row in [entry.row for entry in self._opened.values() if entry.row.secret in self._unwritten]:
            await self._write(row)

    def _open_row(self, row: Installed) -> OpenedInstallation:
        opened = self._opened.get(row.id)
        if opened is not None and opened.row.secret == row.secret:
            return OpenedInstallation(row, opened.token, opened.refresh)
        try:
            secret = self._vault.open(row.row_key, row.secret)
        except SecretError:
            log.warning("token not opened", installation=row.id)
            return OpenedInstallation(row, "", "")
        return OpenedInstallation(row, secret["token"], secret.get("refresh", ""))

    def find_opened(self, name: str) -> OpenedInstallation | None:
        """Return an installation's row with its token, or None if there is no such row."""
        return self._opened.get(name)

    def token_of(self, name: str) -> str:
        """Return an installation's stored token, or "" if there is none."""
        entry = self._opened.get(name)
        return entry.token if entry is not None else ""

    async def get_valid_token(self, name: str) -> str:
        """Return a valid token, and start replacing it if it expires soon.

        Raises SlackLimited if there is no valid token right now, and SlackPermanent if there won't be one.
        """
        entry = self._opened.get(name)
        if entry is None or not entry.token:
            raise SlackPermanent(OAUTH_ACCESS, NOT_INSTALLED_CODE if entry is None else "not_authed")
        expires_at = entry.row.expires_at
        if expires_at is None:
            return entry.token
        seconds_left = expires_at - await self._store.now()
        if seconds_left > REPLACE_EARLY_SECONDS or not entry.refresh:
            return entry.token
        is_first = name not in self._renewing
        renewing = self._start_renewal(entry)
        if seconds_left > 0 and not is_first:
            return entry.token
        # Other calls are waiting for the new token, too, so cancelling this call must not cancel the task.
        await asyncio.shield(renewing)
        fresh = self._opened.get(name, entry)
        if fresh.token == entry.token and seconds_left <= 0:
            if fresh.row.lost_at is not None or fresh.row.secret in self._lockouts:
                # SlackLimited would also delay messages to people in other workspaces.
                raise SlackPermanent(OAUTH_ACCESS, "token_expired")
            # Another process is replacing the token, or Slack hasn't responded.
            raise SlackLimited(OAUTH_ACCESS, 1.0)
        return fresh.token

    async def find_replacement_token(self, name: str, token: str, code: str) -> str | None:
        """Return the replacement for a token that Slack refused with this code, or None if there is none."""
        entry = self._opened.get(name)
        if entry is not None and entry.token == token and entry.refresh and code == "token_expired":
            await asyncio.shield(self._start_renewal(entry))
            entry = self._opened.get(name)
        return entry.token if entry is not None and entry.token != token else None

    def _start_renewal(self, entry: OpenedInstallation) -> asyncio.Task[None]:
        """Return the task that replaces a token, shared by all calls that wait for the new token."""
        name = entry.row.id
        if name not in self._renewing:
            # The task gets a context of its own, so that the deadline of the first caller's request doesn't
            # apply to it.
            context = contextvars.Context()
            task = asyncio.create_task(self._replace_token(entry), name=f"token {name}", context=context)
            task.add_done_callback(lambda _: self._renewing.pop(name, None))
            self._renewing[name] = task
        return self._renewing[name]

    async def _replace_token(self, entry: OpenedInstallation) -> None:
        row = entry.row
        if row.lost_at is not None:
            return
        try:
            if row.secret not in self._unwritten and await self._store.write(
                installations.claim_renewal, row.id, row.secret
            ):
                arguments = {**self.client, "grant_type": "refresh_token", "refresh_token": entry.refresh}
                answer = await self._make("").call(OAUTH_ACCESS, arguments)
                self._lockouts.discard(row.secret)
                sealed = self._vault.seal(row.row_key, read_secret(answer.data))
                self._unwritten[row.secret] = sealed, read_lifetime(answer.data)
            await self._write(row)
            await self.read()
        except (SlackFailed, StoreError, KeyError) as error:
            # Unless the token is lost, Usher tries again once the claim has ended.
            log.warning("token not replaced", installation=row.id, problem=str(error))
            if isinstance(error, SlackFailed) and classify(error).is_shut_out:
                self._lockouts.add(row.secret)
            # Slack no longer accepts the refresh token. Any other refusal may be temporary.
            if isinstance(error, SlackFailed) and classify(error) is Meaning.TOKEN:
                await self._record_lost(row)

    async def _record_lost(self, row: Installed) -> None:
        log.error("token lost: Usher has to be installed there again", installation=row.id)
        try:
            await self._store.write(installations.lose_token, row.id, row.secret, self._lost(row))
            await self.read()
        except StoreError as error:
            log.warning("lost token not noted", installation=row.id, problem=error)

    async def _write(self, row: Installed) -> None:
        """Store an issued token. If the database fails, keep it in memory: Slack issues it only once."""
        made = self._unwritten.get(row.secret)
        if made is not None:
            await self._store.write(installations.renew_installation, row.id, row.secret, *made)
            self._unwritten.pop(row.secret, None)
            log.info("token replaced", installation=row.id)

    async def close(self) -> None:
        """Wait for token replacements in progress, and store the tokens that they yield."""
        await asyncio.gather(*self._renewing.values(), return_exceptions=True)
        try:
            await self.write()
        except StoreError as error:
            log.warning("tokens not written", problem=error)


def is_listed(row: Installed, listed: Collection[str]) -> bool:
    """Return whether the operator lets members of a workspace, or of its organisation, use Usher."""
    return bool({ANY_WORKSPACE, row.id, row.organisation_id} & set(listed))


def read_secret(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the secret in a response that issues a token. Raise KeyError if the response issues none."""
    token = answer["access_token"]
    if answer.get("token_type", "bot") != "bot" or not isinstance(token, str) or not token:
        raise KeyError("access_token")
    refresh = answer.get("refresh_token")
    return {"token": token, **({"refresh": refresh} if isinstance(refresh, str) and refresh else {})}


def read_lifetime(answer: Mapping[str, Any]) -> float | None:
    """Return how long a token is valid, in seconds, or None if it doesn't expire."""
    seconds = answer.get("expires_in")
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None
