"""Saturn Cloud: workspaces by their ids, at most one status read per resource in ten seconds.

Facts: seed 000 and seed 002 (the published guides) are the contract; what ``saturn.md`` marks [client] is
used where the server has it. A server that speaks the guides alone answers 404 there: then the token is
compared instead of asking for a name, and people add workspaces by link or id.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import quote

from pydantic import SecretStr

from bot.errors import BadAnswer, Conflict, CredentialRefused, Forbidden, InvalidRequest, NotFound
from bot.models import Observed, State
from bot.providers.base import (
    ConnectionSettings,
    Credential,
    Discovered,
    Identity,
    Pace,
    Provider,
    TokenHelp,
    unknown_word,
)
from bot.providers.hosts import origin_of, path_below
from bot.providers.reading import MAX_NAME, clean, object_in, objects_in, optional_text_in, text_in
from bot.providers.requests import Api, path_part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.http import Http
    from bot.models import StopMode
    from bot.providers.base import Access, SendWindow

_STATES = {
    "running": State.RUNNING,
    "stopped": State.STOPPED,
    "pending": State.STARTING,
    "stopping": State.STOPPING,
    "error": State.FAILED,
}
#: A person waits for these answers, 10 s at most in all.
CHECK_SECONDS = 8.0
LIST_SECONDS = 10.0
#: A list that goes on longer than this has no end.
MAX_PAGES = 50
_ID = re.compile(r"[0-9a-fA-F]{32}")
_LINK = re.compile(r"/dash/resources/workspace/([0-9a-fA-F]{32})(/.*)?")
#: How a refusal reads that means "it is so already": the guides are silent on it, so this is the one place.
_STARTED = re.compile(r"\b(already|is|currently) (running|started|starting|pending)\b", re.IGNORECASE)
_STOPPED = re.compile(r"\b(already|is|currently) (stopped|stopping)\b|\bnot running\b", re.IGNORECASE)
NO_CAUSE = "Saturn Cloud does not say why; the workspace's page there shows what happened"
URL_NOT_ALLOWED = "its address is on a host that this connection does not allow"


class SaturnSettings(ConnectionSettings):
    """Hold a Saturn connection; ``act_as``: whose token drives workspaces (``saturn.md``, "Whose token")."""

    admin_token: SecretStr | None = None
    act_as: Literal["person", "admin"] = "person"


class Saturn(Provider):
    """Translate for one Saturn Cloud."""

    kind: ClassVar[str] = "saturn"
    settings_model: ClassVar[type[ConnectionSettings]] = SaturnSettings
    # Seed 000: "should not be hit more that once every ten seconds"; pending at that rate, otherwise lower.
    # Ten thousand pending at that rate, each answered within 80 ms, keep 80 requests under way.
    pace: ClassVar[Pace] = Pace(
        min_poll_interval=10.0, pending=10.0, running=300.0, unused=1800.0, concurrency=100
    )

    def __init__(self, settings: ConnectionSettings, http: Http) -> None:
        super().__init__(settings, http)
        self._api = Api(http, settings.base_url)

    def gate_key(self, remote_id: str) -> str:
        """Return base URL and id: one resource has one gate, whoever looks at it."""
        return f"{self.settings.base_url}#{remote_id}"

    async def status(
        self, access: Access, remote_ids: Sequence[str], window: SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read one state after another (seed 000, "Getting the state of a resource")."""
        return {remote_id: await self._status(access, remote_id, window) for remote_id in remote_ids}

    async def _status(self, access: Access, remote_id: str, window: SendWindow | None) -> Observed:
        try:
            response = await self._api.call(
                "GET", f"/api/workspaces/{path_part(remote_id)}", access.credential, window=window
            )
        except NotFound:
            return Observed(State.GONE)
        answer = response.json_object()
        seen = _observed(text_in(answer, "status"))
        name = answer.get("name")
        label = clean(name, MAX_NAME) or None if isinstance(name, str) else None
        if seen.state is not State.RUNNING:
            return Observed(seen.state, detail=seen.detail, name=label)
        told = optional_text_in(answer, "url")
        url = self.allowed_url(told)
        detail = URL_NOT_ALLOWED if told is not None and url is None else None
        return Observed(State.RUNNING, url=url, detail=detail, name=label)

    async def start(self, access: Access, remote_id: str) -> None:
        """Start without a body (seed 000, "Starting a resource")."""
        await self._drive(access, remote_id, "start", _STARTED)

    async def stop(self, access: Access, remote_id: str, mode: StopMode = "stop") -> None:
        """Stop; the answer may be empty (seed 000, "Stopping a resource")."""
        self.need_mode(mode)
        await self._drive(access, remote_id, "stop", _STOPPED)

    async def _drive(self, access: Access, remote_id: str, verb: str, done: re.Pattern[str]) -> None:
        try:
            await self._api.call("POST", f"/api/workspaces/{path_part(remote_id)}/{verb}", access.credential)
        except (Conflict, InvalidRequest) as error:
            if not done.search(error.message):
                raise

    async def probe(self) -> str:
        """Ask for the version; a server that wants a token or has no such endpoint is there all the same."""
        try:
            response = await self._api.call("GET", "/api/status", None, total=CHECK_SECONDS)
        except (CredentialRefused, Forbidden, NotFound):
            return "version not told"
        except BadAnswer as error:
            if error.status != 404:
                raise
            return "version not told"
        return clean(optional_text_in(response.json_object(), "version") or "version not told", MAX_NAME)

    async def check(self, credential: Credential) -> Identity:
        """Ask who this is; without that endpoint compare the token with the one that the server shows."""
        try:
            response = await self._api.call("GET", "/api/user", credential, total=CHECK_SECONDS)
        except (NotFound, BadAnswer, Forbidden) as error:
            if error.status == 404:
                return await self._check_by_token(credential)
            if isinstance(error, Forbidden):
                raise CredentialRefused(error.message, status=error.status) from None
            raise
        username = clean(text_in(response.json_object(), "username"), MAX_NAME)
        if not username:
            raise BadAnswer("the answer's field username is not a text")
        return Identity(username, credential)

    async def _check_by_token(self, credential: Credential) -> Identity:
        try:
            response = await self._api.call("GET", "/api/user/token", credential, total=CHECK_SECONDS)
        except (NotFound, BadAnswer) as error:
            if error.status == 404:
                # Nothing here tells whose token it is: the first use will (saturn.md, "Whose token").
                return Identity("", credential)
            raise
        told = response.json()
        shown = text_in(told, "token") if isinstance(told, dict) else told
        if not isinstance(shown, str):
            raise BadAnswer("the answer is no token")
        if shown != credential.token.get_secret_value():
            raise CredentialRefused("the server knows another token for this account")
        return Identity("", credential)

    async def discover(self, access: Access) -> Sequence[Discovered]:
        """List the person's workspaces, page by page; raise NotFound where the server has no lists."""
        found: dict[str, Discovered] = {}
        query = {"type": "workspace"}
        keys: set[str] = set()
        for _ in range(MAX_PAGES):
            answer = await self._page(access, query)
            for number, recipe in enumerate(objects_in(answer, "recipes")):
                entry = _discovered(recipe, f"recipes[{number}].", access.username)
                if entry is not None:
                    found[entry.remote_id] = entry
            key = _next_key(answer)
            if key is None:
                return list(found.values())
            if key in keys:
                raise BadAnswer("the answer's field next_key comes again: the list has no end")
            keys.add(key)
            query["next_key"] = key
        raise BadAnswer(f"the list has more than {MAX_PAGES} pages")

    async def _page(self, access: Access, query: Mapping[str, str]) -> dict[str, Any]:
        try:
            response = await self._api.call(
                "GET", "/api/recipes", access.credential, query=query, total=LIST_SECONDS
            )
        except BadAnswer as error:
            if error.status == 404:
                raise NotFound("this server has no lists", status=404) from None
            raise
        return response.json_object()

    async def refresh(self, access: Access) -> Credential:
        """Exchange the refresh token, which is for one use (``saturn.md``, "Transport")."""
        old = access.credential
        if old.refresh_token is None:
            raise CredentialRefused("the token has expired")
        body = {"grant_type": "refresh_token", "refresh_token": old.refresh_token.get_secret_value()}
        try:
            response = await self._api.call("POST", "/api/auth/token", None, json_body=body)
        except (NotFound, InvalidRequest, Forbidden, CredentialRefused, BadAnswer) as error:
            raise CredentialRefused(
                "the token has expired and can't be renewed", status=error.status
            ) from None
        answer = response.json_object()
        successor = optional_text_in(answer, "refresh_token")
        fresh = SecretStr(text_in(answer, "access_token"))
        return Credential(fresh, SecretStr(successor) if successor else None, old.extra)

    def parse_reference(self, text: str) -> str | None:
        """Take the id from a link to a workspace's page here, or from the bare id of 32 hex characters."""
        text = text.strip()
        if _ID.fullmatch(text):
            return text.lower()
        path = path_below(text, self.settings.base_url)
        link = _LINK.fullmatch(path) if path is not None else None
        return link[1].lower() if link is not None else None

    def page_url(self, remote_id: str) -> str:
        """Return the workspace's page, as people see it in their browser."""
        quoted = quote(remote_id, safe="", errors="replace")
        return f"{self.settings.base_url}/dash/resources/workspace/{quoted}"

    def token_help(self) -> TokenHelp:
        """Tell where the token stands (seed 002, "User token")."""
        return TokenHelp(
            url=f"{self.settings.base_url}/api/user/token",
            steps=(
                f"Sign in at {self.settings.title} and open the address.",
                "Copy the hexadecimal value in quotes.",
                "Paste it here.",
            ),
            pattern=r"^[0-9A-Fa-f]{2,512}$",
        )

    def ide_hosts(self) -> tuple[str, ...]:
        """Return what the operator allows and, for a base ``app.X``, every host below X."""
        host = origin_of(self.settings.base_url).host
        below = host.removeprefix("app.")
        derived = (f"*.{below}",) if below != host and "." in below else ()
        return (*self.settings.ide_hosts, *derived)

    def describe(self) -> Mapping[str, Any]:
        """Add whose token is used and whether an administrator's is configured; never the token."""
        settings = self.settings
        own = settings if isinstance(settings, SaturnSettings) else None
        return {
            **super().describe(),
            "act_as": own.act_as if own else "person",
            "admin_token": "set" if own and own.admin_token else "not set",
        }


def _observed(word: str) -> Observed:
    state = _STATES.get(word)
    if state is None:
        return unknown_word(State.UNKNOWN, clean(word))
    return Observed(state, detail=NO_CAUSE if state is State.FAILED else None)


def _discovered(recipe: Mapping[str, Any], where: str, username: str) -> Discovered | None:
    if text_in(recipe, "type", where) != "workspace":
        return None
    spec, state = object_in(recipe, "spec", where), object_in(recipe, "state", where)
    owner = optional_text_in(spec, "owner", f"{where}spec.")
    if username and owner is not None and owner.rpartition("/")[2] != username:
        # The IDE opens for its owner only (seed 000), so another's workspace is none of this person's.
        return None
    remote_id = text_in(state, "id", f"{where}state.")
    name = clean(text_in(spec, "name", f"{where}spec."), MAX_NAME) or remote_id
    return Discovered(remote_id, name, _observed(text_in(state, "status", f"{where}state.")))


def _next_key(answer: Mapping[str, Any]) -> str | None:
    key = answer.get("next_key")
    if key is None or key == "":
        return None
    if isinstance(key, bool) or not isinstance(key, (str, int)):
        raise BadAnswer("the answer's field next_key is neither a text nor a number")
    return str(key)
