"""From a spec, as forms make it and rows keep it, to what a launch is told; pure.

A spec is JSON-ready: ``name`` always; then, each only where it was filled in, ``preset``, ``workbench``,
``cluster``, ``image``, ``queue``, ``profile``, ``limits`` {kind: value}, ``constraints`` [[name, value]],
``directory``, ``file``, ``environment`` [[name, value]], ``command``. What a preset sets is looked up at each
launch, so that no row keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.providers.posit.asked import JobLaunch, SessionLaunch
from bot.providers.posit.presets import JobPreset, Parameters, Preset, SessionPreset
from bot.providers.posit.types import (
    EnvironmentVariable,
    LaunchParameters,
    PlacementConstraint,
    ResourceLimit,
    SessionHook,
)
from bot.support.errors import InvalidRequest

#: A name with its mark must stay within what the schedulers behind the launcher take.
_MARK_LENGTH = 63
_MARK = re.compile(r".* \[[0-9a-z]{8}\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JobOrder:
    """Hold a job to launch and whether the server's usual settings apply to it (None: as the server does)."""

    launch: JobLaunch
    apply_config_settings: bool | None = None


def preset_named(presets: Iterable[Preset], spec: Mapping[str, Any]) -> Preset | None:
    """Return the preset of a spec; raise InvalidRequest for one that is not set up any more."""
    name = spec.get("preset")
    if not name:
        return None
    found = next((preset for preset in presets if preset.name == name), None)
    if found is None:
        raise InvalidRequest(f"the preset {name} is not set up any more")
    return found


def mark_of(spec: Mapping[str, Any], key: str) -> str:
    """Return the name of a session's launch parameters: it tells the launches of one name apart."""
    mark = f" [{_short(key)}]"
    return str(spec.get("name", ""))[: _MARK_LENGTH - len(mark)] + mark


def is_mark(name: str) -> bool:
    """Say whether launch parameters carry the mark of one of our launches."""
    return _MARK.fullmatch(name) is not None


def tag_of(key: str) -> str:
    """Return the tag by which a job is found again."""
    return f"usher-{_short(key)}"


def session_launch(spec: Mapping[str, Any], preset: Preset | None, key: str) -> SessionLaunch:
    """Return what launch_session is told."""
    set_up = (preset.session if preset is not None else None) or SessionPreset()
    more = set_up.launch_parameters
    parameters = LaunchParameters(
        name=mark_of(spec, key),
        cluster=more.cluster or _word(spec, "cluster"),
        placement_constraints=more.constraints() or _constraints(spec),
        resource_limits=_limits(spec, more),
        queues=more.queues or _queues(spec),
        container_image=more.container_image or _word(spec, "image"),
        default_image=more.default_image,
        resource_profile=more.resource_profile or _word(spec, "profile"),
        aws_role_arn=more.aws_role_arn,
        databricks_instance=more.databricks_instance,
        snowflake_account=more.snowflake_account,
        snowflake_role=more.snowflake_role,
    )
    return SessionLaunch(
        workbench=workbench_of(spec, preset),
        name=_word(spec, "name") or None,
        open_file=set_up.open_file or _word(spec, "file") or None,
        working_directory=set_up.working_directory or _word(spec, "directory") or None,
        launch_parameters=parameters,
        start_hooks=tuple(SessionHook(exe=hook.exe) for hook in set_up.start_hooks),
        stop_hooks=tuple(SessionHook(exe=hook.exe) for hook in set_up.stop_hooks),
        environment=_environment(spec, preset),
    )


def workbench_of(spec: Mapping[str, Any], preset: Preset | None) -> str:
    """Return which IDE a spec launches; empty where it does not say."""
    set_up = preset.session if preset is not None else None
    return (set_up.workbench if set_up is not None else None) or _word(spec, "workbench")


def job_launch(spec: Mapping[str, Any], preset: Preset | None, key: str) -> JobOrder:
    """Return what launch_job is told."""
    set_up = (preset.job if preset is not None else None) or JobPreset()
    has_command = set_up.exe is not None or set_up.command is not None
    launch = JobLaunch(
        name=_word(spec, "name"),
        cluster=set_up.cluster or _word(spec, "cluster"),
        exe=set_up.exe,
        command=set_up.command if has_command else _word(spec, "command") or None,
        args=set_up.args,
        working_directory=set_up.working_directory or _word(spec, "directory") or None,
        environment=_environment(spec, preset),
        tags=(*set_up.tags, tag_of(key)),
        container_image=set_up.container_image or _word(spec, "image") or None,
        resource_limits=_limits(spec, set_up),
        queues=set_up.queues or _queues(spec),
        placement_constraints=set_up.constraints() or _constraints(spec),
        resource_profile=set_up.resource_profile or _word(spec, "profile") or None,
    )
    return JobOrder(launch, set_up.apply_config_settings)


def _short(key: str) -> str:
    return re.sub(r"[^0-9a-z]", "", key.casefold())[-8:].rjust(8, "0")


def _word(spec: Mapping[str, Any], key: str) -> str:
    value = spec.get(key)
    return value if isinstance(value, str) else ""


def _queues(spec: Mapping[str, Any]) -> tuple[str, ...]:
    queue = _word(spec, "queue")
    return (queue,) if queue else ()


def _limits(spec: Mapping[str, Any], more: Parameters | JobPreset) -> tuple[ResourceLimit, ...]:
    if more.resource_limits:
        return more.limits()
    if more.resource_profile:
        return ()
    told = spec.get("limits")
    return tuple(ResourceLimit(name=str(kind), value=str(value)) for kind, value in dict(told or {}).items())


def _constraints(spec: Mapping[str, Any]) -> tuple[PlacementConstraint, ...]:
    return tuple(
        PlacementConstraint(name=str(name), value=str(value)) for name, value in spec.get("constraints") or ()
    )


def _environment(spec: Mapping[str, Any], preset: Preset | None) -> tuple[EnvironmentVariable, ...]:
    """Return the variables; what a preset sets, nobody overrides."""
    set_up = preset.environment if preset is not None else ()
    names = {variable.name for variable in set_up}
    own = (
        EnvironmentVariable(name=str(name), value=str(value)) for name, value in spec.get("environment") or ()
    )
    return (*set_up, *(variable for variable in own if variable.name not in names))
