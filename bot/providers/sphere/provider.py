"""The translator for one account of Sphere Engine Containers.

The account has a single token, which is in the address, and in nothing that is reported about a call. Only
our records say who owns a workspace, so nothing here lists workspaces for people.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr, field_validator

from bot.domain import workspaces
from bot.domain.forms import Choice, Form, FormProblems, Purpose, Spec, Values, text_of
from bot.domain.people import Principal
from bot.providers import base, requests
from bot.providers.connection import ConnectionSettings, Linking, normalise_pattern, origin_of
from bot.providers.prepared import NOT_OFFERED, choice_field, name_field, name_problem
from bot.providers.sphere import states
from bot.support import errors
from bot.support.cleaning import hidden
from bot.support.http import TOTAL_SECONDS, Http

#: The token is part of every call's address, so it has to be valid there.
_TOKEN = re.compile(r"[!-~]{1,1000}")
#: Ids of projects: 32 hex characters.
_PROJECT = re.compile(r"[0-9a-f]{32}")
_API = "/api/v1"
#: A year: nobody wants more minutes than that.
_MOST_MINUTES = 525_600


class SphereSettings(ConnectionSettings):
    """Hold a Sphere connection; times are minutes.

    The token opens everything in the account, so use an account that nobody else makes workspaces
    with. ``projects``: the ones from which people may make something.
    """

    # The account has one token and no users.
    ways: ClassVar[Mapping[Linking, str]] = {"none": ""}

    linking: tuple[Linking, ...] = ("none",)
    access_token: SecretStr
    #: The host that the SDK is loaded from; the base URL's own by default.
    sdk_base: str = ""
    projects: tuple[str, ...] | Literal["all"] = "all"
    webhook_secret: SecretStr | None = None
    #: How long a stopped workspace is kept; without it, stopping would remove it.
    retention_minutes: int = Field(1_440, gt=0, le=_MOST_MINUTES)
    #: A workspace is stopped after this long without use; by default, the project's own time.
    inactivity_minutes: int | None = Field(None, gt=0, le=_MOST_MINUTES)
    #: Whether opening a stopped workspace starts it. A page left open would start what was stopped.
    auto_resume: bool = False

    @field_validator("base_url")
    @classmethod
    def _root(cls, value: str) -> str:
        """Take the API's own path away, which the vendor's documents show as part of the address."""
        return value.removesuffix(_API)

    @field_validator("access_token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("needs an access token of Sphere Engine, without spaces")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        # Anybody can sign with an empty secret.
        if value is not None and not value.get_secret_value():
            raise ValueError("needs the secret of the webhook, or to be left out")
        return value

    @field_validator("sdk_base", mode="before")
    @classmethod
    def _sdk_base(cls, value: Any) -> Any:
        if not isinstance(value, str) or not value:
            return value
        host = value.removeprefix("https://").rstrip("/")
        if host.startswith("*"):
            raise ValueError("needs one host, such as acme.containers.sphere-engine.com")
        return normalise_pattern(host)

    @field_validator("projects")
    @classmethod
    def _projects(cls, value: tuple[str, ...] | Literal["all"]) -> tuple[str, ...] | Literal["all"]:
        if value == "all":
            return value
        if not value or not all(_PROJECT.fullmatch(project) for project in value):
            raise ValueError('needs "all", or a list of project ids (32 characters of 0-9 and a-f each)')
        return value

    @property
    def sdk_host(self) -> str:
        """Return the host that the SDK is loaded from, with its port if it is unusual."""
        return self.sdk_base or origin_of(self.base_url).netloc

    @property
    def sdk_is_https(self) -> bool:
        """Return whether the SDK is loaded over https: always, unless it and the API are on this machine."""
        is_local = origin_of(self.base_url).scheme == "http"
        return not (is_local and origin_of(f"https://{self.sdk_host}").is_loopback)


LONGEST_NAME = 80
NAME_HINT = "Defaults to the template's name."


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold the projects that people may use, in the server's order."""

    projects: tuple[Choice, ...]


def form_of(offer: Offer, values: Values) -> Form:
    """Return the form; without fields if there are no projects. A project may be given by its name."""
    projects = offer.projects
    if not projects:
        return Form(())
    asked = text_of(values, "template").casefold()
    named = [one.value for one in projects if asked in {one.value, one.label.casefold()}]
    only = projects[0].value if len(projects) == 1 else ""
    return Form(
        (
            choice_field("template", "Template", projects, named[0] if len(named) == 1 else only),
            name_field("", LONGEST_NAME, optional=True, hint=NAME_HINT),
        )
    )


