"""Slack where Usher is installed by OAuth: for each person, the token and the budget of their installation.

What the rows say is kept in memory and read again every two seconds, and sooner where somebody comes from a
place that isn't known yet (``docs/memory.md``). Tokens that expire are replaced by one process at a time,
with the row as the lock (``docs/adr/0033-several-slack-workspaces.md``).
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

import structlog

from bot.domain.models import AuditEntry
from bot.domain.policy import Installation, Installations
from bot.slack.budget import Budget, Room
from bot.slack.calls import APP_SHUT_OUT, NOT_INSTALLED, PacedSlack
from bot.slack.manifest import INSTALL_PATH
from bot.slack.methods import AUTH_TEST, OAUTH_ACCESS, UPLOAD_URL
from bot.support.errors import SecretError, SlackFailed, SlackLimited, SlackPermanent, StoreError
from bot.support.settings import split_names
from bot.support.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bot.domain.models import Installed, Principal
    from bot.slack.calls import SlackAnswer, SlackCaller
    from bot.store.store import Store
    from bot.support.clock import Clock
    from bot.support.settings import Settings

log = structlog.get_logger(__name__)

#: How old what is known of the rows may be, in seconds.
READ_EVERY: Final = 2.0
#: How long before its end a token is replaced, as in Bolt: until then the old one is used if that fails.
EARLY: Final = 7_200.0
#: Slack's codes for a refresh token that it takes no more.
_SPENT: Final = APP_SHUT_OUT | {"invalid_refresh_token"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """Hold a row with its secret opened; the token is "" if no key opens it."""

    row: Installed
    token: str
    refresh: str


class InstalledSlack:
    """Know where Usher is installed, and call Slack there.

    ``client`` is the app's id and secret; ``make`` returns a caller for a token. Where ``listed`` names
    workspaces or organisations, no others are served.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        installations: Installations,
        client: tuple[str, str],
        make: Callable[[str], SlackCaller],
        clock: Clock,
        listed: frozenset[str] = frozenset(),
    ) -> None:
        self._store = store
        self._listed = listed
        self._vault = vault
        self.installations = installations
        self.client = {"client_id": client[0], "client_secret": client[1]}
        self._make = make
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._slacks: dict[str, PacedSlack] = {}
        self._renewing: dict[str, asyncio.Task[None]] = {}
        #: What Slack has given out and no row has yet, by the sealed secret that it replaces.
        self._given: dict[str, tuple[str, float | None]] = {}
        #: The sealed secrets whose refresh token Slack takes no more.
        self._spent: set[str] = set()
        self._read_at = -math.inf

    @classmethod
    async def enter(
        cls, settings: Settings, store: Store, make: Callable[[str], SlackCaller], clock: Clock
    ) -> Self:
        """Learn where Usher is installed, with settings without a bot token. Raises StoreError."""
        secret = settings.slack_client_secret
        client = (settings.slack_client_id or "", secret.get_secret_value() if secret is not None else "")
        installations, listed = Installations(settings.admin_ids()), split_names(settings.slack_workspaces)
        made = cls(store, Vault(settings.keys()), installations, client, make, clock, listed)
        await made.read()
        if not made.all():
            log.info("not installed yet", open=f"{settings.public_url}{INSTALL_PATH}")
        return made

    # -- what the rows say -----------------------------------------------------------------------------------

    async def read(self) -> None:
        """Read the rows. Raises StoreError."""
        self._read_at = self._clock.monotonic()
        rows = [row for row in await self._store.installations() if self._is_listed(row)]
        self._entries = {row.id: self._entry(row) for row in rows}
        self.installations.replace(
            Installation(
                team_id=row.team_id,
                enterprise_id=row.enterprise_id,
                is_org_wide=row.team_id is None,
                administrators=self.installations.administrators,
                team_name=row.team_name,
                bot_user_id=row.bot_user_id,
                bot_id=row.bot_id,
                bot_name=row.bot_name,
            )
            for row in rows
        )
        for name in self._slacks.keys() - self._entries.keys():
            del self._slacks[name]
        self._spent &= {row.secret for row in rows}

    async def read_again(self) -> None:
        """Read the rows if that is due; what can't be read is read at the next tick."""
        try:
            for row in [one.row for one in self._entries.values() if one.row.secret in self._given]:
                await self._write(row)
            await self.read()
        except StoreError as error:
            log.warning("installations not read", problem=type(error).__name__)

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return the installation that a request is for; look once more if it may be a new one."""
        found = self.installations.of(enterprise_id, team_id)
        if found is None and self._clock.monotonic() - self._read_at >= 1.0:
            await self.read_again()
            found = self.installations.of(enterprise_id, team_id)
        return found

    def _is_listed(self, row: Installed) -> bool:
        """Return whether the operator lets people of a workspace use Usher, or all of its organisation."""
        return not self._listed or bool(self._listed & {row.id, row.enterprise_id})

    def _entry(self, row: Installed) -> _Entry:
        known = self._entries.get(row.id)
        if known is not None and known.row.secret == row.secret:
            return _Entry(row, known.token, known.refresh)
        try:
            secret = self._vault.open(row.row_key, row.secret)
        except SecretError:
            log.warning("token not opened", installation=row.id)
            return _Entry(row, "", "")
        return _Entry(row, secret["token"], secret.get("refresh", ""))

    # -- calls -----------------------------------------------------------------------------------------------

    def to(self, principal: Principal) -> PacedSlack:
        """Return what calls Slack where a person is; nothing is sent where Usher isn't installed."""
        return self._at(self.installations.at(principal))

    def all(self) -> list[PacedSlack]:
        """Return what calls Slack, for each installation."""
        return [self._at(one) for one in self.installations]

    async def room(self, method: str) -> Room:  # noqa: ARG002 - as ``PacedSlack`` has it
        """Return room without end: each workspace has its own, and what finds none there is put back."""
        return Room(None, 0)

    @property
    def is_shut(self) -> bool:
        """Return False: each workspace is shut by itself."""
        return False

    @property
    def shut_out(self) -> str | None:
        """Return why nothing can be sent anywhere; None if something can, or nothing is installed."""
        codes = [slack.shut_out for slack in self._slacks.values()]
        return codes[0] if codes and all(codes) else None

    def _at(self, installation: Installation) -> PacedSlack:
        name = installation.id
        found = self._slacks.get(name)
        if found is None:
            caller = _Caller(self, self._make, name)
            found = PacedSlack(caller, Budget(self._store, installation), self._clock)
            if name in self._entries:
                self._slacks[name] = found
            else:
                found.shut(NOT_INSTALLED)
        return found

    # -- tokens ----------------------------------------------------------------------------------------------

    def held(self, name: str) -> str:
        """Return a token without asking anybody; "" without one."""
        entry = self._entries.get(name)
        return entry.token if entry is not None else ""

    async def token(self, name: str) -> str:
        """Return a valid token, replaced in time.

        Raises SlackLimited if there is none now, and SlackPermanent if there won't be one.
        """
        entry = self._entries.get(name)
        if entry is None or not entry.token:
            raise SlackPermanent(OAUTH_ACCESS, NOT_INSTALLED if entry is None else "not_authed")
        expires_at = entry.row.expires_at
        if expires_at is None:
            return entry.token
        left = expires_at - await self._store.now()
        if left > EARLY or not entry.refresh:
            return entry.token
        is_first = name not in self._renewing
        renewing = self._renew(entry)
        if left > 0 and not is_first:
            return entry.token
        # A call that is given up doesn't end what others wait for, and what Slack gave out would be lost.
        await asyncio.shield(renewing)
        fresh = self._entries.get(name, entry)
        if fresh.token == entry.token and left <= 0:
            if entry.row.secret in self._spent:
                raise SlackPermanent(OAUTH_ACCESS, "token_expired")
            # Somebody else is replacing it, or Slack didn't answer.
            raise SlackLimited(OAUTH_ACCESS, 1.0)
        return fresh.token

    async def other_than(self, name: str, token: str, code: str) -> str | None:
        """Return the token in place of one that Slack refused with a code; None if there is no other."""
        await self.read_again()
        entry = self._entries.get(name)
        if entry is not None and entry.token == token and entry.refresh and code == "token_expired":
            await asyncio.shield(self._renew(entry))
            entry = self._entries.get(name)
        return entry.token if entry is not None and entry.token != token else None

    def _renew(self, entry: _Entry) -> asyncio.Task[None]:
        """Replace a token, in one task for all who want it."""
        name = entry.row.id
        if name not in self._renewing:
            task = asyncio.create_task(self._renewed(entry), name=f"token {name}")
            task.add_done_callback(lambda _: self._renewing.pop(name, None))
            self._renewing[name] = task
        return self._renewing[name]

    async def _renewed(self, entry: _Entry) -> None:
        row = entry.row
        if row.secret in self._spent:
            return
        try:
            if row.secret not in self._given and await self._store.claim_renewal(row.id, row.secret):
                asked = {**self.client, "grant_type": "refresh_token", "refresh_token": entry.refresh}
                answer = await self._make("").call(OAUTH_ACCESS, asked)
                sealed = self._vault.seal(row.row_key, secret_of(answer.data))
                self._given[row.secret] = sealed, lasts(answer.data)
            await self._write(row)
            await self.read()
        except (SlackFailed, StoreError, KeyError) as error:
            if isinstance(error, SlackFailed) and error.code in _SPENT:
                self._spent.add(row.secret)
            # Otherwise it is tried again when the claim has ended.
            log.warning("token not replaced", installation=row.id, problem=str(error))

    async def _write(self, row: Installed) -> None:
        """Write what Slack has given out; without the database it waits here, as Slack gives it out once."""
        given = self._given.get(row.secret)
        if given is not None:
            await self._store.renew_installation(row.id, row.secret, *given)
            self._given.pop(row.secret, None)
            log.info("token replaced", installation=row.id)

    async def exchange(self, code: str, redirect_uri: str) -> tuple[Mapping[str, Any], Installation]:
        """Return what Slack has granted for a code, and who the bot is with it. Raises SlackFailed."""
        asked = {**self.client, "code": code, "redirect_uri": redirect_uri}
        granted = (await self._make("").call(OAUTH_ACCESS, asked)).data
        token = str(granted.get("access_token") or "")
        return granted, Installation.from_auth_test((await self._make(token).call(AUTH_TEST, {})).data)

    async def install(self, made: Installed, secret: Mapping[str, str]) -> str:
        """Write an installation; return as ``bot.store.installations.install`` does. Raises StoreError.

        "unlisted": the operator doesn't serve that workspace, and nothing was written.
        """
        if not self._is_listed(made):
            return "unlisted"
        row = replace(made, secret=self._vault.seal(made.row_key, secret))
        detail = {"workspace": row.team_name, "covers": "workspace" if row.team_id else "enterprise"}
        entry = AuditEntry(f"{row.id}:{row.installed_by}", "slack.installed", row.id, "ok", detail)
        result = await self._store.install(row, [entry])
        await self.read()
        return result

    async def is_gone(self, installation: Installation) -> Installed | None:
        """Return the row whose token Slack takes no more; None if it does. Raises SlackFailed otherwise.

        What says that Usher was removed may be late, and Usher installed again.
        """
        entry = self._entries.get(installation.id)
        if entry is None:
            return None
        try:
            await self._make(entry.token).call(AUTH_TEST, {})
        except SlackPermanent as error:
            if error.code not in APP_SHUT_OUT:
                raise
            # One that has only expired is replaced, where Usher wasn't removed.
            fresh = await self.other_than(installation.id, entry.token, error.code)
            is_open = error.code == "token_expired" and bool(entry.refresh)
            if fresh is None and is_open and entry.row.secret not in self._spent:
                raise SlackLimited(OAUTH_ACCESS, 1.0) from None
            return entry.row if fresh is None else None
        return None

    async def forget(self, gone: Installed) -> None:
        """Forget a token that Slack took back, unless it was replaced meanwhile. Raises StoreError."""
        entry = AuditEntry("slack", "slack.removed", gone.id, "ok", {"workspace": gone.team_name})
        await self._store.remove_installation(gone.id, gone.secret, [entry])
        await self.read()

    async def close(self) -> None:
        """Wait for tokens that are being replaced: what Slack has given out must be written."""
        await asyncio.gather(*self._renewing.values(), return_exceptions=True)
        if self._given:
            await self.read_again()


