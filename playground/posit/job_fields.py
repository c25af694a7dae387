"""The two spellings of a job's properties. The reference lists them in snake_case but shows camelCase."""

from __future__ import annotations

from typing import Any

from playground.posit import parameters
from playground.posit.errors import missing, wrong_type

Values = dict[str, Any]

#: Maps each property that has two spellings, by this server's own name for it, to its camelCase and
#: snake_case spelling.
_SPELLINGS: dict[str, tuple[str, str]] = {
    "workingDirectory": ("workingDirectory", "working_directory"),
    "container": ("containerImage", "container_image"),
    "resourceLimits": ("resourceLimits", "resource_limits"),
    "placementConstraints": ("placementConstraints", "placement_constraints"),
    "resourceProfile": ("resourceProfile", "resource_profile"),
    "stdoutFile": ("stdoutFile", "stdout_file"),
    "stderrFile": ("stderrFile", "stderr_file"),
    "exposedPorts": ("exposedPorts", "exposed_ports"),
}
_SINGLE = (
    "name",
    "cluster",
    "exe",
    "command",
    "args",
    "environment",
    "tags",
    "container",
    "queues",
    "user",
    "stdin",
    "mounts",
    "config",
    "metadata",
    "group",
    "host",
)
KNOWN = frozenset(_SINGLE) | {spelling for both in _SPELLINGS.values() for spelling in both}


def read(values: Values, mode: str) -> Values:
    """Return a job's properties under this server's own names; ``mode`` is both, camel or snake.

    Properties that aren't in the mode's spelling are silently ignored, as on live servers.
    """
    found: Values = {}
    for name, (camel, snake) in _SPELLINGS.items():
        spellings = {"camel": (camel,), "snake": (snake,)}.get(mode, (camel, snake))
        for spelling in spellings:
            if spelling in values:
                found.setdefault(name, values[spelling])
    for name in _SINGLE:
        if name in values:
            found[name] = values[name]
    if isinstance(found.get("container"), dict):
        found["container"] = found["container"].get("image", "")
    return _checked(found)


def _checked(found: Values) -> Values:
    for name in ("name", "cluster"):
        parameters.text(found, name, required=True)
    if not (found.get("exe") or found.get("command")):
        raise missing("job.exe or job.command")
    for name in ("exe", "command", "workingDirectory", "container", "resourceProfile", "user", "stdin"):
        parameters.text(found, name)
    for name in ("args", "tags", "queues"):
        found[name] = parameters.texts(found, name)
    for name in ("environment", "placementConstraints"):
        found[name] = parameters.records(found, name, "name", "value")
    found["resourceLimits"] = parameters.records(found, "resourceLimits")
    for name in ("mounts", "config", "exposedPorts"):
        if not isinstance(found.setdefault(name, []), list):
            raise wrong_type(name, "an array")
    return found


def command_line(found: Values) -> str:
    """Return the job's command and arguments as one line."""
    return " ".join([str(found.get("exe") or found.get("command") or ""), *found.get("args", [])])
