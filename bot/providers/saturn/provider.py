"""Translates between Usher's terms and the API of a Saturn Cloud installation, and obtains users' tokens.

``docs/internals/providers/saturn.md`` describes how servers behave. The published guides are the contract,
but Usher also calls endpoints that only Saturn's own client uses. A server may answer these calls with 404.
On such a server, Usher can't find out who owns a token, and users add workspaces by link or id.

With an administrator's token, Usher gets a user's own token through a login link
(``docs/internals/providers/saturn.md``, "Whose token"). Both the link and the token are secrets. Usher opens
each link in a session with its own cookie jar, and then discards the session and the link.
"""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar
from urllib.parse import quote, urljoin

import aiohttp
from pydantic import SecretStr
from yarl import URL

from bot.domain.accounts import compare_remote_ids
from bot.domain.forms import Spec
from bot.domain.observations import Observed
from bot.domain.prices import MachineKind, Price, parse_amount
from bot.domain.runs import Run
from bot.domain.snapshots import Allowance
from bot.domain.stops import StopEffect, StopEffects, StopMode
from bot.domain.workspaces import State, Workspace
from bot.providers import answers, base, facets, requests
from bot.providers.access import RemoteAccount
from bot.providers.answers import MAX_NAME_LENGTH, Listing
from bot.providers.base import Access, Credential, CredentialOwner, Identity
from bot.providers.connection import ConnectionSettings, find_by_name
from bot.providers.requests import ApiClient
from bot.providers.saturn import offers
from bot.providers.saturn.jobs import SaturnRuns, read_live_pod, start_order
from bot.providers.saturn.offers import SaturnMaking, SaturnSettings
from bot.providers.words import clean
from bot.support import errors
from bot.support.addresses import parse_origin
from bot.support.responses import Response

_WORKSPACE_STATES = {
    "running": State.RUNNING,
    "stopped": State.STOPPED,
    "pending": State.STARTING,
    "stopping": State.STOPPING,
    "error": State.FAILED,
}
#: Calls that use the administrator's token if ``act_as`` is ``admin``.
_DRIVEN = frozenset({"read", "start", "stop"})


#: Time limit, in seconds, for requests whose responses users wait for. When a user links an account, Usher
#: allows 10 s for all requests together (``bot.services.linking``).
CHECK_SECONDS = 8.0
#: Time limit, in seconds, for each request that Usher makes to get a user's token.
MINT_SECONDS = 4.0
#: Maximum number of pages to open to sign a user in: the page of the login link, and the pages to which it
#: redirects.
MAX_LOGIN_PAGES = 5
#: Maximum size, in bytes, of each page that Usher opens to get a user's token.
MAX_PAGE_BYTES = 2_000_000
#: Value of ``Credential.owner`` for a user's own token if Usher got it through an administrator's login link.
#: Usher can get a new token for the user at any time.
_MINTED: CredentialOwner = "admin"


