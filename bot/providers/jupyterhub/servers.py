"""Reads a user's servers: first the hub's list, then each server that is running, starting or broken.

In ids, paths and links, the names of users and servers are percent-encoded and never joined by a hyphen,
because ``alice-prod`` could mean either alice's server *prod* or the user *alice-prod*.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from bot.domain import failure_causes
from bot.domain.observations import Observed
from bot.domain.workspaces import Action, State
from bot.providers import answers, requests
from bot.providers.answers import MAX_NAME_LENGTH, Listing
from bot.providers.base import URL_NOT_ALLOWED, Access, SendWindow, describe_unknown_state
from bot.providers.connection import match_subdomain, path_below
from bot.providers.requests import ApiClient
from bot.providers.words import clean, clean_words
from bot.support import errors
from bot.support.addresses import parse_origin
from bot.support.responses import Response

#: Path segments after ``/user/NAME/`` that stand for a page of the default server, not for a named server.
_PAGES = frozenset(
    {"lab", "tree", "notebooks", "edit", "terminals", "files", "view", "doc", "api", "nbclassic"}
)
_LINK_PATTERN = re.compile(r"/(?:hub/)?(user|spawn|spawn-pending)/([^/]+)(?:/([^/]*))?(?:/.*)?")
_PLAIN_ID_PATTERN = re.compile(r"[^\s/]+/[^\s/]*")


@dataclass(frozen=True, slots=True)
class ServerName:
    """A server's full name: the name of its owner, and its own name ("" for the default server)."""

    user: str
    server: str = ""

    @property
    def remote_id(self) -> str:
        """Return the server's id: the owner's name, a slash and the server's own name, percent-encoded."""
        return f"{requests.encode_path_segment(self.user)}/{self._server_part}"

    @property
    def user_path(self) -> str:
        """Return the API path of the server's owner."""
        return f"/users/{requests.encode_path_segment(self.user)}"

    @property
    def path(self) -> str:
        """Return the server's API path."""
        if not self.server:
            return f"{self.user_path}/server"
        return f"{self.user_path}/servers/{self._server_part}"

    @property
    def ide_path(self) -> str:
        """Return the path of the server's IDE below the hub's public URL."""
        name = f"{self._server_part}/" if self.server else ""
        return f"/user/{requests.encode_path_segment(self.user)}/{name}"

    @property
    def _server_part(self) -> str:
        return requests.encode_path_segment(self.server) if self.server else ""

    @classmethod
    def from_id(cls, remote_id: str) -> ServerName:
        """Parse a server's id; raise NotFound if it is malformed."""
        user, slash, server = remote_id.partition("/")
        if not slash or "/" in server:
            raise errors.NotFound("there is no such server")
        name = cls(unquote(user), unquote(server))
        requests.encode_path_segment(name.user)
        if name.server:
            requests.encode_path_segment(name.server)
        return name


def parse_reference(text: str, public_root: str) -> str | None:
    """Return the id of the server that ``person/server`` or a link refers to, or None if there is none."""
    text = text.strip()
    path = path_below(text, match_subdomain(text, public_root) or public_root)
    if path is not None:
        link = _LINK_PATTERN.fullmatch(path)
        if link is None:
            return None
        rest = link[3] or ""
        # A server may be called "lab", but a URL that ends in "lab" is usually a page of the default server.
        server = "" if link[1] == "user" and rest in _PAGES else rest
        return _parse_id(f"{link[2]}/{server}")
    return _parse_id(text) if _PLAIN_ID_PATTERN.fullmatch(text) and ":" not in text else None


def _parse_id(text: str) -> str | None:
    try:
        return ServerName.from_id(text).remote_id
    except errors.NotFound:
        return None