def spec_of(offer: Offer, values: Values) -> Spec:
    """Return the spec: ``project`` (id) and ``project_name``; raise FormProblems."""
    projects = {one.value: one.label for one in offer.projects}
    project = text_of(values, "template")
    problems = {}
    if project not in projects:
        problems["template"] = NOT_OFFERED if project else "Choose a template."
    name = requests.clean(text_of(values, "name"), 10 * LONGEST_NAME)
    if name and (wrong := name_problem(name, LONGEST_NAME)):
        problems["name"] = wrong
    if problems:
        raise FormProblems(problems)
    label = projects[project]
    return Spec(name or requests.clean(label, LONGEST_NAME), {"project": project, "project_name": label})


CHECK_SECONDS = 8.0
LIST_SECONDS = 10.0
#: A longer list is taken to be endless.
MAX_PAGES = 100
#: The most entries that a page may be asked for.
PAGE = "30"
#: The fields that tell a workspace we made from others; items of a list may lack them.
_TELLING = frozenset({"created_at", "retention_time_stopped", "workspace_token_required", "auto_resume"})
#: How a refusal that means "it already is" reads.
_UP = re.compile(r"\b(already|is|currently) (running|started|starting)\b", re.IGNORECASE)
_DOWN = re.compile(r"\b(already|is|currently) (stopped|stopping)\b|\bnot running\b", re.IGNORECASE)
#: How one that means "not yet" reads; its status is not documented.
_NOT_YET = re.compile(r"\bstopping\b|\bbeing stopped\b", re.IGNORECASE)
_REMOVED = re.compile(r"\b(already|is|was|been) removed\b", re.IGNORECASE)
NO_PROJECT = "That project no longer exists. Choose another one."


