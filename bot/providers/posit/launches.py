"""Reads launch templates, and builds the arguments of launch_session and launch_job. Pure functions.

A template (``[[connections.NAME.templates]] name, title, session = {…} | job = {…}, who``) may contain
settings that no form asks for: hooks, default images, cloud identities, tags and apply_config_settings. Each
launch reads its template's settings from the configuration; the database doesn't contain them.

``posit.specs`` describes the contents of a spec.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from bot.domain.forms import Purpose, Spec, shorten_key
from bot.providers.connection import PreparedTemplate, SettingsPart, find_by_name
from bot.support.errors import InvalidRequest


class NamedValue(SettingsPart):
    """The name and value of an environment variable, a placement constraint or a limit."""

    name: str = Field(min_length=1)
    value: str


def _to_pairs(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [{"name": name, "value": item} for name, item in value.items()]
    return value


#: Environment variables, given as a table or as a list of names and values.
Environment = Annotated[tuple[NamedValue, ...], BeforeValidator(_to_pairs)]


class Hook(SettingsPart):
    """A program that the server runs as a hook."""

    exe: str = Field(min_length=1)


class Resources(SettingsPart):
    """The cluster and resources for a launch. Forms don't ask for anything that is set here."""

    cluster: str | None = None
    container_image: str | None = None
    resource_profile: str | None = None
    queues: tuple[str, ...] = ()
    placement_constraints: tuple[NamedValue, ...] = ()
    resource_limits: tuple[NamedValue, ...] = ()


class Parameters(Resources):
    """A session's launch parameters."""

    default_image: str = ""
    aws_role_arn: str = ""
    databricks_instance: str = ""
    snowflake_account: str = ""
    snowflake_role: str = ""


_ONLY_SESSIONS = tuple(name for name in Parameters.model_fields if name not in Resources.model_fields)


class SessionTemplate(SettingsPart):
    """The settings for launch_session."""

    workbench: str | None = None
    name: str | None = None
    open_file: str | None = None
    working_directory: str | None = None
    launch_parameters: Parameters = Parameters()
    start_hooks: tuple[Hook, ...] = ()
    stop_hooks: tuple[Hook, ...] = ()
    environment: Environment = ()


class JobTemplate(Resources):
    """The settings for launch_job."""

    name: str | None = None
    exe: str | None = None
    command: str | None = None
    args: tuple[str, ...] = ()
    working_directory: str | None = None
    environment: Environment = ()
    tags: tuple[str, ...] = ()
    apply_config_settings: bool | None = None

    @model_validator(mode="after")
    def _one_command(self) -> JobTemplate:
        if self.exe is not None and self.command is not None:
            raise ValueError("needs exe or command, not both")
        return self


class WorkbenchTemplate(PreparedTemplate):
    """A launch prepared by an operator."""

    title: str = Field(min_length=1, max_length=75)
    session: SessionTemplate | None = None
    job: JobTemplate | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> WorkbenchTemplate:
        if (self.session is None) == (self.job is None):
            raise ValueError("needs session or job, one of them")
        return self

    @property
    def purpose(self) -> Purpose:
        """Return what the template's form is for: launching sessions, or launching jobs."""
        return "job" if self.session is None else "workspace"


def read_session_template(template: WorkbenchTemplate | None) -> SessionTemplate:
    """Return a template's settings for a session."""
    return (template.session if template is not None else None) or SessionTemplate()


def read_job_template(template: WorkbenchTemplate | None) -> JobTemplate:
    """Return a template's settings for a job."""
    return (template.job if template is not None else None) or JobTemplate()


#: Maximum length that the launcher's schedulers accept for a name, including its unique suffix.
_MAX_MARKED_NAME_LENGTH = 63
_MARK_PATTERN = re.compile(r".* \[[0-9a-z]{8}\]", re.DOTALL)


def find_template(templates: Iterable[WorkbenchTemplate], spec: Spec) -> WorkbenchTemplate | None:
    """Return the template of a spec; raise InvalidRequest if it no longer exists."""
    name = spec.text("template")
    if not name:
        return None
    found = find_by_name(templates, name)
    if found is None:
        raise InvalidRequest(f"The template {name} is no longer set up. Choose another one.")
    return found


def build_mark(spec: Spec, key: str) -> str:
    """Return the session's name with a suffix that is unique to this launch, for its launch parameters."""
    mark = f" [{shorten_key(key)}]"
    return spec.name[: _MAX_MARKED_NAME_LENGTH - len(mark)] + mark


def is_mark(name: str) -> bool:
    """Return whether a name comes from ``build_mark``, which means that Usher launched the session."""
    return _MARK_PATTERN.fullmatch(name) is not None


def build_tag(key: str) -> str:
    """Return the tag used to find a launched job later."""
    return f"usher-{shorten_key(key)}"


