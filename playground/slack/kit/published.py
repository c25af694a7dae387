"""Block Kit as published packages describe it: ``block_kit.json``, written by ``tools/block_kit.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from playground.slack.kit.checks import Checker, Shape, boolean, one_of

_CONTENT: Final = json.loads(resources.files(__package__).joinpath("block_kit.json").read_text("utf-8"))
#: The types of blocks that each surface takes: a message, a modal, the Home tab.
SURFACES: Final[Mapping[str, list[str]]] = _CONTENT["surfaces"]
#: Numbers of characters, of items, and bounds of numbers by their names, as ``section.text.max_length``.
LIMITS: Final[Mapping[str, int]] = _CONTENT["limits"]
#: The fields of each object: whether one is required, and the values that it may have.
FIELDS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = _CONTENT["fields"]

#: Fields that Slack takes and ``@slack/types`` 3.2.0 lacks: slackblocks 3.0.0 or the object's page at
#: docs.slack.dev has them.
NOT_IN_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "button": frozenset({"agent_prompt"}),
    "card": frozenset({"slack_icon", "subtext"}),
    "emoji": frozenset({"skin_tone"}),
    "modal": frozenset({"submit_disabled"}),
    "rich_text_list": frozenset({"offset"}),
    "rich_text_preformatted": frozenset({"language"}),
}
#: Fields that Slack requires, as the object's page says, and ``@slack/types`` doesn't.
REQUIRED_BY_SLACK: Final[Mapping[str, frozenset[str]]] = {
    "confirmation": frozenset({"title", "text", "confirm", "deny"}),
    "option": frozenset({"text", "value"}),
}


def shape(kind: str, whole: Checker | None = None, without: str = "", /, **checks: Checker) -> Shape:
    """Return the check of an object: its published fields, each with its check.

    A field with published values needs no check; ``without`` names one that this use of the object lacks.
    Raises ValueError for a field that isn't published, or that is and has no check.
    """
    published = {name: facts for name, facts in FIELDS[kind].items() if name != without}
    values = {name: facts["values"] for name, facts in published.items() if "values" in facts}
    checks = {
        **{name: boolean if words == [False, True] else one_of(*words) for name, words in values.items()},
        **checks,
    }
    if wrong := set(checks) ^ {*published, *NOT_IN_TYPES.get(kind, ())}:
        raise ValueError(f"{kind}: {', '.join(sorted(wrong))} without a published field, or without a check")
    required = {name for name, facts in published.items() if facts["required"]}
    required |= REQUIRED_BY_SLACK.get(kind, frozenset())
    return Shape(
        {name: check for name, check in checks.items() if name in required},
        {name: check for name, check in checks.items() if name not in required},
        whole,
    )
