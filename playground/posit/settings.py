"""The switches of a local Workbench: how the server behaves, how long things take, and its limits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from playground.values import SeedError, checked, field_names, typed

#: The allowed values of switches that take a word.
CHOICES: dict[str, tuple[str, ...]] = {
    "stop_answer": ("object", "null", "text", "empty"),
    "job_fields": ("both", "camel", "snake"),
    "suspend_flag": ("both", "suspend_session", "suspend"),
    "limit_kind": ("both", "valueType", "type"),
    "jobs_flag": ("both", "include_jobs", "include_all_jobs"),
    "denial": ("document", "envelope", "401", "403"),
    "unauthenticated": ("json", "text", "html", "redirect"),
    "unknown_parameters": ("ignore", "refuse"),
    "suspend_elsewhere": ("stop", "refuse"),
    "unknown_job": ("envelope", "404"),
    "failed_status": ("Finished", "Failed"),
    "profiles": ("names", "objects"),
    "url_form": ("path", "prefix", "absolute", "double_slash", "other_host", "other_host_double_slash"),
    "separator": ("mixed", "newline", "none"),
    "pieces": ("ragged", "whole"),
}

#: The behaviour of live servers where it differs from the reference (``docs/internals/providers/posit.md``,
#: "Methods").
LIVE: dict[str, Any] = {
    "version_bare": True,
    "launch_job_twice": False,
    "stop_answer": "empty",
    "job_fields": "camel",
    "suspend_flag": "suspend",
    "limit_kind": "type",
    "jobs_flag": "include_all_jobs",
}
#: The behaviour of a server that follows the reference to the letter.
REFERENCE: dict[str, Any] = {
    "version_bare": False,
    "launch_job_twice": True,
    "stop_answer": "object",
    "job_fields": "snake",
    "suspend_flag": "suspend_session",
    "limit_kind": "valueType",
    "jobs_flag": "include_jobs",
}
DIALECTS = {"live": LIVE, "reference": REFERENCE}


@dataclass(slots=True)
class Settings:
    """The switches. By default, the server accepts every spelling and answers as the reference shows.

    Seconds are those of the server's clock. A limit of None means no limit.
    """

    version_bare: bool = False
    launch_job_twice: bool = True
    stop_answer: str = "object"
    job_fields: str = "both"
    suspend_flag: str = "both"
    limit_kind: str = "both"
    jobs_flag: str = "both"
    denial: str = "document"
    unauthenticated: str = "json"
    unknown_parameters: str = "ignore"
    suspend_elsewhere: str = "stop"
    unknown_job: str = "envelope"
    failed_status: str = "Finished"
    profiles: str = "names"
    url_form: str = "path"
    url_prefix: str = "/workbench"
    other_host: str = "elsewhere.example"
    launcher_sessions: bool = True
    unique_names: bool = False
    longest_name: int = 64
    session_limit: int | None = None
    license_sessions: int | None = None
    license_users: int | None = None
    fail_sessions: int = 0
    launching_seconds: float = 1.0
    pending_seconds: float = 1.0
    starting_seconds: float = 2.0
    resuming_seconds: float = 1.0
    suspending_seconds: float = 2.0
    stop_seconds: float = 2.0
    session_linger_seconds: float = 30.0
    job_pending_seconds: float = 1.0
    job_stop_seconds: float = 1.0
    job_linger_seconds: float = 86400.0
    stream_seconds: float | None = None
    separator: str = "mixed"
    pieces: str = "ragged"
    lines_per_object: int = 1
    characters_per_object: int = 0

    def change(self, values: Any) -> None:
        """Set switches, or none if one is invalid (SeedError); ``dialect`` is ``live`` or ``reference``."""
        values = checked(values, [*field_names(Settings), "dialect"])
        dialect = values.get("dialect")
        if dialect is not None and dialect not in DIALECTS:
            raise SeedError(f"dialect is one of {sorted(DIALECTS)}")
        wanted = {**DIALECTS.get(str(dialect), {}), **{k: v for k, v in values.items() if k != "dialect"}}
        for name, value in typed(Settings, wanted).items():
            if name in CHOICES and value not in CHOICES[name]:
                raise SeedError(f"{name} is one of {CHOICES[name]}")
            if isinstance(value, int | float) and value < 0:
                raise SeedError(f"{name} is negative")
        for name, value in wanted.items():
            setattr(self, name, value)

    def as_values(self) -> dict[str, Any]:
        """Return the current values of all switches."""
        return asdict(self)
