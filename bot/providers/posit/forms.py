"""The Workbench forms: what to ask for a session or a job, given what the server offers; pure.

``Draft`` holds the choices so far: values that are no longer offered are dropped, and a preset's
settings aren't asked for. The form draws it, ``specs`` checks it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.models import Choice, Field, Form, Principal, Purpose, Values, text_of
from bot.domain.names import free_name
from bot.providers.posit import computing, presets
from bot.providers.posit.computing import Offer
from bot.providers.posit.presets import Preset
from bot.providers.posit.types import ComputeEnv, ResourceLimit
from bot.providers.prepared import name_field, named

MAX_SESSION_NAME = 64
MAX_TEXT = 500
MAX_COMMAND = 2000
#: The fields of the two limits that every cluster has; others use the server's name.
_LIMIT_FIELDS = {"cpuCount": "cpus", "memory": "memory"}
_LIMIT_LABELS = {"cpuCount": "Processors", "memory": "Memory in MB"}


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold the choices made, and the choices that remain."""

    purpose: Purpose
    presets: Sequence[Preset]
    preset: Preset | None
    ides: Sequence[str]
    ide: str
    clusters: Sequence[ComputeEnv]
    cluster: ComputeEnv | None
    profiles: Sequence[str]
    profile: str
    image: str

    @property
    def limits(self) -> Sequence[ResourceLimit]:
        """Return the limits that may be chosen: none if a profile sets them all."""
        if self.cluster is None or (self.profiles and self.profile != computing.CUSTOM_PROFILE):
            return ()
        fixed = self.preset.resources if self.preset is not None else None
        if fixed is not None and (fixed.resource_limits or fixed.resource_profile):
            return ()
        return self.cluster.resource_limits

    @property
    def opens_files(self) -> bool:
        """Return whether the IDE can open a file at launch."""
        return self.purpose == "workspace" and self.ide in computing.OPENS_FILES


def draft(
    offer: Offer, purpose: Purpose, values: Values, asker: Principal, prepared: Iterable[Preset]
) -> Draft:
    """Return the draft for these values."""
    offered = presets.offered(prepared, purpose, asker)
    preset = named(offered, text_of(values, "preset"))
    session = preset.session if preset is not None else None
    ides = computing.offered_ides(offer.envs) if purpose == "workspace" else []
    ide = (session.workbench if session is not None else None) or _one_of(
        text_of(values, "ide"), ides, ides[0] if ides else ""
    )
    clusters = (
        computing.session_clusters(offer.envs, ide)
        if purpose == "workspace"
        else computing.job_clusters(offer.envs)
    )
    fixed = preset.resources if preset is not None else presets.Resources()
    chosen = computing.named(clusters, fixed.cluster or text_of(values, "cluster"))
    usual = computing.default_cluster(offer.envs, ide) if purpose == "workspace" else None
    cluster = chosen or (None if fixed.cluster else usual or (clusters[0] if clusters else None))
    profiles = _profiles(cluster) if not fixed.resource_profile and not fixed.resource_limits else []
    images = computing.images(cluster) if cluster is not None else ()
    default = computing.default_image(offer.envs, cluster, ide) if cluster is not None else ""
    return Draft(
        purpose=purpose,
        presets=offered,
        preset=preset,
        ides=ides,
        ide=ide,
        clusters=clusters,
        cluster=cluster,
        profiles=profiles,
        profile=_one_of(text_of(values, "profile"), profiles, profiles[0] if profiles else ""),
        image=_one_of(text_of(values, "image"), images, default if images else ""),
    )


def form_of(offer: Offer, drafted: Draft) -> Form:
    """Return the form of a draft; without fields if nothing can be launched."""
    if not drafted.presets and (
        drafted.cluster is None or (drafted.purpose == "workspace" and not drafted.ide)
    ):
        return Form(())
    fields = [*_first(drafted), *_naming(offer, drafted), *_where(drafted), *_with(drafted), *_rest(drafted)]
    return Form(tuple(fields))


def limit_field(limit: ResourceLimit) -> str:
    """Return the name of the field that asks for a limit."""
    return _LIMIT_FIELDS.get(limit.name, f"limit_{limit.name}")


def constraint_choices(cluster: ComputeEnv | None) -> tuple[Choice, ...]:
    """Return the placement constraints to choose from, each as ``name=value``."""
    listed = cluster.placement_constraints if cluster is not None else ()
    return tuple(Choice(f"{one.name}={one.value}", f"{one.name}: {one.value}") for one in listed if one.value)


