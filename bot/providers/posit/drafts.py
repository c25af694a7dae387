"""Drafts: the choices made so far for a session or a job, and the options that remain. Pure functions.

A draft leaves out values that are no longer offered, and questions that its template already answers.
``posit.forms`` builds the form for a draft, and ``posit.specs`` checks a submitted form against the draft.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.forms import LIMIT_PREFIX, Choice, Purpose, Values, find_free_name, text_of
from bot.domain.people import Principal
from bot.providers.connection import find_by_name, list_available
from bot.providers.posit import launches, offers
from bot.providers.posit.launches import JobTemplate, Resources, SessionTemplate, WorkbenchTemplate
from bot.providers.posit.offers import WorkbenchOffer
from bot.providers.posit.types import ComputeEnv, ResourceLimit

MAX_SESSION_NAME = 64
_MAX_KEY_LENGTH = 80
#: Form fields and labels for the two limits that every cluster has. Other limits keep the server's names.
LIMITS = {"cpuCount": ("cpus", "Processors"), "memory": ("memory", "Memory in MB")}
#: Prefix of the form fields for placement constraints whose values users type in.
_PLACE_PREFIX = "place_"


@dataclass(frozen=True, slots=True)
class Draft:
    """The choices made so far in a form, and the options that remain."""

    purpose: Purpose
    templates: Sequence[WorkbenchTemplate]
    template: WorkbenchTemplate | None
    session: SessionTemplate
    job: JobTemplate
    #: The cluster and resources that the template sets.
    preset_resources: Resources
    ides: Sequence[str]
    ide: str
    clusters: Sequence[ComputeEnv]
    cluster: ComputeEnv | None
    #: Whether a cluster has to be chosen. On a server without a launcher, sessions run on the server itself.
    needs_cluster: bool
    profiles: Sequence[str]
    profile: str
    image: str

    @property
    def asks_command(self) -> bool:
        """Return whether the user has to type a command."""
        return self.purpose == "job" and self.job.exe is None and self.job.command is None

    @property
    def limits(self) -> Mapping[str, ResourceLimit]:
        """Map form fields to the limits that users can choose; empty if a profile sets all limits."""
        if self.cluster is None or (self.profiles and self.profile != offers.CUSTOM_PROFILE):
            return {}
        if self.preset_resources.resource_limits or self.preset_resources.resource_profile:
            return {}
        limits = {limit.name: limit for limit in self.cluster.resource_limits}
        return {
            LIMITS[kind][0] if kind in LIMITS else field: limits[kind]
            for field, kind in _name_fields(LIMIT_PREFIX, limits).items()
        }

    @property
    def places(self) -> Mapping[str, str]:
        """Map form fields to the placement constraints whose values users type in."""
        if self.cluster is None or self.preset_resources.placement_constraints:
            return {}
        return _name_fields(
            _PLACE_PREFIX, [one.name for one in self.cluster.placement_constraints if not one.value]
        )

    @property
    def opens_files(self) -> bool:
        """Return whether the IDE can open a file at launch."""
        return self.purpose == "workspace" and self.ide in offers.OPENS_FILES


def build_draft(
    offer: WorkbenchOffer,
    purpose: Purpose,
    values: Values,
    principal: Principal,
    prepared: Iterable[WorkbenchTemplate],
) -> Draft:
    """Return the draft for the values filled in so far."""
    offered = [one for one in list_available(prepared, principal) if one.purpose == purpose]
    template = find_by_name(offered, text_of(values, "template"))
    session, job = launches.read_session_template(template), launches.read_job_template(template)
    ides = offers.list_ides(offer.envs) if purpose == "workspace" else []
    ide = session.workbench or _choose_offered(text_of(values, "ide"), ides, ides[0] if ides else "")
    clusters = (
        offers.list_session_clusters(offer.envs, ide)
        if purpose == "workspace"
        else offers.list_job_clusters(offer.envs)
    )
    fixed: Resources = session.launch_parameters if purpose == "workspace" else job
    chosen = offers.find_cluster(clusters, fixed.cluster or text_of(values, "cluster"))
    usual = offers.find_default_cluster(offer.envs, ide) if purpose == "workspace" else None
    cluster = chosen or (None if fixed.cluster else usual or (clusters[0] if clusters else None))
    profiles = _list_profiles(cluster) if not fixed.resource_profile and not fixed.resource_limits else []
    images = offers.list_images(cluster) if cluster is not None else ()
    default = offers.find_default_image(offer.envs, cluster, ide) if cluster is not None else ""
    return Draft(
        purpose=purpose,
        templates=offered,
        template=template,
        session=session,
        job=job,
        preset_resources=fixed,
        ides=ides,
        ide=ide,
        clusters=clusters,
        cluster=cluster,
        needs_cluster=purpose == "job" or bool(offer.envs.clusters or fixed.cluster),
        profiles=profiles,
        profile=_choose_offered(text_of(values, "profile"), profiles, profiles[0] if profiles else ""),
        image=_choose_offered(text_of(values, "image"), images, default if images else ""),
    )


def _name_fields(prefix: str, keys: Iterable[str]) -> dict[str, str]:
    """Map new form field names to the server's keys, one for each key."""
    found: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        stem = prefix + re.sub(r"[^\w.-]+", "_", key)[:_MAX_KEY_LENGTH]
        found[find_free_name(stem, found, "_")] = key
    return found


def list_constraint_choices(cluster: ComputeEnv | None) -> tuple[Choice, ...]:
    """Return the placement constraints that users choose from a list, each as ``name=value``."""
    listed = cluster.placement_constraints if cluster is not None else ()
    return tuple(
        Choice(f"{one.name}={one.value}", f"{offers.format_key(one.name)}: {one.value}")
        for one in dict.fromkeys(listed)
        if one.value
    )


def propose_name(offer: WorkbenchOffer, drafted: Draft) -> str:
    """Return an unused name; for jobs, whose names may repeat, return only a template's suggestion."""
    if drafted.purpose == "job":
        return drafted.job.name or (drafted.template.title if drafted.template is not None else "")
    stem = drafted.session.name or drafted.ide or "Session"
    stem = stem[: MAX_SESSION_NAME - 5]
    return find_free_name(stem, offer.names, " ")


def _list_profiles(cluster: ComputeEnv | None) -> list[str]:
    if cluster is None or not cluster.resource_profiles:
        return []
    listed = [one.name for one in cluster.resource_profiles]
    if cluster.resource_limits and offers.CUSTOM_PROFILE not in listed:
        listed.append(offers.CUSTOM_PROFILE)
    return listed


def _choose_offered(value: str, offered: Sequence[str], default: str) -> str:
    return value if value in offered else default
