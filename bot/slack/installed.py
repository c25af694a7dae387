"""Usher's OAuth installations, with a client for each (``docs/adr/0101-a-place-is-stored-once.md``)."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Self, TypeAlias

import structlog

from bot.domain.audit import AuditEntry
from bot.domain.installations import Installation, Installations, Installed
from bot.domain.notices import NewNotice, NoticeKind
from bot.domain.outages import SLACK
from bot.domain.people import Principal
from bot.services.reachability import Reachability
from bot.slack.calls import (
    NOT_INSTALLED_CODE,
    Budget,
    PacedSlack,
    SlackAnswer,
    SlackCaller,
    check_token,
    is_channel,
)
from bot.slack.errors import classify
from bot.slack.manifest import INSTALL_PATH
from bot.slack.methods import APPS_UNINSTALL, AUTH_REVOKE, AUTH_TEST, OAUTH_ACCESS, UPLOAD_URL
from bot.slack.tokens import InstallationTokens, is_listed
from bot.store import audit
from bot.store import installations as installation_rows
from bot.store.slack_rate_limits import UNLIMITED, CallQuota
from bot.store.store import Store
from bot.support.clock import Clock
from bot.support.errors import SlackFailed, SlackLimited, SlackPermanent, StoreError
from bot.support.settings import Settings
from bot.support.settings.core import ANY_WORKSPACE
from bot.support.vault import Vault

log = structlog.get_logger(__name__)


#: Maximum age of the cached installation rows, in seconds.
READ_INTERVAL_SECONDS: Final = 2.0
#: Minimum time, in seconds, between two reads of the installation rows for the same unknown Slack team.
UNKNOWN_SECONDS: Final = 5.0
MAX_UNKNOWN_TEAMS: Final = 1_000


class InstalledSlack:
    """The installations, their tokens and their clients.

    ``client`` is the app's id and secret, and ``make`` returns a caller for a token. Usher serves only
    ``listed`` workspaces and organisations. ``page`` is the URL of the page for installing Usher.

    The rows are cached in memory. Usher rereads them every 2 s, when Slack refuses a token, and when a
    request arrives from an unknown workspace, but at most every 5 s for the same workspace.
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
        self.tokens = InstallationTokens(store, vault, client, make, listed, self._build_lost_notices)
        self._page = page
        self._make = make
        self._clock = clock
        self._slacks: dict[str, PacedSlack] = {}
        self.answering = Reachability(SLACK)
        #: Maps each unknown Slack team to the monotonic time from which Usher may reread the installations
        #: for it.
        self._unknown: dict[tuple[str | None, str | None], float] = {}

    @classmethod
    async def enter(
        cls, settings: Settings, store: Store, make: Callable[[str], SlackCaller], clock: Clock
    ) -> Self:
        """Create this object and read the installations. Raise StoreError if that fails."""
        secret = settings.slack_client_secret
        client = (settings.slack_client_id or "", secret.get_secret_value() if secret is not None else "")
        installations = Installations(settings.admin_ids(), settings.global_admin_ids())
        listed = settings.workspace_ids()
        if ANY_WORKSPACE in listed:
            log.warning("any Slack workspace may install Usher", setting="USHER_SLACK_WORKSPACES")
        page = f"{settings.public_url}{INSTALL_PATH}"
        made = cls(store, Vault(settings.keys()), installations, client, make, clock, listed, page)
        await made.read()
        if not made.list_clients():
            log.info("not installed yet", open=page)
        return made

    # -- reading the rows ------------------------------------------------------------------------------------

    async def read(self) -> None:
        """Read the rows. Raise StoreError if that fails."""
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
        """Store newly issued tokens and reread the rows. If that fails, the next call tries again."""
        try:
            await self.tokens.write()
            await self.read()
        except StoreError as error:
            log.warning("installations not read", problem=error)

    async def installation(self, enterprise_id: str | None, team_id: str | None) -> Installation | None:
        """Return the installation that a request belongs to. For an unknown team, reread the rows."""
        found, asked = self.installations.find_for_team(enterprise_id, team_id), (enterprise_id, team_id)
        now = self._clock.monotonic()
        if found is None and self._unknown.get(asked, now) <= now:
            await self.read_again()
            found = self.installations.find_for_team(enterprise_id, team_id)
            if found is None:
                # Don't reread the rows for this team again for a while.
                if len(self._unknown) >= MAX_UNKNOWN_TEAMS:
                    self._unknown.clear()
                self._unknown[asked] = now + UNKNOWN_SECONDS
        return found

    # -- calls -----------------------------------------------------------------------------------------------

    def find_client(self, principal: Principal) -> PacedSlack:
        """Return the client for a person's installation, or a client that sends nothing if there is none."""
        return self._client_at(self.installations.find_for(principal))

    def list_clients(self) -> list[PacedSlack]:
        """Return the clients of all installations."""
        return [self._client_at(installation) for installation in self.installations]

    def get_quota(self, method: str) -> CallQuota:  # noqa: ARG002 - as ``PacedSlack`` has it
        """Return an unlimited quota, because each workspace has a limit of its own.

        The outbox requeues messages that exceed their workspace's limit.
        """
        return UNLIMITED

    @property
    def is_locked_out(self) -> bool:
        """Return False, because workspaces are locked out one by one."""
        return False

    @property
    def lockout_code(self) -> str | None:
        """Return an error code if Slack has locked out all installations, otherwise None."""
        codes = [slack.lockout_code for slack in self._slacks.values()]
        return codes[0] if codes and all(codes) else None

    def token_of(self, name: str) -> str:
        """Return an installation's stored token, or "" if there is none."""
        return self.tokens.token_of(name)

    async def find_replacement_token(self, name: str, token: str, code: str) -> str | None:
        """Return the replacement for a token that Slack refused with this code, or None if there is none."""
        await self.read_again()
        return await self.tokens.find_replacement_token(name, token, code)

    def _client_at(self, installation: Installation) -> PacedSlack:
        name = installation.id
        found = self._slacks.get(name)
        if found is None:
            caller = _Caller(self, self._make, name)
            budget = Budget(self._store, installation)
            found = PacedSlack(caller, budget, self._clock, caller.prepare, self.answering)
            if self.tokens.find_opened(name) is None:
                found.lock_out(NOT_INSTALLED_CODE)
            else:
                self._slacks[name] = found
        return found

    # -- installing and removing ----------------------------------------------------------------------------

    async def exchange(self, code: str, redirect_uri: str) -> tuple[Mapping[str, Any], Installation]:
        """Exchange an OAuth code. Return Slack's grant and its installation. Raises SlackFailed."""
        asked = {**self.tokens.client, "code": code, "redirect_uri": redirect_uri}
        granted = (await self._make("").call(OAUTH_ACCESS, asked)).data
        token = str(granted.get("access_token") or "")
        return granted, Installation.from_auth_test((await self._make(token).call(AUTH_TEST, {})).data)

    async def install(self, made: Installed, secret: Mapping[str, str]) -> str:
        """Store an installation, and return the result of ``bot.store.installations.install``.

        If the operator hasn't listed the workspace, uninstall Usher there and return "unlisted". Raises
        StoreError.
        """
        made = replace(made, organisation_id=made.enterprise_id)
        if not is_listed(made, self.tokens.listed):
            await self._remove(made, secret["token"])
            return "unlisted"
        row = replace(made, secret=self._vault.seal(made.row_key, secret))
        detail = {"workspace": row.team_name, "covers": "workspace" if row.team_id else "enterprise"}
        entry = AuditEntry(f"{row.id}:{row.installed_by}", "slack.installed", row.id, "ok", detail)
        result = await self._store.write(installation_rows.install, row, [entry])
        await self.read()
        return result

    async def _remove(self, made: Installed, token: str) -> None:
        """Uninstall Usher from a workspace that isn't served. If Slack refuses, revoke the token instead."""
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
        await self._store.write(
            audit.append_audit, [AuditEntry(actor, "slack.installed", made.id, "refused", detail)]
        )

    def _build_lost_notices(self, row: Installed) -> list[NewNotice]:
        """Return notices that tell the installer and the administrators that the refresh token is lost."""
        installer = Principal(row.enterprise_id, row.team_id or row.id, row.installed_by)
        people = [self.installations.resolve_principal(installer)] if row.installed_by else []

        def is_there(principal: Principal) -> bool:
            return self.installations.find_for(principal).id == row.id

        body = {
            "what": "token",
            "place": row.team_name or row.id,
            "until": row.expires_at,
            "page": self._page,
        }
        return [
            NewNotice(
                f"token:{row.id}:{principal.key}",
                NoticeKind.OUTAGE,
                f"lost:{row.expires_at}",
                principal,
                body,
            )
            for principal in dict.fromkeys([*people, *self.installations.filter_administrators(is_there)])
        ]

    async def find_refused_token(self, installation: Installation) -> str | None:
        """Return the encrypted token if Slack no longer accepts it, otherwise None.

        Raises SlackFailed if Slack can't be reached.
        """
        entry = self.tokens.find_opened(installation.id)
        code = await check_token(self._make(entry.token)) if entry is not None else None
        if entry is None or code is None:
            return None
        # A token that has merely expired can still be replaced.
        if await self.find_replacement_token(installation.id, entry.token, code) is not None:
            return None
        if code == "token_expired" and entry.refresh and entry.row.lost_at is None:
            raise SlackLimited(OAUTH_ACCESS, 1.0)
        return entry.row.secret

    async def forget_token(self, installation: Installation, refused: str) -> None:
        """Forget a token that Slack has revoked, unless it has been replaced since. Raises StoreError."""
        detail = {"workspace": installation.team_name}
        entry = AuditEntry("slack", "slack.removed", installation.id, "ok", detail)
        await self._store.write(installation_rows.remove_installation, installation.id, refused, [entry])
        await self.read()

    async def has_channel(self, installation: Installation, channel: str, ts: str) -> bool:
        """Return whether Slack knows a channel id. Raise SlackFailed if Slack can't be reached."""
        return await is_channel(self._client_at(installation), channel, ts)


