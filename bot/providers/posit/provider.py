"""The translator for one Posit Workbench: who acts, its sessions as workspaces, and its jobs.

A person's token acts for its owner. A super-admin token acts for an approved username, which each method
takes in its own parameter (``docs/providers/posit.md``, "Tokens").
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from pydantic import SecretStr

from bot.domain.forms import Form, Purpose, Spec, Values
from bot.domain.people import About, Principal, User
from bot.domain.runs import FoundRun, ObservedRun, OutputChunk, RunState
from bot.domain.workspaces import Created, Effects, Observed, State, StopEffect, StopMode, Traces, Workspace
from bot.providers import base
from bot.providers.connection import ConnectionSettings, Linking
from bot.providers.posit import forms, launches
from bot.providers.posit.client import STATE_FIELDS, ParametersMissing, Transport, Workbench
from bot.providers.posit.types import (
    SUSPENDS,
    Offer,
    Version,
    WorkbenchJob,
    WorkbenchSession,
    WorkbenchUser,
    is_over,
    is_session_id,
    is_up,
    job_id,
    observed,
    observed_job,
    reference,
    session_id,
    session_url,
    suspends,
)
from bot.providers.prepared import AllOf, named
from bot.providers.requests import MAX_NAME, checks_token, clean, may_have_acted, moment
from bot.support import errors
from bot.support.http import Http

#: How many sessions one request reads.
BATCH = 50
_RESUME_FIELDS = (*STATE_FIELDS, "launch_parameters")
_FIND_FIELDS = (*STATE_FIELDS, "launch_parameters", "created")
LIST_SECONDS = 10.0
NOT_SUSPENDED = "Only RStudio sessions can be suspended. You can stop this one instead."
ENDED = "This session has ended and can't be started again. Start a new one instead."
UNREAD = "an entry of the answer can't be read"
NOT_RESUMABLE = "Only suspended RStudio sessions can be resumed. Start a new one instead."


class Address(Protocol):
    """Return a session's address if the connection allows it."""

    def __call__(self, address: str) -> str | None:
        """Check an address from the server."""
        ...


