"""Commands in sentences, as they are typed where the sentence is read.

The texts have them as in a direct message. In a channel, in a form and in a Home only the slash command
works.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.messages.texts.verbs import VERBS

_COMMAND: Final = re.compile(r"`([a-z][^`\n]*)`")
_OF_JOBS: Final = "job "


def as_typed(text: str, command: str, job_command: str) -> str:
    """Return a sentence with what comes before a verb there, for verbs of workspaces and of runs."""

    def here(found: re.Match[str]) -> str:
        typed = found[1]
        if typed.startswith(_OF_JOBS):
            return f"`{job_command}{typed.removeprefix(_OF_JOBS)}`"
        return f"`{command}{typed}`" if typed.split()[0] in VERBS["workspace"] else found[0]

    return _COMMAND.sub(here, text) if "`" in text else text


def in_view(view: Mapping[str, Any], command: str, job_command: str) -> dict[str, Any]:
    """Return a form or a Home with the commands of its sentences as slash commands: nothing else is typed."""
    found: dict[str, Any] = _with_commands(view, f"{command} ", f"{job_command} ")
    return found


def _with_commands(part: Any, command: str, job_command: str) -> Any:
    if isinstance(part, list):
        return [_with_commands(one, command, job_command) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") == "mrkdwn":
        return {**part, "text": as_typed(str(part["text"]), command, job_command)}
    return {key: _with_commands(value, command, job_command) for key, value in part.items()}
