"""The provider for a Coder deployment (REST API v2), based on Coder's OpenAPI document and reference.

A workspace's state is that of its latest build. Starting, stopping or deleting the workspace creates a build.
While a build is active, Coder answers 409 to a request for another build. Starting a running workspace would
restart it. A build fails if the quota is exhausted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import unquote

from pydantic import Field as Setting

import usher.provider as up
from usher_coder.forms import PARAMETER, Offer, Parameter, Template, form_of, objects, spec_of
from usher_coder.prebuilds import was_claimed_since

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PAGE = re.compile(r"/@([^/]+)/([^/.]+)(?:[/.]|$)")
_TOKEN = r"[0-9A-Za-z]{10}-[0-9A-Za-z]{22}"
_GOING_UP = {"pending": up.State.STARTING, "starting": up.State.STARTING, "running": up.State.RUNNING}
_GOING_DOWN = {"pending": up.State.STOPPING, "stopping": up.State.STOPPING, "stopped": up.State.STOPPED}
_GOING = {"start": _GOING_UP, "stop": _GOING_DOWN, "delete": _GOING_DOWN}
_EITHER_WAY = {
    "deleting": up.State.STOPPING,
    "canceling": up.State.STOPPING,
    # After a failed or canceled build, the workspace may be running.
    "canceled": up.State.FAILED,
    "failed": up.State.FAILED,
    "deleted": up.State.GONE,
}
_NOT_DONE = frozenset({"canceled", "failed"})
#: Maps each agent status or lifecycle state that makes a workspace unusable to the sentence shown for it.
_LOST = {
    "disconnected": "Its agent has lost its connection.",
    "timeout": "Its agent hasn't connected in time.",
    "shutting_down": "Its agent is shutting down.",
    "shutdown_timeout": "Its agent hasn't shut down in time.",
    "shutdown_error": "Its shutdown script failed.",
    "off": "Its agent is off.",
}
_SCRIPTS = {
    "start_error": "Its start script failed.",
    "start_timeout": "Its start script is taking longer than it should.",
}
_UNHEALTHY = {"unhealthy": "Its app isn't healthy."}
_NO_BUILDER = "No provisioner there can build it. Ask your {title} admin."
_BUILDERS_AWAY = "What could build it is away at the moment. If that lasts, ask your {title} admin."
_DOWN = frozenset({up.State.STOPPED, up.State.STOPPING})
#: Actions allowed in a workspace that someone else shares with the user. Only its owner may remove it.
SHARED_ACTIONS: frozenset[up.Action] = frozenset({"open", "start", "stop"})
#: Explains why a workspace that someone else shares has no link.
OWNERS_ONLY = "{title} opens this app only for the workspace's owner."
KEPT_BY_OWNER = "Only its owner can keep it running longer. Ask them."
OWN_LIST, SHARED_LIST = "owner:me", "shared:true"
#: Key in ``Credential.extra`` for the id of the account.
OWN_ID = "own_id"
DORMANT = "It's dormant, as nobody has used it for a long time. Starting it wakes it."
OUTDATED = "Its template has a newer version, and requires it to be updated to that."
DORMANT_OUTDATED = (
    "It's dormant, as nobody has used it for a long time, and its template requires it to be updated."
)
TIME_UP = "It was stopped there because its time was up."
WAKE_FIRST = "It's dormant. Open its page on {title} and activate it there, then start it again."
UPDATE_FIRST = (
    "Its template requires its newest version. Update it on its page on {title}, then start it again."
)
WAKE_AND_UPDATE_FIRST = (
    "It's dormant, and its template requires its newest version. Activate and update it on its page on "
    "{title}, then start it again."
)
#: Maps a workspace's last detail (why it isn't usable) to a sentence that says what the user has to do before
#: it can start. The sentence is shown if Coder refuses a start without giving a reason.
_FIRST = {DORMANT: WAKE_FIRST, OUTDATED: UPDATE_FIRST, DORMANT_OUTDATED: WAKE_AND_UPDATE_FIRST}
LONGEST_NAME = 32
LONGEST_REASON = 500
#: The unit of costs if the operator sets none. Coder doesn't specify a currency.
CREDITS = "credits"
#: Time limit, in seconds, for each request that a user waits for. Users wait at most 10 s in total.
CHECK_SECONDS = 4.0
#: Number of workspaces per page of a list, and the maximum number of pages that Usher reads. Usher reads
#: at most 2 MB at once, and a workspace with many agents and apps can take tens of kilobytes.
PAGE, MOST_PAGES = 25, 80
#: Maximum number of templates whose parameters are requested at the same time.
WIDTH = 5


class CoderSettings(up.ConnectionSettings):
    """The settings of a Coder connection."""

    #: The slug of the app to open; by default, the first app that has a page.
    app: str | None = None
    #: The deployment's CODER_WILDCARD_ACCESS_URL, for apps that are served from a separate host.
    wildcard_host: str | None = Setting(default=None, pattern=r"^\*[a-z0-9.:-]*\.[a-z0-9.:-]+$")


class Coder(
    up.Provider, up.Lists, up.Tokens, up.Reasons, up.Removal, up.Extension, up.Allowances, up.Creation[Offer]
):
    """Translate between Usher and one Coder deployment."""

    api_version: ClassVar[int] = up.API_VERSION
    kind: ClassVar[str] = "coder"
    title: ClassVar[str] = "Coder"
    settings_model: ClassVar[type[up.ConnectionSettings]] = CoderSettings
    settings: CoderSettings
    api_path: ClassVar[str] = "/api/v2"
    credential_in: ClassVar[up.CredentialPlacement] = up.CredentialPlacement("Coder-Session-Token", scheme="")
    token_pattern: ClassVar[str] = _TOKEN
    offer_model: ClassVar[type[Offer]] = Offer
    name_rule: ClassVar[up.NameRule] = up.NameRule(LONGEST_NAME)
    # A build takes a minute or more, and for each read the server collects all resources, agents and apps.
    pace: ClassVar[up.Pace] = up.Pace(min_poll_interval=10.0, pending_interval=10.0, running_interval=300.0)

    # -- linking ---------------------------------------------------------------------------------------------

    async def check_credential(self, credential: up.Credential) -> up.Identity:
        """Find out who owns a token and when it expires. A token begins with the id of its key."""
        api = self.api.acting_as(credential)
        response = await api.call("GET", "/users/me", total=CHECK_SECONDS)
        me = response.json_object()
        username = up.clean(up.require_text(me, "username"), up.MAX_NAME_LENGTH)
        if not username:
            raise up.errors.BadAnswer("the answer's field username is not a text")
        key = credential.token.get_secret_value().partition("-")[0]
        try:
            told = await api.call("GET", "/users/me/keys/{}", key, total=CHECK_SECONDS)
            ends_at = up.parse_time(told.json_object().get("expires_at"))
        except up.errors.ProviderError:
            ends_at = None  # The time is optional.
        # A username may later belong to someone else.
        own_id = up.find_account_id(me)
        extra = {**credential.extra, **({OWN_ID: own_id} if own_id else {})}
        checked = replace(credential, expires_at=ends_at, extra=extra, account_id=own_id)
        return up.Identity(username, checked)

    async def read_account(self, access: up.Access) -> up.RemoteAccount | None:
        """Read the account that the token belongs to."""
        me = (await access.api.call("GET", "/users/me")).json_object()
        return up.RemoteAccount(
            up.find_account_id(me), up.require_text(me, "username"), up.find_text(me, "email")
        )

    async def probe(self) -> str:
        """Read Coder's version, for which no token is needed."""
        response = await self.api.call("GET", "/buildinfo", total=CHECK_SECONDS)
        return f"Coder {up.clean(up.require_text(response.json_object(), 'version'))}"

    def token_help(self) -> up.TokenHelp:
        """Explain where to create a token."""
        return up.TokenHelp(
            f"{self.settings.base_url}/settings/tokens",
            (
                f"Press Open {self.settings.title} and sign in.",
                "Press Add token, give it a name, and choose how long it lasts.",
                "Copy it and paste it here.",
            ),
            _TOKEN,
        )

    # -- workspaces ------------------------------------------------------------------------------------------

    async def status(
        self, access: up.Access, remote_ids: Sequence[str], window: up.SendWindow | None = None
    ) -> Mapping[str, up.Observed]:
        """Read the workspaces one after another."""
        return {remote_id: await self._status(access, remote_id, window) for remote_id in remote_ids}

    async def _status(self, access: up.Access, remote_id: str, window: up.SendWindow | None) -> up.Observed:
        try:
            workspace, owner, _ = await _read(access, remote_id, window)
        except up.errors.NotFound:
            return up.Observed(up.State.GONE)
        return _of(owner, self._observed(workspace, is_own=owner is None))

    async def discover(self, access: up.Access) -> up.Listing[up.DiscoveredWorkspace]:
        """List the user's own workspaces, page by page, then those shared with the user."""
        listed = await _pages(access, OWN_LIST)
        try:
            shared = await _pages(access, SHARED_LIST)
        except up.errors.InvalidRequest:
            shared = up.Listing()  # Releases without sharing refuse this filter.
        except up.errors.BadAnswer:
            shared = up.Listing(is_whole=False)  # Others' workspaces must not hide the user's own.
        every = [one for page in (*listed, *shared) for one in objects(page, "workspaces")]
        own_id = await _own_id(access, every)
        others = [one for one in every if not _is_own(access, one, own_id)]
        groups = await _groups(access, own_id, others)

        def read(one: Any) -> up.DiscoveredWorkspace | None:
            remote_id = up.require_id(one, "id")
            owner = None if _is_own(access, one, own_id) else _sharer(access, one, own_id, groups)
            if owner == "":
                return None
            name = up.clean(up.find_text(one, "name") or "", up.MAX_NAME_LENGTH)
            try:
                seen = self._observed(one, is_own=owner is None)
            except up.errors.BadAnswer as error:
                seen = up.Observed(up.State.UNKNOWN, detail=error.message)
            return up.DiscoveredWorkspace(remote_id, name, _of(owner, seen))

        found = up.read_entries([*listed, *shared], "workspaces", read)
        by_id = {one.remote_id: one for one in found}
        is_whole = found.is_whole and listed.is_whole and shared.is_whole
        return up.Listing(by_id.values(), is_whole=is_whole)

    async def start(self, access: up.Access, workspace: up.Workspace) -> str | None:
        """Request a build that starts a workspace, after waking the workspace if it is dormant.

        A workspace that is up is left alone, because a start would restart it.
        """
        if workspace.state in up.UP_STATES:
            return None
        try:
            return await up.accept_already_done(
                "start", _build(access, workspace, "start"), *_list_names(workspace)
            )
        except (up.errors.Forbidden, up.errors.CredentialRefused):
            # The workspace may be dormant. Older releases then refuse a start with 401 and without a reason.
            woken = await self._wake(access, workspace)
            if woken is None:
                self._explain_hurdle(workspace.detail)
                raise
        try:
            return await up.accept_already_done("start", _build(access, workspace, "start"))
        except (up.errors.Forbidden, up.errors.CredentialRefused):
            self._explain_hurdle(_hurdle(woken))
            raise

    def _explain_hurdle(self, detail: str | None) -> None:
        """Raise InvalidRequest with what the user has to do first, if that follows from a detail."""
        if hurdle := _FIRST.get(detail or ""):
            raise up.errors.InvalidRequest(hurdle.format(title=self.settings.title)) from None

    async def _wake(self, access: up.Access, workspace: up.Workspace) -> dict[str, Any] | None:
        """Wake a dormant workspace and return it; None if Coder refuses or it was awake (304)."""
        path = f"/workspaces/{_part(workspace.remote_id)}/dormant"
        response = await access.api.send("PUT", path, changes=True, json_body={"dormant": False})
        if response.status in {304, 401, 403, 404, 405}:
            return None
        if not 200 <= response.status < 300:
            raise self.to_error(response, changes=True)
        return response.json_object()

    async def stop(
        self, access: up.Access, workspace: up.Workspace, mode: up.StopMode = "stop"
    ) -> str | None:
        """Request a build that stops a workspace; raise Conflict while another build is in progress."""
        self.require_stop_mode(mode)
        if workspace.state in _DOWN:
            return None
        return await up.accept_already_done(
            "stop", _build(access, workspace, "stop"), *_list_names(workspace)
        )

    async def read_allowances(self, access: up.Access) -> Sequence[up.Allowance]:
        """Read the user's quota in each of their organisations, except those without a quota."""
        me = (await access.api.call("GET", "/users/me")).json_object()
        listed, found = me.get("organization_ids"), list[up.Allowance]()
        for one in listed if isinstance(listed, list) else []:
            path = (
                f"/organizations/{_part(str(one))}/members/{_part(up.require_id(me, 'id'))}/workspace-quota"
            )
            try:
                response = await up.none_if_absent(access.api.call("GET", path))
            except (up.errors.Forbidden, up.errors.RefusedInFront):
                continue
            answer = {} if response is None else response.json_object()
            budget, consumed = (up.find_amount(answer, key) for key in ("budget", "credits_consumed"))
            if budget is not None and consumed is not None:
                found.append(up.Allowance("credits", max(budget - consumed, 0.0), budget))
        return found

    async def extend(self, access: up.Access, workspace: up.Workspace, until: float) -> float:
        """Set a new deadline for the running build, or the latest one allowed. Return the new deadline.

        Return the present deadline if Coder accepts no later one.
        """
        found, _, is_admin = await _read(access, workspace.remote_id, None)
        if not is_admin:
            # Coder would answer 500.
            raise up.errors.Forbidden(KEPT_BY_OWNER)
        build = up.find_object(found, "latest_build")
        last_at = up.parse_time(build.get("max_deadline"))
        ends_at = until if last_at is None else min(until, last_at)
        deadline = datetime.fromtimestamp(ends_at, UTC).isoformat()
        path = f"/workspaces/{_part(workspace.remote_id)}/extend"
        response = await access.api.send("PUT", path, changes=True, json_body={"deadline": deadline})
        if response.status == HTTPStatus.BAD_REQUEST and ends_at == last_at:
            # Coder refuses deadlines less than 30 minutes ahead by its own clock, and the last one is.
            return min(up.parse_time(build.get("deadline")) or last_at, last_at)
        if response.status != HTTPStatus.NOT_MODIFIED and not 200 <= response.status < 300:
            raise self.to_error(response, changes=True)
        return ends_at

    async def remove(self, access: up.Access, workspace: up.Workspace) -> None:
        """Request a build that deletes a workspace."""
        await _build(access, workspace, "delete")

    async def read_reason(
        self, access: up.Access, remote_id: str, window: up.SendWindow | None = None
    ) -> str:
        """Return the error from the latest build's log or, if there is none, its job's error."""
        try:
            build = up.require_object((await _read(access, remote_id, window))[0], "latest_build")
        except (up.errors.NotFound, up.errors.BadAnswer):
            return ""
        try:
            response = await access.api.call("GET", "/workspacebuilds/{}/logs", up.require_id(build, "id"))
            lines = up.read_entries([{"logs": response.json()}], "logs", lambda one: one)
        except up.errors.ProviderError:
            lines = up.Listing()
        errors = (line for line in lines if isinstance(line, dict) and line.get("log_level") == "error")
        said = [up.clean_words(up.find_text(line, "output") or "", LONGEST_REASON) for line in errors]
        return up.pick_failure_message([one for one in said if one]) or _job_error(build)

    def _observed(self, workspace: Mapping[str, Any], *, is_own: bool = True) -> up.Observed:
        """Return the state resulting from the latest build. It is usable once its agent and app respond."""
        build = up.find_object(workspace, "latest_build")
        word, transition = (up.find_text(build, key) or "" for key in ("status", "transition"))
        name = up.clean(up.find_text(workspace, "name") or "", up.MAX_NAME_LENGTH) or None
        used_at = up.parse_time(workspace.get("last_used_at"))
        job = up.find_object(build, "job", "latest_build.")
        if (ended := up.find_text(job, "status")) in _NOT_DONE:
            word = str(ended)
        state = _EITHER_WAY.get(word) or _GOING.get(transition, {}).get(word)
        if state is None:
            return up.Observed(up.State.UNKNOWN, detail=up.describe_unknown_state(up.clean(word)), name=name)
        if state is up.State.FAILED:
            is_canceled = word == "canceled"
            reason = _job_error(build) or (f"{transition} canceled" if is_canceled else None)
            return up.Observed(
                state,
                reason=reason,
                name=name,
                detail=_hurdle(workspace),
                has_reason=not is_canceled,
                last_used_at=used_at,
            )
        if state is up.State.STARTING:
            return up.Observed(state, name=name, detail=self._waits_for(build, job))
        if state is up.State.RUNNING:
            ends_at, last_at = (up.parse_time(build.get(key)) for key in ("deadline", "max_deadline"))
            # Activity postpones the deadline, but not beyond ``max_deadline``.
            is_last = last_at is not None and (ends_at is None or ends_at >= last_at)
            ends_at = last_at if is_last else ends_at
            return replace(
                self._running(workspace, build, is_own=is_own),
                name=name,
                last_used_at=used_at,
                started_at=up.parse_time(job.get("completed_at")),
                machine=self._machine(workspace, build),
                expires_at=ends_at,
                expiry_mode=None if ends_at is None else "stops_anyway" if is_last else "stops",
            )
        removed_at = up.parse_time(workspace.get("deleting_at"))
        down_at = up.parse_time(job.get("completed_at"))
        return up.Observed(
            state,
            name=name,
            detail=self._waits_for(build, job) if state is up.State.STOPPING else _why_down(workspace, build),
            last_used_at=used_at,
            expires_at=removed_at,
            expiry_mode=None if removed_at is None else "removed",
            down_at=down_at,
        )

    def _machine(self, workspace: Mapping[str, Any], build: Mapping[str, Any]) -> up.MachineKind:
        """Return the template and its hourly price, based on the daily cost. A cost of 0 means no price."""
        template = up.clean(up.find_text(workspace, "template_name") or "", up.MAX_NAME_LENGTH) or None
        cost = up.parse_amount(build.get("daily_cost"))
        price = up.Price(round(cost / 24, 4), self.settings.currency or CREDITS) if cost else None
        return up.MachineKind(template, None, price)

    def _waits_for(self, build: Mapping[str, Any], job: Mapping[str, Any]) -> str | None:
        matched = build.get("matched_provisioners")
        if build.get("status") == "pending" and isinstance(matched, dict):
            if _count(matched, "count") == 0:
                return _NO_BUILDER.format(title=self.settings.title)
            if _count(matched, "available") == 0:
                return _BUILDERS_AWAY.format(title=self.settings.title)
        place = _count(job, "queue_position")
        return f"Number {place} in the queue." if place else None

    def _running(
        self, workspace: Mapping[str, Any], build: Mapping[str, Any], *, is_own: bool = True
    ) -> up.Observed:
        found = list(_apps(build)) or [(agent, {}) for agent in _agents(build)] or [({}, {})]
        # By default, Coder opens an app without a subdomain only for the workspace's owner.
        opening = [one for one in found if is_own or one[1].get("subdomain") is True]
        among = opening or found
        agent, app = next((one for one in among if one[1].get("slug") == self.settings.app), among[0])
        url = self._url(workspace, agent, app) if app and opening else None
        told = [_LOST.get(str(agent.get(key))) for key in ("status", "lifecycle_state")]
        if lost := next(filter(None, told), None):
            return up.Observed(up.State.RUNNING, url=url, detail=lost, lacks="agent")
        is_blocking = agent.get("startup_script_behavior") != "non-blocking"
        awaited = {"created", "starting"} if is_blocking else {"created"}
        if agent.get("status") == "connecting" or agent.get("lifecycle_state") in awaited:
            return up.Observed(up.State.STARTING, detail="It runs, but isn't set up yet.")
        if app.get("health") == "initializing":
            return up.Observed(up.State.STARTING, detail="Its app doesn't answer yet.")
        if unhealthy := _UNHEALTHY.get(str(app.get("health"))):
            return up.Observed(up.State.RUNNING, url=url, detail=unhealthy, lacks="app")
        if not app:
            return up.Observed(up.State.RUNNING, detail="It has no app with a page.")
        refusal = up.URL_NOT_ALLOWED if opening else OWNERS_ONLY.format(title=self.settings.title)
        detail = refusal if url is None else None
        detail = _SCRIPTS.get(str(agent.get("lifecycle_state")), detail)
        return up.Observed(up.State.RUNNING, url=url, detail=detail)

    def _url(
        self, workspace: Mapping[str, Any], agent: Mapping[str, Any], app: Mapping[str, Any]
    ) -> str | None:
        wildcard, below = self.settings.wildcard_host, up.find_text(app, "subdomain_name")
        if app.get("subdomain") is True:
            if not below or wildcard is None:
                return None
            scheme = self.settings.base_url.partition("://")[0]
            return self.allowed_url(f"{scheme}://{wildcard.replace('*', below, 1)}/")
        if up.find_text(workspace, "owner_name") is None:
            return None
        owner, name, of_agent, slug = (
            up.encode_path_segment(up.require_text(holder, key))
            for holder, key in (
                (workspace, "owner_name"),
                (workspace, "name"),
                (agent, "name"),
                (app, "slug"),
            )
        )
        return self.allowed_url(f"{self.settings.base_url}/@{owner}/{name}.{of_agent}/apps/{slug}/")

    def ide_hosts(self) -> tuple[str, ...]:
        """Return the operator's hosts, and those from which apps are served."""
        wildcard = self.settings.wildcard_host
        of_apps = () if wildcard is None else (f"*{wildcard[wildcard.index('.') :]}",)
        return (*self.settings.ide_hosts, *of_apps)

    def page_url(self, remote_id: str) -> str:
        """Return the page that lists all workspaces, as the URL of a workspace's own page lacks its id."""
        return f"{self.settings.base_url}/workspaces"

    def parse_reference(self, text: str) -> str | None:
        """Return the text if it is a bare id, otherwise None. Links contain names (see ``is_page_of``)."""
        return text if _UUID.fullmatch(text) else None

    def is_page_of(self, url: str, name: str, username: str) -> bool:
        """Return whether a URL leads to the page or app with this owner and name, ignoring case."""
        page = _PAGE.match(unquote(up.path_below(url, self.settings.base_url) or ""))
        if page is None:
            return False
        owner, shown = page[1].casefold(), page[2].casefold()
        return owner in {"me", username.casefold()} and shown == name.casefold()

    # -- creating workspaces --------------------------------------------------------------------------------

    async def read_offer(self, access: up.Access) -> Offer:
        """Read the templates with their parameters, and the workspace names in use."""
        response = await access.api.call("GET", "/templates")
        found = up.read_entries([{"templates": response.json()}], "templates", Template.read)

        async def whole(one: Template) -> Template:
            response = await access.api.call("GET", "/templateversions/{}/rich-parameters", one.version)
            listed = response.json()
            return replace(
                one, parameters=tuple(up.read_entries([{"parameters": listed}], "parameters", Parameter.read))
            )

        return Offer(
            tuple(await up.map_concurrently(WIDTH, whole, found)),
            tuple(sorted(await self.list_names(access, ""))),
        )

    def form(self, offer: Offer, purpose: up.Purpose, values: up.Values, principal: up.Principal) -> up.Form:
        """Build the form that asks for a template, a name, and the template's parameters."""
        return form_of(offer, self.name_rule, LONGEST_NAME, values)

    def spec(self, offer: Offer, purpose: up.Purpose, values: up.Values, principal: up.Principal) -> up.Spec:
        """Check the values of the form against the rules of each field."""
        return spec_of(offer, self.name_rule, LONGEST_NAME, values)

    async def create(self, access: up.Access, spec: up.Spec, key: str) -> up.Created:
        """Create a workspace from its template's active version; Coder starts it immediately.

        If the template has changed since the spec was made, Coder refuses values that no longer fit.
        """
        values = [
            {"name": name.removeprefix(PARAMETER), "value": value}
            for name, value in spec.chosen.items()
            if name.startswith(PARAMETER)
        ]
        version = spec.text("version")
        # The version may no longer be active. Coder would then create an outdated workspace, or refuse: with
        # 403 if the template requires its active version, and with 500 if the version is archived.
        template = spec.text("template_id") or await _find_template(access, version)
        source = {"template_id": template} if template else {"template_version_id": version}
        body = {"name": spec.name, **source, "rich_parameter_values": values}
        response = await access.api.call("POST", "/users/me/workspaces", json_body=body)
        with up.bad_answer_as_unknown_outcome():
            return up.Created(up.require_id(response.json_object(), "id"), spec.name)

    async def list_names(self, access: up.Access, stem: str) -> Collection[str]:
        """Return the names of the user's own workspaces. Other users may use the same names."""
        found = await self.discover(access)
        return [one.name for one in found if one.name and one.observed.owner is None]

    async def find_created(
        self, access: up.Access, spec: up.Spec, key: str, since: float
    ) -> up.OutcomeSearch:
        """Look up the workspace by name. A workspace older than ``since`` is a different one.

        But if Coder had one built in advance, the creation only claimed it, and when it did so counts.
        """
        response = await up.none_if_absent(access.api.call("GET", "/users/me/workspace/{}", spec.name))
        if response is None:
            return up.OutcomeSearch(is_conclusive=True)
        workspace = response.json_object()
        made = up.Created(up.require_id(workspace, "id"), spec.name)
        made_at, earliest = up.parse_time(workspace.get("created_at")), since - up.MAX_CLOCK_SKEW_SECONDS
        is_young = made_at is None or made_at >= earliest
        if not is_young and not await was_claimed_since(access, workspace, earliest):
            return up.OutcomeSearch(is_conclusive=True)
        return up.OutcomeSearch(made, is_conclusive=True)