@dataclass(frozen=True, slots=True)
class Sessions:
    """Work with one server's sessions; each method is passed the identity to act as."""

    workbench: Workbench
    address: Address

    async def status(
        self, who: Acting, remote_ids: Sequence[str], window: base.SendWindow | None
    ) -> dict[str, Observed]:
        """Read states, 50 per request; a session missing from the response has ended."""
        wanted = [one for one in dict.fromkeys(remote_ids) if is_session_id(one)]
        found: dict[str, Observed] = {}
        is_whole = True
        for begin in range(0, len(wanted), BATCH):
            read = await self._read(who, wanted[begin : begin + BATCH], window=window)
            is_whole &= read.is_whole
            found |= {session.id: observed(session, self.address) for session in read}
        # If an entry couldn't be identified, it may be the one that is missing.
        gone = Observed(State.GONE, actions=frozenset())
        absent = gone if is_whole else Observed(State.UNKNOWN, detail=UNREAD)
        return {one: found.get(one, absent if one in wanted else gone) for one in remote_ids}

    async def discover(self, who: Acting) -> base.Listing[base.Discovered]:
        """List sessions that haven't ended."""
        listed = await self._read(who, (), total=LIST_SECONDS)
        found = (
            base.Discovered(session.id, _label(session), observed(session, self.address))
            for session in listed
            if not is_over(session)
        )
        return base.Listing(found, is_whole=listed.is_whole)

    async def resume(self, who: Acting, remote_id: str) -> None:
        """Resume a suspended session with its original launch parameters; a running one counts as success."""
        session = await self._before(who, remote_id, _RESUME_FIELDS)
        if is_up(session):
            return
        if is_over(session):
            raise errors.Conflict(ENDED)
        if session.workbench and session.workbench != SUSPENDS:
            raise errors.Conflict(NOT_RESUMABLE)
        resuming = self.workbench.resume_session(
            who.credential, remote_id, username=who.user, launch_parameters=session.launch_parameters
        )
        try:
            await rightly(self.workbench, who, "launch", resuming)
        except ParametersMissing:
            raise
        except errors.InvalidRequest as error:
            await self._unless_up(who, remote_id, error)

    async def stop(self, who: Acting, remote_id: str, mode: StopMode) -> None:
        """Stop, suspend or kill a session; one that is already down counts as success."""
        if mode == "suspend" or who.user is not None:
            # An administrator's token stops anybody's session, and the method names no user: it must be this
            # user's. And some servers stop a session of another IDE that is told to suspend.
            session = await self._before(who, remote_id, STATE_FIELDS)
            if is_over(session):
                return
            if mode == "suspend" and _is_suspended(session):
                return
            if mode == "suspend" and session.workbench != SUSPENDS:
                raise errors.Conflict(NOT_SUSPENDED)
        stopping = self.workbench.stop_session(
            who.credential, [remote_id], force_quit=mode == "force", suspend=mode == "suspend"
        )
        try:
            await rightly(self.workbench, who, "stop", stopping)
        except (errors.NotFound, errors.Forbidden) as error:
            await self._unless_over(who, remote_id, error)

    async def create(self, who: Acting, launch: Mapping[str, Any]) -> Created:
        """Launch a session."""
        launching = self.workbench.launch_session(who.credential, launch, who.user)
        made = await rightly(self.workbench, who, "launch", launching)
        return Created(made.id, launch["name"] or made.id)

    async def find(self, who: Acting, spec: Spec, key: str, since: float) -> Traces:
        """Look for what a launch of unknown outcome made, by its mark, otherwise by its name.

        A session with that name from another of our launches is left out. If the server doesn't show the
        marks, any session with the name that isn't over, and isn't older than the launch, may be it.
        """
        listed = await self._read(who, (), only=_FIND_FIELDS)
        mark, name = launches.mark_of(spec, key), spec.name
        same = []
        for session in listed:
            parameters = session.launch_parameters
            shown = parameters.name if parameters is not None else ""
            if shown == mark:
                return Traces(Created(session.id, _session_name(session)))
            created = moment(session.created)
            is_young = created is None or created >= since - base.CLOCK_SKEW
            if session.title == name and is_young and not launches.is_mark(shown) and not is_over(session):
                same.append(Created(session.id, _session_name(session)))
        return Traces(others=tuple(same), is_proof=listed.is_whole and not same)

    async def names(self, who: Acting) -> list[str]:
        """Return the names of current sessions, which a new one should not take."""
        listed = await self._read(who, (), total=LIST_SECONDS)
        return [session.title for session in listed if session.title and not is_over(session)]

    async def _read(
        self,
        who: Acting,
        remote_ids: Sequence[str],
        *,
        only: Sequence[str] = STATE_FIELDS,
        window: base.SendWindow | None = None,
        **options: Any,
    ) -> base.Listing[WorkbenchSession]:
        async def ask(wanted: Sequence[str]) -> base.Listing[WorkbenchSession]:
            reading = self.workbench.get_session(
                who.credential, wanted, user=who.user, only=only, window=window, **options
            )
            found = (await rightly(self.workbench, who, "read", reading)).sessions
            if wanted and found and not {session.id for session in found} & set(wanted):
                raise errors.BadAnswer("the answer is about other sessions")
            return found

        try:
            return await ask(remote_ids)
        except errors.NotFound:
            if len(remote_ids) == 1:
                return base.Listing()
            if not remote_ids:
                raise
        # The server fails on a session that has ended: all of them are read instead.
        return await ask(())

    async def _before(self, who: Acting, remote_id: str, only: Sequence[str]) -> WorkbenchSession:
        """Read a session before it is changed; raise NotFound if it isn't this person's."""
        session_id(remote_id)
        # If something else answers in the server's place, it may answer the change too: check again first.
        with may_have_acted():
            found = await self._read(who, (remote_id,), only=only)
        session = next((one for one in found if one.id == remote_id), None)
        if session is None and not found.is_whole:
            raise errors.UnknownOutcome(UNREAD)
        if session is None:
            raise errors.NotFound("there is no such session")
        return session

    async def _unless_up(self, who: Acting, remote_id: str, refusal: errors.PermanentError) -> None:
        """Raise a refusal, unless the session is up because somebody else was faster."""
        if not is_up(await self._before(who, remote_id, STATE_FIELDS)):
            raise refusal

    async def _unless_over(self, who: Acting, remote_id: str, refusal: errors.PermanentError) -> None:
        """Raise a refusal, unless the session has already ended; NotFound if it is somebody else's."""
        if not is_over(await self._before(who, remote_id, STATE_FIELDS)):
            raise refusal


