"""The data types of the Workbench API (seed 001, "Data types"), each read tolerantly by its ``from_json``.

Fields and words that the reference does not know are passed over; what it calls required and is not there
raises BadAnswer with its name.
"""

from __future__ import annotations

from bot.providers.posit.types.computing import (
    ComputeEnv,
    ComputeEnvs,
    JobConfig,
    WorkbenchIDEInfo,
    WorkbenchLanguage,
    WorkbenchSupport,
)
from bot.providers.posit.types.jobs import JobLaunch, WorkbenchJob
from bot.providers.posit.types.parameters import (
    EnvironmentVariable,
    LaunchParameters,
    PlacementConstraint,
    ResourceLimit,
    SessionHook,
)
from bot.providers.posit.types.server import Version, WorkbenchUser
from bot.providers.posit.types.sessions import Launched, SessionLaunch, WorkbenchSession

__all__ = [
    "ComputeEnv",
    "ComputeEnvs",
    "EnvironmentVariable",
    "JobConfig",
    "JobLaunch",
    "LaunchParameters",
    "Launched",
    "PlacementConstraint",
    "ResourceLimit",
    "SessionHook",
    "SessionLaunch",
    "Version",
    "WorkbenchIDEInfo",
    "WorkbenchJob",
    "WorkbenchLanguage",
    "WorkbenchSession",
    "WorkbenchSupport",
    "WorkbenchUser",
]