#: First major release of JupyterHub that can create servers without starting them. It also introduced display
#: names for servers, and a separate scope for starting them.
DISPLAY_NAMES_RELEASE = 6
#: Time limit, in seconds, for requests whose responses users wait for.
CHECK_SECONDS = 4.0
#: Maps each scope of a share to the action that it allows.
_ACTIONS_BY_SCOPE: Mapping[str, Action] = {
    "access:servers": "open",
    "start:servers": "start",
    "delete:servers": "stop",
}
#: Maximum number of pages of shared servers to read. Each page has up to 200 servers.
MAX_SHARE_PAGES = 20
DEFAULT_NAME = "default"
PROBE_SECONDS = 5.0
MAX_PROBE_BYTES = 65_536
NO_SERVERS = (
    "Your token isn't allowed to see servers. Request a new one, leave its permissions empty, and link again."
)
#: Actions available after a failed start, if the hub has confirmed that nothing is left running.
NOTHING_LEFT: frozenset[Action] = frozenset({"start", "remove"})
CHECKING = "the hub is checking this server"
UNREADABLE = "what the hub says of this server can't be read"
NOT_YET = "The server doesn't answer yet."
CANCELLED = "Spawn cancelled"
#: Matches the beginning of KubeSpawner's progress messages: the time and type of a Kubernetes event.
_EVENT_PREFIX_PATTERN = re.compile(r"[^[]{1,40} \[(Normal|Warning)\] ")
#: Matches the message of a Kubernetes event saying that the scheduler has found a machine.
_ASSIGNED_PATTERN = re.compile(r"Successfully assigned \S+ to \S+")
#: Matches the beginning of the hub's progress message about a failed start. If the exception has no message,
#: as when the hub's own time limit (``start_timeout``) is reached, nothing follows the colon.
_FAILURE_PREFIX_PATTERN = re.compile(r"Spawn failed(?::\s*|$)")


#: Key in ``Credential.extra`` for the id of a token that Usher created.
TOKEN_ID = "token_id"  # noqa: S105 - a key's name, no secret


class TokenOwner(dict[str, Any]):
    """A token's owner and scopes, as the hub reports them."""

    #: The hub's major release; 0 if the hub doesn't say.
    release: int = 0


async def read_token_owner(api: ApiClient) -> TokenOwner:
    """Read the token's owner; raise CredentialRefused if the token isn't valid.

    The hub answers 403 to bad tokens as well as missing permissions. This call needs no permission, so a 403
    is due to the token.
    """
    with requests.forbidden_as_credential_refused():
        response = await api.call("GET", "/user", total=CHECK_SECONDS)
    owner = TokenOwner(response.json_object())
    owner.release = _read_header(response)
    return owner


@dataclass(frozen=True, slots=True)
class Share:
    """A server that is shared with the user: its data from the hub, and the scopes of the share."""

    server: Mapping[str, Any]
    scopes: frozenset[str]


class ServerList(dict[str, dict[str, Any]]):
    """A user's servers, keyed by name."""

    #: The hub's major release; 0 if the hub doesn't say.
    release: int = 0


