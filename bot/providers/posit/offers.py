"""What a server offers to an account, as it is kept between two looks: JSON-ready; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.providers.posit.types import ComputeEnv, ComputeEnvs, ResourceLimit


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold the compute environments and the names that the person's sessions have already."""

    envs: ComputeEnvs
    names: frozenset[str] = frozenset()


def as_snapshot(envs: ComputeEnvs, names: Sequence[str]) -> dict[str, Any]:
    """Return an offer JSON-ready, in the server's own words."""
    return {
        "clusters": [_cluster(cluster) for cluster in envs.clusters],
        "workbenches": {
            name: {
                "default_cluster": info.default_cluster,
                "default_image": info.default_image,
                "lang": {"name": info.lang.name, "available": info.lang.available},
            }
            for name, info in envs.workbenches.items()
        },
        "names": sorted(set(names)),
    }


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


def _cluster(cluster: ComputeEnv) -> dict[str, Any]:
    return {
        "name": cluster.name,
        "type": cluster.type,
        "supportsContainers": cluster.supports_containers,
        "images": list(cluster.images),
        "defaultImage": cluster.default_image,
        "queues": list(cluster.queues),
        "resourceLimits": [_limit(limit) for limit in cluster.resource_limits],
        "resourceProfiles": list(cluster.resource_profiles),
        "placementConstraints": [constraint.as_json() for constraint in cluster.placement_constraints],
        "workbenches": {
            name: {
                "supports_interactive_sessions": support.supports_interactive_sessions,
                "supports_adhoc_jobs": support.supports_adhoc_jobs,
            }
            for name, support in cluster.workbenches.items()
        },
    }


def _limit(limit: ResourceLimit) -> dict[str, Any]:
    return {
        "type": limit.name,
        "valueType": limit.value_type,
        "maxValue": limit.maximum,
        "defaultValue": limit.default or limit.value,
    }
