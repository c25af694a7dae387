"""Translates between Usher's terms and the API of Sphere Engine Containers.

``docs/internals/providers/sphere.md`` describes the API. All workspaces belong to the operator's account.
Only Usher's own records show which user owns a workspace, so Usher can't ask the API for a user's workspaces.
The account has only one token, which is part of each call's URL. Usher therefore removes the token from
everything that it reports about a call.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr, field_validator

from bot.domain import forms
from bot.domain.observations import Created, Event, Observed, OutcomeSearch
from bot.domain.people import Principal
from bot.domain.stops import StopEffect, StopEffects, StopMode
from bot.domain.workspaces import State, Workspace
from bot.providers import answers, base, facets, requests
from bot.providers.answers import Listing
from bot.providers.connection import (
    ConnectionSettings,
    HostPatterns,
    LinkMethod,
    normalise_pattern,
)
from bot.providers.sphere import states
from bot.providers.sphere.states import ID_PATTERN
from bot.providers.sphere.webhooks import SIGNATURE, check_signature, parse_messages
from bot.providers.words import clean
from bot.support import errors
from bot.support.addresses import parse_origin
from bot.support.cleaning import hide_secrets

#: Matches a token that can be used in a URL.
_TOKEN = re.compile(r"[!-~]{1,1000}")
_API = "/api/v1"
#: Upper limit for the settings that are given in minutes: one year.
_MAX_MINUTES = 525_600


class SphereSettings(ConnectionSettings):
    """The settings of a connection to Sphere Engine.

    The token opens everything in the account, so nobody else should create workspaces in the account. Users
    may create workspaces from ``projects``.
    """

    # The account has one token, and no users.
    link_methods: ClassVar[Mapping[LinkMethod, str]] = {"none": "access_token"}

    linking: tuple[LinkMethod, ...] = ("none",)
    access_token: SecretStr
    #: The host from which the SDK is loaded. By default, this is the base URL's host.
    sdk_base: str = ""
    #: Additional hosts from which Usher's page may load resources.
    page_hosts: HostPatterns = ()
    #: Whether the SDK may add styles to Usher's page.
    page_inline_styles: bool = False
    projects: tuple[str, ...] | Literal["all"] = "all"
    webhook_secret: SecretStr | None = None
    #: How long the server keeps a stopped workspace, in minutes. With 0, a stop would remove the workspace.
    retention_minutes: int = Field(1_440, gt=0, le=_MAX_MINUTES)
    #: How long, in minutes, a workspace may be unused before the provider stops it. By default, the project's
    #: own setting applies.
    inactivity_minutes: int | None = Field(None, gt=0, le=_MAX_MINUTES)
    #: Maximum age of a workspace, in minutes. The provider removes a workspace of that age even if it is in
    #: use. By default, there is no maximum.
    total_minutes: int | None = Field(None, gt=0, le=_MAX_MINUTES)
    #: Whether opening a stopped workspace starts it. If so, a page left open also restarts its workspace
    #: every time it stops.
    auto_resume: bool = False

    @property
    def idle_seconds(self) -> float | None:
        """Return how many seconds a workspace may be idle before it is stopped."""
        return None if self.inactivity_minutes is None else 60.0 * self.inactivity_minutes

    @field_validator("base_url")
    @classmethod
    def _root(cls, value: str) -> str:
        """Remove the API's path, which the vendor's documentation shows as part of the URL."""
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
        # With an empty secret, anybody could sign.
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
        if not value or not all(ID_PATTERN.fullmatch(project) for project in value):
            raise ValueError('needs "all", or a list of project ids (32 characters of 0-9 and a-f each)')
        return value

    @property
    def sdk_host(self) -> str:
        """Return the host from which the SDK is loaded, with the port unless it is the default."""
        return self.sdk_base or parse_origin(self.base_url).netloc

    @property
    def sdk_is_https(self) -> bool:
        """Return whether the SDK is loaded over https.

        It always is, unless it and the API are on this machine.
        """
        is_local = parse_origin(self.base_url).scheme == "http"
        return not (is_local and parse_origin(f"https://{self.sdk_host}").is_loopback)


LONGEST_NAME = 80
NAME_HINT = "Defaults to the template's name."


@dataclass(frozen=True, slots=True)
class SphereOffer:
    """The projects that users may use, in the server's order."""

    projects: tuple[forms.Choice, ...]


