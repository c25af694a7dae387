"""Slack where Usher is installed: whose requests are served, and with which token and budget it is called.

What the rows say is kept in memory and read again every two seconds, and sooner where somebody comes from a
place that isn't known yet (``docs/memory.md``, ``docs/adr/0033-several-slack-workspaces.md``). One process
at a time replaces a token before it expires, with the row as the lock.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, Self

import structlog
from pydantic import SecretStr

from bot.domain.audit import AuditEntry
from bot.domain.installations import AnyInstallation, Installation, Installations, Installed
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.outages import SLACK
from bot.domain.people import Principal
from bot.services.answering import Answering
from bot.slack.calls import (
    APPS_UNINSTALL,
    AUTH_REVOKE,
    AUTH_TEST,
    NOT_INSTALLED,
    OAUTH_ACCESS,
    UPLOAD_URL,
    AnySlack,
    Budget,
    Meaning,
    PacedSlack,
    SlackAnswer,
    SlackCaller,
    meaning,
)
from bot.slack.manifest import INSTALL_PATH
from bot.store.budget import ENDLESS, Room
from bot.store.store import Store
from bot.support.clock import Clock
from bot.support.errors import SecretError, SlackFailed, SlackLimited, SlackPermanent, StoreError
from bot.support.settings import ANY_WORKSPACE, Settings
from bot.support.vault import Vault

log = structlog.get_logger(__name__)


#: How old what is known of the rows may be, in seconds.
READ_EVERY: Final = 2.0
#: For how many seconds a team that isn't known isn't looked for again, and how many of them are remembered.
UNKNOWN_SECONDS: Final = 5.0
MOST_UNKNOWN: Final = 1_000


class InstalledSlack:
    """Know where Usher is installed, and call Slack there.

    ``client`` is the app's id and secret; ``make`` returns a caller for a token. No other workspaces and
    organisations than those ``listed`` are served. ``page`` is where it is installed.
    """

    def __init__(
        self,
        store: Store,
        vault: Vault,
        installations: Installations,
        client: tuple[str, str],
        make: Callable[[str], SlackCaller],
        clock: Clock,
        listed: frozenset[str] = frozenset({ANY_WORKSPACE}),
        page: str = "",
    ) -> None:
        self._store = store
        self._vault = vault
        self.installations = installations
        self.tokens = Tokens(store, vault, client, make, listed, self._lost)
        self._page = page
        self._make = make
        self._clock = clock
        self._slacks: dict[str, PacedSlack] = {}
        self.answering = Answering(SLACK)
        #: Until when teams are known to be strangers', by our own clock.
        self._unknown: dict[tuple[str | None, str | None], float] = {}

    @classmethod
    async def enter(
        cls, settings: Settings, store: Store, make: Callable[[str], SlackCaller], clock: Clock
    ) -> Self:
        """Learn where Usher is installed, with settings without a bot token. Raises StoreError."""
        secret = settings.slack_client_secret
        client = (settings.slack_client_id or "", secret.get_secret_value() if secret is not None else "")
        installations = Installations(settings.admin_ids(), settings.global_admin_ids())
        listed = settings.workspace_ids()
        if ANY_WORKSPACE in listed:
            log.warning("any Slack workspace may install Usher", setting="USHER_SLACK_WORKSPACES")
        page = f"{settings.public_url}{INSTALL_PATH}"
        made = cls(store, Vault(settings.keys()), installations, client, make, clock, listed, page)
        await made.read()
        if not made.all():
            log.info("not installed yet", open=page)
        return made

    # -- what the rows say -----------------------------------------------------------------------------------

    async def read(self) -> None:
        """Read the rows. Raises StoreError."""
        rows = await self.tokens.read()
        self.installations.replace(
            Installation(
                team_id=row.team_id,
                enterprise_id=row.enterprise_id,
                is_org_wide=row.team_id is None,
                team_name=row.team_name,
                bot_user_id=row.bot_user_id,
                bot_id=row.bot_id,
                bot_name=row.bot_name,
            )
            for row in rows
        )
        for name in self._slacks.keys() - {row.id for row in rows}:
            del self._slacks[name]

    async def read_again(self) -> None:
        """Read the rows if that is due; what can't be read is read at the next tick."""
        try:
            await self.tokens.write()
            await self.read()
        except StoreError as error:
            log.warning("installations not read", problem=error)

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return the installation that a request is for; look again if it may be a new one."""
        found, asked = self.installations.of(enterprise_id, team_id), (enterprise_id, team_id)
        now = self._clock.monotonic()
        if found is None and self._unknown.get(asked, now) <= now:
            await self.read_again()
            found = self.installations.of(enterprise_id, team_id)
            if found is None:
                # The rows aren't read again for it for a while; a new one is read meanwhile.
                if len(self._unknown) >= MOST_UNKNOWN:
                    self._unknown.clear()
                self._unknown[asked] = now + UNKNOWN_SECONDS
        return found

    # -- calls -----------------------------------------------------------------------------------------------

    def to(self, principal: Principal) -> PacedSlack:
        """Return what calls Slack where a person is; nothing is sent where Usher isn't installed."""
        return self._at(self.installations.at(principal))

    def all(self) -> list[PacedSlack]:
        """Return what calls Slack, for each installation."""
        return [self._at(one) for one in self.installations]

    def room(self, method: str) -> Room:  # noqa: ARG002 - as ``PacedSlack`` has it
        """Return room without end: each workspace has its own, and what finds none there is put back."""
        return ENDLESS

    @property
    def is_shut(self) -> bool:
        """Return False: each workspace is shut by itself."""
        return False

    @property
    def shut_out(self) -> str | None:
        """Return why nothing can be sent anywhere; None if something can, or nothing is installed."""
        codes = [slack.shut_out for slack in self._slacks.values()]
        return codes[0] if codes and all(codes) else None

    def token_of(self, name: str) -> str:
        """Return a token without asking anybody; "" without one."""
        return self.tokens.token_of(name)

    async def other_than(self, name: str, token: str, code: str) -> str | None:
        """Return the token in place of one that Slack refused with a code; None if there is no other."""
        await self.read_again()
        return await self.tokens.other_than(name, token, code)

    def _at(self, installation: Installation) -> PacedSlack:
        name = installation.id
        found = self._slacks.get(name)
        if found is None:
            caller = _Caller(self, self._make, name)
            budget = Budget(self._store, installation)
            found = PacedSlack(caller, budget, self._clock, caller.prepare, self.answering)
            if self.tokens.entry(name) is None:
                found.shut(NOT_INSTALLED)
            else:
                self._slacks[name] = found
        return found

    # -- installing, and removing ---------------------------------------------------------------------------

    async def exchange(self, code: str, redirect_uri: str) -> tuple[Mapping[str, Any], Installation]:
        """Return what Slack has granted for a code, and who the bot is with it. Raises SlackFailed."""
        asked = {**self.tokens.client, "code": code, "redirect_uri": redirect_uri}
        granted = (await self._make("").call(OAUTH_ACCESS, asked)).data
        token = str(granted.get("access_token") or "")
        return granted, Installation.from_auth_test((await self._make(token).call(AUTH_TEST, {})).data)

    async def install(self, made: Installed, secret: Mapping[str, str]) -> str:
        """Write an installation; return as ``bot.store.installations.install`` does. Raises StoreError.

        "unlisted": the operator doesn't serve that workspace, and Usher was removed from it again.
        """
        if not is_listed(made, self.tokens.listed):
            await self._remove(made, secret["token"])
            return "unlisted"
        row = replace(made, secret=self._vault.seal(made.row_key, secret))
        detail = {"workspace": row.team_name, "covers": "workspace" if row.team_id else "enterprise"}
        entry = AuditEntry(f"{row.id}:{row.installed_by}", "slack.installed", row.id, "ok", detail)
        result = await self._store.install(row, [entry])
        await self.read()
        return result

    async def _remove(self, made: Installed, token: str) -> None:
        """Uninstall Usher where it isn't served; where Slack refuses that, have the token revoked."""
        caller, refused = self._make(token), []
        for method, arguments in ((APPS_UNINSTALL, self.tokens.client), (AUTH_REVOKE, {})):
            try:
                await caller.call(method, arguments)
                break
            except SlackFailed as error:
                refused.append(error.code)
                log.warning("workspace not listed", installation=made.id, method=method, problem=error.code)
        detail = {"rule": "unlisted", "workspace": made.team_name, "slack": ", ".join(refused) or "ok"}
        actor = f"{made.id}:{made.installed_by}"
        await self._store.append_audit([AuditEntry(actor, "slack.installed", made.id, "refused", detail)])

    def _lost(self, row: Installed) -> list[NewNotice]:
        """Return what its installer and its administrators read: until it expires, the token sends."""
        installer = Principal(row.enterprise_id, row.team_id or row.id, row.installed_by)
        people = [self.installations.who(installer)] if row.installed_by else []

        def is_there(one: Principal) -> bool:
            return self.installations.at(one).id == row.id

        body = {
            "what": "token",
            "place": row.team_name or row.id,
            "until": row.expires_at,
            "page": self._page,
        }
        return [
            NewNotice(f"token:{row.id}:{one.key}", NoticeKind.OUTAGE, f"lost:{row.expires_at}", one, body)
            for one in dict.fromkeys([*people, *self.installations.administrators_of(is_there)])
        ]

    async def is_gone(self, installation: Installation) -> Installed | None:
        """Return the row whose token Slack takes no more; None if it does. Raises SlackFailed otherwise.

        What says that Usher was removed may be late, and Usher installed again.
        """
        entry = self.tokens.entry(installation.id)
        if entry is None:
            return None
        try:
            await self._make(entry.token).call(AUTH_TEST, {})
        except SlackPermanent as error:
            if meaning(error) is not Meaning.TOKEN:
                raise
            # One that has only expired is replaced, where Usher wasn't removed.
            fresh = await self.other_than(installation.id, entry.token, error.code)
            if fresh is None and error.code == "token_expired" and self.tokens.can_replace(entry):
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
        await self.tokens.close()