async def _find_template(access: up.Access, version: str) -> str | None:
    """Return the id of a version's template, or None if the version no longer exists."""
    response = await up.none_if_absent(access.api.call("GET", "/templateversions/{}", version))
    return None if response is None else up.find_text(response.json_object(), "template_id")


def _hurdle(workspace: Mapping[str, Any]) -> str | None:
    """Return why a workspace can't simply be started (dormant, outdated or both), or None if it can."""
    is_bound = workspace.get("template_require_active_version") is True
    is_outdated = is_bound and workspace.get("outdated") is True
    if up.parse_time(workspace.get("dormant_at")) is not None:
        return DORMANT_OUTDATED if is_outdated else DORMANT
    return OUTDATED if is_outdated else None


def _why_down(workspace: Mapping[str, Any], build: Mapping[str, Any]) -> str | None:
    return _hurdle(workspace) or (TIME_UP if build.get("reason") == "autostop" else None)


async def _read(
    access: up.Access, remote_id: str, window: up.SendWindow | None
) -> tuple[dict[str, Any], str | None, bool]:
    """Return a workspace, its owner (None if it is the user's own), and whether the user may change it.

    Someone else's workspace may be changed with the role *admin* but not with *use*. Raises NotFound if it
    isn't shared with the user. Coder shows everyone's workspaces to admins.
    """
    response = await access.api.call("GET", f"/workspaces/{_part(remote_id)}", window=window)
    workspace = response.json_object()
    if up.require_id(workspace, "id") != remote_id:
        raise up.errors.BadAnswer("the answer is about another workspace")
    own_id = await _own_id(access, [workspace])
    if _is_own(access, workspace, own_id):
        return workspace, None, True
    groups = await _groups(access, own_id, [workspace])
    owner = _sharer(access, workspace, own_id, groups)
    if not owner:
        raise up.errors.NotFound("it is somebody else's")
    roles = (one.get("roles") for one in _shares(access, workspace, own_id, groups))
    return workspace, owner, any(isinstance(one, list) and "admin" in one for one in roles)


