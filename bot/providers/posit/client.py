"""The methods of the Workbench API.

With an administrator's token, Usher acts for users whose usernames were approved. The parameter that contains
the username has a different name in different methods. The methods that stop sessions and jobs have no such
parameter (``docs/internals/providers/posit.md``, "Tokens").
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, Unpack

from bot.domain.runs import OutputChunk
from bot.domain.stops import StopMode
from bot.providers.answers import Listing, read_entries
from bot.providers.base import SendWindow
from bot.providers.posit import addresses
from bot.providers.posit.envelope import unwrap
from bot.providers.posit.output import OutputDecoder
from bot.providers.posit.types import (
    ComputeEnvs,
    LaunchParameters,
    Version,
    WorkbenchJob,
    WorkbenchSession,
    WorkbenchUser,
)
from bot.providers.requests import ApiClient, Options, bad_answer_as_unknown_outcome
from bot.support import errors

#: Maximum size of a job's output stream, in bytes. The limit is high, because overhead may make up 90% of the
#: stream.
STREAM_BYTES = 1_000_000_000


#: Maximum size of the list of users, in bytes.
USERS_BYTES = 10_000_000
#: Session fields that every call requests.
_LEAST = ("id", "activity_state")
#: The fields from which a session's state is derived.
STATE_FIELDS = (
    "id", "activity_state", "url", "display_name", "label", "name", "workbench", "status_detail",
    "executing", "save_prompt_required", "last_used", "created", "last_state_updated", "suspend_size",
)  # fmt: skip


#: Time limit, in seconds, for requests whose responses users wait for. Users wait at most 10 s in total.
CHECK_SECONDS = 4.0
#: Default time limit for a call, in seconds.
USUAL_SECONDS = 20.0
Right = Literal["launch", "read", "stop"]
_NEEDS: Mapping[Right, str] = {
    "launch": "The connection's token has to be a super-admin's with write access. Ask your Usher admin.",
    "read": "The connection's token has to be an admin's with read access. Ask your Usher admin.",
    "stop": "The connection's token has to be an admin's with write access. Ask your Usher admin.",
}


@dataclass(frozen=True, slots=True)
class Workbench:
    """Call a server for one user, with one request per method.

    Invalid ids raise NotFound before anything is sent. ``user`` is the username that an administrator's token
    acts for, or None if the token acts for its owner.
    """

    api: ApiClient
    user: str | None = None

    async def version(self, *, total: float = CHECK_SECONDS, right: Right | None = None) -> Version:
        """Request the version and the features. This is a cheap way to check a token."""
        return Version.from_json(_require_object(await self._call("version", right=right, total=total)))

    async def get_users(self, *, total: float = USUAL_SECONDS) -> Listing[WorkbenchUser]:
        """List the registered users. This requires an administrator's token with read access."""
        answer = await self._call("get_users", right="read", total=total, max_bytes=USERS_BYTES)
        if isinstance(answer, dict) and isinstance(answer.get("users"), list):
            answer = answer["users"]
        return read_entries([{"users": answer}], "users", WorkbenchUser.from_json)

    async def get_compute_envs(self) -> ComputeEnvs:
        """Read what the user may launch, and the limits for it."""
        kwparams = None if self.user is None else {"user": self.user}
        return ComputeEnvs.from_json(
            _require_object(await self._call("get_compute_envs", kwparams, right="read"))
        )

    async def get_sessions(
        self,
        session_ids: Sequence[str] = (),
        *,
        only: Sequence[str] = STATE_FIELDS,
        window: SendWindow | None = None,
        total: float = USUAL_SECONDS,
        right: Right | None = "read",
    ) -> Listing[WorkbenchSession]:
        """Read these sessions, or all of the user's if no ids are given. A session that is missing has ended.

        ``only`` restricts the fields that are returned; it must include ``id`` and ``activity_state``.
        """
        kwparams = {
            "session_id": ",".join(addresses.check_session_id(one) for one in session_ids) or None,
            "user": self.user,
            "fields": list(only),
        }
        answer = await self._call("get_session", kwparams, right=right, window=window, total=total)
        return read_entries([_require_object(answer)], "sessions", WorkbenchSession.from_json)

    async def get_jobs(self) -> Listing[WorkbenchJob]:
        """Read all of the user's jobs. The API can't return just one of them.

        The flag that asks for jobs has an old and a new name. The response always includes the sessions, so
        this requests only a few of their fields.
        """
        kwparams = {"user": self.user, "fields": _LEAST, "include_jobs": True, "include_all_jobs": True}
        answer = _require_object(await self._call("get_session", kwparams, right="read"))
        if not isinstance(answer.get("sessions"), list):
            raise errors.BadAnswer("the answer's field sessions is not a list")
        jobs = {"jobs": [] if answer.get("jobs") is None else answer["jobs"]}
        found = read_entries([jobs], "jobs", WorkbenchJob.from_json)
        # With an administrator's token, the response may contain other people's jobs, so keep only this
        # user's.
        theirs = (job for job in found if self.user is None or job.user in {"", self.user})
        return Listing(theirs, is_whole=found.is_whole)

    async def launch_session(self, launch: Mapping[str, Any]) -> WorkbenchSession:
        """Launch a session; raise UnknownOutcome if it may have been launched but no id came back."""
        kwparams = {**launch, "username": self.user}
        answer = await self._call("launch_session", kwparams, right="launch", changes=True)
        with bad_answer_as_unknown_outcome():
            return WorkbenchSession.from_json(_require_object(answer))

    async def resume_session(self, session_id: str, parameters: LaunchParameters | None) -> None:
        """Resume a suspended RStudio session. The content of the server's response is ignored."""
        # A session without a cluster wasn't started by the launcher, so it has no launch parameters.
        again = parameters.as_json() if parameters is not None and parameters.cluster else None
        kwparams = {
            "session_id": addresses.check_session_id(session_id),
            "username": self.user,
            "launch_parameters": again,
        }
        await self._call("resume_session", kwparams, right="launch", changes=True)

    async def stop_session(self, session_id: str, mode: StopMode) -> None:
        """Stop, kill or suspend a session. The flag for suspending has two names, and is sent under both."""
        kwparams = {
            "session_ids": addresses.check_session_id(session_id),
            "force_quit": mode == "force",
            "suspend_session": mode == "suspend",
            "suspend": mode == "suspend",
        }
        await self._call("stop_session", kwparams, right="stop", changes=True)

    async def launch_job(self, launch: Mapping[str, Any]) -> WorkbenchJob:
        """Launch a job; raise UnknownOutcome if it may have been launched but no job came back."""
        whole = {**launch["job"], "user": self.user}
        job = {name: value for name, value in whole.items() if value is not None}
        value = await self._call("launch_job", {**launch, "job": job}, right="launch", changes=True)
        with bad_answer_as_unknown_outcome():
            answer = _require_object(value)
            return WorkbenchJob.from_json(
                _require_object(answer if answer.get("job") is None else answer["job"])
            )

    async def stop_job(self, job_id: str, *, force_quit: bool = False) -> None:
        """Stop a job with ``kill``, or with ``kill -9`` if ``force_quit``."""
        kwparams = {"job_id": addresses.check_job_id(job_id), "force_quit": force_quit}
        await self._call("stop_job", kwparams, right="stop", changes=True)

    async def get_job_output(self, job_id: str) -> AsyncGenerator[OutputChunk, None]:
        """Yield a job's output from the start until the job ends, the server times out, or the stream breaks.

        If the stream breaks, yield everything received so far, and then raise UnknownOutcome.
        """
        body = _build_body("get_job_output", {"job_id": addresses.check_job_id(job_id), "user": self.user})
        decoder = OutputDecoder()
        async with AsyncExitStack() as stack:
            # The server checks the token when the stream is opened. A later refusal arrives as an error in
            # the stream.
            async with self._explain_refusals("read"):
                opening = self.api.stream("POST", "/get_job_output", json_body=body, max_bytes=STREAM_BYTES)
                stream = await stack.enter_async_context(opening)
                if stream.status != 200:
                    unwrap(await stream.read_all(), changes=False)
                    raise errors.BadAnswer(f"HTTP {stream.status} is no stream", status=stream.status)
            async for piece in stream:
                for chunk in decoder.feed(piece):
                    yield chunk
                if decoder.failure is not None:
                    raise decoder.failure
        for chunk in decoder.finish():
            yield chunk
        if decoder.is_cut:
            raise errors.UnknownOutcome("the stream was cut")

    async def _call(
        self,
        method: str,
        kwparams: Mapping[str, Any] | None = None,
        *,
        right: Right | None,
        changes: bool = False,
        window: SendWindow | None = None,
        **options: Unpack[Options],
    ) -> Any:
        """Send one request and return the unwrapped result. Without ``kwparams``, send a GET."""
        verb = "GET" if kwparams is None else "POST"
        options["json_body"] = None if kwparams is None else _build_body(method, kwparams)
        async with self._explain_refusals(right):
            response = await self.api.send(verb, f"/{method}", changes=changes, window=window, **options)
            return unwrap(response, changes=changes)

    @asynccontextmanager
    async def _explain_refusals(self, right: Right | None) -> AsyncIterator[None]:
        """Turn a refusal into CredentialRefused if the token is bad, or Forbidden if its level is too low.

        Servers respond to both cases in the same way (401, 403, error 3). To tell them apart, this requests
        the version, which every valid token may read. ``right`` is the permission that the call needs; if it
        is None, refusals aren't changed.
        """
        try:
            yield
        except (errors.Forbidden, errors.CredentialRefused) as refusal:
            # A refusal without a status comes from Usher itself: the token couldn't be sent.
            if right is None or refusal.status is None:
                raise
            try:
                await self.version()
            except (errors.Forbidden, errors.CredentialRefused):
                raise errors.CredentialRefused(refusal.message, status=refusal.status) from None
            if self.user is not None:
                raise errors.Forbidden(_NEEDS[right]) from None
            raise errors.Forbidden(refusal.message, status=refusal.status) from None


def _build_body(method: str, kwparams: Mapping[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in kwparams.items() if value is not None}
    return {"method": method, "kwparams": given}


def _require_object(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise errors.BadAnswer("the answer's result is not an object")
    return answer
