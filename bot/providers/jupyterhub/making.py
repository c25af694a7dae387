"""Create named servers. A hub doesn't report its spawner's options, so they are presets.

``[[connections.NAME.presets]] name, title, options = {…}, who``; ``options`` is passed to the spawner
(the JSON body of a start).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from bot.domain.models import Form, FormProblems, Principal, Spec, Values, text_of
from bot.domain.names import free_name
from bot.providers.prepared import (
    NOT_OFFERED,
    Prepared,
    name_field,
    name_problem,
    named,
    preset_field,
    proposed,
)
from bot.providers.reading import clean

#: What every spawner can use as the name of a container, a folder or a host.
_SERVER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,38}[A-Za-z0-9])?")
MAX_NAME = 40
NAME_HINT = "Letters, digits, - _ and ., at most 40."


class Preset(Prepared):
    """Hold the options of one kind of server."""

    options: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold the used names: the hub doesn't report what its spawner offers."""

    names: tuple[str, ...] = ()


def form_of(offer: Offer, presets: Sequence[Preset], values: Values, asker: Principal) -> Form:
    """Return the form: a preset, if there are any, and the name."""
    offered = [preset for preset in presets if preset.is_for(asker)]
    chosen = proposed(offered, values)
    free = free_name(chosen.name if chosen is not None else "server", offer.names)
    fields = [preset_field(offered, chosen)] if offered else []
    return Form((*fields, name_field(free, MAX_NAME, hint=NAME_HINT)))


def spec_of(offer: Offer, presets: Sequence[Preset], values: Values, asker: Principal) -> Spec:
    """Return the spec: ``preset``, if one was chosen; raise FormProblems."""
    problems = {}
    offered = [preset for preset in presets if preset.is_for(asker)]
    preset = named(offered, text_of(values, "preset"))
    if offered and preset is None:
        problems["preset"] = NOT_OFFERED
    name = clean(text_of(values, "name"), 10 * MAX_NAME)
    is_shaped = not name or _SERVER.fullmatch(name) is not None
    if wrong := name_problem(name, MAX_NAME, offer.names, "server") if is_shaped else NAME_HINT:
        problems["name"] = wrong
    if problems:
        raise FormProblems(problems)
    return Spec(name, {"preset": preset.name} if preset is not None else {})
