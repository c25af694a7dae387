"""Every method of the Workbench API, one by one; nothing is retried, nothing remembered.

``user`` and ``username`` name the person concerned, None for the token's owner: naming somebody requires an
administrator's token, and each method has its own parameter for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.output.streaming import Stream
from bot.providers.base import Credential, Listing, SendWindow
from bot.providers.posit import addresses
from bot.providers.posit.launches import JobLaunch, SessionLaunch
from bot.providers.posit.output import Chunk, OutputDecoder
from bot.providers.posit.transport import Transport
from bot.providers.posit.types import (
    ComputeEnvs,
    Launched,
    LaunchParameters,
    Version,
    WorkbenchJob,
    WorkbenchSession,
    WorkbenchUser,
)
from bot.providers.reading import entries
from bot.providers.requests import may_have_acted
from bot.support.errors import BadAnswer, UnknownOutcome
from bot.support.http import TOTAL_SECONDS

#: The user list of a large installation is the largest response.
USERS_BYTES = 10_000_000
#: The fields needed for a session's state, none of them large.
STATE_FIELDS = (
    "id", "activity_state", "url", "display_name", "label", "name", "workbench", "status_detail",
    "executing", "save_prompt_required", "last_used",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """Hold the response of get_session: sessions, or jobs if those were requested."""

    sessions: Listing[WorkbenchSession]
    jobs: Listing[WorkbenchJob]


class JobOutput:
    """Read a job's output, once: iterate over its pieces. A stream that is cut off raises UnknownOutcome."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._decoder = OutputDecoder()
        self._waiting: deque[Chunk] = deque()
        self._is_over = False

    def __aiter__(self) -> JobOutput:
        return self

    async def __anext__(self) -> Chunk:
        """Return the next piece; raise the stream's own error once everything before it was returned."""
        while not self._waiting:
            if self._decoder.failure is not None:
                raise self._decoder.failure
            if self._is_over:
                raise StopAsyncIteration
            await self._read()
        return self._waiting.popleft()

    async def _read(self) -> None:
        try:
            piece = await anext(self._stream)
        except StopAsyncIteration:
            self._is_over = True
            self._waiting.extend(self._decoder.finish())
            if self._decoder.is_cut:
                self._decoder.failure = UnknownOutcome("the stream was cut")
        else:
            self._waiting.extend(self._decoder.feed(piece))