def _label(session: WorkbenchSession) -> str:
    return clean(session.title, MAX_NAME)


def _session_name(session: WorkbenchSession) -> str:
    return _label(session) or session.id


def _is_suspended(session: WorkbenchSession) -> bool:
    return session.activity_state.casefold() in {"suspending", "suspended"}


T = TypeVar("T")

Right = Literal["launch", "read", "stop"]

#: People wait for some of these responses, 10 s at most in all.
CHECK_SECONDS = 4.0
_NEEDS: dict[Right, str] = {
    "launch": "The connection's token has to be a super-admin's with write access. Ask your Usher admin.",
    "read": "The connection's token has to be an admin's with read access. Ask your Usher admin.",
    "stop": "The connection's token has to be an admin's with write access. Ask your Usher admin.",
}
#: Used in place of the server's own message when no token may act for a person.
NO_TOKEN = "This connection has no super-admin token. Ask your Usher admin."  # noqa: S105 - a sentence, no secret


@dataclass(frozen=True, slots=True)
class Acting:
    """Hold a token and the username that it acts for; None: for its owner."""

    credential: base.Credential
    user: str | None = None


def acting(access: base.Access, super_admin_token: SecretStr | None) -> Acting:
    """Return the identity for an account's calls; raise CredentialRefused if there is no token for it."""
    if access.credential.acts == "person":
        return Acting(access.credential)
    if super_admin_token is None or not access.username:
        raise errors.CredentialRefused(NO_TOKEN)
    return Acting(base.Credential(super_admin_token), access.username)


async def rightly(workbench: Workbench, who: Acting, right: Right, call: Awaitable[T]) -> T:
    """Await a call; a refusal becomes CredentialRefused for a bad token, Forbidden for too low a level.

    Servers answer both alike (401, 403, error 3), so the version is requested: every valid token may read it.
    """
    try:
        return await call
    except (errors.Forbidden, errors.CredentialRefused) as error:
        refusal = error
    if refusal.status is None:
        # Not the server's own refusal: the token could not even be sent.
        raise refusal
    raise await _explained(workbench, who, right, refusal)


async def _explained(
    workbench: Workbench, who: Acting, right: Right, refusal: errors.Forbidden | errors.CredentialRefused
) -> errors.Forbidden | errors.CredentialRefused:
    try:
        await workbench.version(who.credential, total=CHECK_SECONDS)
    except (errors.Forbidden, errors.CredentialRefused):
        return errors.CredentialRefused(refusal.message, status=refusal.status)
    if who.user is None:
        return errors.Forbidden(refusal.message, status=refusal.status)
    return errors.Forbidden(_NEEDS[right])


#: The response always includes sessions, so ask for only this much of them.
_LEAST = ("id", "activity_state")


