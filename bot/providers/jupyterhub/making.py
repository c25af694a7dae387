"""Named servers: what is asked for a new one. A hub tells none of its spawner's options, so they are presets.

``[[connections.NAME.presets]] name, title, options = {…}, who``; ``options`` is what the spawner is handed
(the JSON body of a start).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, field_validator

from bot.domain.models import Choice, Field, Form, FormProblems
from bot.providers.reading import clean

if TYPE_CHECKING:
    from bot.domain.models import Principal, Values

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
#: What every spawner can make a container, a folder or a host of.
_SERVER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,38}[A-Za-z0-9])?")
MAX_NAME = 40
#: Above so many the menu asks for what matches.
FEW = 20
NAME_HINT = "Letters, digits, - _ and ., at most 40."


class Preset(BaseModel):
    """Hold the options of one kind of server, and who may use it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str
    title: str = ""
    options: dict[str, Any] = {}
    who: tuple[str, ...] | None = None

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise ValueError("needs lower-case letters, digits, - and _, at most 41")
        return value

    @property
    def label(self) -> str:
        """Return what people read."""
        return self.title or self.name

    def is_for(self, asker: Principal) -> bool:
        """Say whether somebody may use it."""
        if self.who is None:
            return True
        return bool({asker.user_id, f"{asker.team_id}:{asker.user_id}"} & set(self.who))


def form_of(names: frozenset[str], presets: Sequence[Preset], values: Values, asker: Principal) -> Form:
    """Return the form: a preset where there are any, and the name."""
    offered = [preset for preset in presets if preset.is_for(asker)]
    asked = _word(values, "preset").casefold()
    only = offered[0] if len(offered) == 1 else None
    chosen = next((one for one in offered if asked in {one.name, one.label.casefold()}), only)
    fields = []
    if offered:
        choices = tuple(Choice(one.name, one.label) for one in offered)
        initial = chosen.name if chosen is not None else ""
        kind = "choice" if len(offered) <= FEW else "search"
        fields.append(
            Field(
                "preset", "Kind", "choice" if kind == "choice" else "search", choices, initial, redraws=True
            )
        )
    proposed = _free_name(chosen.name if chosen is not None else "server", names)
    fields.append(
        Field("name", "Name", "text", initial=proposed, hint=NAME_HINT, max_length=MAX_NAME, remembers=False)
    )
    return Form(tuple(fields))


def spec_of(
    names: frozenset[str], presets: Sequence[Preset], values: Values, asker: Principal
) -> dict[str, Any]:
    """Return ``name`` and, where it was chosen, ``preset``; raise FormProblems."""
    problems = {}
    offered = [preset for preset in presets if preset.is_for(asker)]
    preset = next((one for one in offered if one.name == _word(values, "preset")), None)
    if offered and preset is None:
        problems["preset"] = "That is not offered any more: choose again."
    name = clean(_word(values, "name"), 10 * MAX_NAME)
    if not name:
        problems["name"] = "Needs a name."
    elif not _SERVER.fullmatch(name):
        problems["name"] = NAME_HINT
    elif name in names:
        problems["name"] = "You have a server of that name already: choose another one."
    if problems:
        raise FormProblems(problems)
    return {"name": name} | ({"preset": preset.name} if preset is not None else {})


def names_of(snapshot: Any) -> frozenset[str]:
    """Return the names that are taken, by what was read last."""
    told = snapshot.get("names") if isinstance(snapshot, dict) else None
    return frozenset(str(name) for name in told) if isinstance(told, list) else frozenset()


def _free_name(stem: str, taken: frozenset[str]) -> str:
    tries = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 1000))
    return next((name for name in tries if name not in taken), "")


def _word(values: Values, name: str) -> str:
    value = values.get(name, "")
    return value.strip() if isinstance(value, str) else ""
