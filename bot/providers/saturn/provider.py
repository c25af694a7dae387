"""The translator for one Saturn Cloud.

Facts: ``docs/providers/saturn.md``. The published guides are the contract; endpoints of its client are
used if the server has them. A server that only implements the guides answers 404 there: then tokens are
compared instead of asking for a name, and people add workspaces by link or id.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote, urljoin

from bot.domain.forms import Form, Purpose, Spec, Values
from bot.domain.people import Principal
from bot.domain.runs import Run
from bot.domain.workspaces import Created, Observed, State, StopMode, Traces
from bot.providers import base
from bot.providers.connection import ConnectionSettings, origin_of
from bot.providers.prepared import named
from bot.providers.requests import MAX_NAME, Api, clean, path_part, text_in, unless_absent, word_in
from bot.providers.saturn import linking, offers
from bot.providers.saturn.jobs import SaturnRuns
from bot.providers.saturn.settings import SaturnSettings
from bot.support.errors import BadAnswer, Conflict, CredentialRefused, Forbidden, InvalidRequest, NotFound
from bot.support.http import Http

_STATES = {
    "running": State.RUNNING,
    "stopped": State.STOPPED,
    "pending": State.STARTING,
    "stopping": State.STOPPING,
    "error": State.FAILED,
}
PROBE_SECONDS = 8.0
#: The calls for which the administrator's token is used if it drives workspaces.
_DRIVEN = frozenset({"read", "start", "stop"})
#: What a refusal says if it means "it already is"; the guides don't say how it is worded.
_STARTED = re.compile(r"\b(already|is|currently) (running|started|starting|pending)\b", re.IGNORECASE)
_STOPPED = re.compile(r"\b(already|is|currently) (stopped|stopping)\b|\bnot running\b", re.IGNORECASE)


class Saturn(
    base.Provider,
    base.Lists,
    base.Renewal,
    base.Tokens,
    base.Making[offers.Offer],
    SaturnRuns,
    base.Behalf,
):
    """Translate for one Saturn Cloud."""

    kind: ClassVar[str] = "saturn"
    settings_model: ClassVar[type[ConnectionSettings]] = SaturnSettings
    settings: SaturnSettings
    offer_model: ClassVar[type[offers.Offer]] = offers.Offer
    token_shape: ClassVar[re.Pattern[str] | None] = re.compile(r"[0-9A-Fa-f]{32,512}")
    # The guide allows one read in ten seconds, recommends that while pending, and a slower pace otherwise.
    # Ten thousand pending at that rate, each answered within 80 ms, keep 80 requests in flight.
    pace: ClassVar[base.Pace] = base.Pace(
        min_poll_interval=10.0, pending=10.0, running=300.0, unused=1800.0, concurrency=100
    )

    def __init__(self, settings: ConnectionSettings, http: Http) -> None:
        super().__init__(settings, http)
        self._api = Api(http, settings.base_url)

    async def status(
        self, access: base.Access, remote_ids: Sequence[str], window: base.SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read the states one after another."""
        return {remote_id: await self._status(access, remote_id, window) for remote_id in remote_ids}

    async def _status(self, access: base.Access, remote_id: str, window: base.SendWindow | None) -> Observed:
        try:
            response = await self._api.call(
                "GET", f"/api/workspaces/{path_part(remote_id)}", self._driver(access), window=window
            )
        except NotFound:
            return Observed(State.GONE)
        answer = response.json_object()
        listed_id = word_in(answer, "id")
        if listed_id is not None and listed_id.casefold() != remote_id.casefold():
            raise BadAnswer("the answer is about another workspace")
        seen = _observed(text_in(answer, "status"))
        label = clean(word_in(answer, "name") or "", MAX_NAME) or None
        if seen.state is not State.RUNNING:
            return Observed(seen.state, detail=seen.detail, name=label)
        address = word_in(answer, "url")
        url = self._address(address)
        detail = base.URL_NOT_ALLOWED if address is not None and url is None else None
        return Observed(State.RUNNING, url=url, detail=detail, name=label)

    def _address(self, address: str | None) -> str | None:
        """Return the IDE's URL if its host is allowed; a relative one is resolved against the base URL."""
        if address is None:
            return None
        try:
            return self.allowed_url(urljoin(f"{self.settings.base_url}/", address))
        except ValueError:
            return None

    async def start(self, access: base.Access, remote_id: str) -> None:
        """Start, without a request body."""
        await self._drive(access, remote_id, "start", _STARTED)

    async def stop(self, access: base.Access, remote_id: str, mode: StopMode = "stop") -> None:
        """Stop; the response may be empty."""
        self.need_mode(mode)
        await self._drive(access, remote_id, "stop", _STOPPED)

    async def _drive(self, access: base.Access, remote_id: str, verb: str, done: re.Pattern[str]) -> None:
        try:
            await self._api.call(
                "POST", f"/api/workspaces/{path_part(remote_id)}/{verb}", self._driver(access)
            )
        except (Forbidden, Conflict, InvalidRequest) as error:
            if not done.search(error.message):
                raise offers.refusal(error) from None

    async def probe(self) -> str:
        """Ask for the version; a server that requires a token or lacks the endpoint is still reachable."""
        try:
            response = await unless_absent(self._api.call("GET", "/api/status", None, total=PROBE_SECONDS))
        except (CredentialRefused, Forbidden):
            response = None
        address = None if response is None else word_in(response.json_object(), "version")
        return clean(address or "version not told", MAX_NAME)

    async def check(self, credential: base.Credential) -> base.Identity:
        """Ask who this is; without that endpoint, compare the token with the one that the server shows."""
        return await linking.check(self._api, credential)

    async def check_username(self, username: str) -> base.Identity:
        """Get somebody's own token with the administrator's."""
        return base.Identity(username, await linking.mint(self._api, self.settings.admin_token, username))

    async def own_secret(self) -> bool | None:
        """Check whether the administrator's token is valid."""
        if self.settings.admin_token is None:
            return None
        try:
            await linking.check(self._api, base.Credential(self.settings.admin_token))
        except CredentialRefused:
            return False
        return True

    async def refresh(self, access: base.Access) -> base.Credential:
        """Get a new token, by the refresh token or the administrator's, just as the old one was obtained."""
        return await linking.refresh(self._api, access, self.settings.admin_token)

    def acts(self, access: base.Access, call: str) -> base.Acts:
        """Say that the administrator's token drives workspaces if the connection is configured that way."""
        return "admin" if call in _DRIVEN and self.needs_record(access) else "person"

    def needs_record(self, access: base.Access) -> bool:
        """Return whether the administrator's token, which opens everybody's, drives workspaces."""
        return self.settings.act_as == "admin" and access.credential.acts == "admin"

    def _driver(self, access: base.Access) -> base.Credential:
        """Return the token that drives workspaces (``docs/providers/saturn.md``, "Whose token")."""
        if not self.needs_record(access):
            return access.credential
        if self.settings.admin_token is None:
            raise CredentialRefused(linking.NO_ADMIN)
        return base.Credential(self.settings.admin_token, made_for=access.credential)

    async def discover(self, access: base.Access) -> base.Listing[base.Discovered]:
        """List the person's workspaces, page by page; raise NotFound if the server has no lists."""
        listed = await offers.resources(self._api, access, "workspace")
        found = {one.id: base.Discovered(one.id, one.name, _observed(one.status)) for one in listed}
        return base.Listing(found.values(), is_whole=listed.is_whole)

    # -- making something new --------------------------------------------------------------------------------

    async def templates(self, access: base.Access) -> offers.Offer:
        """Read sizes, and the names of the person's workspaces and jobs."""
        return await offers.read_offer(self._api, access)

    def form(self, offer: offers.Offer, purpose: Purpose, values: Values, asker: Principal) -> Form:
        """Ask for a recipe, a name and a size; or for the job to run."""
        if purpose == "job":
            return offers.job_form(offer, values)
        return offers.workspace_form(offer, self.settings.templates, values, asker)

    def spec(self, offer: offers.Offer, purpose: Purpose, values: Values, asker: Principal) -> Spec:
        """Check what was filled in."""
        if purpose == "job":
            return offers.job_spec(offer, values, self.settings.base_url)
        return offers.workspace_spec(offer, self.settings.templates, values, asker)

    def withholds(self, spec: Spec, asker: Principal) -> bool:
        """Return whether it uses a recipe that is for other people."""
        recipe = named(self.settings.templates, spec.word("recipe"))
        return recipe is not None and not recipe.is_for(asker)

    async def create(self, access: base.Access, spec: Spec, key: str) -> Created:
        """Create a workspace from a recipe; it can be found by its name, so it needs no mark of ours."""
        return await offers.create(self._api, access, spec, self.settings.templates)

    async def names(self, access: base.Access, stem: str) -> Collection[str] | None:
        """List the person's own workspaces with that prefix."""
        return await offers.names(self._api, access, stem)

    async def find(
        self,
        access: base.Access,
        spec: Spec,
        key: str,
        since: float,
    ) -> Traces:
        """Look for the workspace by its name."""
        return Traces(await offers.find(self._api, access, spec), is_proof=True)

    # -- pages and links ------------------------------------------------------------------------------------

    def job_reference(self, text: str) -> str | None:
        """Extract the job from a link to its page here, or its bare id."""
        return offers.resource_id(text, self.settings.base_url, "job")

    def parse_reference(self, text: str) -> str | None:
        """Extract the id from a link to a workspace's page here, or the bare id of 32 hex characters."""
        return offers.resource_id(text, self.settings.base_url, "workspace")

    def page_url(self, remote_id: str) -> str:
        """Return the workspace's page, as people see it in their browser."""
        quoted = quote(remote_id, safe="", errors="replace")
        return f"{self.settings.base_url}/dash/resources/workspace/{quoted}"

    def job_page_url(self, job: Run) -> str:
        """Return the page of the job, which shows all runs of it."""
        asked = job.spec.word("job") if job.spec is not None else ""
        key = asked or (job.remote_id or "").partition("/")[0]
        return f"{self.settings.base_url}/dash/resources/job/{quote(key, safe='')}" if key else ""

    def token_help(self) -> base.TokenHelp:
        """Explain where to find the token."""
        return base.TokenHelp(
            url=f"{self.settings.base_url}/api/user/token",
            steps=(
                f"Press Open {self.settings.title} and sign in.",
                "Copy the long code between the quotes.",
                "Paste it here.",
            ),
            pattern=r"^[0-9A-Fa-f]{2,512}$",
        )

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the operator's hosts and, for a base ``app.X``, every host below X."""
        host = origin_of(self.settings.base_url).host
        below = host.removeprefix("app.")
        derived = (f"*.{below}",) if below != host and "." in below else ()
        return (*self.settings.ide_hosts, *derived)

    def describe(self) -> Mapping[str, Any]:
        """Add whose token is used and whether an administrator's is configured; never the token."""
        return {
            **super().describe(),
            "act_as": self.settings.act_as,
            "admin_token": "set" if self.settings.admin_token is not None else "not set",
            "templates": [recipe.name for recipe in self.settings.templates],
        }


def _observed(word: str) -> Observed:
    state = _STATES.get(word.casefold())
    if state is None:
        return Observed(State.UNKNOWN, detail=base.unknown_word(clean(word)))
    return Observed(state)
