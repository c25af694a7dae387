"""Sphere Engine Containers: workspaces made from projects, opened in our own page.

Facts: ``docs/internals/providers/sphere.md``. The published guide is the contract; other documents add to it.
The account has a single token, which is in the address, and in nothing that is reported about a call. Only
our records say who owns a workspace, so nothing here lists workspaces for people.
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import aiohttp
from pydantic import Field, SecretStr, field_validator

from bot.domain import failure_causes, forms
from bot.domain.observations import Created, Event, Observed, OutcomeSearch
from bot.domain.people import Principal
from bot.domain.stops import ExpiryMode, StopEffect, StopEffects, StopMode
from bot.domain.workspaces import Action, State, Workspace
from bot.messages.texts.times import make_time_placeholder
from bot.providers import answers, base, requests
from bot.providers.answers import (
    MAX_MESSAGE_LENGTH,
    clean,
    find_text,
    log_oddity,
    require_object,
    require_text,
)
from bot.providers.connection import (
    ConnectionSettings,
    HostPatterns,
    LinkMethod,
    normalise_pattern,
    parse_origin,
)
from bot.support import errors
from bot.support.cleaning import HIDDEN, hide_secrets

#: The token is part of every call's address, so it has to be valid there.
_TOKEN = re.compile(r"[!-~]{1,1000}")
#: Ids of projects and workspaces: 32 hex characters.
_ID = re.compile(r"[0-9a-f]{32}")
_API = "/api/v1"
#: A year: nobody wants more minutes than that.
_MAX_MINUTES = 525_600


class SphereSettings(ConnectionSettings):
    """Hold a Sphere connection; times are minutes.

    The token opens everything in the account, so use an account that nobody else makes workspaces
    with. ``projects``: the ones from which people may make something.
    """

    # The account has one token and no users.
    link_methods: ClassVar[Mapping[LinkMethod, str]] = {"none": "access_token"}

    linking: tuple[LinkMethod, ...] = ("none",)
    access_token: SecretStr
    #: The host that the SDK is loaded from; the base URL's own by default.
    sdk_base: str = ""
    #: Other hosts that the page may load from, and whether the SDK may write styles into it.
    page_hosts: HostPatterns = ()
    page_inline_styles: bool = False
    projects: tuple[str, ...] | Literal["all"] = "all"
    webhook_secret: SecretStr | None = None
    #: How long a stopped workspace is kept; without it, stopping would remove it.
    retention_minutes: int = Field(1_440, gt=0, le=_MAX_MINUTES)
    #: A workspace is stopped after this long without use; by default, the project's own time.
    inactivity_minutes: int | None = Field(None, gt=0, le=_MAX_MINUTES)
    #: A workspace is removed this long after it was made, whatever it is used for; by default, never.
    total_minutes: int | None = Field(None, gt=0, le=_MAX_MINUTES)
    #: Whether opening a stopped workspace starts it. A page left open would start what was stopped.
    auto_resume: bool = False

    @property
    def idle_seconds(self) -> float | None:
        """Return the seconds until an idle workspace is stopped."""
        return None if self.inactivity_minutes is None else 60.0 * self.inactivity_minutes

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
        if not value or not all(_ID.fullmatch(project) for project in value):
            raise ValueError('needs "all", or a list of project ids (32 characters of 0-9 and a-f each)')
        return value

    @property
    def sdk_host(self) -> str:
        """Return the host that the SDK is loaded from, with its port if it is unusual."""
        return self.sdk_base or parse_origin(self.base_url).netloc

    @property
    def sdk_is_https(self) -> bool:
        """Return whether the SDK is loaded over https: always, unless it and the API are on this machine."""
        is_local = parse_origin(self.base_url).scheme == "http"
        return not (is_local and parse_origin(f"https://{self.sdk_host}").is_loopback)


LONGEST_NAME = 80
NAME_HINT = "Defaults to the template's name."


@dataclass(frozen=True, slots=True)
class SphereOffer:
    """Hold the projects that people may use, in the server's order."""

    projects: tuple[forms.Choice, ...]