def _first(drafted: Draft) -> list[Field]:
    found = []
    if drafted.presets:
        choices = tuple(Choice(preset.name, preset.title) for preset in drafted.presets)
        hint = "Prepared settings. Leave it empty to choose everything yourself."
        chosen = drafted.preset.name if drafted.preset is not None else ""
        found.append(
            Field("preset", "Template", "choice", choices, chosen, optional=True, hint=hint, redraws=True)
        )
    session = drafted.preset.session if drafted.preset is not None else None
    if drafted.purpose == "workspace" and not (session is not None and session.workbench):
        found.append(Field("ide", "IDE", "choice", _choices(drafted.ides), drafted.ide, redraws=True))
    if drafted.purpose == "job" and _asks_command(drafted):
        hint = "As in a shell, for example: Rscript train.R"
        found.append(Field("command", "Command", "long_text", hint=hint, max_length=MAX_COMMAND))
    return found


def _naming(offer: Offer, drafted: Draft) -> list[Field]:
    job = drafted.purpose == "job"
    hint = "Defaults to the command." if job and _asks_command(drafted) else ""
    return [name_field(proposed_name(offer, drafted), MAX_SESSION_NAME, optional=bool(job), hint=hint)]


def proposed_name(offer: Offer, drafted: Draft) -> str:
    """Return a free name; for jobs only a preset's suggestion, because they may share one."""
    preset = drafted.preset
    if drafted.purpose == "job":
        return (preset.job.name or preset.title) if preset is not None and preset.job is not None else ""
    session = preset.session if preset is not None else None
    stem = (session.name if session is not None else None) or drafted.ide or "Session"
    stem = stem[: MAX_SESSION_NAME - 5]
    return free_name(stem, offer.names, " ")


def _where(drafted: Draft) -> list[Field]:
    cluster = drafted.cluster
    fixed = drafted.preset.resources if drafted.preset is not None else presets.Resources()
    found = []
    if not fixed.cluster:
        names = _choices(one.name for one in drafted.clusters)
        initial = cluster.name if cluster is not None else ""
        found.append(Field("cluster", "Cluster", "search", names, initial, redraws=True))
    if cluster is None:
        return found
    images = computing.images(cluster)
    if images and not fixed.container_image:
        found.append(Field("image", "Image", "search", _choices(images), drafted.image, optional=True))
    if cluster.queues and not fixed.queues:
        found.append(Field("queue", "Queue", "search", _choices(cluster.queues), optional=True))
    return found


def _with(drafted: Draft) -> list[Field]:
    found = []
    if drafted.profiles:
        choices = tuple(
            Choice(name, "My own limits" if name == computing.CUSTOM_PROFILE else name)
            for name in drafted.profiles
        )
        found.append(Field("profile", "Resources", "search", choices, drafted.profile, redraws=True))
    found += [_limit(limit) for limit in drafted.limits]
    fixed = drafted.preset.resources if drafted.preset is not None else None
    choices = constraint_choices(drafted.cluster)
    if choices and not (fixed is not None and fixed.placement_constraints):
        found.append(Field("constraints", "Placement", "searches", choices, (), optional=True))
    return found


def _limit(limit: ResourceLimit) -> Field:
    label = _LIMIT_LABELS.get(limit.name, limit.name)
    hint = f"At most {plain(limit.maximum)}." if limit.maximum is not None else ""
    return Field(
        limit_field(limit),
        label,
        "number",
        initial=limit.default or limit.value,
        optional=True,
        hint=hint,
        minimum=0,
        maximum=limit.maximum,
    )


def _rest(drafted: Draft) -> list[Field]:
    preset = drafted.preset
    session = preset.session if preset is not None else None
    job = preset.job if preset is not None else None
    found = []
    part = session or job
    if part is None or not part.working_directory:
        found.append(
            Field(
                "directory",
                "Working directory",
                "text",
                optional=True,
                hint="Defaults to your home directory.",
                max_length=MAX_TEXT,
            )
        )
    if drafted.opens_files and not (session is not None and session.open_file):
        found.append(Field("file", "File to open", "text", optional=True, max_length=MAX_TEXT))
    found.append(
        Field(
            "environment",
            "Environment variables",
            "long_text",
            optional=True,
            hint="One per line: NAME=value. They aren't encrypted, so don't put secrets here.",
            remembers=False,
        )
    )
    return found


def plain(number: float | None) -> str:
    """Return a number as people write it."""
    if number is None:
        return ""
    return str(int(number)) if number == int(number) else f"{number:.6f}".rstrip("0")


def _asks_command(drafted: Draft) -> bool:
    job = drafted.preset.job if drafted.preset is not None else None
    return job is None or (job.exe is None and job.command is None)


def _profiles(cluster: ComputeEnv | None) -> list[str]:
    if cluster is None or not cluster.resource_profiles:
        return []
    listed = list(cluster.resource_profiles)
    if cluster.resource_limits and computing.CUSTOM_PROFILE not in listed:
        listed.append(computing.CUSTOM_PROFILE)
    return listed


def _choices(names: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(Choice(name, name) for name in names)


def _one_of(value: str, offered: Sequence[str], default: str) -> str:
    return value if value in offered else default
