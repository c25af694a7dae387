"""The API methods for sessions: launch_session, get_session, resume_session, stop_session."""

from __future__ import annotations

from typing import Any

from playground.faults import act
from playground.posit import launching, parameters
from playground.posit.accounts import Person
from playground.posit.calls import Call
from playground.posit.errors import missing, unknown_session
from playground.posit.sessions import NO_PROJECT, Session

Values = dict[str, Any]

#: The IDEs for which the reference supports ``open_file``.
OPENS_FILES = frozenset({"RStudio", "Jupyter Notebook"})


async def launch_session(call: Call) -> Values:
    """Launch a session. If the same call is made twice, two sessions are launched."""
    values, state = call.values, call.state
    owner = call.launcher_for(parameters.text(values, "username"))
    workbench = parameters.text(values, "workbench", required=True) or ""
    state.environments.check_workbench(workbench, None)
    name = parameters.text(values, "name") or f"{workbench} Session"
    launching.check_name(call, owner, name)
    launch_parameters = launching.read(call, owner)
    state.environments.check_workbench(workbench, launch_parameters["cluster"])
    open_file = parameters.text(values, "open_file")
    if open_file is not None and workbench not in OPENS_FILES:
        call.broke("open_file only for RStudio and Jupyter Notebook", workbench)
        open_file = None
    now = state.clock.now()
    session = Session(
        id=state.new_session_id(),
        owner=owner.name,
        name=name,
        workbench=workbench,
        launch_parameters=launch_parameters,
        created=now,
        working_directory=parameters.text(values, "working_directory") or "~",
        open_file=open_file,
        environment=parameters.records(values, "environment", "name", "value"),
        start_hooks=parameters.hooks(values, "start_hooks"),
        stop_hooks=parameters.hooks(values, "stop_hooks"),
        launched_by=call.token.name,
    )
    launching.check_limits(call, owner)

    def launch(at: float) -> None:
        settings, session.created = state.settings, at
        session.begin("launching", settings.launching_seconds, settings, at, fails=_fails(call))
        state.sessions[session.id] = session

    act(call.request, launch)
    return _launched(call, session)


async def resume_session(call: Call) -> Values:
    """Resume a suspended RStudio session."""
    values, state = call.values, call.state
    owner = call.launcher_for(parameters.text(values, "username"))
    identifier = parameters.text(values, "session_id", required=True) or ""
    session = _own(call, owner, identifier)
    launch_parameters = launching.read(call, owner)
    launching.check_limits(call, owner)
    session.check_resume()

    def resume(at: float) -> None:
        session.resume(state.settings, at)
        if _fails(call):
            session.plan[-1] = ("failed", session.plan[-1][1])
        session.launch_parameters = launch_parameters
        session.launched_by = call.token.name

    act(call.request, resume)
    return _launched(call, session)


async def get_session(call: Call) -> Values:
    """Return sessions and, on request, jobs. Ids of sessions that have ended are skipped."""
    values, state = call.values, call.state
    owner = call.reader_of(parameters.text(values, "user"))
    wanted = parameters.text(values, "session_id")
    found = state.sessions_of(owner)
    if wanted is not None:
        identifiers = set(parameters.identifiers(wanted))
        found = [session for session in found if session.id in identifiers]
    shown = [session.shown(call.url(session.hex)) for session in found]
    if "fields" in values:
        fields = parameters.texts(values, "fields")
        shown = [{name: entry[name] for name in fields if name in entry} for entry in shown]
    answer: Values = {"sessions": shown}
    flags = {name: parameters.flag(values, name) for name in ("include_jobs", "include_all_jobs")}
    mode = state.settings.jobs_flag
    if any(on for name, on in flags.items() if mode in {"both", name}):
        answer["jobs"] = [job.shown(state.clock.now()) for job in state.jobs_of(owner)]
    return answer


async def stop_session(call: Call) -> None:
    """Stop, suspend or kill all the sessions named in a call. If one of them can't be stopped, stop none."""
    values, state = call.values, call.state
    wanted = parameters.identifiers(parameters.text(values, "session_ids", required=True) or "")
    if not wanted:
        raise missing("session_ids")
    force_quit = parameters.flag(values, "force_quit")
    flags = {name: parameters.flag(values, name) for name in ("suspend_session", "suspend")}
    mode = state.settings.suspend_flag
    suspend = any(on for name, on in flags.items() if mode in {"both", name})
    state.settle()
    sessions = []
    for identifier in wanted:
        session = state.sessions.get(identifier)
        if session is None or session.ended:
            raise unknown_session(identifier)
        call.require_write(session.owner)
        if suspend and not force_quit:
            session.check_suspend(state.settings)
        sessions.append(session)

    def stop(at: float) -> None:
        for session in sessions:
            session.settle(at)
            session.stop(state.settings, at, suspend=suspend, force_quit=force_quit)

    act(call.request, stop)


def _own(call: Call, owner: Person, identifier: str) -> Session:
    for session in call.state.sessions_of(owner):
        if session.id == identifier and not session.ended:
            return session
    raise unknown_session(identifier)


def _fails(call: Call) -> bool:
    settings = call.state.settings
    if settings.fail_sessions == 0:
        return False
    settings.fail_sessions -= 1
    return True


def _launched(call: Call, session: Session) -> Values:
    return {"url": call.url(session.hex), "id": session.id, "project_id": NO_PROJECT}
