"""The API methods for jobs: launch_job, get_job_output, stop_job."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from playground.faults import act
from playground.posit import job_fields, parameters, streams
from playground.posit.calls import Call
from playground.posit.environments import Resources
from playground.posit.errors import UNKNOWN_SESSION, CallError, missing, wrong_type

Values = dict[str, Any]


async def launch_job(call: Call) -> Values:
    """Launch a job. If the same call is made twice, two jobs are launched."""
    values, state = call.values, call.state
    job = values.get("job")
    if job is None:
        raise missing("job")
    if not isinstance(job, dict):
        raise wrong_type("job", "an object")
    unknown = sorted(set(job) - job_fields.KNOWN)
    if unknown:
        call.broke("parameters as documented", f"unknown in job: {', '.join(unknown)}")
    apply_config_settings = parameters.flag(values, "apply_config_settings", default=True)
    owner = call.launcher_for(parameters.text(job, "user"))
    found = job_fields.read(job, state.settings.job_fields)
    state.environments.check_job_cluster(found["cluster"])
    asked = Resources(
        cluster=found["cluster"],
        image=found.get("container", ""),
        limits=found["resourceLimits"],
        queues=found["queues"],
        constraints=found["placementConstraints"],
        profile=found.get("resourceProfile", ""),
    )
    found["resourceLimits"] = state.environments.check(asked, owner)
    found["command_line"] = job_fields.command_line(found)
    launched = state.new_job(owner.name, found, state.clock.now(), call.token.name)
    launched.apply_config_settings = apply_config_settings
    act(call.request, lambda at: state.take_job(launched, at))
    answer = {"job": launched.shown(state.clock.now())}
    return {"result": answer} if state.settings.launch_job_twice else answer


async def get_job_output(call: Call) -> web.StreamResponse:
    """Stream the output of a job from its beginning. If the job is running, continue until it ends."""
    owner = call.reader_of(parameters.text(call.values, "user"))
    identifier = parameters.text(call.values, "job_id", required=True) or ""
    call.state.settle()
    job = call.state.jobs.get(identifier)
    if job is None or job.owner != owner.name:
        raise _unknown_job(call, identifier)
    return await streams.send(call, job)


async def stop_job(call: Call) -> None:
    """Stop a job. With ``force_quit``, kill it."""
    identifier = parameters.text(call.values, "job_id", required=True) or ""
    force_quit = parameters.flag(call.values, "force_quit")
    state = call.state
    state.settle()
    job = state.jobs.get(identifier)
    if job is None:
        raise _unknown_job(call, identifier)
    call.require_write(job.owner)
    job.check_stop(state.clock.now())

    def stop(at: float) -> None:
        job.stop(at, state.settings.job_stop_seconds, force_quit=force_quit)
        state.wake()

    act(call.request, stop)


def _unknown_job(call: Call, identifier: str) -> CallError:
    status = 404 if call.state.settings.unknown_job == "404" else 200
    return CallError(UNKNOWN_SESSION, f"Unknown job: {identifier}", status=status)
