"""What a server offers to an account, as it is kept between two looks."""

from __future__ import annotations

from dataclasses import dataclass

from bot.providers.posit.types import ComputeEnvs


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold the compute environments and the names that the person's sessions have already."""

    envs: ComputeEnvs
    names: tuple[str, ...] = ()