@dataclass(frozen=True, slots=True)
class Workbench:
    """Call one server; each method is one request. Invalid ids raise NotFound before anything is sent."""

    transport: Transport

    async def version(self, credential: Credential | None, *, total: float = TOTAL_SECONDS) -> Version:
        """Ask for the version and the features: the cheap check of a token."""
        return Version.from_json(_object(await self.transport.call("version", credential, total=total)))

    async def get_users(
        self, credential: Credential, *, total: float = TOTAL_SECONDS
    ) -> Listing[WorkbenchUser]:
        """List the registered users; an administrator's token with read access."""
        answer = await self.transport.call("get_users", credential, total=total, max_bytes=USERS_BYTES)
        if isinstance(answer, dict) and isinstance(answer.get("users"), list):
            answer = answer["users"]
        return entries([{"users": answer}], "users", WorkbenchUser.from_json)

    async def get_compute_envs(self, credential: Credential, user: str | None = None) -> ComputeEnvs:
        """Ask what the token's owner, or a user, may launch, and with which limits."""
        kwparams = None if user is None else {"user": user}
        answer = await self.transport.call("get_compute_envs", credential, kwparams)
        return ComputeEnvs.from_json(_object(answer))

    async def get_session(
        self,
        credential: Credential,
        session_ids: Sequence[str] = (),
        *,
        user: str | None = None,
        only: Sequence[str] = STATE_FIELDS,
        include_jobs: bool = False,
        window: SendWindow | None = None,
        total: float = TOTAL_SECONDS,
    ) -> Found:
        """Read sessions, or all of the user's without ids; one missing from the response has ended.

        ``only`` limits the fields; ``id`` and ``activity_state`` must be among them. There is no other way to
        read a job: with ``include_jobs``, jobs are returned instead; the flag has an old and a new name.
        """
        kwparams = {
            "session_id": ",".join(addresses.session_id(one) for one in session_ids) or None,
            "user": user,
            "fields": list(only) or None,
            "include_jobs": True if include_jobs else None,
            "include_all_jobs": True if include_jobs else None,
        }
        answer = _object(
            await self.transport.call("get_session", credential, kwparams, window=window, total=total)
        )
        if not include_jobs:
            return Found(entries([answer], "sessions", WorkbenchSession.from_json), Listing())
        if not isinstance(answer.get("sessions"), list):
            raise BadAnswer("the answer's field sessions is not a list")
        jobs = {"jobs": [] if answer.get("jobs") is None else answer["jobs"]}
        return Found(Listing(), entries([jobs], "jobs", WorkbenchJob.from_json))

    async def launch_session(
        self, credential: Credential, launch: SessionLaunch, username: str | None = None
    ) -> Launched:
        """Launch a session; raise UnknownOutcome if it may have been launched but no id came back."""
        answer = await self.transport.call(
            "launch_session", credential, launch.kwparams(username), changes=True
        )
        with may_have_acted():
            return Launched.from_json(_object(answer))

    async def resume_session(
        self,
        credential: Credential,
        session_id: str,
        *,
        username: str | None = None,
        launch_parameters: LaunchParameters | None = None,
    ) -> None:
        """Resume a suspended RStudio session, whatever the content of the response."""
        kwparams = {
            "session_id": addresses.session_id(session_id),
            "username": username,
            "launch_parameters": None if launch_parameters is None else launch_parameters.as_json(),
        }
        await self.transport.call("resume_session", credential, kwparams, changes=True)

    async def stop_session(
        self,
        credential: Credential,
        session_ids: Sequence[str],
        *,
        force_quit: bool = False,
        suspend: bool = False,
    ) -> None:
        """Stop, kill or suspend sessions; the suspend flag is sent under both its names."""
        if not session_ids:
            return
        kwparams = {
            "session_ids": ",".join(addresses.session_id(one) for one in session_ids),
            "force_quit": force_quit,
            "suspend_session": suspend,
            "suspend": suspend,
        }
        await self.transport.call("stop_session", credential, kwparams, changes=True)

    async def launch_job(
        self, credential: Credential, launch: JobLaunch, *, user: str | None = None
    ) -> WorkbenchJob:
        """Launch a job; raise UnknownOutcome if it may have been launched but no job came back."""
        kwparams = {"job": launch.as_json(user), "apply_config_settings": launch.apply_config_settings}
        value = await self.transport.call("launch_job", credential, kwparams, changes=True)
        with may_have_acted():
            answer = _object(value)
            job = answer.get("job")
            return WorkbenchJob.from_json(_object(answer if job is None else job))

    @asynccontextmanager
    async def get_job_output(
        self,
        credential: Credential,
        job_id: str,
        *,
        user: str | None = None,
        idle_seconds: float | None = None,
    ) -> AsyncIterator[JobOutput]:
        """Open a job's output from its beginning; it ends with the job, a server timeout or an interruption.

        A silence of ``idle_seconds`` ends it like an interruption; None waits for ever.
        """
        kwparams = {"job_id": addresses.job_id(job_id), "user": user}
        async with self.transport.stream(
            "get_job_output", credential, kwparams, idle_seconds=idle_seconds
        ) as stream:
            yield JobOutput(stream)

    async def stop_job(self, credential: Credential, job_id: str, *, force_quit: bool = False) -> None:
        """Stop a job: ``kill``, or with ``force_quit`` ``kill -9``."""
        kwparams = {"job_id": addresses.job_id(job_id), "force_quit": force_quit}
        await self.transport.call("stop_job", credential, kwparams, changes=True)


def _object(answer: Any) -> Mapping[str, Any]:
    if not isinstance(answer, dict):
        raise BadAnswer("the answer's result is not an object")
    return answer
