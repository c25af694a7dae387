"""Block Kit according to published packages, as stored in ``block_kit.json`` by ``tools/block_kit.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from playground.slack.kit.checks import Checker, Shape, boolean, one_of

_CONTENT: Final = json.loads(resources.files(__package__).joinpath("block_kit.json").read_text("utf-8"))
#: Maps each surface (a message, a modal, the Home tab) to the types of blocks that it accepts.
SURFACES: Final[Mapping[str, list[str]]] = _CONTENT["surfaces"]
#: Limits by name, such as ``section.text.max_length``: numbers of characters or items, and ranges of numbers.
LIMITS: Final[Mapping[str, int]] = _CONTENT["limits"]
#: The fields of each object: whether a field is required, and its possible values if they are published.
FIELDS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = _CONTENT["fields"]

#: Fields that Slack accepts, although ``@slack/types`` 3.2.0 lacks them. They come from slackblocks 3.0.0 or
#: from the object's page at docs.slack.dev.
NOT_IN_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "button": frozenset({"agent_prompt"}),
    "card": frozenset({"slack_icon", "subtext"}),
    "emoji": frozenset({"skin_tone"}),
    "modal": frozenset({"submit_disabled"}),
    "rich_text_list": frozenset({"offset"}),
    "rich_text_preformatted": frozenset({"language"}),
}
#: Fields that are required according to the object's page but not according to ``@slack/types``.
REQUIRED_BY_SLACK: Final[Mapping[str, frozenset[str]]] = {
    "confirmation": frozenset({"title", "text", "confirm", "deny"}),
    "option": frozenset({"text", "value"}),
}


def shape(kind: str, whole: Checker | None = None, without: str = "", /, **checks: Checker) -> Shape:
    """Return the check for an object, given the checks for its published fields.

    Fields with published values don't need a check. ``without`` names a field that the object doesn't have in
    this use. Raises ValueError if a check is given for a field that isn't published, or is missing for one
    that is.
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
