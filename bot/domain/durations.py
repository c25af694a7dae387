"""Usual durations of starts: of a person, or of starts of the same kind."""

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

#: How many of a person's own starts of a workspace give a usual time; otherwise, how many similar ones do.
ENOUGH_OWN: Final = 3
ENOUGH: Final = 10
#: A start is slower than usual once it takes this share of the usual time, and longer than nine of ten.
_LATE_SHARE: Final = 1.5


@dataclass(frozen=True, slots=True)
class Typical:
    """The seconds that a start usually takes, and those that nine of ten stayed below; None: not known."""

    usual: float | None = None
    slow: float | None = None

    @property
    def late(self) -> float | None:
        """Return the threshold of slow starts in seconds: the usual time and a half, at least."""
        return None if self.usual is None else max(self.slow or 0.0, self.usual * _LATE_SHARE)


def start_kind(verb: OperationVerb, principal: Principal, connection: str, spec: Spec | None) -> str | None:
    """Return the key of starts of one kind: Slack workspace, connection, what they are made from.

    None for operations that aren't compared: those that stop something first take as long as the stop.
    """
    if verb not in (OperationVerb.START, OperationVerb.CREATE):
        return None
    chosen = "" if spec is None else json.dumps(spec.chosen, sort_keys=True, default=str)
    digest = hashlib.sha256(chosen.encode()).hexdigest()[:16] if chosen else ""
    team = principal.key.rpartition(":")[0]
    return f"{team}|{connection}|{verb}|{digest}"


def estimate_duration(own: Sequence[float], alike: Sequence[float]) -> Typical:
    """Return the usual duration of a start: from enough own starts of the person, else from others'."""
    usual = median(own) if len(own) >= ENOUGH_OWN else median(alike) if len(alike) >= ENOUGH else None
    compared = own if len(own) >= ENOUGH else alike if len(alike) >= ENOUGH else ()
    slow = sorted(compared)[math.ceil(len(compared) * 0.9) - 1] if compared else None
    return Typical(usual, slow)