class _Caller:
    """Call Slack with whatever token an installation has by now."""

    def __init__(self, slack: InstalledSlack, make: Callable[[str], SlackCaller], name: str) -> None:
        self._slack = slack
        self._make = make
        self._name = name
        self._made: tuple[str, SlackCaller] | None = None

    async def prepare(self) -> None:
        """Have a valid token, which may have to be replaced first."""
        await self._slack.tokens.token(self._name)

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        """Call a method; once more if the token was replaced meanwhile."""
        token = await self._slack.tokens.token(self._name)
        try:
            return await self._with(token).call(method, arguments)
        except SlackPermanent as error:
            if not meaning(error).is_shut_out:
                raise
            other = await self._slack.other_than(self._name, token, error.code)
            if other is None:
                raise
        return await self._with(other).call(method, arguments)

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Upload a file's bytes: the address alone grants it."""
        token = self._slack.token_of(self._name)
        if not token:
            raise SlackPermanent(UPLOAD_URL, NOT_INSTALLED)
        await self._with(token).upload(url, pieces, size)

    def _with(self, token: str) -> SlackCaller:
        if self._made is None or self._made[0] != token:
            self._made = token, self._make(token)
        return self._made[1]


#: How long before its end a token is replaced, as in Bolt: until then the old one is used if that fails.
EARLY: Final = 7_200.0


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold a row with its secret opened; the token is "" if no key opens it."""

    row: Installed
    token: str
    refresh: str


class Tokens:
    """Hold the token of each installation. ``client`` is the app's id and secret; ``make`` returns a caller.

    Only rows of workspaces and organisations that are ``listed`` count. ``lost`` returns what to say where
    Slack takes a refresh token no more: it has given out the next one, which was lost.
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
        self._entries: dict[str, Entry] = {}
        self._renewing: dict[str, asyncio.Task[None]] = {}
        #: What Slack has given out and no row has yet, by the sealed secret that it replaces.
        self._unwritten: dict[str, tuple[str, float | None]] = {}
        #: The sealed secrets that Slack, when last asked, didn't replace because it shuts the app out there.
        self._shut: set[str] = set()

    async def read(self) -> list[Installed]:
        """Read the rows and return them. Raises StoreError."""
        rows = [row for row in await self._store.installations() if is_listed(row, self.listed)]
        self._entries = {row.id: self._entry(row) for row in rows}
        self._shut &= {row.secret for row in rows}
        return rows

    async def write(self) -> None:
        """Write what Slack has given out and couldn't be written so far. Raises StoreError."""
        for row in [one.row for one in self._entries.values() if one.row.secret in self._unwritten]:
            await self._write(row)

    def _entry(self, row: Installed) -> Entry:
        known = self._entries.get(row.id)
        if known is not None and known.row.secret == row.secret:
            return Entry(row, known.token, known.refresh)
        try:
            secret = self._vault.open(row.row_key, row.secret)
        except SecretError:
            log.warning("token not opened", installation=row.id)
            return Entry(row, "", "")
        return Entry(row, secret["token"], secret.get("refresh", ""))

    def entry(self, name: str) -> Entry | None:
        """Return the row of an installation with its token; None if there is none."""
        return self._entries.get(name)

    def can_replace(self, entry: Entry) -> bool:
        """Return whether Slack may still replace a token."""
        return bool(entry.refresh) and entry.row.lost_at is None

    def token_of(self, name: str) -> str:
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
            if fresh.row.lost_at is not None or fresh.row.secret in self._shut:
                # Not a pause, which would have everybody else's people wait for this workspace.
                raise SlackPermanent(OAUTH_ACCESS, "token_expired")
            # Somebody else is replacing it, or Slack didn't answer.
            raise SlackLimited(OAUTH_ACCESS, 1.0)
        return fresh.token

    async def other_than(self, name: str, token: str, code: str) -> str | None:
        """Return the token in place of one that Slack refused with a code; None if there is no other."""
        entry = self._entries.get(name)
        if entry is not None and entry.token == token and entry.refresh and code == "token_expired":
            await asyncio.shield(self._renew(entry))
            entry = self._entries.get(name)
        return entry.token if entry is not None and entry.token != token else None

    def _renew(self, entry: Entry) -> asyncio.Task[None]:
        """Replace a token, in one task for all who want it."""
        name = entry.row.id
        if name not in self._renewing:
            # Apart from the call that needs it, and from the moment by which that has to leave.
            apart = contextvars.Context()
            task = asyncio.create_task(self._renewed(entry), name=f"token {name}", context=apart)
            task.add_done_callback(lambda _: self._renewing.pop(name, None))
            self._renewing[name] = task
        return self._renewing[name]

    async def _renewed(self, entry: Entry) -> None:
        row = entry.row
        if row.lost_at is not None:
            return
        try:
            if row.secret not in self._unwritten and await self._store.claim_renewal(row.id, row.secret):
                asked = {**self.client, "grant_type": "refresh_token", "refresh_token": entry.refresh}
                answer = await self._make("").call(OAUTH_ACCESS, asked)
                self._shut.discard(row.secret)
                sealed = self._vault.seal(row.row_key, secret_of(answer.data))
                self._unwritten[row.secret] = sealed, lasts(answer.data)
            await self._write(row)
            await self.read()
        except (SlackFailed, StoreError, KeyError) as error:
            # It is tried again when the claim has ended, unless it is lost.
            log.warning("token not replaced", installation=row.id, problem=str(error))
            if isinstance(error, SlackFailed) and meaning(error).is_shut_out:
                self._shut.add(row.secret)
            # Slack takes the refresh token no more; what else shuts the app out may pass.
            if isinstance(error, SlackFailed) and meaning(error) is Meaning.TOKEN:
                await self._lose(row)

    async def _lose(self, row: Installed) -> None:
        """Note for all that a token can't be replaced any more, and tell whoever can install Usher again."""
        log.error("token lost: Usher has to be installed there again", installation=row.id)
        try:
            await self._store.lose_token(row.id, row.secret, self._lost(row))
            await self.read()
        except StoreError as error:
            log.warning("lost token not noted", installation=row.id, problem=error)

    async def _write(self, row: Installed) -> None:
        """Write what Slack has given out; without the database it waits here, as Slack gives it out once."""
        made = self._unwritten.get(row.secret)
        if made is not None:
            await self._store.renew_installation(row.id, row.secret, *made)
            self._unwritten.pop(row.secret, None)
            log.info("token replaced", installation=row.id)

    async def close(self) -> None:
        """Wait for tokens that are being replaced, and write what Slack has given out."""
        await asyncio.gather(*self._renewing.values(), return_exceptions=True)
        try:
            await self.write()
        except StoreError as error:
            log.warning("tokens not written", problem=error)