class Saturn(
    base.Provider,
    facets.Lists,
    facets.Reasons,
    facets.Renewal,
    facets.Tokens,
    facets.Allowances,
    SaturnMaking,
    SaturnRuns,
    facets.Impersonation,
    facets.EmailLookup,
):
    """Translate between Usher's terms and the API of one Saturn Cloud."""

    kind: ClassVar[str] = "saturn"
    title: ClassVar[str] = "Saturn Cloud"
    settings_model: ClassVar[type[ConnectionSettings]] = SaturnSettings
    settings: SaturnSettings
    template_key: ClassVar[str] = "recipe"
    offer_model: ClassVar[type[offers.SaturnOffer]] = offers.SaturnOffer
    credential_in: ClassVar[base.CredentialPlacement] = base.CredentialPlacement(scheme="token")
    # The guide allows one read every ten seconds, and recommends that rate only while a workspace is starting
    # or stopping. For ten thousand workspaces and responses that take 80 ms, this means 80 requests in
    # flight.
    pace: ClassVar[base.Pace] = base.Pace(
        min_poll_interval=10.0,
        pending_interval=10.0,
        running_interval=300.0,
        unused_interval=1800.0,
        concurrency=100,
    )

    def describe_machine(self, spec: Spec) -> MachineKind:
        """Return the workspace's size and price, or the template's price if its own isn't known."""
        recipe, currency = find_by_name(self.settings.templates, spec.text("recipe")), self.settings.currency
        size, amount = spec.text("size") or (recipe.size if recipe else ""), parse_amount(spec.text("price"))
        of_template = None if recipe is None else recipe.price
        price = of_template if amount is None or currency is None else Price(amount, currency)
        return MachineKind(spec.text("recipe") or None, size or None, price)

    async def status(
        self, access: Access, remote_ids: Sequence[str], window: base.SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read the workspaces' states one by one."""
        return {remote_id: await self._read_status(access, remote_id, window) for remote_id in remote_ids}

    async def _read_status(self, access: Access, remote_id: str, window: base.SendWindow | None) -> Observed:
        try:
            response = await access.api.call("GET", "/api/workspaces/{}", remote_id, window=window)
        except errors.NotFound:
            return Observed(State.GONE)
        answer = response.json_object()
        if not answer:
            raise errors.BadAnswer("the answer is empty")
        listed_id = answers.find_text(answer, "id")
        if listed_id is not None and listed_id.casefold() != remote_id.casefold():
            raise errors.BadAnswer("the answer is about another workspace")
        owner = offers.read_owner(answer)
        if not offers.is_theirs(owner, access.username):
            group = (await self._list_groups(access)).get(owner)
            if group is None:
                # An administrator's own token opens everyone's workspaces, so check the account's name first.
                await self._confirm_name(access)
                return Observed(State.GONE)
            return replace(self._observe(answer), owner=group)
        return self._observe(answer)

    def _observe(self, answer: Mapping[str, Any]) -> Observed:
        status, deletes = answer.get("status"), answer.get("self_destruct")
        word = status if isinstance(status, str) else ""
        known: dict[str, Any] = {
            "name": clean(answers.find_text(answer, "name") or "", MAX_NAME_LENGTH) or None,
            "survives_stop": not deletes if isinstance(deletes, bool) else None,
        }
        if word.casefold() != "running":
            # Only newer servers send ``resource_type``, and only those servers give reasons.
            return _to_observed(word, has_reason="resource_type" in answer, **known)
        known["started_at"], address = (
            answers.parse_time(answer.get("started_at")),
            answers.find_text(answer, "url"),
        )
        if not address:
            return Observed(State.RUNNING, lacks="address", **known)
        try:
            # A relative address is resolved against the base URL.
            url = self.allowed_url(urljoin(f"{self.settings.base_url}/", address))
        except ValueError:
            url = None
        detail = base.URL_NOT_ALLOWED if url is None else _auto_stop(answer)
        return Observed(State.RUNNING, url, detail, **known)

    async def _confirm_name(self, access: Access) -> None:
        """Raise AccountRenamed if the account has been renamed. Its workspaces still belong to it."""
        if self.can_reach_all_workspaces(access):
            return
        owner = await self._read_owner(access.credential)
        if owner is not None and access.username not in {"", owner.username}:
            raise errors.AccountRenamed(owner.username)

    async def read_reason(self, access: Access, remote_id: str, window: base.SendWindow | None = None) -> str:
        """Read why the workspace's newest pod is waiting or has failed."""
        query = {"workload_type": "workspace", "workload_id": remote_id}
        asking = access.api.call("GET", "/api/active/pods", query=query, window=window)
        try:
            response = await requests.none_if_absent(asking)
            pods = answers.read_entries(
                [] if response is None else [response.json_object()], "pod_summaries", read_live_pod
            )
        except (errors.BadAnswer, errors.Forbidden, errors.RefusedInFront, errors.ServerFailed):
            # The state must be reported even if the reason can't be read.
            return ""
        return max(pods, key=start_order).why if pods else ""

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        """Return the effects of a stop: the workspace can be started again, unless stopping deletes it."""
        erases = workspace.survives_stop is False and workspace.state is not State.STOPPED
        return {"stop": StopEffect.ERASES if erases else StopEffect.RETURNS}

    async def start(self, access: Access, workspace: Workspace) -> str | None:
        """Ask the server to start a workspace."""
        return await self._change_state(access, workspace, "start")

    async def stop(self, access: Access, workspace: Workspace, mode: StopMode = "stop") -> str | None:
        """Ask the server to stop a workspace."""
        self.require_stop_mode(mode)
        return await self._change_state(access, workspace, "stop")

    async def _change_state(self, access: Access, workspace: Workspace, verb: str) -> str | None:
        asking = access.api.call("POST", "/api/workspaces/{}/" + verb, workspace.remote_id)
        return await requests.accept_already_done(verb, asking, workspace.remote_id, workspace.name)

    async def probe(self) -> str:
        """Read the server's version. Some servers require a token for this, and others don't offer it."""
        return await self._read_version()

    async def read_warning(self) -> str:
        """Return a warning that names the templates that this server can't use."""
        if not await self._needs_image():
            return ""
        lacking = ", ".join(one.name for one in self.settings.templates if not one.has_image)
        return f"It requires an image, and these templates name none: {lacking}."

    async def check_credential(self, credential: Credential) -> Identity:
        """Find out who owns this credential. If the server can't say, it must refuse a made-up credential."""
        owner = await self._read_owner(credential)
        credential = replace(credential, expires_at=await self._find_end(credential))
        if owner is not None:
            return Identity(owner.username, replace(credential, account_id=owner.account_id))
        # Looking up a workspace requires a valid token.
        await self._probe_credential(credential)
        await requests.verify_bad_token_is_refused(self._probe_credential)
        return Identity("", credential)

    async def _probe_credential(self, credential: Credential) -> None:
        """Check a credential by looking up a workspace that doesn't exist."""
        path = f"/api/workspaces/{secrets.token_hex(16)}"
        with suppress(errors.NotFound):
            await self.api.acting_as(credential).call("GET", path, total=CHECK_SECONDS)

    async def _find_end(self, credential: Credential) -> float | None:
        """Return when a token expires, according to the token itself (RFC 7519) or the server's list."""
        claims = _decode_claims(credential.token.get_secret_value())
        if "exp" in claims or not isinstance(claims.get("jti"), str):
            return answers.parse_time(claims.get("exp"))

        def its_own(one: Any) -> float | None:
            return (
                answers.parse_time(one.get("expires_at"))
                if answers.require_id(one, "id") == claims["jti"]
                else None
            )

        try:
            found = await offers.fetch_pages(self.api.acting_as(credential), "/api/tokens", {})
            return next(iter(answers.read_entries(found, "tokens", its_own)), None)
        except errors.ProviderError:
            # The time is optional.
            return None

    async def read_allowances(self, access: Access) -> Sequence[Allowance]:
        """Read the limits on the user's hours, and how many hours are used in each period."""
        response = await requests.none_if_absent(
            access.api.call("GET", "/api/user/owners", total=CHECK_SECONDS)
        )
        if response is None:
            return ()
        listed, date = response.json_object().get("owners"), response.headers.get("Date")
        owners = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        given = (one.get("limits") for one in owners if one.get("identity_type") != "group")
        limits: dict[str, Any] = next((one for one in given if isinstance(one, dict)), {})
        with suppress(TypeError, ValueError):
            now = parsedate_to_datetime(date or "").astimezone(UTC)
            today = now.replace(hour=0, minute=0, second=0, microsecond=0)
            # Each limit's field, the unit shown to users, and when its time began. The server counts in UTC.
            counted = (
                ("hours_per_day", "hours today", today),
                ("hours_per_month", "hours this month", today.replace(day=1)),
                ("hours_forever", "hours", None),
            )
            found = [
                await self._read_allowance(access, limit, unit, begin)
                for key, unit, begin in counted
                if (limit := answers.find_amount(limits, key)) is not None
            ]
            return tuple(one for one in found if one is not None)
        return ()

    async def _read_allowance(
        self, access: Access, limit: float, unit: str, begin: datetime | None
    ) -> Allowance | None:
        query = {} if begin is None else {"start": begin.isoformat()}
        asking = access.api.call("GET", "/api/user/usage/aggregated", query=query, total=CHECK_SECONDS)
        response = await requests.none_if_absent(asking)
        used = None if response is None else answers.find_amount(response.json_object(), "hours")
        return None if used is None else Allowance(unit, max(limit - used, 0.0), limit)

    async def _read_owner(self, credential: Credential, total: float = CHECK_SECONDS) -> RemoteAccount | None:
        asking = self.api.acting_as(credential).call("GET", "/api/user", total=total)
        response = await requests.none_if_absent(asking)
        # A 204 means that the token has no user, or that the server doesn't name the user.
        if response is None or response.status == 204:
            return None
        answer = response.json_object()
        username = clean(answers.require_text(answer, "username"), MAX_NAME_LENGTH)
        if not username:
            raise errors.BadAnswer("the answer's field username is not a text")
        return RemoteAccount(answers.find_account_id(answer), username, _read_address(answer))

    def is_made_by_name(self, access: Access, call: str) -> bool:
        """Return whether a call uses the administrator's token, and therefore selects the account by name."""
        return self.credential_owner(access, call) == "admin"

    async def read_account(self, access: Access) -> RemoteAccount | None:
        """Read the owner of the user's token. The token still belongs to the account after a rename."""
        return await self._read_owner(access.credential)

    async def check_username(self, username: str) -> Identity:
        """Check a username by using the administrator's token to get the user's own token."""
        return Identity(username, await self._mint(username))

    async def _mint(self, username: str) -> Credential:
        """Return a user's own token, checking its owner if the server names one.

        Raises NotFound if the username is unknown, CredentialRefused if the administrator's token is refused,
        Forbidden if the administrator's token lacks the permission, and Untrusted if the link leads elsewhere
        or the token is another user's.
        """
        api = self.connection_api()
        try:
            response = await api.call("POST", "/auth/createloginlink/{}", username, total=MINT_SECONDS)
        except errors.BadAnswer as error:
            if error.status == 404:
                raise errors.Forbidden("this server makes no login links", status=404) from None
            raise
        token = await _Session(self.api).fetch_token(_find_login_link(response.json(), self.api.root))
        credential = Credential(token, None, Credential.for_connection(_MINTED).extra)
        if token == self.settings.admin_token:
            raise errors.Untrusted("the login link opened the administrator's own session")
        try:
            owner = await self._read_owner(credential, MINT_SECONDS)
        except errors.CredentialRefused as error:
            # The server rejected the login link's session, not the administrator's token.
            raise errors.Untrusted(f"the token of the login link is refused: {error.message}") from None
        if owner is not None and owner.username != username:
            raise errors.Untrusted(
                f"the login link opened the account of {owner.username}, "
                f"not of {clean(username, MAX_NAME_LENGTH)}"
            )
        return credential if owner is None else replace(credential, account_id=owner.account_id)

    async def read_email(self, username: str) -> str | None:
        """Return a user's e-mail address. Servers older than the 2026 API document don't provide it."""
        return (await self.find_user(username)).email

    async def find_user(self, username: str) -> RemoteAccount:
        """Return the user with this name. Servers older than the 2026 API document don't list their users."""
        asking = offers.fetch_pages(self.connection_api(), "/api/users", {"username": username})
        # The server returns every user whose name contains this one.
        found = answers.read_entries(
            await requests.none_if_absent(asking) or (),
            "users",
            lambda one: one if answers.require_text(one, "username") == username else None,
        )
        user: Mapping[str, Any] = next(iter(found), {})
        return RemoteAccount(answers.find_account_id(user), username, _read_address(user))

    async def is_secret_accepted(self) -> bool | None:
        """Return whether the server accepts the administrator's token."""
        if self.settings.admin_token is None:
            return None
        try:
            await self.check_credential(Credential(self.settings.admin_token))
        except errors.CredentialRefused:
            return False
        return True

    async def refresh(self, access: Access) -> Credential:
        """Get a new token, using either the refresh token, which works only once, or another login link."""
        old = access.credential
        if old.owner == _MINTED:
            try:
                return await self._mint(access.username)
            except errors.NotFound:
                username = await self._find_name(access.credential.account_id)
                if username in {"", access.username}:
                    raise
            return await self._mint(username)
        if old.refresh_token is None:
            raise errors.CredentialRefused("the token has expired")
        body = {"grant_type": "refresh_token", "refresh_token": old.refresh_token.get_secret_value()}
        try:
            response = await self.api.call("POST", "/api/auth/token", json_body=body, hides=old.secrets())
        except (
            errors.NotFound,
            errors.InvalidRequest,
            errors.Forbidden,
            errors.CredentialRefused,
            errors.BadAnswer,
        ) as error:
            raise errors.CredentialRefused(
                "the token has expired and can't be renewed", status=error.status
            ) from None
        answer = response.json_object(unredacted=True)
        successor = answers.find_text(answer, "refresh_token")
        fresh = SecretStr(answers.require_text(answer, "access_token"))
        ends_at = answers.parse_time(answer.get("refresh_expires_at" if successor else "expires_at"))
        return Credential(fresh, SecretStr(successor) if successor else None, old.extra, ends_at)

    async def _find_name(self, account_id: str) -> str:
        if not account_id:
            return ""
        asking = self.connection_api().call("GET", "/api/users/{}", account_id, total=MINT_SECONDS)
        try:
            answer = (await asking).json_object()
        except (errors.PermanentError, errors.BadAnswer):
            return ""
        is_same = compare_remote_ids(account_id, answers.find_account_id(answer)) == "same"
        return clean(answers.find_text(answer, "username") or "", MAX_NAME_LENGTH) if is_same else ""

    def credential_owner(self, access: Access, call: str) -> CredentialOwner:
        """Return ``admin`` for reads, starts and stops if the connection is configured to use that token."""
        return "admin" if call in _DRIVEN and self.can_reach_all_workspaces(access) else "person"

    def can_reach_all_workspaces(self, access: Access) -> bool:
        """Return whether calls use the administrator's token, which opens everyone's workspaces."""
        return self.settings.act_as == "admin" and access.credential.owner == "admin"

    async def discover(self, access: Access) -> Listing[facets.DiscoveredWorkspace]:
        """List the user's workspaces, page by page; raise NotFound if the server has no lists."""
        listed = await offers.list_resources(access, "workspace")
        if not listed:
            await self._confirm_name(access)
        describe = await offers.price_resources(access, self.settings.currency)
        found = {
            one.id: facets.DiscoveredWorkspace(
                one.id, one.name, _to_observed(one.status, machine=describe(one))
            )
            for one in listed
        }
        is_whole = listed.is_whole
        for owner, group in (await self._list_groups(access)).items():
            try:
                shared = await offers.list_resources(access, "workspace", group=owner)
            except (errors.NotFound, errors.Forbidden, errors.RefusedInFront, errors.InvalidRequest):
                continue  # The server doesn't show this group's workspaces to its members.
            is_whole &= shared.is_whole
            for one in shared:
                seen = _to_observed(one.status, owner=group)
                found[one.id] = facets.DiscoveredWorkspace(one.id, one.name, seen)
        return Listing(found.values(), is_whole=is_whole)

    async def _list_groups(self, access: Access) -> Mapping[str, str]:
        """Return the user's groups, or none if the token may show another person's groups."""
        is_own = bool(access.username) and not self.can_reach_all_workspaces(access)
        return await offers.list_groups(access) if is_own else {}

    # -- pages and links ------------------------------------------------------------------------------------

    def parse_job_reference(self, text: str) -> str | None:
        """Return the job's id from a link to its page here, or from a bare id."""
        return offers.parse_resource_id(text, self.settings.base_url, "job")

    def parse_reference(self, text: str) -> str | None:
        """Return the workspace's id from a link to its page here, or from a bare id of 32 hex characters."""
        return offers.parse_resource_id(text, self.settings.base_url, "workspace")

    def page_url(self, remote_id: str) -> str:
        """Return the URL of the workspace's page as users see it in their browsers."""
        quoted = quote(remote_id, safe="", errors="replace")
        return f"{self.settings.base_url}/dash/resources/workspace/{quoted}"

    def run_page_url(self, job: Run) -> str:
        """Return the URL of the page for the run's job, which shows all of the job's runs."""
        asked = job.spec.text("job") if job.spec is not None else ""
        key = asked or (job.remote_id or "").partition("/")[0]
        return f"{self.settings.base_url}/dash/resources/job/{quote(key, safe='')}" if key else ""

    def token_help(self) -> facets.TokenHelp:
        """Explain where to find the token, on both newer and older servers."""
        old = f"{self.settings.base_url}/api/user/token"
        return facets.TokenHelp(
            url=f"{self.settings.base_url}/dash",
            steps=(
                f"Press Open {self.settings.title} and sign in.",
                "Choose User Profile, Access Keys, New Token. The token is shown once: copy all of it.",
                f"If there are no Access Keys, open {old} instead. Copy the long code between the quotes.",
                "Paste it here.",
            ),
            pattern=r"[0-9A-Fa-f]{2,512}|eyJ[\w-]+\.[\w-]+\.[\w-]+",
        )

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the hosts that the operator listed and, for the base URL ``app.X``, all hosts below X."""
        host = parse_origin(self.settings.base_url).host
        below = host.removeprefix("app.")
        derived = (f"*.{below}",) if below != host and "." in below else ()
        return (*self.settings.ide_hosts, *derived)

    def describe(self) -> Mapping[str, Any]:
        """Describe the connection without revealing any token."""
        return {
            **super().describe(),
            "act_as": self.settings.act_as,
            "admin_token": "set" if self.settings.admin_token is not None else "not set",
            "templates": [recipe.name for recipe in self.settings.templates],
        }


def _to_observed(word: str, **more: Any) -> Observed:
    state = _WORKSPACE_STATES.get(word.casefold())
    if state is None:
        return Observed(State.UNKNOWN, detail=base.describe_unknown_state(clean(word)), **more)
    return Observed(state, **more)


def _read_address(user: Mapping[str, Any]) -> str | None:
    return clean(answers.find_text(user, "email") or "", MAX_NAME_LENGTH) or None


def _auto_stop(answer: Mapping[str, Any]) -> str | None:
    """Return a sentence about the idle time after which a workspace stops; None if there is no limit."""
    after = answers.find_text(answer, "auto_shutoff")
    if after is None or after.casefold() == "never":
        return None
    return f"Stops by itself after {clean(after, 30)} without use."


def _decode_claims(token: str) -> Mapping[str, Any]:
    """Return a JSON Web Token's claims, without verifying them. For any other token, return none."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "==")) if len(parts) == 3 else None
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _find_login_link(answer: Any, root: str) -> str:
    """Return the only URL in a response; raise Untrusted if it leads away from the server."""
    # It isn't documented which field contains the link.
    found = sorted({text for text in _iterate_texts(answer) if "://" in text})
    if not found:
        found = sorted({urljoin(f"{root}/", text) for text in _iterate_texts(answer) if text.startswith("/")})
    if len(found) != 1:
        raise errors.BadAnswer(
            "the answer holds no login link" if not found else "which login link is meant?"
        )
    if not requests.has_same_origin(found[0], root):
        raise errors.Untrusted("the login link leads to another host")
    return found[0]


def _iterate_texts(answer: Any) -> Iterator[str]:
    if isinstance(answer, str):
        yield answer.strip()
    elif isinstance(answer, (dict, list)):
        for value in answer.values() if isinstance(answer, dict) else answer:
            yield from _iterate_texts(value)


class _Session:
    """A temporary browser with its own cookies that can call only one server."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._jar = aiohttp.CookieJar(unsafe=True)

    async def fetch_token(self, link: str) -> SecretStr:
        """Open a login link and fetch the token; raise Forbidden if the link doesn't open a session."""
        url = link
        for _ in range(MAX_LOGIN_PAGES):
            response = await self._get(url)
            if response.headers.getall("Set-Cookie", []):
                token = await self._fetch_shown_token()
                if token is not None:
                    return token
            elif response.status == 429 or response.status >= 500:
                raise self._api.to_error(response, changes=False)
            onwards = urljoin(url, response.headers.get("Location", ""))
            if not 300 <= response.status < 400 or not requests.has_same_origin(onwards, self._api.root):
                break
            url = onwards
        raise errors.Forbidden("the login link opened no session")

    async def _fetch_shown_token(self) -> SecretStr | None:
        """Return the token that the session's page shows, or None if nobody is signed in yet."""
        response = await self._get(f"{self._api.root}/api/user/token")
        if 300 <= response.status < 400 or response.status in {401, 403}:
            return None
        if response.status != 200:
            raise self._api.to_error(response, changes=False)
        body = response.json(unredacted=True)
        shown = answers.require_text(body, "token") if isinstance(body, dict) else body
        if not isinstance(shown, str) or not shown:
            raise errors.BadAnswer("the answer is no token")
        return SecretStr(shown)

    async def _get(self, url: str) -> Response:
        cookies: Mapping[str, Any] = self._jar.filter_cookies(URL(url, encoded=True))
        said = "; ".join(f"{name}={one.coded_value}" for name, one in cookies.items())
        headers = {"Cookie": said} if said else {}
        try:
            response = await self._api.send(
                "GET", url, headers=headers, total=MINT_SECONDS, max_bytes=MAX_PAGE_BYTES, hides=(url,)
            )
        except errors.InvalidRequest:
            raise errors.PermanentError("the login link can't be opened") from None
        except errors.UnknownOutcome as error:
            # The next attempt uses a new login link, so the outcome doesn't matter.
            raise errors.BadAnswer(error.message, status=error.status) from None
        self._jar.update_cookies_from_headers(
            response.headers.getall("Set-Cookie", []), URL(url, encoded=True)
        )
        return response