def _of(owner: str | None, seen: up.Observed) -> up.Observed:
    return seen if owner is None else replace(seen, owner=owner, actions=SHARED_ACTIONS)


def _sharer(
    access: up.Access, workspace: Mapping[str, Any], own_id: str | None, groups: Collection[str]
) -> str:
    """Return the owner of a workspace that is shared with the account, or "" if it isn't."""
    is_shared = any(_shares(access, workspace, own_id, groups))
    return up.clean(up.find_text(workspace, "owner_name") or "", up.MAX_NAME_LENGTH) if is_shared else ""


def _shares(
    access: up.Access, workspace: Mapping[str, Any], own_id: str | None, groups: Collection[str]
) -> Iterator[dict[str, Any]]:
    """Yield the entries by which a workspace is shared with the account or one of its groups."""
    for one in objects(workspace, "shared_with"):
        its_id, name = (up.find_text(one, key) or "" for key in ("id", "name"))
        is_group = one.get("actor_type") == "group"
        is_me = its_id == own_id if its_id and own_id else name.casefold() == access.username.casefold()
        if (its_id in groups) if is_group else is_me:
            yield one


async def _groups(
    access: up.Access, own_id: str | None, workspaces: Iterable[Mapping[str, Any]]
) -> frozenset[str]:
    """Return the ids of the account's groups, if any of the workspaces is shared with a group.

    The group of all members of an organisation has the organisation's id. Without a licence, there are no
    other groups.
    """
    shared = [one for one in workspaces if _is_shared_with_groups(one)]
    if not shared or not own_id:
        return frozenset()
    everyone = {up.find_text(one, "organization_id") or "" for one in shared}
    try:
        response = await access.api.call("GET", "/groups", query={"has_member": own_id})
        found = up.read_entries([{"groups": response.json()}], "groups", lambda one: up.require_id(one, "id"))
    except (up.errors.NotFound, up.errors.Forbidden, up.errors.RefusedInFront):
        return frozenset(everyone)
    return frozenset({*everyone, *found})


