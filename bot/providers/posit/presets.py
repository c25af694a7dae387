"""Presets in the connections file: launches that an operator prepared, with settings no form asks for.

``[[connections.NAME.presets]] name, title, session = {…} | job = {…}, who``. Only presets set hooks, default
images, cloud identities, tags and apply_config_settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from bot.domain.models import Principal, Purpose
from bot.providers.posit.types import PlacementConstraint, ResourceLimit
from bot.providers.prepared import Prepared, Strict


class NamedValue(Strict):
    """Hold a name and a value, of a variable, a constraint or a limit."""

    name: str = Field(min_length=1)
    value: str


def _pairs_of(value: Any) -> Any:
    """Return a table of variables as a list of names and values; a list is returned unchanged."""
    if isinstance(value, Mapping):
        return [{"name": name, "value": item} for name, item in value.items()]
    return value


#: Variables, as a table or as a list of names and values.
Environment = Annotated[tuple[NamedValue, ...], BeforeValidator(_pairs_of)]


class Hook(Strict):
    """Name a program for the server to run."""

    exe: str = Field(min_length=1)


class Resources(Strict):
    """Hold where something runs and with which resources; forms don't ask for what is set here."""

    cluster: str | None = None
    container_image: str | None = None
    resource_profile: str | None = None
    queues: tuple[str, ...] = ()
    placement_constraints: tuple[NamedValue, ...] = ()
    resource_limits: tuple[NamedValue, ...] = ()

    def constraints(self) -> tuple[PlacementConstraint, ...]:
        """Return the placement constraints."""
        return tuple(
            PlacementConstraint(name=one.name, value=one.value) for one in self.placement_constraints
        )

    def limits(self) -> tuple[ResourceLimit, ...]:
        """Return the limits."""
        return tuple(ResourceLimit(name=one.name, value=one.value) for one in self.resource_limits)


class Parameters(Resources):
    """Hold a session's launch parameters."""

    default_image: str = ""
    aws_role_arn: str = ""
    databricks_instance: str = ""
    snowflake_account: str = ""
    snowflake_role: str = ""


class SessionPreset(Strict):
    """Hold the settings for launch_session."""

    workbench: str | None = None
    name: str | None = None
    open_file: str | None = None
    working_directory: str | None = None
    launch_parameters: Parameters = Parameters()
    start_hooks: tuple[Hook, ...] = ()
    stop_hooks: tuple[Hook, ...] = ()
    environment: Environment = ()


class JobPreset(Resources):
    """Hold the settings for launch_job."""

    name: str | None = None
    exe: str | None = None
    command: str | None = None
    args: tuple[str, ...] = ()
    working_directory: str | None = None
    environment: Environment = ()
    tags: tuple[str, ...] = ()
    apply_config_settings: bool | None = None

    @model_validator(mode="after")
    def _one_command(self) -> JobPreset:
        if self.exe is not None and self.command is not None:
            raise ValueError("needs exe or command, not both")
        return self


class Preset(Prepared):
    """Name a prepared launch."""

    title: str = Field(min_length=1, max_length=75)
    session: SessionPreset | None = None
    job: JobPreset | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Preset:
        if (self.session is None) == (self.job is None):
            raise ValueError("needs session or job, one of them")
        return self

    @property
    def purpose(self) -> Purpose:
        """Return what it launches."""
        return "job" if self.session is None else "workspace"

    @property
    def resources(self) -> Resources:
        """Return where it runs and with which resources."""
        if self.job is not None:
            return self.job
        return self.session.launch_parameters if self.session is not None else Resources()

    @property
    def environment(self) -> tuple[NamedValue, ...]:
        """Return the variables that it sets."""
        part = self.job or self.session
        return part.environment if part is not None else ()


def offered(presets: Iterable[Preset], purpose: Purpose, asker: Principal) -> list[Preset]:
    """Return the presets that a person may use, in the file's order."""
    return [preset for preset in presets if preset.purpose == purpose and preset.is_for(asker)]
