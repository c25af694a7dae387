"""What a server offers to an account, as it is kept between two looks: JSON-ready; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.providers.posit.types import ComputeEnvs


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold the compute environments and the names that the person's sessions have already."""

    envs: ComputeEnvs
    names: frozenset[str] = frozenset()


def as_snapshot(envs: ComputeEnvs, names: Sequence[str]) -> dict[str, Any]:
    """Return an offer JSON-ready, in the server's order."""
    return {**envs.model_dump(mode="json"), "names": sorted(set(names))}


def of_snapshot(snapshot: Any) -> Offer:
    """Read an offer back; raise BadAnswer for what is none."""
    told: Mapping[str, Any] = snapshot if isinstance(snapshot, dict) else {}
    names = told.get("names")
    return Offer(
        ComputeEnvs.from_json(told),
        frozenset(name for name in names if isinstance(name, str))
        if isinstance(names, list)
        else frozenset(),
    )