def _is_shared_with_groups(workspace: Mapping[str, Any]) -> bool:
    return any(one.get("actor_type") == "group" for one in objects(workspace, "shared_with"))


def _job_error(build: Mapping[str, Any]) -> str:
    return up.clean_words(
        up.find_text(up.find_object(build, "job", "latest_build."), "error") or "", LONGEST_REASON
    )


async def _own_id(access: up.Access, workspaces: Iterable[Mapping[str, Any]]) -> str | None:
    """Return the account's id as saved with the link. Without one, request it if names don't suffice."""
    kept = access.credential.extra.get(OWN_ID)
    owners = [(up.find_text(one, "owner_id"), _has_own_name(access, one)) for one in workspaces]
    if kept or (len(set(owners)) <= 1 and all(is_named for _, is_named in owners)):
        return kept
    return up.require_id((await access.api.call("GET", "/users/me")).json_object(), "id")


def _is_own(access: up.Access, workspace: Mapping[str, Any], own_id: str | None) -> bool:
    """Return whether a workspace is the account's own. Ids are compared, since names can be reused."""
    owner_id = up.find_text(workspace, "owner_id")
    return owner_id == own_id if owner_id and own_id else _has_own_name(access, workspace)


def _has_own_name(access: up.Access, workspace: Mapping[str, Any]) -> bool:
    """Return whether the owner's name is missing or, ignoring case as Coder does, equal to the account's."""
    owner = up.find_text(workspace, "owner_name")
    return owner is None or owner.casefold() == access.username.casefold()


