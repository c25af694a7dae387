"""Reads the parameters for launching a session (LaunchParameters in the reference)."""

from __future__ import annotations

from typing import Any

from playground.posit import parameters
from playground.posit.accounts import Person
from playground.posit.calls import Call
from playground.posit.environments import Resources
from playground.posit.errors import (
    LAUNCH_PARAMETERS,
    LICENSE_SESSIONS,
    LICENSE_USERS,
    PROFILE_SESSIONS,
    CallError,
    invalid,
    wrong_type,
)

Values = dict[str, Any]

REQUIRED = ("name", "cluster", "placement_constraints", "resource_limits", "queues")
IDENTITIES = ("aws_role_arn", "databricks_instance", "snowflake_account", "snowflake_role")
RULE = "launch parameters are complete where sessions are launched by the launcher"


def read(call: Call, owner: Person) -> Values:
    """Return the launch parameters in their stored form; raise CallError if they are invalid."""
    values = call.values.get("launch_parameters")
    if values is None:
        if call.state.settings.launcher_sessions:
            raise CallError(LAUNCH_PARAMETERS, "Launch parameters are missing", rule=RULE)
        return {"name": call.values.get("name", ""), "cluster": "", **_lists(), **_images("", "")}
    if not call.state.settings.launcher_sessions:
        call.broke(RULE, "launch parameters where there is no launcher")
    if not isinstance(values, dict):
        raise wrong_type("launch_parameters", "an object")
    absent = [name for name in REQUIRED if name not in values]
    if absent:
        raise CallError(LAUNCH_PARAMETERS, f"Launch parameters are missing: {', '.join(absent)}", rule=RULE)
    name, cluster = parameters.text(values, "name") or "", parameters.text(values, "cluster") or ""
    image = parameters.text(values, "container_image") or ""
    default_image = parameters.text(values, "default_image") or ""
    asked = Resources(
        cluster=cluster,
        image=image,
        limits=parameters.records(values, "resource_limits"),
        queues=parameters.texts(values, "queues"),
        constraints=parameters.records(values, "placement_constraints", "name", "value"),
        profile=parameters.text(values, "resource_profile") or "",
    )
    limits = call.state.environments.check(asked, owner)
    understood: Values = {
        "name": name,
        "cluster": cluster,
        "placement_constraints": asked.constraints,
        "resource_limits": limits,
        "queues": asked.queues,
        **_images(image, default_image),
    }
    if asked.profile:
        understood["resource_profile"] = asked.profile
    for identity in IDENTITIES:
        value = parameters.text(values, identity)
        if value is not None:
            understood[identity] = value
    return understood


def check_name(call: Call, owner: Person, name: str) -> None:
    """Raise CallError if the name is too long or, on a server with unique names, already in use."""
    settings = call.state.settings
    if len(name) > settings.longest_name:
        raise invalid(f"The name is longer than {settings.longest_name} characters")
    live = [one.name for one in call.state.sessions_of(owner) if not one.ended]
    if settings.unique_names and name in live:
        raise invalid(f"A session with the name {name} exists already")


def check_limits(call: Call, owner: Person) -> None:
    """Raise CallError if the licence or the owner's profile doesn't allow another session."""
    state, settings = call.state, call.state.settings
    state.settle()
    live = [one for one in state.sessions.values() if not one.ended and one.state != "suspended"]
    users = {one.owner for one in live}
    own = [one for one in live if one.owner == owner.name]
    if settings.license_users is not None and len(users | {owner.name}) > settings.license_users:
        raise CallError(LICENSE_USERS, "The maximum of concurrent users for this license has been reached")
    if settings.license_sessions is not None and len(live) >= settings.license_sessions:
        raise CallError(
            LICENSE_SESSIONS, "The maximum of concurrent sessions for this license has been reached"
        )
    if settings.session_limit is not None and len(own) >= settings.session_limit:
        raise CallError(
            PROFILE_SESSIONS, "The maximum of concurrent sessions for this user profile has been reached"
        )


def _lists() -> Values:
    return {"placement_constraints": [], "resource_limits": [], "queues": []}


def _images(image: str, default_image: str) -> Values:
    return {"container_image": image, "default_image": default_image, "container_images": [image]}
