"""Usual durations of starts, from a person's own starts or from others of the same kind."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bot.domain.forms import Spec
from bot.domain.operations import OperationVerb
from bot.domain.people import Principal

#: Number of the person's own starts that gives a usual time, and number of similar starts otherwise.
ENOUGH_OWN: Final = 3
ENOUGH: Final = 10
#: Multiple of the usual time from which a start is slow, if it also takes longer than nine of ten others.
_LATE_SHARE: Final = 1.5


@dataclass(frozen=True, slots=True)
class Typical:
    """The seconds that a start usually takes, and the seconds within which nine of ten end; None: unknown."""

    usual: float | None = None
    slow: float | None = None

    @property
    def late(self) -> float | None:
        """Return the seconds after which a start is slow: at least one and a half times the usual time."""
        return None if self.usual is None else max(self.slow or 0.0, self.usual * _LATE_SHARE)


def start_kind(verb: OperationVerb, principal: Principal, connection: str, spec: Spec | None) -> str | None:
    """Return the key of starts that are compared: same Slack workspace, connection, verb and spec.

    Return None for operations that aren't compared, such as restarts, whose stop takes time as well.
    """
    if verb not in (OperationVerb.START, OperationVerb.CREATE):
        return None
    chosen = "" if spec is None else json.dumps(spec.chosen, sort_keys=True, default=str)
    digest = hashlib.sha256(chosen.encode()).hexdigest()[:16] if chosen else ""
    team = principal.key.rpartition(":")[0]
    return f"{team}|{connection}|{verb}|{digest}"


def estimate_duration(own: Sequence[float], alike: Sequence[float]) -> Typical:
    """Return the usual duration of a start, from the person's own starts if there are enough, or others'."""
    usual = median(own) if len(own) >= ENOUGH_OWN else median(alike) if len(alike) >= ENOUGH else None
    compared = own if len(own) >= ENOUGH else alike if len(alike) >= ENOUGH else ()
    slow = sorted(compared)[math.ceil(len(compared) * 0.9) - 1] if compared else None
    return Typical(usual, slow)