class SphereProvider(base.Provider, base.Removal, base.Making[Offer], base.Page, base.Events):
    """Translate for one account."""

    kind: ClassVar[str] = "sphere"
    settings_model: ClassVar[type[ConnectionSettings]] = SphereSettings
    settings: SphereSettings
    offer_model: ClassVar[type[Offer]] = Offer
    # No rate limit is published: 5 s between status reads of a workspace.
    pace: ClassVar[base.Pace] = base.Pace(
        min_poll_interval=5.0, pending=5.0, running=300.0, unused=1800.0, concurrency=20
    )
    token_shape: ClassVar[re.Pattern[str] | None] = re.compile(r"[0-9A-Fa-f]{32,512}")

    def __init__(self, settings: SphereSettings, http: Http) -> None:
        super().__init__(settings, http)
        endpoint = origin_of(settings.base_url)
        self._embedding = base.Embedding(
            settings.sdk_host, settings.sdk_is_https, f"{endpoint.scheme}://{endpoint.netloc}"
        )
        self._transport = Transport(requests.Api(http, f"{settings.base_url}/api/v1"), settings.access_token)

    async def status(
        self,
        access: base.Access,
        remote_ids: Sequence[str],
        window: base.SendWindow | None = None,
    ) -> Mapping[str, workspaces.Observed]:
        """Read the states one after another; the list can't be restricted to some."""
        return {remote_id: await self._status(remote_id, window) for remote_id in remote_ids}

    async def _status(self, remote_id: str, window: base.SendWindow | None) -> workspaces.Observed:
        workspace = await self._read(remote_id, window)
        return (
            workspaces.Observed(workspaces.State.GONE, actions=frozenset())
            if workspace is None
            else states.observed(workspace)
        )

    async def _read(self, remote_id: str, window: base.SendWindow | None = None) -> dict[str, Any] | None:
        """Read a workspace; None if there is none."""
        try:
            answer = await self._transport.read(f"/workspaces/{_part(remote_id)}", window=window)
        except errors.NotFound:
            return None
        workspace = states.workspace_in(answer)
        if states.id_in(workspace) != remote_id:
            raise errors.BadAnswer("the answer is about another workspace")
        return workspace

    async def start(self, access: base.Access, remote_id: str) -> None:
        """Resume; refused as long as it is still stopping."""
        await self._drive(remote_id, "resume", _UP, starts=True)

    async def stop(self, access: base.Access, remote_id: str, mode: workspaces.StopMode = "stop") -> None:
        """Stop; a workspace that is still starting can't be stopped yet, which is a Conflict."""
        self.need_mode(mode)
        await self._drive(remote_id, "stop", _DOWN)

    async def remove(self, access: base.Access, remote_id: str) -> None:
        """Remove for good; a PUT, not a DELETE."""
        await self._drive(remote_id, "remove", _REMOVED)

    async def _drive(self, remote_id: str, verb: str, done: re.Pattern[str], *, starts: bool = False) -> None:
        try:
            await self._transport.change("PUT", f"/workspaces/{_part(remote_id)}/{verb}", starts=starts)
        except errors.Forbidden as error:
            # The token may do everything, so what isn't permitted is due to the current state.
            raise errors.Conflict(error.message, status=error.status) from None
        except (errors.Conflict, errors.InvalidRequest, errors.LimitReached) as error:
            if done.search(error.message):
                return
            if starts and _NOT_YET.search(error.message):
                raise errors.Conflict(error.message, status=error.status) from None
            raise

    def stops(self, workspace: workspaces.Workspace) -> workspaces.Effects:
        """Say that a workspace can be started again; one that isn't kept is removed by a stop."""
        if workspace.state in {workspaces.State.FAILED, workspaces.State.GONE}:
            return {}
        erases = workspace.is_kept is False and workspace.state is not workspaces.State.STOPPED
        return {"stop": workspaces.StopEffect.ERASES if erases else workspaces.StopEffect.RETURNS}

    # -- making something new --------------------------------------------------------------------------------

    async def templates(self, access: base.Access) -> Offer:
        """Read the projects that people may use, page by page."""
        allowed = self.settings.projects

        def read(project: Any) -> tuple[str, str] | None:
            key = requests.id_in(project, "id")
            name = requests.clean(requests.word_in(project, "name") or "", requests.MAX_NAME) or key
            return (key, name) if allowed == "all" or key in allowed else None

        projects = dict(requests.entries(await self._pages("/projects"), "items", read))
        return Offer(tuple(Choice(key, name) for key, name in projects.items()))

    def form(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Form:
        """Ask for the project, and for the person's own name for the workspace."""
        return form_of(offer, values)

    def spec(
        self,
        offer: Offer,
        purpose: Purpose,
        values: Values,
        asker: Principal,
    ) -> Spec:
        """Check what was filled in."""
        return spec_of(offer, values)

    async def create(self, access: base.Access, spec: Spec, key: str) -> workspaces.Created:
        """Create a workspace from a project; not idempotent, and without a mark of ours."""
        project = spec.word("project")
        if self.settings.projects != "all" and project not in self.settings.projects:
            # It was allowed when its form was filled in, or when its predecessor was made.
            raise errors.Forbidden("That project isn't available here. Choose another one.")
        fields = {
            "project_id": project,
            "workspace_token_required": "true",
            "auto_resume": "true" if self.settings.auto_resume else "false",
            "retention_time_stopped": str(self.settings.retention_minutes),
        }
        if self.settings.inactivity_minutes is not None:
            fields["inactivity_timeout"] = str(self.settings.inactivity_minutes)
        try:
            answer = await self._transport.change("POST", "/workspaces", fields, starts=True)
        except errors.NotFound:
            raise errors.InvalidRequest(NO_PROJECT) from None
        with requests.may_have_acted():
            made = states.id_in(requests.object_in(answer, "workspace"))
        return workspaces.Created(made, spec.name or made)

    async def names(self, access: base.Access, stem: str) -> Collection[str]:
        """Return nothing: workspaces have no names here, only in the person's own list."""
        return ()

    async def find(
        self,
        access: base.Access,
        spec: Spec,
        key: str,
        since: float,
    ) -> workspaces.Traces:
        """List workspaces of the project that were made since then in the way we make them.

        It includes those that the list says too little about: ``made_at`` reads them. One that can't be read
        at all may be the one, so then nothing is certain.
        """
        query = {"project_id": spec.word("project"), "limit": PAGE}
        listed = requests.entries(
            await self._pages("/workspaces", query), "items", lambda item: (states.id_in(item), item)
        )
        if not listed.is_whole:
            return workspaces.Traces()
        found = []
        for remote_id, item in listed:
            made_at = self._made_at(item)
            is_described = item.keys() >= _TELLING
            if not is_described or (made_at is not None and made_at >= since - base.CLOCK_SKEW):
                found.append(workspaces.Created(remote_id, spec.name or remote_id, is_described=is_described))
        return workspaces.Traces(others=tuple(found))

    async def made_at(self, access: base.Access, remote_id: str) -> float | None:
        """Read when a workspace was made; None if it was not made in the way we make them."""
        workspace = await self._read(remote_id)
        return None if workspace is None else self._made_at(workspace)

    def _made_at(self, workspace: Mapping[str, Any]) -> float | None:
        made = self._is_made_like_ours(workspace)
        return states.moment(workspace.get("created_at")) if made else None

    def _is_made_like_ours(self, workspace: Mapping[str, Any]) -> bool:
        kept = states.minutes(workspace.get("retention_time_stopped"))
        return (
            kept == self.settings.retention_minutes * 60.0
            and workspace.get("workspace_token_required") is True
            and workspace.get("auto_resume") is self.settings.auto_resume
        )

    async def _pages(self, path: str, query: Mapping[str, str] | None = None) -> base.Listing[dict[str, Any]]:
        async def ask(token: str | None) -> dict[str, Any]:
            more = {} if token is None else {"page_token": token}
            return await self._transport.read(path, {**(query or {}), **more}, total=LIST_SECONDS)

        return await requests.pages(
            ask, lambda answer: requests.part_of(answer, "paging").get("next_page_token"), MAX_PAGES
        )

    def events(self, headers: Mapping[str, str], body: bytes) -> list[workspaces.Event]:
        """Read the webhook about finished scenarios."""
        states.check(self.settings.webhook_secret, headers.get(states.SIGNATURE, ""), body)
        return states.events_of(hidden(body, self.settings.secrets()))

    # -- the account and the server --------------------------------------------------------------------------

    async def check(self, credential: base.Credential) -> base.Identity:
        """Check the account's own token (GET /test); there are no users whose it could be."""
        with requests.checks_token():
            await self._try_token()
        return base.Identity("", credential)

    async def probe(self) -> str:
        """Check the account's own token: nothing can be asked without one."""
        await self._try_token()
        return "API v1, the access token is good"

    async def _try_token(self) -> None:
        requests.text_in(await self._transport.read("/test", total=CHECK_SECONDS), "message")

    def page_url(self, remote_id: str) -> str:
        """Return nothing: people have no account at the server."""
        return ""

    def embedding(self) -> base.Embedding:
        """Name the SDK's host, and the endpoint whose workspaces it shows."""
        return self._embedding

    def describe(self) -> Mapping[str, Any]:
        """Add the settings for workspaces, and which secrets are set; never the secrets."""
        own = self.settings
        return {
            **super().describe(),
            "sdk_base": own.sdk_host,
            "projects": "all" if own.projects == "all" else len(own.projects),
            "retention_minutes": own.retention_minutes,
            "inactivity_minutes": own.inactivity_minutes or "the project's",
            "auto_resume": own.auto_resume,
            "webhook_secret": "set" if own.webhook_secret is not None else "not set",
        }


def _part(remote_id: str) -> str:
    """Return an id for a path; raise NotFound if it is malformed, before anything is sent."""
    if not states.is_id(remote_id):
        raise errors.NotFound("there is no such workspace")
    return remote_id


#: Statuses that mean an exhausted quota when something is started; assumed, because no document says so.
_QUOTA = {402, 403}
NO_ROOM = "This connection can't hold more workspaces. Remove one you don't need, then try again."


@dataclass(frozen=True, slots=True)
class Transport:
    """Call the API of one account."""

    api: requests.Api
    token: SecretStr

    async def read(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        window: base.SendWindow | None = None,
        total: float = TOTAL_SECONDS,
    ) -> dict[str, Any]:
        """Send a GET once and return the object in the response; ``path`` is already percent-encoded."""
        asked = {**(query or {}), **self._credential}
        response = await self.api.call("GET", path, None, query=asked, window=window, total=total)
        return response.json_object()

    async def change(
        self, method: str, path: str, fields: Mapping[str, str] | None = None, *, starts: bool = False
    ) -> dict[str, Any]:
        """Send a change once; return the object in the response, empty if it is something else.

        A request that was sent without a usable answer raises UnknownOutcome. ``starts``: it uses the
        account's quota, and is refused if that is exhausted.
        """
        form = None if fields is None else aiohttp.FormData(dict(fields), default_to_multipart=True)
        try:
            response = await self.api.call(method, path, None, form=form, query=self._credential)
        except errors.PermanentError as refusal:
            if not (starts and refusal.status in _QUOTA):
                raise
            if not refusal.is_quoted:
                raise errors.LimitReached(NO_ROOM) from None
            raise errors.LimitReached(refusal.message, status=refusal.status) from None
        answer = response.json() if response.body.strip() else {}
        return answer if isinstance(answer, dict) else {}

    @property
    def _credential(self) -> dict[str, str]:
        return {"access_token": self.token.get_secret_value()}
