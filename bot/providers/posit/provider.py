"""Translates between Usher's terms and the API of a Posit Workbench. A session is a workspace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import SecretStr

from bot.domain.accounts import compare_remote_ids
from bot.domain.forms import Form, Purpose, Spec, Values
from bot.domain.observations import Created, Observed, OutcomeSearch
from bot.domain.people import Principal
from bot.domain.runs import DiscoveredRun, ObservedRun, OutputChunk, RunState
from bot.domain.snapshots import About, User
from bot.domain.stops import StopEffect, StopEffects, StopMode
from bot.domain.workspaces import UP_STATES, Action, State, Workspace
from bot.providers import base, facets
from bot.providers.access import RemoteAccount
from bot.providers.answers import MAX_NAME_LENGTH, Listing
from bot.providers.connection import ConnectionSettings, LinkMethod, TemplateList, find_by_name
from bot.providers.posit import addresses, drafts, forms, launches, specs
from bot.providers.posit.client import CHECK_SECONDS, STATE_FIELDS, Workbench
from bot.providers.posit.envelope import MESSAGE_POINTER
from bot.providers.posit.offers import WorkbenchOffer
from bot.providers.posit.states import is_over, is_up, to_observed, to_observed_run
from bot.providers.posit.types import SUSPENDS, Version, WorkbenchJob, WorkbenchSession
from bot.providers.requests import (
    bad_answer_as_unknown_outcome,
    forbidden_as_credential_refused,
    verify_bad_token_is_refused,
)
from bot.providers.words import clean
from bot.support import errors

#: Errors that may mean that a session or job is already in the desired state. Usher then reads the state to
#: find out.
_REFUSED = (errors.NotFound, errors.Forbidden, errors.InvalidRequest, errors.Misconfigured, errors.Conflict)
#: Maximum number of sessions read in one request.
BATCH = 50
_WHOLE_FIELDS = (*STATE_FIELDS, "launch_parameters")
LIST_SECONDS = 10.0
UNREADABLE = "an entry of the answer can't be read"

PROBE_SECONDS = 8.0
ABOUT_SECONDS = 10.0
#: Time limit, in seconds, for the last of the three requests that check a pasted token.
LOOKUP_SECONDS = 2.0


class PositSettings(ConnectionSettings):
    """The settings of a Workbench connection.

    Usher uses ``super_admin_token`` to act on behalf of approved usernames.
    """

    link_methods: ClassVar[Mapping[LinkMethod, str]] = {"token": "", "admin": "super_admin_token"}

    super_admin_token: SecretStr | None = None
    templates: TemplateList[launches.WorkbenchTemplate] = ()


class PositProvider(
    base.Provider,
    facets.Lists,
    facets.Tokens,
    facets.Creation[WorkbenchOffer],
    facets.Runs[WorkbenchOffer],
    facets.Impersonation,
    facets.Overview,
):
    """Translate between Usher's terms and the API of one Posit Workbench, whose sessions are workspaces."""

    kind: ClassVar[str] = "posit"
    title: ClassVar[str] = "Posit Workbench"
    settings_model: ClassVar[type[ConnectionSettings]] = PositSettings
    settings: PositSettings
    offer_model: ClassVar[type[WorkbenchOffer]] = WorkbenchOffer
    api_path: ClassVar[str] = "/api"
    message_pointer: ClassVar[str] = MESSAGE_POINTER
    # No rate limit is documented. One request can read up to 50 of a user's sessions.
    pace: ClassVar[base.Pace] = base.Pace(
        min_poll_interval=2.0,
        pending_interval=2.0,
        running_interval=60.0,
        unused_interval=1800.0,
        batch_size=BATCH,
        concurrency=40,
    )
    stop_modes: ClassVar[frozenset[StopMode]] = frozenset({"stop", "suspend", "force"})

    def _to_server(self, access: base.Access) -> Workbench:
        if access.credential.owner == "person":
            return Workbench(access.api)
        if not access.username:
            raise errors.CredentialRefused("this connection has no user to act for")
        return Workbench(access.api, access.username)

    def _observe(self, session: WorkbenchSession) -> Observed:
        base_url = self.settings.base_url
        return to_observed(
            session, lambda address: self.allowed_url(addresses.to_session_url(address, base_url))
        )

    # -- sessions --------------------------------------------------------------------------------------------

    async def status(
        self, access: base.Access, remote_ids: Sequence[str], window: base.SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read states, 50 sessions per request. A session that is missing from the response has ended."""
        server = self._to_server(access)
        wanted = [one for one in dict.fromkeys(remote_ids) if addresses.is_session_id(one)]
        found: dict[str, Observed] = {}
        is_whole = True
        for begin in range(0, len(wanted), BATCH):
            read = await _read(server, wanted[begin : begin + BATCH], window=window)
            is_whole &= read.is_whole
            found |= {session.id: self._observe(session) for session in read}
        gone = Observed(State.GONE, actions=frozenset())
        # If the list is incomplete, the session may be one of its unreadable entries. With an administrator's
        # token, a stop might then affect another user's session, so no action is allowed.
        may = None if server.user is None else frozenset[Action]()
        absent = gone if is_whole else Observed(State.UNKNOWN, detail=UNREADABLE, actions=may)
        return {one: found.get(one, absent if one in wanted else gone) for one in remote_ids}

    async def discover(self, access: base.Access) -> Listing[facets.DiscoveredWorkspace]:
        """List the user's sessions that haven't ended."""
        listed = await self._to_server(access).get_sessions(total=LIST_SECONDS)
        found = (
            facets.DiscoveredWorkspace(
                session.id, clean(session.title, MAX_NAME_LENGTH), self._observe(session)
            )
            for session in listed
            if not is_over(session)
        )
        return Listing(found, is_whole=listed.is_whole)

    async def start(self, access: base.Access, workspace: Workspace) -> None:
        """Resume a suspended RStudio session with its original settings, unless it is already running."""
        if workspace.state in UP_STATES:
            return
        server, remote_id = self._to_server(access), workspace.remote_id
        session = await _read_before_change(server, remote_id, _WHOLE_FIELDS)
        if is_over(session):
            raise errors.Conflict(
                "This session has ended and can't be started again. Start a new one instead."
            )
        if session.workbench and session.workbench != SUSPENDS:
            raise errors.Conflict("Only suspended RStudio sessions can be resumed. Start a new one instead.")
        try:
            await server.resume_session(remote_id, session.launch_parameters)
        except _REFUSED:
            # Someone may have resumed the session elsewhere in the meantime.
            if not is_up(await _read_before_change(server, remote_id)):
                raise

    async def stop(self, access: base.Access, workspace: Workspace, mode: StopMode = "stop") -> None:
        """Stop, suspend or kill a session; a session that has already stopped isn't an error."""
        self.require_stop_mode(mode)
        server, remote_id = self._to_server(access), workspace.remote_id
        if workspace.state is State.GONE and (mode == "suspend" or server.user is not None):
            # With an administrator's token, this call could stop anyone's session, because the API takes no
            # username here.
            raise errors.NotFound("there is no such session")
        if (
            workspace.state is State.UNKNOWN
            and server.user is not None
            and mode not in (workspace.actions or ())
        ):
            raise errors.Conflict(UNREADABLE)
        if mode == "suspend" and workspace.state in {State.STOPPING, State.SUSPENDED}:
            return
        if mode == "suspend" and not self._can_suspend(workspace):
            # If the IDE isn't RStudio, some servers stop a session that they are asked to suspend.
            raise errors.Conflict("Only RStudio sessions can be suspended. You can stop this one instead.")
        try:
            await server.stop_session(remote_id, mode)
        except _REFUSED:
            # The session may have ended by itself. If it is another user's, the read raises NotFound.
            if not is_over(await _read_before_change(server, remote_id)):
                raise

    def stop_effects(self, workspace: Workspace) -> StopEffects:
        """Return the effects of each stop mode on a session.

        A session that is stopped or killed can't be started again. Only RStudio sessions can be suspended.
        """
        if workspace.state in {State.FAILED, State.GONE}:
            return {}
        effects: dict[StopMode, StopEffect] = {"stop": StopEffect.ENDS, "force": StopEffect.ENDS}
        # If it isn't known whether the session can be suspended (None), Usher may try. The next read shows
        # whether that worked.
        if self._can_suspend(workspace) is not False:
            effects["suspend"] = StopEffect.KEEPS
        return effects

    def _can_suspend(self, workspace: Workspace) -> bool | None:
        """Return whether a session can be suspended (only RStudio's can), or None if that isn't known."""
        spec, state, actions = workspace.spec, workspace.state, workspace.actions
        if spec is not None:
            template = find_by_name(self.settings.templates, spec.text("template"))
            if ide := launches.find_workbench(spec, template):
                return ide == SUSPENDS
        # The state or the allowed actions may show whether the IDE is RStudio.
        if state in {State.SUSPENDED, State.STOPPING}:
            return True
        return "suspend" in actions if state is State.RUNNING and actions is not None else None

    # -- making something new --------------------------------------------------------------------------------

    async def read_offer(self, access: base.Access) -> WorkbenchOffer:
        """Read what the server offers, and which session names are already in use."""
        envs = await self._to_server(access).get_compute_envs()
        return WorkbenchOffer(envs, tuple(sorted(set(await self.list_names(access, "")))))

    def form(self, offer: WorkbenchOffer, purpose: Purpose, values: Values, principal: Principal) -> Form:
        """Return the form, without the fields that the template already sets."""
        return forms.build_form(
            offer, drafts.build_draft(offer, purpose, values, principal, self.settings.templates)
        )

    def spec(self, offer: WorkbenchOffer, purpose: Purpose, values: Values, principal: Principal) -> Spec:
        """Validate a completed form and return its spec (see ``posit.specs``)."""
        return specs.build_spec(
            offer, drafts.build_draft(offer, purpose, values, principal, self.settings.templates), values
        )

    async def create(self, access: base.Access, spec: Spec, key: str) -> Created:
        """Launch a session. This isn't idempotent, so ``find_created`` is called before another attempt."""
        launch = launches.build_session_launch(
            spec, launches.find_template(self.settings.templates, spec), key
        )
        made = await self._to_server(access).launch_session(launch)
        return Created(made.id, launch["name"] or made.id)

    async def list_names(self, access: base.Access, stem: str) -> Collection[str]:
        """Return the names of the user's sessions. The server doesn't require them to be unique."""
        listed = await self._to_server(access).get_sessions(total=LIST_SECONDS)
        return [session.title for session in listed if session.title and not is_over(session)]

    async def find_created(self, access: base.Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        """Search for a session whose launch may have succeeded, by its unique suffix or else by its name.

        A session with the suffix of another launch is left out (``launches.is_mark``). If the server doesn't
        show suffixes, every session with the name is a candidate, unless it has ended or is older than the
        launch.
        """
        listed = await self._to_server(access).get_sessions(only=_WHOLE_FIELDS)
        mark = launches.build_mark(spec, key)
        same = []
        for session in listed:
            parameters = session.launch_parameters
            shown = parameters.name if parameters is not None else ""
            found = Created(session.id, clean(session.title, MAX_NAME_LENGTH) or session.id)
            if shown == mark:
                return OutcomeSearch(found)
            created = session.created
            is_young = created is None or created >= since - base.MAX_CLOCK_SKEW_SECONDS
            if session.title == spec.name and is_young and not (launches.is_mark(shown) or is_over(session)):
                same.append(found)
        return OutcomeSearch(candidates=tuple(same), is_conclusive=listed.is_whole and not same)

    # -- jobs ------------------------------------------------------------------------------------------------

    async def launch_run(self, access: base.Access, spec: Spec, key: str) -> Created:
        """Launch a job."""
        launch = launches.build_job_launch(spec, launches.find_template(self.settings.templates, spec), key)
        return _to_created(await self._to_server(access).launch_job(launch))

    async def find_run(self, access: base.Access, spec: Spec, key: str, since: float) -> OutcomeSearch:
        """Search for a job whose launch may have succeeded, by its tag.

        If the server shows no tags at all, every job with the name is a candidate unless it is older than the
        launch.
        """
        tag = launches.build_tag(key)
        same = []
        listed = await self._to_server(access).get_jobs()
        for job in listed:
            if tag in job.tags:
                return OutcomeSearch(_to_created(job))
            submitted = job.submitted_at
            is_young = (
                submitted >= since - base.MAX_CLOCK_SKEW_SECONDS
                if submitted
                else not to_observed_run(job).state.is_over
            )
            if job.name == spec.name and is_young and not job.tags:
                same.append(_to_created(job))
        return OutcomeSearch(candidates=tuple(same), is_conclusive=listed.is_whole and not same)

    async def list_runs(self, access: base.Access) -> Listing[DiscoveredRun]:
        """List jobs, newest first."""
        read = await self._to_server(access).get_jobs()
        jobs = sorted(read, key=lambda job: job.submitted_at or 0.0, reverse=True)
        found = (DiscoveredRun(job.id, _to_created(job).name, to_observed_run(job)) for job in jobs)
        return Listing(found, is_whole=read.is_whole)

    async def run_status(self, access: base.Access, remote_ids: Sequence[str]) -> dict[str, ObservedRun]:
        """Read the states of several jobs in one request; omit any job that the server no longer knows."""
        read = await self._to_server(access).get_jobs()
        found = {} if read.is_whole else dict.fromkeys(remote_ids, ObservedRun(RunState.UNKNOWN))
        found |= {job.id: to_observed_run(job) for job in read}
        return {one: found[one] for one in remote_ids if one in found}

    async def stop_run(self, access: base.Access, remote_id: str, *, force: bool = False) -> None:
        """Stop or kill a job. If the job has already ended, that isn't an error."""
        server = self._to_server(access)
        if server.user is not None:
            # An administrator's token could stop anyone's job, so check first that the job is the user's.
            await _read_job_state(server, remote_id)
        try:
            await server.stop_job(remote_id, force_quit=force)
        except _REFUSED:
            if not (await _read_job_state(server, remote_id)).is_over:
                raise

    async def run_output(self, access: base.Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Stream a job's output from the beginning."""
        async with aclosing(self._to_server(access).get_job_output(remote_id)) as output:
            async for chunk in output:
                yield chunk

    # -- credentials and the server --------------------------------------------------------------------------

    async def check_credential(self, credential: base.Credential) -> base.Identity:
        """Read the version to check a token, and the sessions to find out its owner (newer servers only).

        If the sessions don't name an owner, the server must also refuse a made-up token.
        """
        server = Workbench(self.api.acting_as(credential))
        with forbidden_as_credential_refused():
            await server.version()
        names = {clean(session.username, MAX_NAME_LENGTH) for session in await self._own(credential)} - {""}
        if len(names) != 1:
            await verify_bad_token_is_refused(self._own)
            return base.Identity("", credential)
        username = names.pop()
        return base.Identity(username, replace(credential, account_id=await self._find_account_id(username)))

    async def _find_account_id(self, username: str) -> str:
        """Return the id of a token's owner, or "" if it isn't known.

        Only an administrator's token can read it.
        """
        if self.settings.super_admin_token is None:
            return ""
        try:
            users = await Workbench(self.connection_api()).get_users(total=LOOKUP_SECONDS)
        except errors.ProviderError:
            # Usher can do without the id here, because calls with a user's own token never select an account
            # by name.
            return ""
        return next((user.account_id for user in users if user.username == username), "")

    def is_made_by_name(self, access: base.Access, call: str) -> bool:
        """Return whether the call uses the super-admin token, and therefore selects its user by name."""
        return access.credential.owner != "person"

    async def read_account(self, access: base.Access) -> RemoteAccount | None:
        """Read the account's user by name or, if the user has been renamed, by id."""
        if access.credential.owner == "person":
            return None
        users = await Workbench(access.api).get_users(total=ABOUT_SECONDS)
        found = next((user for user in users if user.username == access.username), None)
        if found is None and access.credential.account_id and users.is_whole:
            same = (
                user
                for user in users
                if compare_remote_ids(access.credential.account_id, user.account_id) == "same"
                and user.is_active
            )
            found = next(same, None)
        if found is None:
            raise errors.NotFound(f"there is no user {clean(access.username, MAX_NAME_LENGTH)}")
        return RemoteAccount(found.account_id, found.username)

    async def _own(self, credential: base.Credential) -> Listing[WorkbenchSession]:
        only = ("id", "activity_state", "username")
        return await Workbench(self.api.acting_as(credential)).get_sessions(
            only=only, total=CHECK_SECONDS, right=None
        )

    async def check_username(self, username: str) -> base.Identity:
        """Check a username by looking for it among the server's users."""
        users = await Workbench(self.connection_api()).get_users(total=ABOUT_SECONDS)
        found = next((user for user in users if user.username == username), None)
        if found is None:
            raise errors.NotFound(f"there is no user {clean(username, MAX_NAME_LENGTH)}")
        if not found.is_active:
            raise errors.Forbidden(f"the user {clean(username, MAX_NAME_LENGTH)} is not active")
        credential = replace(base.Credential.for_connection("admin"), account_id=found.account_id)
        return base.Identity(username, credential)

    def has_overview(self) -> bool:
        """Return whether the overview is available. It requires a super-admin token."""
        return self.settings.super_admin_token is not None

    async def read_overview(self) -> About:
        """Return the server's version and features, and its users with their access levels."""
        server = Workbench(self.connection_api())
        version = await server.version(total=ABOUT_SECONDS, right="read")
        facts = (
            ("Version", _format_version(version)),
            ("Features", ", ".join(version.features) or "none told"),
        )
        levels = (
            User(
                clean(user.username, MAX_NAME_LENGTH),
                user.is_active,
                "super-admin" if user.is_super_admin else "admin" if user.is_admin else "user",
            )
            for user in await server.get_users(total=ABOUT_SECONDS)
        )
        return About(tuple((name, clean(value, 1000)) for name, value in facts), tuple(levels))

    async def probe(self) -> str:
        """Request the version. Use the connection's own token if there is one, as some servers require it."""
        token = self.settings.super_admin_token
        try:
            api = self.api if token is None else self.connection_api()
            version = await Workbench(api).version(total=PROBE_SECONDS)
        except (errors.CredentialRefused, errors.Forbidden, errors.RefusedInFront):
            return ""
        return f"Workbench {_format_version(version)}"

    def parse_reference(self, text: str) -> str | None:
        """Return the session id from a link to the session or from a bare id."""
        return addresses.parse_reference(text, self.settings.base_url)

    def page_url(self, remote_id: str) -> str:
        """Return the URL of the home page, which lists the user's sessions."""
        return f"{self.settings.base_url}/home"

    def token_help(self) -> facets.TokenHelp:
        """Explain that an administrator has to create the token on the server."""
        return facets.TokenHelp(
            url="",
            steps=(
                f"Ask your {self.settings.title} admin for a user API token for your account.",
                "They create it on the server: rstudio-server generate-api-token user usher YOUR-USERNAME.",
                "Paste it here.",
            ),
            pattern=r"^[0-9A-Za-z._~+/=-]{8,512}$",
        )

    def describe(self) -> Mapping[str, Any]:
        """Describe the connection without revealing the super-admin token."""
        return {
            **super().describe(),
            "super_admin_token": "set" if self.settings.super_admin_token is not None else "not set",
            "templates": [template.name for template in self.settings.templates],
        }


async def _read(
    server: Workbench, remote_ids: Sequence[str], *, only: Sequence[str] = STATE_FIELDS, **options: Any
) -> Listing[WorkbenchSession]:
    try:
        found = await server.get_sessions(remote_ids, only=only, **options)
    except errors.NotFound:
        if len(remote_ids) == 1:
            return Listing()
        # If any of these sessions has ended, the server returns an error, so read all sessions instead.
        return await server.get_sessions(only=only, **options)
    if found and not {session.id for session in found} & set(remote_ids):
        raise errors.BadAnswer("the answer is about other sessions")
    return found


async def _read_before_change(
    server: Workbench, remote_id: str, only: Sequence[str] = STATE_FIELDS
) -> WorkbenchSession:
    addresses.check_session_id(remote_id)
    # An unreadable answer may not have come from the server at all, so don't send the change.
    with bad_answer_as_unknown_outcome():
        found = await _read(server, (remote_id,), only=only)
    session = next((one for one in found if one.id == remote_id), None)
    if session is None:
        raise (
            errors.NotFound("there is no such session")
            if found.is_whole
            else errors.UnknownOutcome(UNREADABLE)
        )
    return session


async def _read_job_state(server: Workbench, remote_id: str) -> RunState:
    addresses.check_job_id(remote_id)
    with bad_answer_as_unknown_outcome():
        read = await server.get_jobs()
    job = next((job for job in read if job.id == remote_id), None)
    if job is None:
        raise errors.NotFound("there is no such job") if read.is_whole else errors.UnknownOutcome(UNREADABLE)
    return to_observed_run(job).state


def _to_created(job: WorkbenchJob) -> Created:
    return Created(job.id, clean(job.name, MAX_NAME_LENGTH) or job.id)


def _format_version(version: Version) -> str:
    """Format a version with its build and name, as on the server's own pages."""
    build = f"+{version.build_number}" if version.build_number else ""
    name = f" “{version.release_name}”" if version.release_name else ""
    return clean(f"{version.text}{build}{name}", MAX_NAME_LENGTH) or "no version given"
