"""Ask Slack about each distinct shape of the messages and views that tests draw.

Its method ``blocks.validate`` needs no token and names nobody, so only what the golden files have goes there:
contents that were made up. One shape a second; Slack publishes no limit, and where it sets one, the rest is
left for another day.
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
#: What the method answers where Slack would refuse the blocks.
REFUSALS: Final = frozenset({"invalid_blocks", "invalid_message", "invalid_view"})


def build_arguments(drawn: Mapping[str, Any]) -> dict[str, str]:
    """Return the argument for a message, without its text as Slack wants, or for a view."""
    kind, content = ("view", drawn) if "type" in drawn else ("message", {"blocks": drawn["blocks"]})
    return {kind: json.dumps(content)}


def ask_slack(url: str, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Return the method's answer. Raises OSError, also where Slack asks for a pause."""
    body = urllib.parse.urlencode(arguments).encode()
    with urllib.request.urlopen(url, body, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - only ours
        answer = json.load(response)
    if not isinstance(answer, dict):
        raise OSError("the answer is no object")
    return answer


def list_problems(answer: Mapping[str, Any]) -> list[str]:
    """Return what Slack has against a shape: where, why, and what it would take.

    Raises OSError for an answer that isn't about the shape.
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
    """Print what Slack refuses; return 1 if there is anything, 2 if not all could be asked about."""
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
