"""Sessions: what a launch is asked for, what it answers, and what the server tells of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import BadAnswer
from bot.providers.posit.fields import an_object, flag_in, is_session_id, number_in, word_in
from bot.providers.posit.types.parameters import EnvironmentVariable, LaunchParameters, SessionHook
from bot.providers.reading import text_in


@dataclass(frozen=True, slots=True)
class SessionLaunch:
    """Ask for a session; ``open_file`` is for RStudio and Jupyter Notebook only (seed 001)."""

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
class Launched:
    """Identify a session that was launched or resumed; ``url`` is as the server says it, not yet checked."""

    id: str
    url: str = ""
    project_id: str = ""

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> Launched:
        """Read it; raise BadAnswer without a usable id."""
        return cls(_id_in(answer, where), word_in(answer, "url", where), word_in(answer, "project_id", where))


@dataclass(frozen=True, slots=True)
class WorkbenchSession:
    """Hold what the server tells of a session; times are epoch milliseconds.

    ``id`` and ``activity_state`` are asked for always; what was not asked for is empty or None.
    """

    id: str
    activity_state: str
    name: str = ""
    url: str = ""
    launch_parameters: LaunchParameters | None = None
    created: float | None = None
    last_state_updated: float | None = None
    label: str = ""
    display_name: str = ""
    status_detail: str = ""
    project: str = ""
    project_id: str = ""
    working_dir: str = ""
    running: bool | None = None
    executing: bool | None = None
    save_prompt_required: bool | None = None
    last_used: float | None = None
    r_version: str = ""
    r_version_label: str = ""
    r_version_home: str = ""
    suspend_size: float | None = None
    workbench: str = ""
    #: Not in the reference; newer servers tell it.
    username: str = ""

    @classmethod
    def from_json(cls, answer: Mapping[str, Any], where: str = "") -> WorkbenchSession:
        """Read it; raise BadAnswer naming what is missing."""
        parameters = answer.get("launch_parameters") or None
        if parameters is not None:
            name = f"{where}launch_parameters"
            parameters = LaunchParameters.from_json(an_object(parameters, name), f"{name}.")
        told: dict[str, Any] = {
            **{key: word_in(answer, key, where) for key in _WORDS},
            **{key: number_in(answer, key, where) for key in _NUMBERS},
            **{key: flag_in(answer, key) for key in _FLAGS},
        }
        return cls(
            id=_id_in(answer, where),
            activity_state=text_in(answer, "activity_state", where),
            launch_parameters=parameters,
            project=_project(answer.get("project")),
            **told,
        )

    @property
    def title(self) -> str:
        """Return what people call it; empty when the server tells no name."""
        return self.display_name or self.label or self.name


_WORDS = (
    "name", "url", "label", "display_name", "status_detail", "project_id", "working_dir", "r_version",
    "r_version_label", "r_version_home", "workbench", "username",
)  # fmt: skip
_NUMBERS = ("created", "last_state_updated", "last_used", "suspend_size")
_FLAGS = ("running", "executing", "save_prompt_required")


def _project(value: Any) -> str:
    """Return a project's path; servers send null, a text, or an object that names it."""
    return value if isinstance(value, str) else ""


def _id_in(answer: Mapping[str, Any], where: str) -> str:
    found = text_in(answer, "id", where)
    if not is_session_id(found):
        raise BadAnswer(f"the answer's field {where}id is no id of a session")
    return found