class _Caller:
    """Call Slack with whatever token an installation has by now."""

    def __init__(self, slack: InstalledSlack, make: Callable[[str], SlackCaller], name: str) -> None:
        self._slack = slack
        self._make = make
        self._name = name
        self._made: tuple[str, SlackCaller] | None = None

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        """Call a method; once more if the token was replaced meanwhile."""
        token = await self._slack.token(self._name)
        try:
            return await self._with(token).call(method, arguments)
        except SlackPermanent as error:
            if error.code not in APP_SHUT_OUT:
                raise
            other = await self._slack.other_than(self._name, token, error.code)
            if other is None:
                raise
        return await self._with(other).call(method, arguments)

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Upload a file's bytes: the address alone grants it."""
        token = self._slack.held(self._name)
        if not token:
            raise SlackPermanent(UPLOAD_URL, NOT_INSTALLED)
        await self._with(token).upload(url, pieces, size)

    def _with(self, token: str) -> SlackCaller:
        if self._made is None or self._made[0] != token:
            self._made = token, self._make(token)
        return self._made[1]


def secret_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return what is sealed of an answer that brings a token; raises KeyError if it brings none."""
    token = answer["access_token"]
    if answer.get("token_type", "bot") != "bot" or not isinstance(token, str) or not token:
        raise KeyError("access_token")
    refresh = answer.get("refresh_token")
    return {"token": token, **({"refresh": refresh} if isinstance(refresh, str) and refresh else {})}


def lasts(answer: Mapping[str, Any]) -> float | None:
    """Return for how many seconds a token is valid; None without an end."""
    seconds = answer.get("expires_in")
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None