class PositRuns(base.Runs[Offer]):
    """Run the jobs of one server."""

    workbench: Workbench
    _templates: Sequence[launches.Template]

    @abstractmethod
    def _who(self, access: base.Access) -> Acting:
        """Return the identity that an account's calls use."""

    async def launch_job(self, access: base.Access, spec: Spec, key: str) -> Created:
        """Launch a job."""
        who = self._who(access)
        launch = launches.job_launch(spec, launches.template_named(self._templates, spec), key)
        launching = self.workbench.launch_job(who.credential, launch, user=who.user)
        job = await rightly(self.workbench, who, "launch", launching)
        return Created(job.id, _job_name(job))

    async def find_job(self, access: base.Access, spec: Spec, key: str, since: float) -> Traces:
        """Look for what a launch of unknown outcome made, by its tag.

        If the server shows no tags at all, any job with the name that isn't older than the launch may be it.
        """
        tag, name = launches.tag_of(key), spec.name
        same = []
        listed = await self._all_jobs(self._who(access))
        for job in listed:
            if tag in job.tags:
                return Traces(Created(job.id, _job_name(job)))
            submitted = _submitted(job)
            is_young = (
                submitted >= since - base.CLOCK_SKEW if submitted else not observed_job(job).state.is_over
            )
            if job.name == name and is_young and not job.tags:
                same.append(Created(job.id, _job_name(job)))
        return Traces(others=tuple(same), is_proof=listed.is_whole and not same)

    async def jobs(self, access: base.Access) -> base.Listing[FoundRun]:
        """List jobs, newest first."""
        read = await self._all_jobs(self._who(access))
        jobs = sorted(read, key=_submitted, reverse=True)
        found = (FoundRun(job.id, _job_name(job), observed_job(job)) for job in jobs)
        return base.Listing(found, is_whole=read.is_whole)

    async def job_status(self, access: base.Access, remote_ids: Sequence[str]) -> dict[str, ObservedRun]:
        """Read many jobs in one request; a job that the server has forgotten is left out."""
        wanted, read = set(remote_ids), await self._all_jobs(self._who(access))
        found = {job.id: observed_job(job) for job in read if job.id in wanted}
        if not read.is_whole:
            found = {**dict.fromkeys(remote_ids, ObservedRun(RunState.UNKNOWN)), **found}
        return {one: found[one] for one in remote_ids if one in found}

    async def stop_job(self, access: base.Access, remote_id: str, *, force: bool = False) -> None:
        """Stop a job, or kill it; one that has already ended counts as success."""
        who = self._who(access)
        if who.user is not None and await self._job_state(who, remote_id) is None:
            # An administrator's token stops anybody's job, and the method names no user.
            raise errors.NotFound("there is no such job")
        stopping = self.workbench.stop_job(who.credential, remote_id, force_quit=force)
        try:
            await rightly(self.workbench, who, "stop", stopping)
        except (errors.NotFound, errors.Forbidden, errors.InvalidRequest, errors.Conflict) as error:
            state = await self._job_state(who, remote_id)
            if state is None:
                raise errors.NotFound("there is no such job") from None
            if not state.is_over:
                raise error from None

    async def job_output(self, access: base.Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Stream a job's output from its beginning."""
        who = self._who(access)
        opening = self.workbench.get_job_output(who.credential, remote_id, user=who.user)
        async with AsyncExitStack() as stack:
            # Only opening the stream tests the token; a later refusal is the stream's own error.
            output = await rightly(self.workbench, who, "read", stack.enter_async_context(opening))
            async for chunk in output:
                yield OutputChunk(chunk.stream, chunk.text)

    async def _job_state(self, who: Acting, remote_id: str) -> RunState | None:
        job_id(remote_id)
        with may_have_acted():
            read = await self._all_jobs(who)
        state = next((observed_job(job).state for job in read if job.id == remote_id), None)
        if state is None and not read.is_whole:
            raise errors.UnknownOutcome("an entry of the answer can't be read")
        return state

    async def _all_jobs(self, who: Acting) -> base.Listing[WorkbenchJob]:
        reading = self.workbench.get_session(who.credential, user=who.user, only=_LEAST, include_jobs=True)
        found = await rightly(self.workbench, who, "read", reading)
        # Asked for all jobs, an administrator's token may get everybody's.
        theirs = (job for job in found.jobs if who.user is None or job.user in {"", who.user})
        return base.Listing(theirs, is_whole=found.jobs.is_whole)


def _job_name(job: WorkbenchJob) -> str:
    return clean(job.name, MAX_NAME) or job.id


def _submitted(job: WorkbenchJob) -> float:
    return job.submitted_at or 0.0


PROBE_SECONDS = 8.0
ABOUT_SECONDS = 10.0


class PositSettings(ConnectionSettings):
    """Hold a Workbench connection; ``super_admin_token`` acts for approved usernames."""

    ways: ClassVar[Mapping[Linking, str]] = {"token": "", "admin": "super_admin_token"}

    super_admin_token: SecretStr | None = None
    templates: AllOf[launches.Template] = ()


class PositProvider(
    base.Provider,
    base.Lists,
    base.Tokens,
    base.Making[Offer],
    PositRuns,
    base.Behalf,
    base.Overview,
):
    """Translate for one Workbench, whose sessions are the workspaces."""

    kind: ClassVar[str] = "posit"
    settings_model: ClassVar[type[ConnectionSettings]] = PositSettings
    settings: PositSettings
    offer_model: ClassVar[type[Offer]] = Offer
    # No rate limit is documented; one request reads up to 50 sessions of a person.
    pace: ClassVar[base.Pace] = base.Pace(
        min_poll_interval=2.0, pending=2.0, running=60.0, unused=1800.0, batch_size=BATCH, concurrency=40
    )
    stop_modes: ClassVar[frozenset[StopMode]] = frozenset({"stop", "suspend", "force"})
    # Random letters of both cases and digits, unlike any name that people choose.
    token_shape: ClassVar[re.Pattern[str] | None] = re.compile(
        r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)[0-9A-Za-z_+/-]{32,512}={0,2}"
    )

    def __init__(self, settings: PositSettings, http: Http) -> None:
        super().__init__(settings, http)
        self._templates = settings.templates
        self.workbench = Workbench(Transport(http, settings.base_url))
        self._sessions = Sessions(self.workbench, self._address)

    # -- sessions --------------------------------------------------------------------------------------------

    async def status(
        self, access: base.Access, remote_ids: Sequence[str], window: base.SendWindow | None = None
    ) -> Mapping[str, Observed]:
        """Read up to 50 sessions per request."""
        return await self._sessions.status(self._who(access), remote_ids, window)

    async def discover(self, access: base.Access) -> base.Listing[base.Discovered]:
        """List the person's sessions that haven't ended."""
        return await self._sessions.discover(self._who(access))

    async def start(self, access: base.Access, remote_id: str) -> None:
        """Resume a suspended RStudio session; nothing else can be started here."""
        await self._sessions.resume(self._who(access), remote_id)

    async def stop(self, access: base.Access, remote_id: str, mode: StopMode = "stop") -> None:
        """Stop, suspend or kill."""
        self.need_mode(mode)
        await self._sessions.stop(self._who(access), remote_id, mode)

    def stops(self, workspace: Workspace) -> Effects:
        """Say that a stopped session is over; only an RStudio session can be suspended instead."""
        if workspace.state in {State.FAILED, State.GONE}:
            return {}
        effects: dict[StopMode, StopEffect] = {"stop": StopEffect.ENDS, "force": StopEffect.ENDS}
        spec = workspace.spec
        ide = launches.workbench_of(spec, self._template(spec)) if spec is not None else ""
        # While that is unknown it may be tried: the server is asked for the IDE before anything is suspended.
        if suspends(workspace.state, workspace.actions, ide) is not False:
            effects["suspend"] = StopEffect.KEEPS
        return effects

    # -- making something new --------------------------------------------------------------------------------

    async def templates(self, access: base.Access) -> Offer:
        """Read what may be launched, and which names are taken."""
        who = self._who(access)
        asking = self.workbench.get_compute_envs(who.credential, who.user)
        envs = await rightly(self.workbench, who, "read", asking)
        return Offer(envs, tuple(sorted(set(await self._sessions.names(who)))))

    def form(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Form:
        """Ask for what the server offers and no template sets."""
        return forms.form_of(offer, forms.draft(offer, purpose, values, asker, self._templates))

    def spec(self, offer: Offer, purpose: Purpose, values: Values, asker: Principal) -> Spec:
        """Check what was filled in (``launches`` describes the result)."""
        return forms.spec_of(offer, forms.draft(offer, purpose, values, asker, self._templates), values)

    def withholds(self, spec: Spec, asker: Principal) -> bool:
        """Return whether it uses a template that is for other people."""
        template = self._template(spec)
        return template is not None and not template.is_for(asker)

    async def create(self, access: base.Access, spec: Spec, key: str) -> Created:
        """Launch a session; not idempotent: ``find`` comes before a second attempt."""
        launch = launches.session_launch(spec, launches.template_named(self._templates, spec), key)
        return await self._sessions.create(self._who(access), launch)

    async def names(self, access: base.Access, stem: str) -> Collection[str]:  # noqa: ARG002 - all come at once
        """Return the names of the person's sessions, which may be alike but had better differ."""
        return await self._sessions.names(self._who(access))

    async def find(self, access: base.Access, spec: Spec, key: str, since: float) -> Traces:
        """Look for the session of an earlier launch."""
        return await self._sessions.find(self._who(access), spec, key, since)

    # -- credentials and the server --------------------------------------------------------------------------

    async def check(self, credential: base.Credential) -> base.Identity:
        """Ask for the version, then for the token's own sessions, by which newer servers reveal its owner."""
        who = Acting(credential)
        await self._take(credential)
        only = ("id", "activity_state", "username")
        found = await self.workbench.get_session(who.credential, only=only, total=CHECK_SECONDS)
        names = {clean(session.username, MAX_NAME) for session in found.sessions} - {""}
        return base.Identity(names.pop() if len(names) == 1 else "", credential)

    async def who_am_i(self, access: base.Access) -> None:
        """Ask for the version, which every valid token may."""
        await self._take(access.credential)

    async def _take(self, credential: base.Credential) -> None:
        with checks_token():
            await self.workbench.version(credential, total=CHECK_SECONDS)

    async def check_username(self, username: str) -> base.Identity:
        """Look a username up among the server's users."""
        users = await self._users(self._administrator())
        found = next((user for user in users if user.username == username), None)
        if found is None:
            raise errors.NotFound(f"there is no user {clean(username, MAX_NAME)}")
        if not found.is_active:
            raise errors.Forbidden(f"the user {clean(username, MAX_NAME)} is not active")
        return base.Identity(username, base.Credential.of_connection("admin"))

    def can_tell(self) -> bool:
        """Return whether there is a super-admin token."""
        return self.settings.super_admin_token is not None

    async def about(self) -> About:
        """Return version, features and users with their level."""
        who = self._administrator()
        version = await self._version(who)
        users = await self._users(who)
        facts = (("Version", _words(version)), ("Features", ", ".join(version.features) or "none told"))
        levels = (
            User(
                clean(user.username, MAX_NAME),
                user.is_active,
                "super-admin" if user.is_super_admin else "admin" if user.is_admin else "user",
            )
            for user in users
        )
        return About(tuple((name, clean(value, 1000)) for name, value in facts), tuple(levels))

    async def probe(self) -> str:
        """Ask for the version, with the connection's own token if there is one: some servers require one."""
        token = self.settings.super_admin_token
        credential = base.Credential(token) if token is not None else None
        try:
            version = await self.workbench.version(credential, total=PROBE_SECONDS)
        except (errors.CredentialRefused, errors.Forbidden):
            return "version not told"
        return f"Workbench {_words(version)}"

    def parse_reference(self, text: str) -> str | None:
        """Extract the session from a link to it, or from its bare id."""
        return reference(text, self.settings.base_url)

    def page_url(self, remote_id: str) -> str:  # noqa: ARG002 - one page lists all of them
        """Return the home page, which lists the person's sessions."""
        return f"{self.settings.base_url}/home"

    def token_help(self) -> base.TokenHelp:
        """Explain how to get a token: an administrator creates it on the server."""
        return base.TokenHelp(
            url="",
            steps=(
                f"Ask your {self.settings.title} admin for a user API token for your account.",
                "They create it on the server: rstudio-server generate-api-token user usher YOUR-USERNAME.",
                "Paste it here.",
            ),
            pattern=r"^[0-9A-Za-z._~+/=-]{8,512}$",
        )

    def describe(self) -> Mapping[str, Any]:
        """Add whether a super-admin token is configured, and the templates' names; never the token."""
        return {
            **super().describe(),
            "super_admin_token": "set" if self.settings.super_admin_token is not None else "not set",
            "templates": [template.name for template in self._templates],
        }

    # -- inside ----------------------------------------------------------------------------------------------

    def _template(self, spec: Spec) -> launches.Template | None:
        return named(self._templates, spec.word("template"))

    def _who(self, access: base.Access) -> Acting:
        return acting(access, self.settings.super_admin_token)

    def _administrator(self) -> Acting:
        if self.settings.super_admin_token is None:
            raise errors.CredentialRefused(NO_TOKEN)
        return Acting(base.Credential(self.settings.super_admin_token))

    async def _version(self, who: Acting) -> Version:
        asking = self.workbench.version(who.credential, total=ABOUT_SECONDS)
        return await rightly(self.workbench, who, "read", asking)

    async def _users(self, who: Acting) -> base.Listing[WorkbenchUser]:
        asking = self.workbench.get_users(who.credential, total=ABOUT_SECONDS)
        return await rightly(self.workbench, who, "read", asking)

    def _address(self, address: str) -> str | None:
        return self.allowed_url(session_url(address, self.settings.base_url))


def _words(version: Version) -> str:
    """Return a version with its build and name, as the server's own pages show it."""
    build = f"+{version.build_number}" if version.build_number else ""
    name = f" “{version.release_name}”" if version.release_name else ""
    return clean(f"{version.text}{build}{name}", MAX_NAME) or "version not told"
