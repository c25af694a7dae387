"""GitHub Codespaces: listing, creating, starting, stopping, opening and deleting a user's codespaces."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import usher.provider as up
from usher_codespaces import offers
from usher_codespaces.offers import HEADERS, Offer

#: Maps the states in the `codespace` schema of GitHub's OpenAPI document to Usher's. "Unknown" is left out,
#: and so is "Moved", because GitHub doesn't give the new name. Exporting and Updating (a move to another
#: machine) end in Shutdown.
STATES = {
    **dict.fromkeys(("Created", "Queued", "Provisioning", "Starting", "Rebuilding"), up.State.STARTING),
    **dict.fromkeys(("Available", "Awaiting", "Unavailable"), up.State.RUNNING),
    **dict.fromkeys(("ShuttingDown", "Exporting", "Updating"), up.State.STOPPING),
    **dict.fromkeys(("Shutdown", "Archived"), up.State.STOPPED),
    "Failed": up.State.FAILED,
    "Deleted": up.State.GONE,
}
#: Maps GitHub's states to sentences that explain them, if Usher's own state doesn't say enough.
STATE_DETAILS = {"Exporting": "It's being exported.", "Updating": "It's being updated."}
FAILED_ACTIONS: frozenset[up.Action] = frozenset({"start", "remove"})
#: The actions that GitHub allows while an operation is pending.
PENDING_ACTIONS: frozenset[up.Action] = frozenset({"remove"})
MAX_LIST_PAGES = 20
#: Pause, in seconds, after hitting a secondary rate limit if GitHub doesn't say how long to wait (from
#: GitHub's guide).
SECONDARY_LIMIT_WAIT_SECONDS = 60.0
BILLING_PATTERN = re.compile(r"billing|budget|payment", re.IGNORECASE)
#: Matches GitHub's messages about its request limits, in case a proxy has dropped the headers.
REQUEST_LIMIT_PATTERN = re.compile(r"\brate limit|\babuse detection", re.IGNORECASE)
#: Matches GitHub's messages saying that a token lacks a required permission.
TOKEN_LACKS_PATTERN = re.compile(
    r"\bnot accessible by\b|\bscopes?\b|\btoken\b.{0,40}\bpermission", re.IGNORECASE
)
#: Text shown if the X-GitHub-SSO header says that an organization requires tokens to be authorized.
SIGN_ON_NEEDED = (
    "Your organization wants its single sign-on for the token that you linked. Authorize it at {url} and try "
    "again: you don't have to link again."
)
#: Maximum length of a sign-on URL, in characters. If the URL is longer, the URL of a general page is shown.
LONGEST_SIGN_ON_ADDRESS = 170
#: Text shown if a repository's `devcontainer.json` asks for permissions that the user hasn't decided on yet.
PERMISSIONS_NEEDED = "The repository asks for more permissions. Allow or deny them at {url} and try again."
#: Maximum length of the URL in that text, in characters. If it is longer, the URL of the page that creates
#: codespaces is shown, because that page asks for the permissions, too.
LONGEST_PERMISSIONS_ADDRESS = 200
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9-]*"
TOKEN_STEPS = (
    "Make a fine-grained token, with access to the repositories of your codespaces.",
    "Give it, for repositories, Codespaces and Codespaces lifecycle admin: read and write.",
    "Give it Codespaces metadata, Contents and Metadata: read-only.",
    "Or make a classic token with the scopes codespace and repo.",
    "If an organization owns the repositories, it may have to approve the token.",
)


class CodespacesSettings(up.ConnectionSettings):
    """The settings of a connection to GitHub Codespaces."""

    #: The repositories (OWNER/NAME) in the form. By default, those of the user's codespaces come first, then
    #: those to which anybody has most recently pushed.
    repositories: tuple[str, ...] = ()


class Codespaces(offers.CodespaceForms, up.Lists, up.Tokens, up.Removal):
    """Translate between Usher and GitHub Codespaces."""

    api_version: ClassVar[int] = up.API_VERSION
    kind: ClassVar[str] = "codespaces"
    title: ClassVar[str] = "GitHub Codespaces"
    # GitHub allows each person 5,000 requests per hour. At this pace, six of a person's codespaces can be
    # pending all the time.
    pace: ClassVar[up.Pace] = up.Pace(min_poll_interval=3.0, pending_interval=5.0, concurrency=10)
    settings_model: ClassVar[type[up.ConnectionSettings]] = CodespacesSettings
    token_pattern: ClassVar[str] = r"github_pat_[A-Za-z0-9_]{20,}|gh[pousr]_[A-Za-z0-9]{20,}"

    def to_error(self, response: up.Response, *, changes: bool) -> up.errors.ProviderError:
        """Interpret headers about limits and permissions, messages about spending, and one kind of 401.

        If a repository asks for permissions that the user hasn't decided on yet, GitHub refuses to create a
        codespace with 401, although the token is valid. The body contains the URL of the page on which the
        user decides (`startCreate` in internal/codespaces/api/api.go of github.com/cli/cli).
        """
        error = super().to_error(response, changes=changes)
        words, status, headers = error.message, response.status, response.headers
        if status == 401 and (address := self._find_permissions_page(response)):
            # With the status, Usher would send the call again. Without it, users see this message unchanged.
            return up.errors.Forbidden(PERMISSIONS_NEEDED.format(url=address))
        wait, is_spent = response.retry_after(), headers.get("X-RateLimit-Remaining") == "0"
        if is_spent:
            wait = wait or response.retry_after("X-RateLimit-Reset")
        is_limited = is_spent or wait is not None or REQUEST_LIMIT_PATTERN.search(words)
        if status == 429 or (status == 403 and is_limited):
            wait = wait or SECONDARY_LIMIT_WAIT_SECONDS
            return up.errors.RateLimited(words, status=status, retry_after=wait, is_own=is_spent)
        if status == 403 and (address := headers.get("X-GitHub-SSO", "")).casefold().startswith("required"):
            # Without a status, users see this message unchanged, as Usher's own rather than GitHub's.
            return up.errors.Forbidden(self._describe_sign_on(address))
        if status in (400, 403, 422) and BILLING_PATTERN.search(words):
            return up.errors.LimitReached(words, status=status)
        if status in (403, 404) and (lack := _find_lack(status, words, headers)):
            return up.errors.Forbidden(f"{words} ({lack})", status=status)
        if status == 304 and changes:
            return up.errors.Conflict("", status=status)
        return error

    def _describe_sign_on(self, header: str) -> str:
        address = header[header.casefold().find("url=") + 4 :].strip(' "')
        is_own = (
            len(address) <= LONGEST_SIGN_ON_ADDRESS and up.path_below(address, self._web_root()) is not None
        )
        return SIGN_ON_NEEDED.format(url=address if is_own else f"{self._web_root()}/settings/tokens")

    def _find_permissions_page(self, response: up.Response) -> str:
        try:
            address = up.find_text(response.json_object(), "allow_permissions_url") or ""
        except up.errors.BadAnswer:
            return ""
        if up.path_below(address, self._web_root()) is None:
            return ""
        is_short = len(address) <= LONGEST_PERMISSIONS_ADDRESS
        return address if is_short else f"{self._web_root()}/codespaces/new"

    async def check_credential(self, credential: up.Credential) -> up.Identity:
        """Read the token's user, then the list of codespaces, which fails if the token lacks permissions."""
        api = self.api.acting_as(credential)
        response = await api.call("GET", "/user", headers=HEADERS)
        user = response.json_object()
        login = up.require_text(user, "login")
        await api.call("GET", "/user/codespaces", query={"per_page": "1"}, headers=HEADERS)
        expiry = response.headers.get("GitHub-Authentication-Token-Expiration", "").replace("UTC", "+0000")
        expires_at = up.parse_time(expiry, "%Y-%m-%d %H:%M:%S %z")
        account_id = up.find_account_id(user)
        return up.Identity(login, replace(credential, expires_at=expires_at, account_id=account_id))

    async def read_account(self, access: up.Access) -> up.RemoteAccount | None:
        """Read the token's user, because a login can change and may later belong to someone else."""
        user = (await access.api.call("GET", "/user", headers=HEADERS)).json_object()
        return up.RemoteAccount(up.find_account_id(user), up.require_text(user, "login"))

    async def probe(self) -> str:
        """Read the versions of the API, for which no token is needed."""
        versions = (await self.api.call("GET", "/versions", headers=HEADERS)).json()
        if not isinstance(versions, list) or offers.API_REVISION not in versions:
            raise up.errors.BadAnswer(f"the API doesn't list its version {offers.API_REVISION}")
        return f"GitHub REST API {offers.API_REVISION}"

    def token_help(self) -> up.TokenHelp:
        """Explain which permissions a token needs."""
        url = f"{self._web_root()}/settings/personal-access-tokens/new"
        return up.TokenHelp(url, TOKEN_STEPS, r"github_pat_[A-Za-z0-9_]{22,}|gh[pou]_[A-Za-z0-9]{36,}")

    async def discover(self, access: up.Access) -> up.Listing[up.DiscoveredWorkspace]:
        """List the user's codespaces, page by page."""
        pages, shows_all = await _read_pages(access.api)
        listing = up.read_entries(pages, "codespaces", self._to_discovered)
        return up.Listing(listing, is_whole=listing.is_whole and shows_all)

    def _to_discovered(self, entry: Any) -> up.DiscoveredWorkspace:
        remote_id = up.require_id(entry, "name")
        seen = self._to_observed(entry)
        return up.DiscoveredWorkspace(remote_id, seen.name or "", seen)

    async def status(
        self, access: up.Access, remote_ids: Sequence[str], window: up.SendWindow | None = None
    ) -> Mapping[str, up.Observed]:
        """Read each codespace, within the send window."""
        return {remote_id: await self._read(access.api, remote_id, window) for remote_id in remote_ids}

    async def _read(self, api: up.ApiClient, remote_id: str, window: up.SendWindow | None) -> up.Observed:
        try:
            response = await api.call("GET", "/user/codespaces/{}", remote_id, window=window, headers=HEADERS)
        except up.errors.NotFound:
            return up.Observed(up.State.GONE)
        codespace = response.json_object()
        if up.require_text(codespace, "state") and up.require_id(codespace, "name") != remote_id:
            raise up.errors.BadAnswer("the answer is about another codespace")
        return self._to_observed(codespace)

    def _to_observed(self, codespace: Mapping[str, Any]) -> up.Observed:
        word = up.find_text(codespace, "state") or ""
        title = up.find_text(codespace, "display_name") or up.find_text(codespace, "name") or ""
        name = up.clean(title, up.MAX_NAME_LENGTH) or None
        if (state := STATES.get(word, up.State.UNKNOWN)) is up.State.UNKNOWN:
            return up.Observed(state, detail=up.describe_unknown_state(up.clean(word)), name=name)
        # While an operation is pending, nobody can connect, whatever the state is.
        is_pending = codespace.get("pending_operation") is True
        can_connect = word == "Available" and not is_pending
        address = up.find_text(codespace, "web_url") if can_connect else None
        url = self.allowed_url(address)
        is_down = state in (up.State.STOPPED, up.State.FAILED)
        used_at = up.parse_time(codespace.get("last_used_at"))
        expires_at = up.parse_time(codespace.get("retention_expires_at")) if is_down else None
        actions = FAILED_ACTIONS if state is up.State.FAILED else None
        if is_pending:
            actions = PENDING_ACTIONS
        detail = up.URL_NOT_ALLOWED if address and url is None else _describe(codespace, state)
        detail = detail or STATE_DETAILS.get(word, "")
        return up.Observed(
            state,
            url=url,
            detail=detail or None,
            name=name,
            actions=actions,
            expires_at=expires_at,
            expiry_mode=None if expires_at is None else "removed",
            survives_stop=True,
            # GitHub's document says that `last_used_at` is the time of the last start.
            started_at=used_at if state is up.State.RUNNING else None,
            last_used_at=used_at if is_down else None,
            # Nobody can connect to a running machine unless its state is Available.
            lacks="agent" if state is up.State.RUNNING and not can_connect else None,
        )

    async def start(self, access: up.Access, workspace: up.Workspace) -> str | None:
        """Ask GitHub to start a codespace.

        GitHub answers 409 or 304 if the codespace is already running, and 409 or 422 if another operation is
        in progress. After a 409, the message or a read has to show that the codespace is running.
        """
        asking = access.api.call("POST", "/user/codespaces/{}/start", workspace.remote_id, headers=HEADERS)
        try:
            return await up.accept_already_done(
                "start", asking, workspace.remote_id, workspace.name, "codespace"
            )
        except up.errors.Conflict as error:
            said = re.search(r"\bcodespace is (\w+)\W*$", error.message)
            if said is None or STATES.get(said[1]) not in up.UP_STATES:
                raise
            return error.message

    async def stop(
        self, access: up.Access, workspace: up.Workspace, mode: up.StopMode = "stop"
    ) -> str | None:
        """Ask GitHub to stop a codespace; raise Conflict while another operation is in progress."""
        self.require_stop_mode(mode)
        asking = access.api.call("POST", "/user/codespaces/{}/stop", workspace.remote_id, headers=HEADERS)
        return await up.accept_already_done("stop", asking, workspace.remote_id, workspace.name, "codespace")

    async def remove(self, access: up.Access, workspace: up.Workspace) -> None:
        """Ask GitHub to delete a codespace."""
        await access.api.call("DELETE", "/user/codespaces/{}", workspace.remote_id, headers=HEADERS)

    async def read_offer(self, access: up.Access) -> Offer:
        """Read the repositories with their branches and machines, and the names of the user's codespaces."""
        assert isinstance(self.settings, CodespacesSettings)
        pages, _ = await _read_pages(access.api)
        known = up.read_entries(pages, "codespaces", self._to_name_and_repository)
        names, used = [name for name, _ in known], [full_name for _, full_name in known if full_name]
        return await offers.read_offer(access.api, self.settings.repositories, names, used)

    def _to_name_and_repository(self, entry: Any) -> tuple[str, str]:
        name = self._to_discovered(entry).name
        return name, up.find_text(up.find_object(entry, "repository"), "full_name") or ""

    async def create(self, access: up.Access, spec: up.Spec, key: str) -> up.Created:
        """Create a codespace, which GitHub starts automatically."""
        ids = spec.text("repository").partition("/")[::2]
        texts = {"display_name": spec.name, "machine": spec.text("machine"), "ref": spec.text("branch")}
        body = {key: text for key, text in texts.items() if text}
        response = await access.api.call(
            "POST", "/repos/{}/{}/codespaces", *ids, json_body=body, headers=HEADERS
        )
        with up.bad_answer_as_unknown_outcome():
            return up.Created(up.require_id(response.json_object(), "name"), spec.name)

    async def list_names(self, access: up.Access, stem: str) -> Collection[str]:
        """List the display names of the user's codespaces."""
        names = [workspace.name for workspace in await self.discover(access)]
        return [name for name in names if name.casefold().startswith(stem.casefold())]

    async def find_created(
        self, access: up.Access, spec: up.Spec, key: str, since: float
    ) -> up.OutcomeSearch:
        """Search the list for a codespace that has the new name and isn't older than the call."""
        pages, shows_all = await _read_pages(access.api)

        def to_created(entry: Any) -> up.Created | None:
            remote_id = up.require_id(entry, "name")
            created_at = up.parse_time(entry.get("created_at")) or 0.0
            is_new = created_at >= since - up.MAX_CLOCK_SKEW_SECONDS
            has_name = up.find_text(entry, "display_name") == spec.name
            return up.Created(remote_id, spec.name) if is_new and has_name else None

        created = up.read_entries(pages, "codespaces", to_created)
        match = created[0] if len(created) == 1 else None
        is_conclusive = created.is_whole and shows_all and not created
        return up.OutcomeSearch(match, () if match else tuple(created), is_conclusive)

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the hosts of GitHub's pages and editors, and the configured hosts."""
        return (*super().ide_hosts(), "github.com", "*.github.dev")

    def page_url(self, remote_id: str) -> str:
        """Return the codespace's page."""
        return f"{self._web_root()}/codespaces/{up.encode_path_segment(remote_id)}"

    def parse_reference(self, text: str) -> str | None:
        """Extract the codespace's name from a link to its page or its editor."""
        page = re.fullmatch(rf"/codespaces/({NAME_PATTERN})/?", up.path_below(text, self._web_root()) or "")
        editor = re.match(rf"https://({NAME_PATTERN})\.github\.dev(?=[/?#]|$)", text)
        return link[1] if (link := page or editor) else None

    def _web_root(self) -> str:
        return self.settings.base_url.replace("://api.", "://", 1)


