"""Compute environments: what each person may launch on which cluster, and how the API shows it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from playground.posit.accounts import Person
from playground.posit.errors import CallError, invalid, missing, wrong_type
from playground.posit.settings import Settings

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources that a session or job requests from a cluster."""

    cluster: str
    image: str
    limits: list[Values]
    queues: list[str]
    constraints: list[Values]
    profile: str


class Environments:
    """The clusters and IDEs of a server."""

    def __init__(self, clusters: Iterable[Values], workbenches: Values, settings: Settings) -> None:
        self.clusters = {str(cluster["name"]): _whole(cluster) for cluster in clusters}
        self.workbenches = copy.deepcopy(workbenches)
        self._settings = settings

    def shown(self, person: Person) -> Values:
        """Return a person's compute environments in the format of get_compute_envs."""
        launches = self._settings.launcher_sessions
        clusters = self.clusters.values() if launches else ()
        return {
            "clusters": [self._cluster(cluster, person) for cluster in clusters],
            "workbenches": copy.deepcopy(self.workbenches),
        }

    def check_workbench(self, workbench: str, cluster: str | None) -> None:
        """Raise CallError if the IDE is unknown, not installed, or not offered by the cluster."""
        known = self.workbenches.get(workbench)
        if known is None:
            raise invalid(f"Unknown workbench: {workbench}")
        if known.get("lang", {}).get("available") is False:
            raise invalid(f"{workbench} is not available on this server")
        offered = self.clusters[cluster]["workbenches"].get(workbench, {}) if cluster else {}
        if offered.get("supports_interactive_sessions") is False:
            raise invalid(f"{cluster} does not support {workbench} sessions")

    def check_job_cluster(self, cluster: str) -> None:
        """Raise CallError if the cluster doesn't run jobs."""
        offers = self._find(cluster)["workbenches"].values()
        if offers and all(offer.get("supports_adhoc_jobs") is False for offer in offers):
            raise invalid(f"{cluster} does not support jobs")

    def check(self, asked: Resources, person: Person) -> list[Values]:
        """Return the requested limits in their stored form; raise CallError for what the cluster lacks."""
        cluster = self._find(asked.cluster)
        if asked.image and not cluster["supportsContainers"]:
            raise invalid(f"{asked.cluster} does not support containers")
        if asked.image and asked.image not in cluster["images"]:
            raise invalid(f"The image {asked.image} is not listed for {asked.cluster}")
        for queue in asked.queues:
            if queue not in cluster["queues"]:
                raise invalid(f"Unknown queue of {asked.cluster}: {queue}")
        pairs = [(entry["name"], entry.get("value")) for entry in cluster["placementConstraints"]]
        for entry in asked.constraints:
            # If the server lists a constraint without a value, any non-empty value is accepted.
            is_free = (entry["name"], None) in pairs and entry["value"].strip()
            if not is_free and (entry["name"], entry["value"]) not in pairs:
                raise invalid(f"Unknown placement constraint: {entry['name']}={entry['value']}")
        if asked.profile not in {"", "custom", *cluster["resourceProfiles"]}:
            raise invalid(f"Unknown resource profile of {asked.cluster}: {asked.profile}")
        listed = cluster["resourceLimits"]
        maximums = {entry["type"]: self._maximum(cluster, entry, person) for entry in listed}
        types = {entry["type"]: _value_type(entry) for entry in listed}
        understood = []
        for limit in asked.limits:
            kind = self._kind(limit, maximums)
            if kind is not None:
                found = _limit(kind, limit, maximums) | {"valueType": types[kind]}
                if limit.get("valueType", types[kind]) != types[kind]:
                    raise invalid(f"The valueType of {kind} is {types[kind]}")
                understood.append(found)
        return understood

    def _find(self, name: str) -> Values:
        cluster = self.clusters.get(name)
        if cluster is None:
            raise invalid(f"Unknown cluster: {name}")
        return cluster

    def _kind(self, limit: Values, maximums: dict[str, str]) -> str | None:
        """Return the resource that a requested limit is for, or None if the limit doesn't name one.

        Versions of the server use different keys for it. This version ignores the others' keys.
        """
        spellings = {"type": ("type",), "valueType": ("name",)}
        keys = spellings.get(self._settings.limit_kind, ("type", "name"))
        found = [limit[key] for key in keys if isinstance(limit.get(key), str)]
        return next((word for word in found if word in maximums), found[0] if found else None)

    def _maximum(self, cluster: Values, entry: Values, person: Person) -> str:
        own = person.maximums.get(str(cluster["name"]), {})
        return str(own.get(entry["type"], entry["maxValue"]))

    def _cluster(self, cluster: Values, person: Person) -> Values:
        limits = []
        for entry in cluster["resourceLimits"]:
            kind, value = entry["type"], entry["defaultValue"]
            maximum = self._maximum(cluster, entry, person)
            shown = {"value": value, "maxValue": maximum, "defaultValue": value}
            if self._settings.limit_kind != "type":
                shown |= {"name": kind, "valueType": _value_type(entry)}
            if self._settings.limit_kind != "valueType":
                shown["type"] = kind
            limits.append(shown)
        profiles = cluster["resourceProfiles"]
        if self._settings.profiles == "objects":
            profiles = [{"name": name, "displayName": name.capitalize()} for name in profiles]
        return {**copy.deepcopy(cluster), "resourceLimits": limits, "resourceProfiles": profiles}


def _whole(cluster: Values) -> Values:
    lists = ("images", "queues", "config", "resourceLimits", "resourceProfiles", "placementConstraints")
    empty: Values = {"type": cluster["name"], "supportsContainers": False, "workbenches": {}}
    return {**empty, **{name: [] for name in lists}, **copy.deepcopy(cluster)}


def _limit(kind: str, limit: Values, maximums: dict[str, str]) -> Values:
    value = limit.get("value")
    if value is None:
        raise missing("resource_limits.value")
    if not isinstance(value, str):
        raise wrong_type("resource_limits.value", "a string")
    if kind not in maximums:
        raise invalid(f"Unknown resource limit: {kind}")
    if _number(value, kind) > float(maximums[kind]):
        raise invalid(f"{kind} is {maximums[kind]} at most, not {value}")
    return {"name": kind, "type": kind, "value": value}


def _value_type(entry: Values) -> str:
    return str(entry.get("valueType", "string"))


def _number(value: str, kind: str) -> float:
    problem: CallError = invalid(f"{kind} is a number from 0 on, not {value!r}")
    try:
        number = float(value)
    except ValueError:
        raise problem from None
    if not 0 <= number < float("inf"):
        raise problem
    return number
