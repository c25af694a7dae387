"""Sessions as workspaces: read many at once, resume, stop in each mode, create and find again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.domain.models import Created, Observed, Spec, State, StopMode, Traces
from bot.providers.base import CLOCK_SKEW, Discovered, Listing, SendWindow
from bot.providers.posit import addresses, launches
from bot.providers.posit.acting import Acting, rightly
from bot.providers.posit.client import STATE_FIELDS, Workbench
from bot.providers.posit.computing import SUSPENDS
from bot.providers.posit.launches import SessionLaunch
from bot.providers.posit.states import is_over, is_up, observed
from bot.providers.posit.transport import ParametersMissing
from bot.providers.posit.types import WorkbenchSession
from bot.providers.reading import MAX_NAME, clean, moment
from bot.providers.requests import may_have_acted
from bot.support.errors import (
    BadAnswer,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    PermanentError,
    UnknownOutcome,
)

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
        self, who: Acting, remote_ids: Sequence[str], window: SendWindow | None
    ) -> dict[str, Observed]:
        """Read states, 50 per request; a session missing from the response has ended."""
        wanted = [one for one in dict.fromkeys(remote_ids) if addresses.is_session_id(one)]
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

    async def discover(self, who: Acting) -> Listing[Discovered]:
        """List sessions that haven't ended."""
        listed = await self._read(who, (), total=LIST_SECONDS)
        found = (
            Discovered(session.id, _label(session), observed(session, self.address))
            for session in listed
            if not is_over(session)
        )
        return Listing(found, is_whole=listed.is_whole)

    async def resume(self, who: Acting, remote_id: str) -> None:
        """Resume a suspended session with its original launch parameters; a running one counts as success."""
        session = await self._before(who, remote_id, _RESUME_FIELDS)
        if is_up(session):
            return
        if is_over(session):
            raise Conflict(ENDED)
        if session.workbench and session.workbench != SUSPENDS:
            raise Conflict(NOT_RESUMABLE)
        resuming = self.workbench.resume_session(
            who.credential, remote_id, username=who.user, launch_parameters=session.launch_parameters
        )
        try:
            await rightly(self.workbench, who, "launch", resuming)
        except ParametersMissing:
            raise
        except InvalidRequest as error:
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
                raise Conflict(NOT_SUSPENDED)
        stopping = self.workbench.stop_session(
            who.credential, [remote_id], force_quit=mode == "force", suspend=mode == "suspend"
        )
        try:
            await rightly(self.workbench, who, "stop", stopping)
        except (NotFound, Forbidden) as error:
            await self._unless_over(who, remote_id, error)

    async def create(self, who: Acting, launch: SessionLaunch) -> Created:
        """Launch a session."""
        launching = self.workbench.launch_session(who.credential, launch, who.user)
        made = await rightly(self.workbench, who, "launch", launching)
        return Created(made.id, launch.name or made.id)

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
                return Traces(Created(session.id, _name(session)))
            created = moment(session.created)
            is_young = created is None or created >= since - CLOCK_SKEW
            if session.title == name and is_young and not launches.is_mark(shown) and not is_over(session):
                same.append(Created(session.id, _name(session)))
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
        window: SendWindow | None = None,
        **options: Any,
    ) -> Listing[WorkbenchSession]:
        async def ask(wanted: Sequence[str]) -> Listing[WorkbenchSession]:
            reading = self.workbench.get_session(
                who.credential, wanted, user=who.user, only=only, window=window, **options
            )
            found = (await rightly(self.workbench, who, "read", reading)).sessions
            if wanted and found and not {session.id for session in found} & set(wanted):
                raise BadAnswer("the answer is about other sessions")
            return found

        try:
            return await ask(remote_ids)
        except NotFound:
            if len(remote_ids) == 1:
                return Listing()
            if not remote_ids:
                raise
        # The server fails on a session that has ended: all of them are read instead.
        return await ask(())

    async def _before(self, who: Acting, remote_id: str, only: Sequence[str]) -> WorkbenchSession:
        """Read a session before it is changed; raise NotFound if it isn't this person's."""
        addresses.session_id(remote_id)
        # If something else answers in the server's place, it may answer the change too: check again first.
        with may_have_acted():
            found = await self._read(who, (remote_id,), only=only)
        session = next((one for one in found if one.id == remote_id), None)
        if session is None and not found.is_whole:
            raise UnknownOutcome(UNREAD)
        if session is None:
            raise NotFound("there is no such session")
        return session

    async def _unless_up(self, who: Acting, remote_id: str, refusal: PermanentError) -> None:
        """Raise a refusal, unless the session is up because somebody else was faster."""
        if not is_up(await self._before(who, remote_id, STATE_FIELDS)):
            raise refusal

    async def _unless_over(self, who: Acting, remote_id: str, refusal: PermanentError) -> None:
        """Raise a refusal, unless the session has already ended; NotFound if it is somebody else's."""
        if not is_over(await self._before(who, remote_id, STATE_FIELDS)):
            raise refusal


def _label(session: WorkbenchSession) -> str:
    return clean(session.title, MAX_NAME)


def _name(session: WorkbenchSession) -> str:
    return _label(session) or session.id


def _is_suspended(session: WorkbenchSession) -> bool:
    return session.activity_state.casefold() in {"suspending", "suspended"}