def is_listed(row: Installed, listed: Collection[str]) -> bool:
    """Return whether the operator lets people of a workspace use Usher, or all of its organisation."""
    return bool({ANY_WORKSPACE, row.id, row.enterprise_id} & set(listed))


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


class Tenants(Protocol):
    """Know whose requests are served, and with which token: ``OneTenant``, or ``InstalledSlack``."""

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return the installation that a team belongs to; None for a stranger's."""
        ...

    def token_of(self, name: str) -> str:
        """Return the bot's token of an installation, by its id."""
        ...


class OneTenant:
    """Serve the one installation that the bot token in the environment is for."""

    def __init__(self, installation: Installation, bot_token: SecretStr) -> None:
        self._installation = installation
        self._token = bot_token.get_secret_value()

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return the only installation, if a team belongs to it."""
        return self._installation.of(enterprise_id, team_id)

    def token_of(self, name: str) -> str:  # noqa: ARG002 - as ``InstalledSlack`` has it
        """Return the only token."""
        return self._token


@dataclass(frozen=True, slots=True)
class Entered:
    """Hold where Usher is installed, whose requests are served and what calls Slack there.

    ``by_oauth`` is None with a bot token.
    """

    place: AnyInstallation
    tenants: Tenants
    slack: AnySlack
    by_oauth: InstalledSlack | None = None


async def enter(
    settings: Settings, store: Store, make: Callable[[str], SlackCaller], clock: Clock
) -> Entered:
    """Ask Slack who the bot token belongs to, or read the installations by OAuth.

    ``make`` returns a caller for a token. Raises SlackFailed and StoreError.
    """
    if settings.slack_bot_token is None:
        installed = await InstalledSlack.enter(settings, store, make, clock)
        return Entered(installed.installations, installed, installed, installed)
    token = settings.slack_bot_token
    caller = make(token.get_secret_value())
    answer = await caller.call(AUTH_TEST, {})
    installation = Installation.from_auth_test(
        answer.data, settings.admin_ids() | settings.global_admin_ids()
    )
    slack = PacedSlack(caller, Budget(store, installation), clock)
    return Entered(installation, OneTenant(installation, token), slack)