@dataclass(frozen=True, slots=True)
class Servers:
    """Reads servers through the API. ``public`` is the hub's URL without ``/hub``."""

    public: str
    allowed_url: Callable[[str | None], str | None]

    async def call(self, method: str, path: str, access: Access, **options: Any) -> Response:
        """Call the API. After a 403 or 404, check whether the token is bad or its owner was renamed."""
        try:
            return await access.api.call(method, path, **options)
        except (errors.Forbidden, errors.NotFound) as error:
            refusal = error
        username = answers.require_text(await read_token_owner(access.api), "name")
        if username != access.username:
            # An administrator has renamed the user, whose tokens remain valid.
            raise errors.AccountRenamed(username)
        raise refusal

    async def list_servers(self, access: Access, window: SendWindow | None) -> ServerList | None:
        """Return the user's servers by name, or None if the hub doesn't know the user.

        Raises AccountRenamed if the user has been renamed.
        """
        path = ServerName(access.username).user_path
        query = {"include_stopped_servers": "1"}
        try:
            response = await self.call("GET", path, access, query=query, window=window)
        except errors.NotFound:
            return None
        answer = response.json_object()
        if answer.get("name", access.username) != access.username:
            raise errors.BadAnswer("the answer is about another person")
        if "servers" not in answer:
            # A hub's response always includes the user's name. If the name is missing, something else is
            # answering.
            answers.require_text(answer, "name")
            raise errors.Forbidden(NO_SERVERS)
        servers = answer["servers"]
        if not isinstance(servers, dict):
            raise errors.BadAnswer("the answer's field servers is not an object")
        listed = ServerList(servers)
        listed.release = _read_header(response)
        return listed

    async def list_shared(self, access: Access) -> Listing[tuple[str, Share]]:
        """Return the servers that others share with the user, each with its id.

        Shares with groups are left out: hubs list them, but let nobody use them (up to 6.1). The result is
        empty if the hub has no such list (before 5.0), a proxy doesn't know the list's URL, or the token
        lacks ``read:users:shares``.
        """
        path, release = f"{ServerName(access.username).user_path}/shared", 0

        def next_offset(page: Mapping[str, Any]) -> object:
            return answers.find_object(answers.find_object(page, "_pagination"), "next").get("offset")

        async def ask(offset: str | None) -> dict[str, Any]:
            nonlocal release
            query = {} if offset is None else {"offset": offset}
            response = await access.api.call("GET", path, query=query)
            release = _read_header(response)
            return response.json_object()

        try:
            pages = await requests.none_if_absent(requests.read_pages(ask, next_offset, MAX_SHARE_PAGES))
        except (errors.Forbidden, errors.RefusedInFront):
            pages = None
        return (
            Listing()
            if pages is None
            else answers.read_entries(pages, "items", lambda one: _parse_share(one, release))
        )

    async def observe_shared(self, access: Access, remote_id: str, share: Share) -> Observed:
        """Return the state of a server that is shared with the user.

        The list shows only whether the server is ready. To read more, the token needs all of its owner's
        permissions, as a pasted one may have. Hubs before 6.0 can't report a single shared server.
        """
        name, server = ServerName.from_id(remote_id), share.server
        is_wide = TOKEN_ID not in access.credential.extra
        if is_wide and "read:servers" in share.scopes:
            with suppress(
                errors.Forbidden,
                errors.RefusedInFront,
                errors.NotFound,
                errors.BadAnswer,
                errors.InvalidRequest,
            ):
                server = (await access.api.call("GET", name.path)).json_object()
        given = {"access:servers"} if not is_wide else {*_ACTIONS_BY_SCOPE}
        actions = frozenset(_ACTIONS_BY_SCOPE[scope] for scope in given & share.scopes)
        seen = await self._observe_listed(access, name, server)
        url = seen.url if "open" in actions else None
        return replace(seen, url=url, owner=clean(name.user, MAX_NAME_LENGTH), actions=actions)

    async def read_release(self, access: Access, servers: ServerList) -> int:
        """Return the release of the hub that sent the list. If a proxy dropped the header, ask the hub."""
        if servers.release:
            return servers.release
        response = await access.api.call("GET", "/", total=CHECK_SECONDS)
        return _parse_release(answers.find_text(response.json_object(), "version") or "")

    async def request(
        self, goal: str, name: ServerName, access: Access, body: Mapping[str, Any] | None = None
    ) -> str | None:
        """Ask the hub to start, stop or remove a server; return the hub's message if it was already done."""
        asking = self.change("POST" if goal == "start" else "DELETE", name, access, body)
        # A refusal may refer to the server by either of these names.
        names = f"{name.user}:{name.server}", name.server or name.user
        return await requests.accept_already_done(goal, asking, *names)

    async def change(
        self, method: str, name: ServerName, access: Access, body: Mapping[str, Any] | None
    ) -> None:
        """Ask the hub to change a server, and turn a refusal into the matching error."""
        try:
            await self.call(method, name.path, access, json_body=body)
        except errors.RateLimited as error:
            # A Retry-After header means that too many servers are starting right now. Without it, the hub is
            # full, unless a proxy sent the response.
            is_full = error.retry_after is None and error.response.body.lstrip().startswith(b"{")
            if method == "POST" and is_full:
                raise errors.NoCapacity(error.message, status=error.status) from None
            raise
        except errors.ServerFailed as error:
            if method != "POST" or error.is_refusal:
                raise
            # The start failed before the hub responded. Reading the server will show why.
            raise errors.UnknownOutcome(
                error.message, status=error.status, retry_after=error.retry_after
            ) from None

    async def observe(self, access: Access, remote_id: str, servers: ServerList | None) -> Observed:
        """Return a server's state. A server that is missing or belongs to another user is *gone*."""
        try:
            name = ServerName.from_id(remote_id)
        except errors.NotFound:
            return Observed(State.GONE)
        if servers is None or name.user != access.username:
            return Observed(State.GONE)
        if name.server not in servers:
            # The default server always exists, but named servers can be deleted.
            return Observed(State.GONE) if name.server else Observed(State.STOPPED, name=DEFAULT_NAME)
        return await self._observe_listed(access, name, answers.find_object(servers, name.server, "servers."))

    async def _observe_listed(self, access: Access, name: ServerName, server: Mapping[str, Any]) -> Observed:
        seen = await self._observe_server(access, name, server)
        used_at = answers.parse_time(server.get("last_activity"))
        return replace(seen, started_at=answers.parse_time(server.get("started")), last_used_at=used_at)

    async def _observe_server(self, access: Access, name: ServerName, server: Mapping[str, Any]) -> Observed:
        where = f"servers.{clean(name.server, 40)}."
        pending, is_ready = server.get("pending"), server.get("ready")
        shown = clean(answers.find_text(server, "display_name", where) or "", MAX_NAME_LENGTH)
        label = shown or clean(name.server, MAX_NAME_LENGTH) or DEFAULT_NAME
        if not isinstance(is_ready, bool) or not (pending is None or isinstance(pending, str)):
            answers.log_oddity(f"{where}ready or pending can't be read")
            # If this is None, the server keeps its previous name.
            return Observed(State.UNKNOWN, detail=UNREADABLE, name=shown or None)
        if pending == "stop":
            return Observed(State.STOPPING, name=label)
        if pending == "spawn":
            return _observe_starting(await self._read_progress(access, name), label)
        if pending == "check" and not is_ready:
            # After a restart, the hub first checks the servers that were running before.
            return Observed(State.UNKNOWN, detail=CHECKING, name=label)
        if pending and pending != "check":
            return Observed(State.UNKNOWN, detail=describe_unknown_state(clean(pending)), name=label)
        if is_ready:
            url = self._build_ide_url(name, server, where)
            return Observed(
                State.RUNNING, url=url, detail=URL_NOT_ALLOWED if url is None else None, name=label
            )
        return _observe_stopped(await self._read_progress(access, name), label)

    def _build_ide_url(self, name: ServerName, server: Mapping[str, Any], where: str) -> str | None:
        full, path = answers.find_text(server, "full_url", where), answers.find_text(server, "url", where)
        if full is None and path is not None and "://" in path:
            full = path  # Hubs before 5.0 put the full URL here.
        if full is not None:
            return self.allowed_url(full)
        if path is None or not path.startswith("/"):
            return self.allowed_url(self.public + name.ide_path)
        origin = parse_origin(self.public)
        return self.allowed_url(f"{origin.scheme}://{origin.netloc}{path}")

    async def _read_progress(self, access: Access, name: ServerName) -> Progress | None:
        """Return the progress of the last start, or None if the hub reports none.

        Without the progress, a server whose start failed looks the same as a stopped one.
        """
        try:
            answer = await access.api.peek(f"{name.path}/progress")
        except errors.ProviderError:
            return None
        return parse_last_event(answer.body) if answer.status == 200 else None


