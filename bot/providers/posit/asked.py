"""What a launch is told: a session's or a job's parameters, as the methods take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.providers.posit.types import (
        EnvironmentVariable,
        LaunchParameters,
        PlacementConstraint,
        ResourceLimit,
        SessionHook,
    )


@dataclass(frozen=True, slots=True)
class SessionLaunch:
    """Ask for a session; ``open_file`` is for RStudio and Jupyter Notebook only."""

    workbench: str
    name: str | None = None
    open_file: str | None = None
    working_directory: str | None = None
    launch_parameters: LaunchParameters | None = None
    start_hooks: tuple[SessionHook, ...] = ()
    stop_hooks: tuple[SessionHook, ...] = ()
    environment: tuple[EnvironmentVariable, ...] = ()

    def kwparams(self, username: str | None) -> dict[str, Any]:
        """Return the parameters; ``username`` is whose session it will be, None for the token's owner."""
        parameters = self.launch_parameters
        return {
            "workbench": self.workbench,
            "username": username,
            "name": self.name,
            "open_file": self.open_file,
            "working_directory": self.working_directory,
            "launch_parameters": None if parameters is None else parameters.as_json(),
            "start_hooks": [hook.as_json() for hook in self.start_hooks] or None,
            "stop_hooks": [hook.as_json() for hook in self.stop_hooks] or None,
            "environment": [variable.as_json() for variable in self.environment] or None,
        }


@dataclass(frozen=True, slots=True)
class JobLaunch:
    """Ask for a job: ``exe`` with ``args``, or ``command`` for a shell (``/bin/sh -c command``)."""

    name: str
    cluster: str
    exe: str | None = None
    command: str | None = None
    args: tuple[str, ...] = ()
    working_directory: str | None = None
    environment: tuple[EnvironmentVariable, ...] = ()
    tags: tuple[str, ...] = ()
    container_image: str | None = None
    resource_limits: tuple[ResourceLimit, ...] = ()
    queues: tuple[str, ...] = ()
    placement_constraints: tuple[PlacementConstraint, ...] = ()
    resource_profile: str | None = None

    def as_json(self, user: str | None) -> dict[str, Any]:
        """Return the ``job``; fields of many words go in both spellings.

        Servers read camelCase, the reference lists snake_case. ``user`` is whose job it will be, None for the
        token's owner.
        """
        image = self.container_image
        limits = [limit.as_json() for limit in self.resource_limits] or None
        constraints = [constraint.as_json() for constraint in self.placement_constraints] or None
        job: dict[str, Any] = {
            "name": self.name,
            "cluster": self.cluster,
            "exe": self.exe,
            "command": self.command,
            "args": list(self.args) or None,
            "working_directory": self.working_directory,
            "workingDirectory": self.working_directory,
            "environment": [variable.as_json() for variable in self.environment] or None,
            "tags": list(self.tags) or None,
            "container_image": image,
            # The launcher behind the API takes an object here.
            "container": None if image is None else {"image": image},
            "resource_limits": limits,
            "resourceLimits": limits,
            "queues": list(self.queues) or None,
            "placement_constraints": constraints,
            "placementConstraints": constraints,
            "resource_profile": self.resource_profile,
            "resourceProfile": self.resource_profile,
            "user": user,
        }
        return {key: value for key, value in job.items() if value is not None}