CHECK_SECONDS = 8.0
LIST_SECONDS = 10.0
#: Maximum number of pages to read from one list. A longer list is marked as incomplete.
MAX_PAGES = 100
#: Number of entries requested per page. The server allows no more.
PAGE_SIZE = "30"
#: Fields that show whether Usher may have created a workspace: the time of its creation, and three settings
#: that Usher gives to each new workspace. A workspace in a list may lack these fields.
_TELLING = frozenset({"created_at", "retention_time_stopped", "workspace_token_required", "auto_resume"})
NO_PROJECT = "That project no longer exists. Choose another one."


#: Status codes taken to mean that a creation or start would exceed the quota. The API's documentation doesn't
#: confirm this.
_QUOTA = {402, 403}
NO_ROOM = "This connection can't hold more workspaces. Remove one you don't need, then try again."


class SphereProvider(
    base.Provider, facets.Removal, facets.Creation[SphereOffer], facets.EmbeddedPage, facets.Events
):
    """Translate between Usher's terms and the API of one Sphere Engine account."""

    kind: ClassVar[str] = "sphere"
    title: ClassVar[str] = "Sphere Engine"
    settings_model: ClassVar[type[ConnectionSettings]] = SphereSettings
    settings: SphereSettings
    api_path: ClassVar[str] = _API
    credential_in: ClassVar[base.CredentialPlacement] = base.CredentialPlacement(
        "access_token", in_query=True
    )
    offer_model: ClassVar[type[SphereOffer]] = SphereOffer
    # No rate limit is published, so each workspace's state is read at most once every 5 s.
    pace: ClassVar[base.Pace] = base.Pace(
        min_poll_interval=5.0,
        pending_interval=5.0,
        running_interval=300.0,
        unused_interval=1800.0,
        concurrency=20,
    )

    def other_hosts(self) -> Mapping[str, bool]:
        """Return the SDK's host. It is sent no credential, and ``doctor`` loads the SDK's script from it."""
        return {self.settings.sdk_host: False}

    async def status(
        self, access: base.Access, remote_ids: Sequence[str], window: base.SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read the states one by one, since the list can't be limited to certain workspaces."""
        read = {remote_id: await self._read(access, remote_id, window) for remote_id in remote_ids}
        gone = Observed(State.GONE, actions=frozenset())
        return {
            remote_id: gone if one is None else states.to_observed(one) for remote_id, one in read.items()
        }

    async def _read(
        self, access: base.Access, remote_id: str, window: base.SendWindow | None = None
    ) -> dict[str, Any] | None:
        try:
            response = await access.api.call("GET", f"/workspaces/{_check_id(remote_id)}", window=window)
            answer = response.json_object()
        except errors.NotFound:
            return None
        workspace = states.unwrap_workspace(answer)
        if states.read_id(workspace) != remote_id:
            raise errors.BadAnswer("the answer is about another workspace")
        return workspace

    async def start(self, access: base.Access, workspace: Workspace) -> str | None:
        """Resume a workspace. The server refuses while the workspace is stopping."""
        return await self._change_state(access, workspace, "start", "resume")

    async def stop(self, access: base.Access, workspace: Workspace, mode: StopMode = "stop") -> str | None:
        """Ask the server to stop a workspace; raise Conflict if the workspace is still starting."""
        self.require_stop_mode(mode)
        return await self._change_state(access, workspace, "stop", "stop")

    async def remove(self, access: base.Access, workspace: Workspace) -> str | None:
        """Remove a workspace irreversibly, with a PUT rather than a DELETE."""
        return await self._change_state(access, workspace, "remove", "remove")

    async def _change_state(
        self, access: base.Access, workspace: Workspace, goal: str, verb: str
    ) -> str | None:
        path = f"/workspaces/{_check_id(workspace.remote_id)}/{verb}"
        try:
            asking = _change(access, "PUT", path)
            return await requests.accept_already_done(goal, asking, workspace.remote_id, workspace.name)
        except (errors.Forbidden, errors.LimitReached) as error:
            if goal == "start":
                raise _refine_refusal(error) from None
            if error.status != 403 or error.is_ours:
                raise
            # The token allows everything, so a refusal must be due to the workspace's current state.
            raise errors.Conflict(error.message, status=error.status) from None

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        """Return the effects of a stop: a workspace can be started again, unless stopping removes it."""
        if workspace.state in {State.FAILED, State.GONE}:
            return {}
        erases = workspace.survives_stop is False and workspace.state is not State.STOPPED
        return {"stop": StopEffect.ERASES if erases else StopEffect.RETURNS}

    def retention_seconds(self) -> tuple[float, float]:
        """Return how long new workspaces are kept, as set when they are created."""
        stopped, total = self.settings.retention_minutes, self.settings.total_minutes
        return stopped * 60.0, math.inf if total is None else total * 60.0

    # -- creating workspaces ---------------------------------------------------------------------------------

    async def read_offer(self, access: base.Access) -> SphereOffer:
        """Read the projects that users may use, page by page."""
        allowed = self.settings.projects

        def read(project: Any) -> tuple[str, str] | None:
            key = answers.require_id(project, "id")
            name = clean(answers.find_text(project, "name") or "", answers.MAX_NAME_LENGTH) or key
            return (key, name) if allowed == "all" or key in allowed else None

        projects = dict(answers.read_entries(await _pages(access, "/projects"), "items", read))
        return SphereOffer(tuple(forms.Choice(key, name) for key, name in projects.items()))

    def form(
        self, offer: SphereOffer, purpose: forms.Purpose, values: forms.Values, principal: Principal
    ) -> forms.Form:
        """Build the form: the project, which users may give by name, and the workspace's own name."""
        projects = offer.projects
        if not projects:
            return forms.Form(())
        asked = forms.text_of(values, "template").casefold()
        named = [one.value for one in projects if asked in {one.value, one.label.casefold()}]
        only = projects[0].value if len(projects) == 1 else ""
        return forms.Form(
            (
                forms.choice_field("template", "Template", projects, named[0] if len(named) == 1 else only),
                forms.name_field("", LONGEST_NAME, optional=True, hint=NAME_HINT),
            )
        )

    def spec(
        self, offer: SphereOffer, purpose: forms.Purpose, values: forms.Values, principal: Principal
    ) -> forms.Spec:
        """Return the spec, with the ``project`` (its id) and ``project_name``."""
        projects = {one.value: one.label for one in offer.projects}
        project = forms.text_of(values, "template")
        problems = {}
        if project not in projects:
            problems["template"] = forms.TEMPLATE_NOT_OFFERED if project else "Choose a template."
        name = clean(forms.text_of(values, "name"), 10 * LONGEST_NAME)
        if name and (wrong := forms.find_name_problem(name, LONGEST_NAME)):
            problems["name"] = wrong
        if problems:
            raise forms.FormProblems(problems)
        label = projects[project]
        return forms.Spec(name or clean(label, LONGEST_NAME), {"project": project, "project_name": label})

    async def create(self, access: base.Access, spec: forms.Spec, key: str) -> Created:
        """Create a workspace from a project. Nothing on the server marks the workspace as Usher's."""
        project = spec.text("project")
        if self.settings.projects != "all" and project not in self.settings.projects:
            # The settings may have changed after the form was filled in or the previous workspace was
            # created.
            raise errors.Forbidden("That project isn't available here. Choose another one.")
        fields = {
            "project_id": project,
            "workspace_token_required": "true",
            "auto_resume": "true" if self.settings.auto_resume else "false",
            "retention_time_stopped": str(self.settings.retention_minutes),
        }
        if self.settings.inactivity_minutes is not None:
            fields["inactivity_timeout"] = str(self.settings.inactivity_minutes)
        if self.settings.total_minutes is not None:
            fields["retention_time_total"] = str(self.settings.total_minutes)
        try:
            answer = await _change(access, "POST", "/workspaces", fields)
        except errors.NotFound:
            raise errors.InvalidRequest(NO_PROJECT) from None
        except errors.PermanentError as error:
            raise _refine_refusal(error) from None
        with requests.bad_answer_as_unknown_outcome():
            made = states.read_id(answers.require_object(answer, "workspace"))
        return Created(made, spec.name or made)

    async def list_names(self, access: base.Access, stem: str) -> Collection[str]:
        """Return no names. Workspaces have no names on the server, only on the user's list in Usher."""
        return ()

    async def find_created(
        self, access: base.Access, spec: forms.Spec, key: str, since: float
    ) -> OutcomeSearch:
        """Search for workspaces that were created in the project since the call, with Usher's settings.

        A workspace that the list doesn't fully describe is a candidate, too, and ``read_creation_time`` reads
        it. An unreadable entry may be the new workspace, so it makes the search inconclusive.
        """
        query = {"project_id": spec.text("project"), "limit": PAGE_SIZE}
        listed = answers.read_entries(
            await _pages(access, "/workspaces", query), "items", lambda item: (states.read_id(item), item)
        )
        if not listed.is_whole:
            return OutcomeSearch()
        found = []
        for remote_id, item in listed:
            made_at = self._parse_creation_time(item)
            is_described = item.keys() >= _TELLING
            if not is_described or (made_at is not None and made_at >= since - base.MAX_CLOCK_SKEW_SECONDS):
                found.append(Created(remote_id, spec.name or remote_id, has_details=is_described))
        return OutcomeSearch(candidates=tuple(found))

    async def read_creation_time(self, access: base.Access, remote_id: str) -> float | None:
        """Read the time when a workspace was created, or return None if Usher can't have created it."""
        workspace = await self._read(access, remote_id)
        return None if workspace is None else self._parse_creation_time(workspace)

    def _parse_creation_time(self, workspace: Mapping[str, Any]) -> float | None:
        is_like_ours = (
            states.parse_minutes(workspace.get("retention_time_stopped"))
            == self.settings.retention_minutes * 60.0
            and workspace.get("workspace_token_required") is True
            and workspace.get("auto_resume") is self.settings.auto_resume
        )
        return states.parse_sphere_time(workspace.get("created_at")) if is_like_ours else None

    def parse_events(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """Parse a webhook request that reports finished scenarios."""
        check_signature(self.settings.webhook_secret, headers.get(SIGNATURE, ""), body)
        return parse_messages(hide_secrets(body, self.settings.secrets()))

    # -- the account and the server --------------------------------------------------------------------------

    async def check_credential(self, credential: base.Credential) -> base.Identity:
        """Check the account's only token. The result names no user, because an account has no users."""
        with requests.forbidden_as_credential_refused():
            await self.probe()
        return base.Identity("", credential)

    async def probe(self) -> str:
        """Check the account's token, because every call requires it."""

        async def ask(credential: base.Credential) -> None:
            response = await self.api.acting_as(credential).call("GET", "/test", total=CHECK_SECONDS)
            answers.require_text(response.json_object(), "message")

        await ask(base.Credential(self.settings.access_token))
        await requests.verify_bad_token_is_refused(ask)
        return "API v1, the access token is good"

    def page_url(self, remote_id: str) -> str:
        """Return "", because users have no account on the server."""
        return ""

    def embedding(self) -> facets.Embedding:
        """Return the SDK's host, and the endpoint whose workspaces the SDK shows."""
        own, endpoint = self.settings, parse_origin(self.settings.base_url)
        origin = f"{endpoint.scheme}://{endpoint.netloc}"
        return facets.Embedding(
            own.sdk_host, own.sdk_is_https, origin, own.page_hosts, own.page_inline_styles
        )

    def describe(self) -> Mapping[str, Any]:
        """Describe the connection without revealing any secret."""
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


async def _pages(
    access: base.Access, path: str, query: Mapping[str, str] | None = None
) -> Listing[dict[str, Any]]:
    async def ask(token: str | None) -> dict[str, Any]:
        more = {} if token is None else {"page_token": token}
        asked = {**(query or {}), **more}
        return (await access.api.call("GET", path, query=asked, total=LIST_SECONDS)).json_object()

    return await requests.read_pages(
        ask, lambda answer: answers.find_object(answer, "paging").get("next_page_token"), MAX_PAGES
    )


def _refine_refusal(refusal: errors.PermanentError) -> errors.PermanentError:
    """Return NoCapacity for a refused creation or start if the account's quota seems to be used up."""
    if refusal.status not in _QUOTA or refusal.is_ours:
        return refusal
    if not refusal.is_quoted:
        return errors.NoCapacity(NO_ROOM)
    return errors.NoCapacity(refusal.message, status=refusal.status)


async def _change(
    access: base.Access, method: str, path: str, fields: Mapping[str, str] | None = None
) -> dict[str, Any]:
    form = None if fields is None else aiohttp.FormData(dict(fields), default_to_multipart=True)
    response = await access.api.call(method, path, form=form)
    answer = response.json() if response.body.strip() else {}
    return answer if isinstance(answer, dict) else {}


def _check_id(remote_id: str) -> str:
    if not ID_PATTERN.fullmatch(remote_id):
        raise errors.NotFound("there is no such workspace")
    return remote_id
