"""Installs Usher in a Slack workspace, using Bolt's OAuth flow with our own stores and pages.

See ``docs/adr/0101-a-place-is-stored-once.md`` and, for Slack's behaviour, ``docs/internals/slack.md``,
"Installation by OAuth".
"""

import hashlib
import logging
import re
import secrets
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode, urlsplit

import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncBoltRequest
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.response import BoltResponse
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bot.domain.installations import Installed
from bot.messages.texts import ide
from bot.services.context import Context
from bot.slack.installed import InstalledSlack
from bot.slack.manifest import BOT_SCOPES, INSTALL_PATH, INSTALL_REDIRECT_PATH, OPTIONAL_SCOPES
from bot.slack.tokens import read_lifetime
from bot.store import installations
from bot.support.environment import hide_variables
from bot.support.errors import SecretError, SlackFailed, SlackLimited, SlackUnknownOutcome
from bot.support.logs import mark_as_known
from bot.web import render
from bot.web.browsers import cookie_name

#: Maximum age of an OAuth state, in seconds: how long a person may spend on Slack's pages. A state issued by
#: another process whose clock is ahead may be dated up to ``_RENEWAL_SECONDS`` in the future.
STATE_SECONDS: Final = 600.0
_RENEWAL_SECONDS: Final = 60.0
#: Used instead of a row's key to encrypt OAuth states. The vault decrypts a secret only with the key that it
#: was encrypted for, and no row has this key, so a state can't be passed off as a row's secret.
_STATE: Final = "state of an installation"
_PLACE_PATTERN: Final = re.compile(r"[TE][A-Z0-9]{1,30}")
_REASON_PATTERN: Final = re.compile(r"[a-z_]{1,60}")

_log = structlog.get_logger(__name__)


class NotInstalled(Exception):
    """Raised if an installation can't be stored. The message is a key of ``ide.REFUSED``."""


class States(AsyncOAuthStateStore):
    """Issues OAuth states that can't be forged. Each is accepted once, within ten minutes.

    Anyone can open the installation page, so issuing a state stores nothing. A row is written only when a
    genuine state comes back.
    """

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._vault = context.vault

    async def async_issue(self, *_args: object, **_named: object) -> str:
        """Return a new OAuth state."""
        made = {"nonce": secrets.token_urlsafe(16), "at": repr(await self._store.now())}
        return self._vault.seal(_STATE, made)

    async def async_consume(self, state: str) -> bool:
        """Use up an OAuth state.

        Return whether it was issued by us, recent and unused. Can raise StoreError.
        """
        try:
            made_at = float(self._vault.open(_STATE, state)["at"])
        except SecretError:
            return False
        if not -_RENEWAL_SECONDS <= await self._store.now() - made_at <= STATE_SECONDS:
            return False
        return await self._store.write(
            installations.use_oauth_state, hashlib.sha256(state.encode()).hexdigest()
        )


class _Flow(AsyncOAuthFlow):
    def __init__(self, context: Context, slack: InstalledSlack, settings: AsyncOAuthSettings) -> None:
        super().__init__(logger=_quiet(), settings=settings)
        self._store = context.store
        self._slack = slack

    async def run_installation(self, code: str) -> Installation | None:
        """Exchange the code, and store the installation, encrypted, in a row that ``Authorize`` reads.

        If Slack refuses the code, return None. If Slack doesn't respond, raise SlackFailed. Can also raise
        StoreError, or NotInstalled.
        """
        try:
            granted, bot = await self._slack.exchange(code, self.redirect_uri or "")
        except (SlackLimited, SlackUnknownOutcome):
            raise
        except SlackFailed as error:
            _log.warning("install.code_refused", problem=error.code)
            return None
        seconds = read_lifetime(granted)
        team, enterprise = granted.get("team") or {}, granted.get("enterprise") or {}
        is_whole = bool(granted.get("is_enterprise_install"))
        place = enterprise if is_whole else team
        id_, token, refresh = place.get("id"), granted.get("access_token"), granted.get("refresh_token")
        if not id_ or not _PLACE_PATTERN.fullmatch(id_) or not token:
            raise NotInstalled("invalid_code")
        user_id = (granted.get("authed_user") or {}).get("id") or ""
        made = Installed(
            id=id_,
            enterprise_id=enterprise.get("id"),
            team_id=None if is_whole else id_,
            team_name=place.get("name") or "",
            bot_user_id=bot.bot_user_id,
            bot_id=bot.bot_id,
            bot_name=bot.bot_name,
            scopes=",".join(sorted(filter(None, (granted.get("scope") or "").split(",")))),
            secret="",
            expires_at=None if seconds is None else int(await self._store.now() + seconds),
            installed_by=user_id,
        )
        result = await self._slack.install(made, {"token": token} | ({"refresh": refresh} if refresh else {}))
        if result in ide.REFUSED:
            raise NotInstalled(result)
        return Installation(
            app_id=granted.get("app_id"),
            enterprise_id=enterprise.get("id"),
            enterprise_name=enterprise.get("name"),
            team_id=team.get("id"),
            team_name=team.get("name"),
            is_enterprise_install=is_whole,
            user_id=user_id,
        )

    async def store_installation(self, request: AsyncBoltRequest, installation: Installation) -> None:
        """Do nothing, because ``run_installation`` has stored the installation."""

    async def build_install_page_html(self, url: str, request: AsyncBoltRequest) -> str:  # noqa: ARG002 - Bolt's
        permissions = sorted({**BOT_SCOPES, **OPTIONAL_SCOPES}.items())
        return render.render_page("install.html", url=url, permissions=permissions).text or ""


