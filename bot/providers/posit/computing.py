"""What may be offered of a server's compute environments: IDEs, clusters, limits; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.providers.posit.types import ComputeEnv, ComputeEnvs

#: The IDEs that can open a file at launch.
OPENS_FILES = frozenset({"RStudio", "Jupyter Notebook"})
#: The only IDE whose sessions can be suspended and resumed.
SUSPENDS = "RStudio"
CUSTOM_PROFILE = "custom"


@dataclass(frozen=True, slots=True)
class Offer:
    """Hold what a server offers to an account, and the names that the person's sessions already use."""

    envs: ComputeEnvs
    names: tuple[str, ...] = ()


def offered_ides(envs: ComputeEnvs) -> list[str]:
    """Return the IDEs that are installed and supported by some cluster, in the server's order."""
    return [
        name
        for name, info in envs.workbenches.items()
        if info.lang.available and session_clusters(envs, name)
    ]


def session_clusters(envs: ComputeEnvs, workbench: str) -> list[ComputeEnv]:
    """Return the clusters that run sessions of an IDE."""
    return [cluster for cluster in envs.clusters if _runs_sessions(cluster, workbench)]


def job_clusters(envs: ComputeEnvs) -> list[ComputeEnv]:
    """Return the clusters that run jobs: those that don't rule them out for every IDE."""
    return [
        cluster
        for cluster in envs.clusters
        if not cluster.workbenches
        or any(support.supports_adhoc_jobs is not False for support in cluster.workbenches.values())
    ]


def default_cluster(envs: ComputeEnvs, workbench: str) -> ComputeEnv | None:
    """Return where an IDE runs by default.

    The server's default may not be listed ("Localhost" when "Local" is listed): then it is the first that is.
    """
    clusters = session_clusters(envs, workbench)
    info = envs.workbenches.get(workbench)
    wanted = info.default_cluster if info is not None else ""
    return named(clusters, wanted) or (clusters[0] if clusters else None)


def named(clusters: list[ComputeEnv], name: str) -> ComputeEnv | None:
    """Return the cluster with a name."""
    return next((cluster for cluster in clusters if cluster.name == name), None)


def default_image(envs: ComputeEnvs, cluster: ComputeEnv, workbench: str) -> str:
    """Return the image used if none is chosen; "" if the server names none of its own."""
    info = envs.workbenches.get(workbench)
    wanted = (info.default_image if info is not None else "", cluster.default_image)
    return next((image for image in wanted if image and image in cluster.images), "")


def images(cluster: ComputeEnv) -> tuple[str, ...]:
    """Return the images to choose from, none if the cluster has no containers."""
    return cluster.images if cluster.supports_containers else ()


def number_of(text: str) -> float | None:
    """Return a limit's value as a number; None if it isn't a number above zero."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _runs_sessions(cluster: ComputeEnv, workbench: str) -> bool:
    support = cluster.workbenches.get(workbench)
    return support is None or support.supports_interactive_sessions is not False