def build_session_launch(spec: Spec, template: WorkbenchTemplate | None, key: str) -> dict[str, Any]:
    """Return the arguments of launch_session, except for the user and any that are None.

    Only RStudio and Jupyter Notebook accept ``open_file``, and only servers with a launcher accept
    ``launch_parameters``.
    """
    set_up = read_session_template(template)
    more = set_up.launch_parameters
    cluster = more.cluster or spec.text("cluster")
    parameters = {
        "container_image": more.container_image or spec.text("image"),
        "resource_profile": more.resource_profile or spec.text("profile"),
        **{name: getattr(more, name) for name in _ONLY_SESSIONS},
    }
    return {
        "workbench": find_workbench(spec, template),
        "name": spec.name or None,
        "open_file": set_up.open_file or spec.text("file") or None,
        "working_directory": set_up.working_directory or spec.text("directory") or None,
        "launch_parameters": {
            "name": build_mark(spec, key),
            "cluster": cluster,
            # Servers require these lists even if they are empty.
            "placement_constraints": _build_constraints(spec, more),
            "resource_limits": _build_limits(spec, more),
            "queues": list(more.queues or spec.texts("queue")),
            **{name: value for name, value in parameters.items() if value},
        }
        if cluster
        else None,
        "start_hooks": [hook.model_dump() for hook in set_up.start_hooks] or None,
        "stop_hooks": [hook.model_dump() for hook in set_up.stop_hooks] or None,
        "environment": _build_environment(spec, template) or None,
    }


def find_workbench(spec: Spec, template: WorkbenchTemplate | None) -> str:
    """Return the IDE that a spec launches, or "" if it doesn't say."""
    return read_session_template(template).workbench or spec.text("workbench")


def build_job_launch(spec: Spec, template: WorkbenchTemplate | None, key: str) -> dict[str, Any]:
    """Return the arguments of launch_job, except for the user and any that are None.

    A job is either ``exe`` with ``args``, or ``command`` for a shell. Names of several words are sent in both
    snake_case, as in the reference, and camelCase, which servers read.
    """
    set_up = read_job_template(template)
    has_command = set_up.exe is not None or set_up.command is not None
    directory = set_up.working_directory or spec.text("directory")
    image = set_up.container_image or spec.text("image")
    limits, constraints = _build_limits(spec, set_up), _build_constraints(spec, set_up)
    profile = set_up.resource_profile or spec.text("profile")
    job: dict[str, Any] = {
        "name": spec.name,
        "cluster": set_up.cluster or spec.text("cluster"),
        "exe": set_up.exe,
        "command": set_up.command if has_command else spec.text("command") or None,
        "args": list(set_up.args) or None,
        "working_directory": directory or None,
        "workingDirectory": directory or None,
        "environment": _build_environment(spec, template) or None,
        "tags": [*set_up.tags, build_tag(key)],
        "container_image": image or None,
        # The API passes this to the launcher, which expects an object for the container.
        "container": {"image": image} if image else None,
        "resource_limits": limits or None,
        "resourceLimits": limits or None,
        "queues": list(set_up.queues or spec.texts("queue")) or None,
        "placement_constraints": constraints or None,
        "placementConstraints": constraints or None,
        "resource_profile": profile or None,
        "resourceProfile": profile or None,
    }
    return {"job": job, "apply_config_settings": set_up.apply_config_settings}


def _split_pairs(spec: Spec, key: str) -> list[dict[str, str]]:
    return [
        {"name": name, "value": value} for name, _, value in (one.partition("=") for one in spec.texts(key))
    ]


def _build_limits(spec: Spec, more: Resources) -> list[dict[str, str]]:
    """Return the limits. The reference calls the kind of a limit ``name``, but servers call it ``type``."""
    if more.resource_limits or more.resource_profile:
        return [{**one, "type": one["name"]} for one in _dump_pairs(more.resource_limits)]
    typed = {one["name"]: {"valueType": one["value"]} for one in _split_pairs(spec, "limit_types")}
    return [
        {**one, "type": one["name"], **typed.get(one["name"], {})} for one in _split_pairs(spec, "limits")
    ]


def _build_constraints(spec: Spec, more: Resources) -> list[dict[str, str]]:
    return _dump_pairs(more.placement_constraints) or _split_pairs(spec, "constraints")


def _build_environment(spec: Spec, template: WorkbenchTemplate | None) -> list[dict[str, str]]:
    """Return the environment variables. Users can't override those that a template sets."""
    set_up = read_session_template(template).environment or read_job_template(template).environment
    names = {variable.name for variable in set_up}
    return [
        *_dump_pairs(set_up),
        *(one for one in _split_pairs(spec, "environment") if one["name"] not in names),
    ]


def _dump_pairs(pairs: Iterable[NamedValue]) -> list[dict[str, str]]:
    return [one.model_dump() for one in pairs]