def _list_names(workspace: up.Workspace) -> tuple[str, ...]:
    return workspace.remote_id, workspace.name


async def _build(access: up.Access, workspace: up.Workspace, transition: str) -> None:
    path = f"/workspaces/{_part(workspace.remote_id)}/builds"
    await access.api.call("POST", path, json_body={"transition": transition})


async def _pages(access: up.Access, which: str) -> up.Listing[dict[str, Any]]:
    """Read a list page by page. The list is incomplete if Coder reports more entries than it sends."""
    found: up.Listing[dict[str, Any]] = up.Listing()
    seen = 0
    while len(found) < MOST_PAGES:
        query = {"q": which, "limit": str(PAGE), "offset": str(seen)}
        page = (await access.api.call("GET", "/workspaces", query=query)).json_object()
        found.append(page)
        listed, count = page.get("workspaces"), _count(page, "count")
        length = len(listed) if isinstance(listed, list) else 0
        seen += length
        if seen >= count if count is not None else length < PAGE:
            return found
        if not listed:
            break
    found.is_whole = False
    return found


def _apps(build: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for agent in _agents(build):
        for app in objects(agent, "apps"):
            if not (app.get("external") or app.get("hidden") or app.get("command")):
                yield agent, app


def _agents(build: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a build's agents, those of dev containers last."""
    found = (agent for resource in objects(build, "resources") for agent in objects(resource, "agents"))
    yield from sorted(found, key=lambda agent: bool(agent.get("parent_id")))


def _count(holder: Mapping[str, Any], key: str) -> int | None:
    value = holder.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _part(remote_id: str) -> str:
    if not _UUID.fullmatch(remote_id):
        raise up.errors.NotFound("there is no such workspace")
    return remote_id