def _find_lack(status: int, words: str, headers: Mapping[str, str]) -> str:
    """Return what a refused token lacks, according to a header. If a scope is missing, GitHub answers 404.

    Every 403 has this header, so only the message shows whether the token is the reason.
    """
    if status == 403 and not TOKEN_LACKS_PATTERN.search(words):
        return ""
    if status == 403 and (permission := headers.get("X-Accepted-GitHub-Permissions")):
        return f"it needs {up.clean(permission)}"
    scopes, accepted = headers.get("X-OAuth-Scopes"), headers.get("X-Accepted-OAuth-Scopes", "")
    if not accepted or scopes is None or set(scopes.split(", ")) & set(accepted.split(", ")):
        return ""
    return f"it needs the scope {up.clean(accepted)}"


def _describe(codespace: Mapping[str, Any], state: up.State) -> str:
    """Return GitHub's notice about a codespace, or what users should know before stopping or deleting it."""
    notice_key = {up.State.RUNNING: "idle_timeout_notice", up.State.STOPPED: "last_known_stop_notice"}
    for key in ("pending_operation_disabled_reason", notice_key.get(state, "")):
        if notice := up.clean_words(up.find_text(codespace, key) or ""):
            return notice
    git, minutes = up.find_object(codespace, "git_status"), codespace.get("idle_timeout_minutes")
    if state is up.State.STOPPED and (git.get("has_unpushed_changes") or git.get("has_uncommitted_changes")):
        return "Has changes that aren't pushed."
    is_timed = state is up.State.RUNNING and isinstance(minutes, int)
    return f"Stops after {minutes} minutes without activity." if is_timed else ""


async def _read_pages(api: up.ApiClient) -> tuple[up.Listing[dict[str, Any]], bool]:
    """Return the list's pages, and whether GitHub shows all codespaces.

    If the token isn't authorized for single sign-on, GitHub leaves out an organization's codespaces and says
    so in a header.
    """
    is_partial = False

    async def ask(key: str | None) -> dict[str, Any]:
        nonlocal is_partial
        number = int(key or "1")
        query = {"per_page": str(offers.PAGE_SIZE), "page": str(number)}
        response = await api.call("GET", "/user/codespaces", query=query, headers=HEADERS)
        page, has_link = response.json_object(), 'rel="next"' in response.headers.get("Link", "")
        is_partial |= response.headers.get("X-GitHub-SSO", "").casefold().startswith("partial-results")
        total, listed = page.get("total_count"), page.get("codespaces")
        is_full = isinstance(listed, list) and len(listed) >= offers.PAGE_SIZE
        has_more = has_link or (total > number * offers.PAGE_SIZE if isinstance(total, int) else is_full)
        return page | {"next_page": str(number + 1) if has_more else ""}

    pages = await up.read_pages(ask, lambda page: page["next_page"], MAX_LIST_PAGES)
    return pages, not is_partial