def _quiet() -> logging.Logger:
    """Return the logger that ``build_bolt`` silenced.

    With another logger, the SDK would log codes and answers.
    """
    return logging.getLogger("bot.bolt")


class InstallPages:
    """Serves the page that installs Usher, and the page to which Slack redirects afterwards."""

    def __init__(
        self,
        context: Context,
        slack: InstalledSlack,
        api_url: str,
    ) -> None:
        self._command = context.command
        origin = urlsplit(api_url)
        self._is_secure = (context.public_url or "").startswith("https://")
        # For any argument that it isn't given, Bolt reads an environment variable.
        with hide_variables("SLACK_"):
            settings = AsyncOAuthSettings(
                client_id=slack.tokens.client["client_id"],
                client_secret=slack.tokens.client["client_secret"],
                scopes=sorted({*BOT_SCOPES, *OPTIONAL_SCOPES}),
                user_scopes=[],
                redirect_uri=f"{(context.public_url or '').rstrip('/')}{INSTALL_REDIRECT_PATH}",
                install_path=INSTALL_PATH,
                redirect_uri_path=INSTALL_REDIRECT_PATH,
                authorization_url=f"{origin.scheme}://{origin.netloc}/oauth/v2/authorize",
                installation_store=AsyncInstallationStore(),  # not used: ``_Flow`` stores installations
                state_store=States(context),
                state_cookie_name=cookie_name("usher-install", is_secure=self._is_secure),
                state_expiration_seconds=int(STATE_SECONDS),
                callback_options=AsyncCallbackOptions(success=self._save, failure=self._render_refusal),
                logger=_quiet(),
            )
        self._cookie = settings.state_utils
        self._flow = _Flow(context, slack, settings)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the installation page and of the page that Slack redirects to."""
        return [web.get(INSTALL_PATH, self._begin), web.get(INSTALL_REDIRECT_PATH, self._finish)]

    async def _begin(self, request: web.Request) -> web.Response:
        # Pass on only one parameter: the workspace for Slack's page to suggest.
        team = request.query.get("team", "")
        query = {"team": team} if _PLACE_PATTERN.fullmatch(team) else {}
        return await self._to_response(
            await self._flow.handle_installation(AsyncBoltRequest(body="", query=query))
        )

    async def _finish(self, request: web.Request) -> web.Response:
        query = {name: request.query[name] for name in ("code", "state", "error") if name in request.query}
        headers: dict[str, str | Sequence[str]] = {"cookie": request.headers.get("Cookie", "")}
        try:
            answer = await self._flow.handle_callback(AsyncBoltRequest(body="", query=query, headers=headers))
        except SlackFailed as error:
            _log.warning("install.no_answer", problem=error.code)
            answer = self._page_of("no_answer", 502)
        except NotInstalled as refused:
            _log.info("install.refused", reason=str(refused))
            answer = self._page_of(str(refused), 409)
        if self._cookie.is_valid_browser(query.get("state"), headers):
            # Delete the cookie only if this sign-in set it. It may be from a sign-in in another tab.
            answer.headers["set-cookie"] = [self._cookie.build_set_cookie_for_deletion()]
        return await self._to_response(answer)

    async def _to_response(self, answer: BoltResponse) -> web.Response:
        """Convert Bolt's answer to a response, and add cookie attributes that Bolt's adapter leaves out."""
        response = await to_aiohttp_response(answer)
        for cookie in response.cookies.values():
            # With Strict, the browser wouldn't send the cookie when Slack redirects back.
            cookie["samesite"] = "Lax"
            cookie["secure"] = self._is_secure
        return response

    async def _save(self, args: AsyncSuccessArgs) -> BoltResponse:
        mark_as_known()
        made = args.installation
        is_whole = bool(made.is_enterprise_install)
        id_ = (made.enterprise_id if is_whole else made.team_id) or ""
        if is_whole:
            url = f"https://app.slack.com/manage/{id_}/integrations/profile/{made.app_id}/workspaces/add"
        else:
            url = f"https://slack.com/app_redirect?{urlencode({'app': made.app_id or '', 'team': id_})}"
        page = render.render_page(
            "installed.html",
            place=(made.enterprise_name if is_whole else made.team_name) or id_,
            is_whole=is_whole,
            url=url,
            command=f"{self._command} help",
        )
        return self._answer(page)

    async def _render_refusal(self, args: AsyncFailureArgs) -> BoltResponse:
        reason = args.reason if _REASON_PATTERN.fullmatch(args.reason) else "other"
        _log.info("install.refused", reason=reason)
        return self._page_of(args.reason, max(args.suggested_status_code, 400))

    def _page_of(self, reason: str, status: int) -> BoltResponse:
        text = ide.explain_failed_installation(reason if _REASON_PATTERN.fullmatch(reason) else "unknown")
        return self._answer(
            render.render_page(
                "message.html",
                status,
                title=ide.REFUSED_TITLE,
                text=text,
                reference="",
                back=INSTALL_PATH,
            )
        )

    def _answer(self, page: web.Response) -> BoltResponse:
        headers: dict[str, str | Sequence[str]] = {"Content-Type": "text/html; charset=utf-8"}
        return BoltResponse(status=page.status, body=page.text or "", headers=headers)