#: Either the client for the bot token in the settings, or the clients for all OAuth installations.
AnySlack: TypeAlias = PacedSlack | InstalledSlack


class _Caller:
    """A client that always uses the installation's current token."""

    def __init__(self, slack: InstalledSlack, make: Callable[[str], SlackCaller], name: str) -> None:
        self._slack = slack
        self._make = make
        self._name = name
        self._current_client: tuple[str, SlackCaller] | None = None

    async def prepare(self) -> None:
        """Replace the token if it expires soon."""
        await self._slack.tokens.get_valid_token(self._name)

    async def call(self, method: str, arguments: Mapping[str, Any]) -> SlackAnswer:
        """Call a method. If the token is replaced in the meantime, repeat the call."""
        token = await self._slack.tokens.get_valid_token(self._name)
        try:
            return await self._client_with(token).call(method, arguments)
        except SlackPermanent as error:
            if not classify(error).is_shut_out:
                raise
            other = await self._slack.find_replacement_token(self._name, token, error.code)
            if other is None:
                raise
        return await self._client_with(other).call(method, arguments)

    async def upload(self, url: str, pieces: AsyncIterator[bytes], size: int) -> None:
        """Upload a file's bytes. This needs no token, because the upload URL itself grants permission."""
        token = self._slack.token_of(self._name)
        if not token:
            raise SlackPermanent(UPLOAD_URL, NOT_INSTALLED_CODE)
        await self._client_with(token).upload(url, pieces, size)

    def _client_with(self, token: str) -> SlackCaller:
        if self._current_client is None or self._current_client[0] != token:
            self._current_client = token, self._make(token)
        return self._current_client[1]
