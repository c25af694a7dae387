"""The IDEs, clusters and images that a Workbench server offers. Pure functions."""

import re
from dataclasses import dataclass

from bot.providers.posit.types import ComputeEnv, ComputeEnvs

#: IDEs that can open a file at launch.
OPENS_FILES = frozenset({"RStudio", "Jupyter Notebook"})
CUSTOM_PROFILE = "custom"


@dataclass(frozen=True, slots=True)
class WorkbenchOffer:
    """The IDEs, clusters and images that a server offers an account, and the names of the user's sessions."""

    envs: ComputeEnvs
    names: tuple[str, ...] = ()


def list_ides(envs: ComputeEnvs) -> list[str]:
    """Return the installed IDEs, in the server's order. If there are clusters, one must support the IDE."""
    return [
        name
        for name, info in envs.workbenches.items()
        if info.lang.available and (list_session_clusters(envs, name) or not envs.clusters)
    ]


def list_session_clusters(envs: ComputeEnvs, workbench: str) -> list[ComputeEnv]:
    """Return the clusters that run sessions of an IDE."""
    return [cluster for cluster in envs.clusters if _can_run_sessions(cluster, workbench)]


def list_job_clusters(envs: ComputeEnvs) -> list[ComputeEnv]:
    """Return the clusters that run jobs, which are all except those that exclude jobs for every IDE."""
    return [
        cluster
        for cluster in envs.clusters
        if not cluster.workbenches
        or any(support.supports_adhoc_jobs is not False for support in cluster.workbenches.values())
    ]


def find_default_cluster(envs: ComputeEnvs, workbench: str) -> ComputeEnv | None:
    """Return the default cluster for an IDE.

    If the server's default isn't in its list ("Localhost" for "Local"), return the first cluster in the list.
    """
    clusters = list_session_clusters(envs, workbench)
    info = envs.workbenches.get(workbench)
    wanted = info.default_cluster if info is not None else ""
    return find_cluster(clusters, wanted) or (clusters[0] if clusters else None)


def find_cluster(clusters: list[ComputeEnv], name: str) -> ComputeEnv | None:
    """Return the cluster with this name, or None if there is none."""
    return next((cluster for cluster in clusters if cluster.name == name), None)


def find_default_image(envs: ComputeEnvs, cluster: ComputeEnv, workbench: str) -> str:
    """Return the image to use if the user chooses none, or "" if the server names no default."""
    info = envs.workbenches.get(workbench)
    wanted = (info.default_image if info is not None else "", cluster.default_image)
    return next((image for image in wanted if image and image in cluster.images), "")


def list_images(cluster: ComputeEnv) -> tuple[str, ...]:
    """Return the images that users can choose from, or none if the cluster doesn't use containers."""
    return cluster.images if cluster.supports_containers else ()


_WORD_PATTERN = re.compile(r"[A-Za-z][0-9A-Za-z]*([-_][0-9A-Za-z]+)*")
_INITIALS_PATTERN = re.compile(r"\b(cpu|gpu|ram|id)(s?)\b", re.IGNORECASE)


def format_key(key: str) -> str:
    """Return a server's key as words: "Node type" for "node-type", "GPU count" for "gpuCount"."""
    if not _WORD_PATTERN.fullmatch(key) or key.isupper():
        return key
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-_]", " ", key).split(" ")
    text = " ".join(word if word.isupper() else word.lower() for word in words)
    text = _INITIALS_PATTERN.sub(lambda found: found[1].upper() + found[2].lower(), text)
    return text[:1].upper() + text[1:]


def _can_run_sessions(cluster: ComputeEnv, workbench: str) -> bool:
    support = cluster.workbenches.get(workbench)
    return support is None or support.supports_interactive_sessions is not False
