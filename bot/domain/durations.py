"""How long starts usually take, based on the user's own starts or on similar starts by other people."""

import hashlib
import json
import math
from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

from bot.domain.forms import Spec
from bot.domain.operations import OperationVerb
from bot.domain.people import Principal

#: Minimum number of the user's own starts for an estimate based on them alone. With fewer, similar starts are
#: used instead, provided that there are at least ``ENOUGH`` of them.
ENOUGH_OWN: Final = 3
ENOUGH: Final = 10
#: A start can count as slow once it has taken this many times as long as usual (see ``Typical.late``).
_LATE_SHARE: Final = 1.5


class Typical(NamedTuple):
    """How long a start usually takes, and how long all but the slowest tenth of starts take.

    Both are in seconds, or None if they aren't known.
    """

    usual: float | None = None
    slow: float | None = None

    @property
    def late(self) -> float | None:
        """Return how many seconds a start may take before it counts as slow, or None if that isn't known."""
        return None if self.usual is None else max(self.slow or 0.0, self.usual * _LATE_SHARE)


def start_kind(verb: OperationVerb, principal: Principal, connection: str, spec: Spec | None) -> str | None:
    """Return a key that is shared by all starts with the same Slack workspace, connection, verb and spec.

    Return None for operations that aren't compared, such as restarts, whose duration includes the stop.
    """
    if verb not in (OperationVerb.START, OperationVerb.CREATE):
        return None
    chosen = "" if spec is None else json.dumps(spec.chosen, sort_keys=True, default=str)
    digest = hashlib.sha256(chosen.encode()).hexdigest()[:16] if chosen else ""
    team = principal.key.rpartition(":")[0]
    return f"{team}|{connection}|{verb}|{digest}"


def estimate_duration(own: Sequence[float], alike: Sequence[float]) -> Typical:
    """Return how long a start usually takes.

    The estimate is based on the user's own starts or, if there are too few, on similar ones.
    """
    usual = median(own) if len(own) >= ENOUGH_OWN else median(alike) if len(alike) >= ENOUGH else None
    compared = own if len(own) >= ENOUGH else alike if len(alike) >= ENOUGH else ()
    slow = sorted(compared)[math.ceil(len(compared) * 0.9) - 1] if compared else None
    return Typical(usual, slow)
