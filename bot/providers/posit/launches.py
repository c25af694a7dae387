"""From a spec, as forms make it and rows keep it, to what a launch is told; pure.

A spec has, each only where it was filled in, ``preset``, ``workbench``, ``cluster``, ``image``, ``queue``,
``profile``, ``directory``, ``file``, ``command``, and as ``name=value`` ``limits``, ``constraints`` and
``environment``. What a preset sets is looked up at each launch, so that no row keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.models import Spec
from bot.providers.posit.asked import JobLaunch, SessionLaunch
from bot.providers.posit.presets import JobPreset, Parameters, Preset, SessionPreset
from bot.providers.posit.types import (
    EnvironmentVariable,
    LaunchParameters,
    PlacementConstraint,
    ResourceLimit,
    SessionHook,
)
from bot.providers.prepared import named
from bot.support.errors import InvalidRequest

#: A name with its mark must stay within what the schedulers behind the launcher take.
_MARK_LENGTH = 63
_MARK = re.compile(r".* \[[0-9a-z]{8}\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class JobOrder:
    """Hold a job to launch and whether the server's usual settings apply to it (None: as the server does)."""

    launch: JobLaunch
    apply_config_settings: bool | None = None


def preset_named(presets: Iterable[Preset], spec: Spec) -> Preset | None:
    """Return the preset of a spec; raise InvalidRequest for one that is not set up any more."""
    name = spec.word("preset")
    if not name:
        return None
    found = named(presets, name)
    if found is None:
        raise InvalidRequest(f"the preset {name} is not set up any more")
    return found


def mark_of(spec: Spec, key: str) -> str:
    """Return the name of a session's launch parameters: it tells the launches of one name apart."""
    mark = f" [{_short(key)}]"
    return spec.name[: _MARK_LENGTH - len(mark)] + mark


def is_mark(name: str) -> bool:
    """Say whether launch parameters carry the mark of one of our launches."""
    return _MARK.fullmatch(name) is not None


def tag_of(key: str) -> str:
    """Return the tag by which a job is found again."""
    return f"usher-{_short(key)}"


def session_launch(spec: Spec, preset: Preset | None, key: str) -> SessionLaunch:
    """Return what launch_session is told."""
    set_up = (preset.session if preset is not None else None) or SessionPreset()
    more = set_up.launch_parameters
    parameters = LaunchParameters(
        name=mark_of(spec, key),
        cluster=more.cluster or spec.word("cluster"),
        placement_constraints=more.constraints() or _constraints(spec),
        resource_limits=_limits(spec, more),
        queues=more.queues or spec.several("queue"),
        container_image=more.container_image or spec.word("image"),
        default_image=more.default_image,
        resource_profile=more.resource_profile or spec.word("profile"),
        aws_role_arn=more.aws_role_arn,
        databricks_instance=more.databricks_instance,
        snowflake_account=more.snowflake_account,
        snowflake_role=more.snowflake_role,
    )
    return SessionLaunch(
        workbench=workbench_of(spec, preset),
        name=spec.name or None,
        open_file=set_up.open_file or spec.word("file") or None,
        working_directory=set_up.working_directory or spec.word("directory") or None,
        launch_parameters=parameters,
        start_hooks=tuple(SessionHook(exe=hook.exe) for hook in set_up.start_hooks),
        stop_hooks=tuple(SessionHook(exe=hook.exe) for hook in set_up.stop_hooks),
        environment=_environment(spec, preset),
    )


def workbench_of(spec: Spec, preset: Preset | None) -> str:
    """Return which IDE a spec launches; empty where it does not say."""
    set_up = preset.session if preset is not None else None
    return (set_up.workbench if set_up is not None else None) or spec.word("workbench")


def job_launch(spec: Spec, preset: Preset | None, key: str) -> JobOrder:
    """Return what launch_job is told."""
    set_up = (preset.job if preset is not None else None) or JobPreset()
    has_command = set_up.exe is not None or set_up.command is not None
    launch = JobLaunch(
        name=spec.name,
        cluster=set_up.cluster or spec.word("cluster"),
        exe=set_up.exe,
        command=set_up.command if has_command else spec.word("command") or None,
        args=set_up.args,
        working_directory=set_up.working_directory or spec.word("directory") or None,
        environment=_environment(spec, preset),
        tags=(*set_up.tags, tag_of(key)),
        container_image=set_up.container_image or spec.word("image") or None,
        resource_limits=_limits(spec, set_up),
        queues=set_up.queues or spec.several("queue"),
        placement_constraints=set_up.constraints() or _constraints(spec),
        resource_profile=set_up.resource_profile or spec.word("profile") or None,
    )
    return JobOrder(launch, set_up.apply_config_settings)


def _short(key: str) -> str:
    return re.sub(r"[^0-9a-z]", "", key.casefold())[-8:].rjust(8, "0")


def _pairs(spec: Spec, key: str) -> list[tuple[str, str]]:
    """Return what stands there as ``name=value``."""
    return [(name, value) for name, _, value in (one.partition("=") for one in spec.several(key))]


def _limits(spec: Spec, more: Parameters | JobPreset) -> tuple[ResourceLimit, ...]:
    if more.resource_limits:
        return more.limits()
    if more.resource_profile:
        return ()
    return tuple(ResourceLimit(name=name, value=value) for name, value in _pairs(spec, "limits"))


def _constraints(spec: Spec) -> tuple[PlacementConstraint, ...]:
    return tuple(PlacementConstraint(name=name, value=value) for name, value in _pairs(spec, "constraints"))


def _environment(spec: Spec, preset: Preset | None) -> tuple[EnvironmentVariable, ...]:
    """Return the variables; what a preset sets, nobody overrides."""
    set_up = preset.environment if preset is not None else ()
    names = {variable.name for variable in set_up}
    own = (EnvironmentVariable(name=name, value=value) for name, value in _pairs(spec, "environment"))
    return (*set_up, *(variable for variable in own if variable.name not in names))