def _read_header(response: Response) -> int:
    return _parse_release(response.headers.get("X-JupyterHub-Version", ""))


def _parse_release(version: str) -> int:
    with suppress(ValueError):
        return int(version.partition(".")[0])
    return 0


def _parse_share(one: Any, release: int) -> tuple[str, Share] | None:
    server = answers.require_object(one, "server")
    user = answers.require_text(answers.find_object(server, "user"), "name")
    if one.get("group"):
        return None
    scopes = one.get("scopes")
    listed = scopes if isinstance(scopes, list) else []
    names = {scope.partition("!")[0] for scope in listed if isinstance(scope, str)}
    if "servers" in names and release < DISPLAY_NAMES_RELEASE:
        names.add("start:servers")
    try:
        remote_id = ServerName(user, answers.find_text(server, "name") or "").remote_id
    except errors.NotFound:
        answers.log_oddity("a shared server's name can't be part of an address")
        return None
    return remote_id, Share({"pending": None, **server}, frozenset(names))


async def check_page(access: Access, url: str, seen: Observed) -> Observed:
    """Return a ready server's state, marked as lacking its page unless the server itself responds.

    Applications other than Jupyter have no ``api/status``, so this reads their root instead. If the server
    isn't there, the hub or the proxy answers, with 404, 424, an error or a redirect to the hub.
    """
    address, lacking = url if url.endswith("/") else f"{url}/", replace(seen, detail=NOT_YET, lacks="page")

    async def ask(path: str) -> Response:
        return await access.api.send(
            "GET", f"{address}{path}", total=PROBE_SECONDS, max_bytes=MAX_PROBE_BYTES
        )

    answer = await ask("api/status")
    if answer.status == HTTPStatus.NOT_FOUND and not _is_hubs(answer, address):
        answer = await ask("")
    is_up = answer.status < 500 and answer.status not in _NOT_YET and not _is_hubs(answer, address)
    return seen if is_up else lacking


#: Status codes returned for a server that has no route yet, or whose application isn't listening yet.
_NOT_YET = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.FAILED_DEPENDENCY})
#: Matches the pages to which the hub redirects if a server isn't there. The hub's OAuth page isn't matched,
#: because a running server sends users to that page to sign in.
_HUB_PAGE_PATTERN = re.compile(r"/hub(?!/api/oauth2/)(/|\?|$)")