CHECK_SECONDS = 8.0
LIST_SECONDS = 10.0
#: A longer list is taken to be endless.
MAX_PAGES = 100
#: The most entries that a page may be asked for.
PAGE_SIZE = "30"
#: The fields that tell a workspace we made from others; items of a list may lack them.
_TELLING = frozenset({"created_at", "retention_time_stopped", "workspace_token_required", "auto_resume"})
#: How a refusal that means "not yet" reads; its status is not documented.
_NOT_YET = re.compile(r"\bstopping\b|\bbeing stopped\b", re.IGNORECASE)
NO_PROJECT = "That project no longer exists. Choose another one."


#: Statuses that mean an exhausted quota when something is started; assumed, because no document says so.
_QUOTA = {402, 403}
NO_ROOM = "This connection can't hold more workspaces. Remove one you don't need, then try again."


class SphereProvider(base.Provider, base.Removal, base.Creation[SphereOffer], base.EmbeddedPage, base.Events):
    """Translate for one account."""

    kind: ClassVar[str] = "sphere"
    title: ClassVar[str] = "Sphere Engine"
    settings_model: ClassVar[type[ConnectionSettings]] = SphereSettings
    settings: SphereSettings
    api_path: ClassVar[str] = _API
    credential_in: ClassVar[base.CredentialPlacement] = base.CredentialPlacement(
        "access_token", in_query=True
    )
    offer_model: ClassVar[type[SphereOffer]] = SphereOffer
    # No rate limit is published: 5 s between status reads of a workspace.
    pace: ClassVar[base.Pace] = base.Pace(
        min_poll_interval=5.0,
        pending_interval=5.0,
        running_interval=300.0,
        unused_interval=1800.0,
        concurrency=20,
    )

    def other_hosts(self) -> Mapping[str, bool]:
        """Name the SDK's host, from which its script is looked at."""
        return {self.settings.sdk_host: False}

    async def status(
        self, access: base.Access, remote_ids: Sequence[str], window: base.SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read the states one after another; the list can't be restricted to some."""
        read = {remote_id: await self._read(access, remote_id, window) for remote_id in remote_ids}
        gone = Observed(State.GONE, actions=frozenset())
        return {remote_id: gone if one is None else to_observed(one) for remote_id, one in read.items()}

    async def _read(
        self, access: base.Access, remote_id: str, window: base.SendWindow | None = None
    ) -> dict[str, Any] | None:
        """Read a workspace; None if there is none."""
        try:
            response = await access.api.call("GET", f"/workspaces/{_check_id(remote_id)}", window=window)
            answer = response.json_object()
        except errors.NotFound:
            return None
        workspace = unwrap_workspace(answer)
        if read_id(workspace) != remote_id:
            raise errors.BadAnswer("the answer is about another workspace")
        return workspace

    async def start(self, access: base.Access, workspace: Workspace) -> str | None:
        """Resume; refused as long as it is still stopping."""
        return await self._change_state(access, workspace, "start", "resume")

    async def stop(self, access: base.Access, workspace: Workspace, mode: StopMode = "stop") -> str | None:
        """Stop; a workspace that is still starting can't be stopped yet, which is a Conflict."""
        self.require_stop_mode(mode)
        return await self._change_state(access, workspace, "stop", "stop")

    async def remove(self, access: base.Access, workspace: Workspace) -> str | None:
        """Remove for good; a PUT, not a DELETE."""
        return await self._change_state(access, workspace, "remove", "remove")

    async def _change_state(
        self, access: base.Access, workspace: Workspace, goal: str, verb: str
    ) -> str | None:
        starts = goal == "start"
        path = f"/workspaces/{_check_id(workspace.remote_id)}/{verb}"
        try:
            asking = _change(access, "PUT", path, starts=starts)
            return await requests.accept_already_done(goal, asking, workspace.remote_id, workspace.name)
        except errors.Forbidden as error:
            # The token may do everything, so what isn't permitted is due to the current state.
            raise errors.Conflict(error.message, status=error.status) from None
        except (errors.InvalidRequest, errors.LimitReached) as error:
            if starts and _NOT_YET.search(error.message):
                raise errors.Conflict(error.message, status=error.status) from None
            raise

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        """Say that a workspace can be started again; one that isn't kept is removed by a stop."""
        if workspace.state in {State.FAILED, State.GONE}:
            return {}
        erases = workspace.survives_stop is False and workspace.state is not State.STOPPED
        return {"stop": StopEffect.ERASES if erases else StopEffect.RETURNS}

    def retention_seconds(self) -> tuple[float, float]:
        """Return the times with which new workspaces are made."""
        stopped, total = self.settings.retention_minutes, self.settings.total_minutes
        return stopped * 60.0, math.inf if total is None else total * 60.0

    # -- making something new --------------------------------------------------------------------------------

    async def read_offer(self, access: base.Access) -> SphereOffer:
        """Read the projects that people may use, page by page."""
        allowed = self.settings.projects

        def read(project: Any) -> tuple[str, str] | None:
            key = answers.require_id(project, "id")
            name = answers.clean(answers.find_text(project, "name") or "", answers.MAX_NAME_LENGTH) or key
            return (key, name) if allowed == "all" or key in allowed else None

        projects = dict(answers.read_entries(await _pages(access, "/projects"), "items", read))
        return SphereOffer(tuple(forms.Choice(key, name) for key, name in projects.items()))

    def form(
        self, offer: SphereOffer, purpose: forms.Purpose, values: forms.Values, principal: Principal
    ) -> forms.Form:
        """Ask for the project, which may be given by its name, and for the person's own name for it.

        Without projects there are no fields.
        """
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
        """Return the spec: ``project`` (id) and ``project_name``; raise FormProblems."""
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
        """Create a workspace from a project; not idempotent, and without a mark of ours."""
        project = spec.text("project")
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
        if self.settings.total_minutes is not None:
            fields["retention_time_total"] = str(self.settings.total_minutes)
        try:
            answer = await _change(access, "POST", "/workspaces", fields, starts=True)
        except errors.NotFound:
            raise errors.InvalidRequest(NO_PROJECT) from None
        with requests.bad_answer_as_unknown_outcome():
            made = read_id(answers.require_object(answer, "workspace"))
        return Created(made, spec.name or made)

    async def list_names(self, access: base.Access, stem: str) -> Collection[str]:
        """Return nothing: workspaces have no names here, only in the person's own list."""
        return ()

    async def find_created(
        self, access: base.Access, spec: forms.Spec, key: str, since: float
    ) -> OutcomeSearch:
        """List workspaces of the project that were made since then in the way we make them.

        It includes those that the list says too little about: ``read_creation_time`` reads them. One that
        can't be read at all may be the one, so then nothing is certain.
        """
        query = {"project_id": spec.text("project"), "limit": PAGE_SIZE}
        listed = answers.read_entries(
            await _pages(access, "/workspaces", query), "items", lambda item: (read_id(item), item)
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
        """Read when a workspace was made; None if it was not made in the way we make them."""
        workspace = await self._read(access, remote_id)
        return None if workspace is None else self._parse_creation_time(workspace)

    def _parse_creation_time(self, workspace: Mapping[str, Any]) -> float | None:
        is_like_ours = (
            parse_minutes(workspace.get("retention_time_stopped")) == self.settings.retention_minutes * 60.0
            and workspace.get("workspace_token_required") is True
            and workspace.get("auto_resume") is self.settings.auto_resume
        )
        return parse_sphere_time(workspace.get("created_at")) if is_like_ours else None

    def parse_events(self, headers: Mapping[str, str], body: bytes) -> list[Event]:
        """Read the webhook about finished scenarios."""
        check_signature(self.settings.webhook_secret, headers.get(SIGNATURE, ""), body)
        return parse_messages(hide_secrets(body, self.settings.secrets()))

    # -- the account and the server --------------------------------------------------------------------------

    async def check_credential(self, credential: base.Credential) -> base.Identity:
        """Check the account's own token (GET /test); there are no users whose it could be."""
        with requests.forbidden_as_credential_refused():
            await self.probe()
        return base.Identity("", credential)

    async def probe(self) -> str:
        """Check the account's own token: nothing can be asked without one."""

        async def ask(credential: base.Credential) -> None:
            response = await self.api.acting_as(credential).call("GET", "/test", total=CHECK_SECONDS)
            answers.require_text(response.json_object(), "message")

        await ask(base.Credential(self.settings.access_token))
        await requests.verify_bad_token_is_refused(ask)
        return "API v1, the access token is good"

    def page_url(self, remote_id: str) -> str:
        """Return nothing: people have no account at the server."""
        return ""

    def embedding(self) -> base.Embedding:
        """Name the SDK's host, and the endpoint whose workspaces it shows."""
        own, endpoint = self.settings, parse_origin(self.settings.base_url)
        origin = f"{endpoint.scheme}://{endpoint.netloc}"
        return base.Embedding(own.sdk_host, own.sdk_is_https, origin, own.page_hosts, own.page_inline_styles)

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


async def _pages(
    access: base.Access, path: str, query: Mapping[str, str] | None = None
) -> base.Listing[dict[str, Any]]:
    async def ask(token: str | None) -> dict[str, Any]:
        more = {} if token is None else {"page_token": token}
        asked = {**(query or {}), **more}
        return (await access.api.call("GET", path, query=asked, total=LIST_SECONDS)).json_object()

    return await requests.read_pages(
        ask, lambda answer: answers.find_object(answer, "paging").get("next_page_token"), MAX_PAGES
    )


async def _change(
    access: base.Access,
    method: str,
    path: str,
    fields: Mapping[str, str] | None = None,
    *,
    starts: bool = False,
) -> dict[str, Any]:
    """Send a change once; return the object in the response, empty if it is something else.

    A request that was sent without a usable answer raises UnknownOutcome. ``starts``: it uses the account's
    quota, and is refused if that is exhausted.
    """
    form = None if fields is None else aiohttp.FormData(dict(fields), default_to_multipart=True)
    try:
        response = await access.api.call(method, path, form=form)
    except errors.PermanentError as refusal:
        if not (starts and refusal.status in _QUOTA):
            raise
        if not refusal.is_quoted:
            raise errors.NoCapacity(NO_ROOM) from None
        raise errors.NoCapacity(refusal.message, status=refusal.status) from None
    answer = response.json() if response.body.strip() else {}
    return answer if isinstance(answer, dict) else {}


def _check_id(remote_id: str) -> str:
    """Return an id for a path; raise NotFound if it is malformed, before anything is sent."""
    if not _ID.fullmatch(remote_id):
        raise errors.NotFound("there is no such workspace")
    return remote_id


_STATES_BY_CODE = {
    1: State.STARTING,
    2: State.RUNNING,
    3: State.STOPPED,
    4: State.GONE,
    5: State.FAILED,
}
_ACTIONS_BY_PERMISSION: Mapping[str, Action] = {"enter": "open", "stop": "stop", "remove": "remove"}
_MINUTE_SECONDS = 60.0
#: More minutes than this are no realistic time.
_MAX_MINUTES = 10_000_000
_TIME_FORMAT = "%Y-%m-%d %H:%M:%S %z"
_MAX_TOKEN_LENGTH = 200
INIT_FAILED = "Its set-up failed"
REMOVED_TIME_UP = "It was removed because its time was up."
REMOVED_UNUSED = "It was removed because nobody was using it."
_URL_PATTERN = re.compile(r"https?://\S+", re.IGNORECASE)


def unwrap_workspace(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the workspace in a response, either bare or under its name; raise BadAnswer."""
    inner = answer.get("workspace")
    return inner if isinstance(inner, dict) else dict(answer)


def read_id(workspace: Any) -> str:
    """Return a workspace's id; raise BadAnswer if it can't be one."""
    value = answers.require_id(workspace, "id").lower()
    if not _ID.fullmatch(value):
        raise errors.BadAnswer("the answer's field id is no id")
    return value


def to_observed(workspace: Mapping[str, Any]) -> Observed:
    """Convert a workspace; raise BadAnswer. Its own token is removed from all texts."""
    value = workspace.get("retention_time_stopped")
    is_kept = None if value is None else parse_minutes(value) > 0
    return replace(
        _observe(workspace),
        survives_stop=is_kept,
        last_used_at=parse_sphere_time(workspace.get("last_usage")),
    )


def _observe(workspace: Mapping[str, Any]) -> Observed:
    value = answers.find_object(workspace, "state")
    code = _parse_code(value.get("code"))
    state = _STATES_BY_CODE.get(code) if isinstance(code, int) else None
    actions = _read_actions(workspace)
    if state is None:
        name = value.get("name")
        strange = base.describe_unknown_state(
            clean(f"{code} {name if isinstance(name, str) else ''}".strip())
        )
        return Observed(State.UNKNOWN, detail=strange, actions=actions)
    token = find_text(workspace, "workspace_token")
    secrets = (token or "",)
    if state is State.GONE:
        ended = parse_sphere_time(workspace.get("terminated_at"))
        why = None if ended is None else _find_removal_reason(workspace, ended)
        return Observed(state, detail=why, actions=frozenset(), down_at=ended)
    if state is State.FAILED:
        reason = clean(find_text(value, "error_reason", "state.") or "", failure_causes.LIMIT, secrets)
        ended = parse_sphere_time(workspace.get("terminated_at"))
        return Observed(
            state, reason=reason or None, actions=_restrict_actions(actions, "remove"), down_at=ended
        )
    if state is State.STOPPED:
        may: set[Action] = {"start"}
        may |= _restrict_actions(actions, "remove", "open")
        return Observed(state, actions=frozenset(may), **_read_expiry(workspace, is_up=False))
    detail = _init_failure(workspace, secrets)
    if state is State.STARTING:
        return Observed(state, detail=detail, actions=actions)
    entry = token if token is not None and len(token) <= _MAX_TOKEN_LENGTH and token.isprintable() else None
    return Observed(state, detail=detail, actions=actions, entry=entry, **_read_expiry(workspace, is_up=True))


def parse_sphere_time(value: Any) -> float | None:
    """Return a time of the API in epoch seconds; None if there is none or it can't be read."""
    return answers.parse_time(value, _TIME_FORMAT) if isinstance(value, str) and len(value) <= 40 else None


def parse_minutes(value: Any) -> float:
    """Return minutes as seconds; 0, which means never, if it isn't a number. Digits in a string count."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 9:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MAX_MINUTES:
        return 0.0
    return value * _MINUTE_SECONDS


def _parse_code(value: Any) -> int | str:
    """Return the state's code, a number or a string, which is empty if there is none."""
    if isinstance(value, str) and value:
        text = value.strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else text[:40]
    return "" if isinstance(value, bool) or not isinstance(value, int) else value


def _read_actions(workspace: Mapping[str, Any]) -> frozenset[Action] | None:
    """Return the actions that the server permits now; None if it doesn't say."""
    value = workspace.get("permissions")
    if value is None:
        return None
    if not isinstance(value, dict):
        log_oddity("permissions is not an object")
        return None
    return frozenset(action for key, action in _ACTIONS_BY_PERMISSION.items() if value.get(key) is True)


def _restrict_actions(actions: frozenset[Action] | None, *kept: Action) -> frozenset[Action]:
    return frozenset(kept) if actions is None else actions & set(kept)


def _init_failure(workspace: Mapping[str, Any], secrets: Iterable[str]) -> str | None:
    """Say that the initialisation failed, with the end of its output."""
    if workspace.get("workspace_init_failed") is not True:
        return None
    streams = workspace.get("streams")
    value = streams if isinstance(streams, dict) else {}
    wrote = value.get("workspace_init_error") or value.get("workspace_init_output")
    if not isinstance(wrote, str) or not wrote.strip() or _URL_PATTERN.fullmatch(wrote.strip()):
        # Where the log is isn't why: only the account's owner can open it.
        return f"{INIT_FAILED}."
    for secret in secrets:
        # Before anything is cut, because half a secret would not be recognised.
        wrote = wrote.replace(secret, HIDDEN) if secret else wrote
    room = MAX_MESSAGE_LENGTH - len(INIT_FAILED) - 5
    end = clean(wrote[-room:], room)
    return clean(f"{INIT_FAILED}: {'…' if len(wrote) > room else ''}{end}")


def _find_removal_reason(workspace: Mapping[str, Any], ended: float) -> str | None:
    """Return the sentence for the time limit that removed a workspace; None if none had run out."""
    made, total, idle, kept = (
        parse_sphere_time(workspace.get("created_at")),
        *(
            parse_minutes(workspace.get(name))
            for name in ("retention_time_total", "inactivity_timeout", "retention_time_stopped")
        ),
    )
    used = parse_sphere_time(workspace.get("last_usage")) or made
    if made is not None and total and ended >= made + total - _MINUTE_SECONDS:
        return REMOVED_TIME_UP
    return (
        REMOVED_UNUSED
        if used is not None and idle and ended >= used + idle + kept - _MINUTE_SECONDS
        else None
    )


def _read_expiry(workspace: Mapping[str, Any], *, is_up: bool) -> dict[str, Any]:
    """Return when a workspace ends: when idle, or for good, whichever comes first.

    The server doesn't say since when one has been stopped.
    """
    created = parse_sphere_time(workspace.get("created_at"))
    kept = parse_minutes(workspace.get("retention_time_stopped"))
    total = parse_minutes(workspace.get("retention_time_total"))
    removed_at = created + total if created is not None and total else None
    if not is_up:
        return _build_end(None if kept else removed_at, "removed", kept or None)
    idle = parse_minutes(workspace.get("inactivity_timeout"))
    used = max(
        (at for at in (created, parse_sphere_time(workspace.get("last_usage"))) if at is not None),
        default=None,
    )
    stops_at = used + idle if used is not None and idle else None
    if removed_at is not None and (stops_at is None or removed_at < stops_at):
        return _build_end(removed_at, "removed", None)
    return _build_end(stops_at, "stops" if kept else "removed", idle or None)


def _build_end(at: float | None, how: ExpiryMode, ends_after: float | None) -> dict[str, Any]:
    if at is None and ends_after is None:
        return {}
    return {"expires_at": at, "expiry_mode": how, "expires_after": ends_after}


SIGNATURE = "X-Sphere-Engine-Signature"
FINISHED = "workspace.scenario.finished"
#: The most messages in one request.
MAX_MESSAGES = 10
_SIGNATURE_PATTERN = re.compile(r"[0-9a-fA-F]{64}")
_MAX_KEY_LENGTH = 100
_MAX_SCENARIO_NAME_LENGTH = 60
#: How a successful result is named; the codes of results aren't published, so their names are compared.
_PASSED = {"ok", "passed", "pass", "success", "accepted"}


def check_signature(secret: SecretStr | None, signature: str, body: bytes) -> None:
    """Raise CredentialRefused unless the body is signed with the secret; compared in constant time."""
    key = secret.get_secret_value().encode() if secret is not None else b""
    right = hmac.new(key, body, hashlib.sha256).hexdigest()
    is_shaped = _SIGNATURE_PATTERN.fullmatch(signature) is not None
    # Compared in any case, so that a missing signature takes as long as a wrong one.
    is_right = hmac.compare_digest(right, signature.lower() if is_shaped else "0" * 64)
    if secret is None or not is_shaped or not is_right:
        raise errors.CredentialRefused("the signature is wrong")


def parse_messages(body: bytes) -> list[Event]:
    """Read the messages of a verified body; other kinds are left out. Raises BadAnswer."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if (
        not isinstance(value, list)
        or len(value) > MAX_MESSAGES
        or not all(isinstance(one, dict) for one in value)
    ):
        raise errors.BadAnswer("the body is no list of messages")
    return [_parse_event(one) for one in value if one.get("type") == FINISHED]


def _parse_event(message: Mapping[str, Any]) -> Event:
    key = require_text(message, "id")
    if len(key) > _MAX_KEY_LENGTH or not key.isprintable():
        raise errors.BadAnswer("the message's field id is no id")
    payload = require_object(message, "payload")
    remote_id = require_text(
        require_object(payload, "workspace", "payload."), "id", "payload.workspace."
    ).lower()
    if not _ID.fullmatch(remote_id):
        raise errors.BadAnswer("the message's field payload.workspace.id is no id")
    return Event(key, remote_id, _describe_result(payload, message.get("timestamp")))


def _describe_result(payload: Mapping[str, Any], timestamp: Any) -> str:
    """Describe the result of a scenario in a sentence."""
    value = payload.get("scenario")
    name = clean(value, _MAX_SCENARIO_NAME_LENGTH) if isinstance(value, str) else ""
    result = payload.get("result")
    result = result if isinstance(result, dict) else {}
    status = result.get("status")
    word = status.get("name") if isinstance(status, dict) else None
    word = clean(word, _MAX_SCENARIO_NAME_LENGTH).casefold() if isinstance(word, str) else ""
    came = ": passed" if word in _PASSED else ": did not pass" if word else ""
    score = result.get("score")
    is_number = isinstance(score, (int, float)) and not isinstance(score, bool) and abs(score) < 1e6
    points = f", score {score:g}" if is_number else ""
    at = _parse_message_time(timestamp)
    when = f" at {make_time_placeholder(at)}" if at is not None else ""
    return f"{f'Scenario {name}' if name else 'A scenario'} finished{when}{came}{points}."


def _parse_message_time(value: Any) -> float | None:
    """Return the time of a message: epoch seconds, or in the API's own format."""
    return parse_sphere_time(value) if isinstance(value, str) else answers.parse_time(value)
