"""Jobs of one server: launch and find again, list, read many at once, stop, stream."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

from bot.domain.models import Created, FoundRun, ObservedRun, OutputChunk, RunState, Spec, Traces
from bot.providers import facets
from bot.providers.base import CLOCK_SKEW, Access, Listing
from bot.providers.posit import addresses, launches
from bot.providers.posit.acting import Acting, rightly
from bot.providers.posit.client import Workbench
from bot.providers.posit.computing import Offer
from bot.providers.posit.presets import Preset
from bot.providers.posit.states import observed_job
from bot.providers.posit.types import WorkbenchJob
from bot.providers.reading import MAX_NAME, clean
from bot.providers.requests import may_have_acted
from bot.support.errors import Conflict, Forbidden, InvalidRequest, NotFound, UnknownOutcome

#: The response always includes sessions, so ask for only this much of them.
_LEAST = ("id", "activity_state")


class PositRuns(facets.Runs[Offer]):
    """Run the jobs of one server."""

    workbench: Workbench
    _presets: Sequence[Preset]

    @abstractmethod
    def _who(self, access: Access) -> Acting:
        """Return the identity that an account's calls use."""

    async def launch_job(self, access: Access, spec: Spec, key: str) -> Created:
        """Launch a job."""
        who = self._who(access)
        launch = launches.job_launch(spec, launches.preset_named(self._presets, spec), key)
        launching = self.workbench.launch_job(who.credential, launch, user=who.user)
        job = await rightly(self.workbench, who, "launch", launching)
        return Created(job.id, _name(job))

    async def find_job(self, access: Access, spec: Spec, key: str, since: float) -> Traces:
        """Look for what a launch of unknown outcome made, by its tag.

        If the server shows no tags at all, any job with the name that isn't older than the launch may be it.
        """
        tag, name = launches.tag_of(key), spec.name
        same = []
        listed = await self._all_jobs(self._who(access))
        for job in listed:
            if tag in job.tags:
                return Traces(Created(job.id, _name(job)))
            submitted = _submitted(job)
            is_young = submitted >= since - CLOCK_SKEW if submitted else not observed_job(job).state.is_over
            if job.name == name and is_young and not job.tags:
                same.append(Created(job.id, _name(job)))
        return Traces(others=tuple(same), is_proof=listed.is_whole and not same)

    async def jobs(self, access: Access) -> Listing[FoundRun]:
        """List jobs, newest first."""
        read = await self._all_jobs(self._who(access))
        jobs = sorted(read, key=_submitted, reverse=True)
        found = (FoundRun(job.id, _name(job), observed_job(job)) for job in jobs)
        return Listing(found, is_whole=read.is_whole)

    async def job_status(self, access: Access, remote_ids: Sequence[str]) -> dict[str, ObservedRun]:
        """Read many jobs in one request; a job that the server has forgotten is left out."""
        wanted, read = set(remote_ids), await self._all_jobs(self._who(access))
        found = {job.id: observed_job(job) for job in read if job.id in wanted}
        if not read.is_whole:
            found = {**dict.fromkeys(remote_ids, ObservedRun(RunState.UNKNOWN)), **found}
        return {one: found[one] for one in remote_ids if one in found}

    async def stop_job(self, access: Access, remote_id: str, *, force: bool = False) -> None:
        """Stop a job, or kill it; one that has already ended counts as success."""
        who = self._who(access)
        if who.user is not None and await self._job_state(who, remote_id) is None:
            # An administrator's token stops anybody's job, and the method names no user.
            raise NotFound("there is no such job")
        stopping = self.workbench.stop_job(who.credential, remote_id, force_quit=force)
        try:
            await rightly(self.workbench, who, "stop", stopping)
        except (NotFound, Forbidden, InvalidRequest, Conflict) as error:
            state = await self._job_state(who, remote_id)
            if state is None:
                raise NotFound("there is no such job") from None
            if not state.is_over:
                raise error from None

    async def job_output(self, access: Access, remote_id: str) -> AsyncIterator[OutputChunk]:
        """Stream a job's output from its beginning."""
        who = self._who(access)
        opening = self.workbench.get_job_output(who.credential, remote_id, user=who.user)
        async with AsyncExitStack() as stack:
            # Only opening the stream tests the token; a later refusal is the stream's own error.
            output = await rightly(self.workbench, who, "read", stack.enter_async_context(opening))
            async for chunk in output:
                yield OutputChunk(chunk.stream, chunk.text)

    async def _job_state(self, who: Acting, remote_id: str) -> RunState | None:
        addresses.job_id(remote_id)
        with may_have_acted():
            read = await self._all_jobs(who)
        state = next((observed_job(job).state for job in read if job.id == remote_id), None)
        if state is None and not read.is_whole:
            raise UnknownOutcome("an entry of the answer can't be read")
        return state

    async def _all_jobs(self, who: Acting) -> Listing[WorkbenchJob]:
        reading = self.workbench.get_session(who.credential, user=who.user, only=_LEAST, include_jobs=True)
        found = await rightly(self.workbench, who, "read", reading)
        # Asked for all jobs, an administrator's token may get everybody's.
        theirs = (job for job in found.jobs if who.user is None or job.user in {"", who.user})
        return Listing(theirs, is_whole=found.jobs.is_whole)


def _name(job: WorkbenchJob) -> str:
    return clean(job.name, MAX_NAME) or job.id


def _submitted(job: WorkbenchJob) -> float:
    return job.submitted_at or 0.0