def _is_hubs(answer: Response, address: str) -> bool:
    """Return whether a response from a server's URL came from the hub rather than the server.

    If a server isn't there, the hub redirects to one of its own pages, or refuses the request. A redirect to
    any other page comes from the server. The hub's responses have its version in a header. Responses of
    Jupyter servers have it, too, but they aren't refusals.
    """
    if 300 <= answer.status < 400:
        target = urlsplit(urljoin(address, answer.headers.get("Location", "")))
        is_own = path_below(target.geturl(), address) is not None
        is_here = f".{urlsplit(address).hostname}".endswith(f".{target.hostname}")
        return is_here and not is_own and _HUB_PAGE_PATTERN.search(target.path) is not None
    return answer.status in {*_NOT_YET, HTTPStatus.SERVICE_UNAVAILABLE} and bool(
        answer.headers.get("X-JupyterHub-Version")
    )


def _observe_starting(progress: Progress | None, label: str) -> Observed:
    if progress is None or progress.is_ready:
        return Observed(State.STARTING, name=label)
    if progress.has_failed:
        return _observe_stopped(progress, label)
    # If the last event is a warning, it already explains why the start is waiting.
    detail = progress.message if progress.message != progress.warning else ""
    return Observed(
        State.STARTING,
        detail=detail or None,
        progress=progress.percent,
        name=label,
        # Once a machine has been found, what was said about the search no longer applies.
        reason=progress.warning or ("" if progress.is_assigned else None),
    )


def _observe_stopped(progress: Progress | None, label: str) -> Observed:
    if progress is None or (progress.has_failed and progress.message == CANCELLED):
        return Observed(State.STOPPED, name=label)
    if progress.has_failed:
        reason = failure_causes.pick_failure_message([progress.warning, progress.message]) or None
        return Observed(State.FAILED, name=label, reason=reason, actions=NOTHING_LEFT)
    # Between the two reads, the server was started again.
    return Observed(State.STARTING, name=label)


@dataclass(frozen=True, slots=True)
class Progress:
    """The last event of a start, and its last warning. ``percent`` is from 0 to 100. Strings may be empty.

    If ``is_assigned``, Kubernetes has found a machine, and earlier warnings are left out.
    """

    percent: int | None = None
    message: str = ""
    warning: str = ""
    has_failed: bool = False
    is_ready: bool = False
    is_assigned: bool = False


def parse_last_event(stream: bytes) -> Progress | None:
    """Return the last complete event of a stream that may be cut off anywhere, or None if there is none."""
    whole = stream.decode("utf-8", "replace").replace("\r\n", "\n").rpartition("\n")[0]
    lines = (line[5:] for line in whole.split("\n") if line.startswith("data:"))
    events = [event for event in map(_parse_event, lines) if event is not None]
    if not events:
        return None
    assigned = [place for place, one in enumerate(events) if one.is_assigned]
    warnings = [one.warning for one in events[max(assigned, default=0) :]]
    last, warning = events[-1], failure_causes.pick_failure_message(warnings) or ""
    # An earlier warning may say more about why the start is waiting than the last event does.
    message = warning if last.warning else last.message
    return replace(last, warning=warning, message=message, is_assigned=bool(assigned))


def _parse_event(text: str) -> Progress | None:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    raw = event.get("raw_event")
    warned = raw if isinstance(raw, dict) and raw.get("type") == "Warning" else None
    said = (warned or event).get("message")
    message, has_failed = said.strip() if isinstance(said, str) else "", event.get("failed") is True
    kind = _EVENT_PREFIX_PATTERN.match(message)
    if has_failed:
        message = _FAILURE_PREFIX_PATTERN.sub("", message)
    elif kind is not None:
        message = message[kind.end() :]
    message = clean_words(message, failure_causes.MAX_REASON_LENGTH)
    is_warning = warned is not None or (kind is not None and kind[1] == "Warning")
    is_warning |= failure_causes.find_reason(message) is not None
    return Progress(
        percent=_parse_percent(event),
        message=message,
        warning=message if is_warning and not has_failed else "",
        has_failed=has_failed,
        is_ready=event.get("ready") is True,
        is_assigned=_ASSIGNED_PATTERN.fullmatch(message) is not None,
    )


def _parse_percent(event: Mapping[str, Any]) -> int | None:
    value = event.get("progress")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(min(max(value, 0), 100))
