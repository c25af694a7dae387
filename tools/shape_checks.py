"""Ask Slack about each distinct shape of the messages and views that tests render.

Slack's method ``blocks.validate`` needs no token, and only the invented contents of the golden files are sent
to it. One shape is sent per second, since Slack doesn't publish a rate limit. If Slack asks for a pause, the
remaining shapes are left for another day.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final

VALIDATE_URL: Final = "https://slack.com/api/blocks.validate"
PAUSE_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 60
#: Error codes of the method for blocks that Slack would refuse.
REFUSALS: Final = frozenset({"invalid_blocks", "invalid_message", "invalid_view"})


def build_arguments(drawn: Mapping[str, Any]) -> dict[str, str]:
    """Return the argument for a view, or for a message without its text, as Slack wants it."""
    kind, content = ("view", drawn) if "type" in drawn else ("message", {"blocks": drawn["blocks"]})
    return {kind: json.dumps(content)}


def ask_slack(url: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Return the method's answer. Raise OSError if it fails, or if Slack asks for a pause."""
    body = urllib.parse.urlencode(arguments).encode()
    with urllib.request.urlopen(url, body, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - only ours
        answer = json.load(response)
    if not isinstance(answer, dict):
        raise OSError("the answer is no object")
    return answer


def list_problems(answer: Mapping[str, Any]) -> list[str]:
    """Return Slack's objections to a shape: where, why, and what is allowed.

    Raise OSError if the answer isn't about the shape.
    """
    if answer.get("ok"):
        return []
    if answer.get("error") not in REFUSALS:
        raise OSError(f"it answered {answer.get('error')}")
    problems = [one for one in answer.get("errors") or () if isinstance(one, dict)]
    return [
        " ".join(
            [f"{one.get('pointer')}: {one.get('message')} ({one.get('code')})"]
            + ([json.dumps(one["constraint"])] if one.get("constraint") else [])
        )
        for one in problems
    ] or [str(answer["error"])]


def check_shapes(
    shapes: Mapping[str, Mapping[str, Any]],
    url: str = VALIDATE_URL,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Print what Slack refuses; return 1 if there is anything, or 2 if not all shapes could be checked."""
    lines, status, end = list[str](), 0, ""
    for number, (name, drawn) in enumerate(shapes.items()):
        if number:
            wait(PAUSE_SECONDS)
        try:
            problems = list_problems(ask_slack(url, build_arguments(drawn)))
        except (OSError, ValueError) as error:
            end, status = f"; ended after {number} of {len(shapes)} shapes: {error}", 2
            break
        lines += [f"  {name} {problem}" for problem in problems]
    refused = f"{len(lines)} problems" if lines else "nothing refused"
    print(f"blocks.validate: {refused}{end or f' of {len(shapes)} shapes'}")
    print("".join(f"{line}\n" for line in lines), end="")
    return status or (1 if lines else 0)
