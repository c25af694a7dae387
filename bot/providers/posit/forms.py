"""The Workbench forms: what to ask for, given what the server declares; pure.

``Draft`` holds the choices so far: values that are no longer offered are dropped, and a template's settings
aren't asked for. The form draws it, and ``spec_of`` checks it: it returns a spec, or a sentence for each
invalid field. What the server proposes is sent as the server wrote it, so a form that is submitted unchanged
is always accepted.

A spec contains, each only if it was filled in, ``template``, ``workbench``, ``cluster``, ``image``,
``queue``, ``profile``, ``directory``, ``file``, ``command``, and as ``name=value`` ``limits``,
``limit_types``, ``constraints`` and ``environment``. Without a cluster it is launched without the launcher.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.domain import forms
from bot.domain.forms import (
    LIMIT,
    NOT_OFFERED,
    Choice,
    Form,
    FormProblems,
    Purpose,
    Spec,
    Value,
    Values,
    free_name,
    name_field,
    name_problem,
    several_of,
    text_of,
)
from bot.domain.people import Principal
from bot.providers.connection import named
from bot.providers.posit import types
from bot.providers.posit.launches import (
    JobTemplate,
    Resources,
    SessionTemplate,
    Template,
    job_of,
    session_of,
    templates_for,
)
from bot.providers.posit.types import CUSTOM_PROFILE, ComputeEnv, Offer, ResourceLimit
from bot.providers.requests import clean

MAX_SESSION_NAME = 64
MAX_TEXT = 500
MAX_COMMAND = 2000
_MAX_KEY = 80
ANYWHERE = "Where it should run. Leave it empty to run anywhere."
#: The fields of the two limits that every cluster has, and their labels; others use the server's name.
_LIMITS = {"cpuCount": ("cpus", "Processors"), "memory": ("memory", "Memory in MB")}
#: The prefix of fields for placement constraints whose value people type.
_PLACE = "place_"


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold the choices made, and the choices that remain."""

    purpose: Purpose
    templates: Sequence[Template]
    template: Template | None
    ides: Sequence[str]
    ide: str
    clusters: Sequence[ComputeEnv]
    cluster: ComputeEnv | None
    #: Whether it runs on a cluster: without a launcher, sessions run on the server itself.
    needs_cluster: bool
    profiles: Sequence[str]
    profile: str
    image: str

    @property
    def session(self) -> SessionTemplate:
        """Return what the template sets for a session."""
        return session_of(self.template)

    @property
    def job(self) -> JobTemplate:
        """Return what the template sets for a job."""
        return job_of(self.template)

    @property
    def fixed(self) -> Resources:
        """Return where the template has it run, and with which resources."""
        return self.session.launch_parameters if self.purpose == "workspace" else self.job

    @property
    def asks_command(self) -> bool:
        """Return whether a command has to be typed."""
        return self.purpose == "job" and self.job.exe is None and self.job.command is None

    @property
    def limits(self) -> Mapping[str, ResourceLimit]:
        """Return the limits that may be chosen, by field: none if a profile sets them all."""
        if self.cluster is None or (self.profiles and self.profile != types.CUSTOM_PROFILE):
            return {}
        if self.fixed.resource_limits or self.fixed.resource_profile:
            return {}
        limits = {limit.name: limit for limit in self.cluster.resource_limits}
        return {
            _LIMITS[kind][0] if kind in _LIMITS else field: limits[kind]
            for field, kind in _fields(LIMIT, limits).items()
        }

    @property
    def places(self) -> Mapping[str, str]:
        """Return the constraints whose value people type, by field."""
        if self.cluster is None or self.fixed.placement_constraints:
            return {}
        return _fields(_PLACE, [one.name for one in self.cluster.placement_constraints if not one.value])

    @property
    def opens_files(self) -> bool:
        """Return whether the IDE can open a file at launch."""
        return self.purpose == "workspace" and self.ide in types.OPENS_FILES


def draft(
    offer: Offer, purpose: Purpose, values: Values, asker: Principal, prepared: Iterable[Template]
) -> Draft:
    """Return the draft for these values."""
    offered = templates_for(prepared, purpose, asker)
    template = named(offered, text_of(values, "template"))
    session, job = session_of(template), job_of(template)
    ides = types.offered_ides(offer.envs) if purpose == "workspace" else []
    ide = session.workbench or _one_of(text_of(values, "ide"), ides, ides[0] if ides else "")
    clusters = (
        types.session_clusters(offer.envs, ide) if purpose == "workspace" else types.job_clusters(offer.envs)
    )
    fixed: Resources = session.launch_parameters if purpose == "workspace" else job
    chosen = types.named(clusters, fixed.cluster or text_of(values, "cluster"))
    usual = types.default_cluster(offer.envs, ide) if purpose == "workspace" else None
    cluster = chosen or (None if fixed.cluster else usual or (clusters[0] if clusters else None))
    profiles = _profiles(cluster) if not fixed.resource_profile and not fixed.resource_limits else []
    images = types.images(cluster) if cluster is not None else ()
    default = types.default_image(offer.envs, cluster, ide) if cluster is not None else ""
    return Draft(
        purpose=purpose,
        templates=offered,
        template=template,
        ides=ides,
        ide=ide,
        clusters=clusters,
        cluster=cluster,
        needs_cluster=purpose == "job" or bool(offer.envs.clusters or fixed.cluster),
        profiles=profiles,
        profile=_one_of(text_of(values, "profile"), profiles, profiles[0] if profiles else ""),
        image=_one_of(text_of(values, "image"), images, default if images else ""),
    )


def form_of(offer: Offer, drafted: Draft) -> Form:
    """Return the form of a draft; without fields if nothing can be launched."""
    is_nowhere = drafted.needs_cluster and drafted.cluster is None
    if not drafted.templates and (is_nowhere or (drafted.purpose == "workspace" and not drafted.ide)):
        return Form(())
    fields = [*_first(drafted), *_naming(offer, drafted), *_where(drafted), *_with(drafted), *_rest(drafted)]
    return Form(tuple(fields))


def _fields(prefix: str, keys: Iterable[str]) -> dict[str, str]:
    """Return a field's name for each of the server's keys, and the key by it."""
    found: dict[str, str] = {}
    for key in dict.fromkeys(keys):
        stem = prefix + re.sub(r"[^\w.-]+", "_", key)[:_MAX_KEY]
        found[free_name(stem, found, "_")] = key
    return found


def constraint_choices(cluster: ComputeEnv | None) -> tuple[Choice, ...]:
    """Return the placement constraints to choose from, each as ``name=value``."""
    listed = cluster.placement_constraints if cluster is not None else ()
    return tuple(
        Choice(f"{one.name}={one.value}", f"{types.spoken(one.name)}: {one.value}")
        for one in dict.fromkeys(listed)
        if one.value
    )


def _first(drafted: Draft) -> list[forms.Field]:
    found = []
    if drafted.templates:
        choices = tuple(Choice(template.name, template.title) for template in drafted.templates)
        hint = "Prepared settings. Leave it empty to choose everything yourself."
        chosen = drafted.template.name if drafted.template is not None else ""
        found.append(
            forms.Field(
                "template", "Template", "choice", choices, chosen, optional=True, hint=hint, redraws=True
            )
        )
    if drafted.purpose == "workspace" and not drafted.session.workbench:
        found.append(forms.Field("ide", "IDE", "choice", _choices(drafted.ides), drafted.ide, redraws=True))
    if drafted.asks_command:
        hint = "As in a shell, for example: Rscript train.R"
        found.append(forms.Field("command", "Command", "long_text", hint=hint, max_length=MAX_COMMAND))
    return found


def _naming(offer: Offer, drafted: Draft) -> list[forms.Field]:
    hint = "Defaults to the command." if drafted.asks_command else ""
    is_job = drafted.purpose == "job"
    return [name_field(proposed_name(offer, drafted), MAX_SESSION_NAME, optional=is_job, hint=hint)]


def proposed_name(offer: Offer, drafted: Draft) -> str:
    """Return a free name; for jobs only a template's suggestion, because they may share one."""
    if drafted.purpose == "job":
        return drafted.job.name or (drafted.template.title if drafted.template is not None else "")
    stem = drafted.session.name or drafted.ide or "Session"
    stem = stem[: MAX_SESSION_NAME - 5]
    return free_name(stem, offer.names, " ")


def _where(drafted: Draft) -> list[forms.Field]:
    cluster, fixed = drafted.cluster, drafted.fixed
    found = []
    if drafted.needs_cluster and not fixed.cluster:
        names = _choices(one.name for one in drafted.clusters)
        initial = cluster.name if cluster is not None else ""
        found.append(forms.Field("cluster", "Cluster", "search", names, initial, redraws=True))
    if cluster is None:
        return found
    images = types.images(cluster)
    if images and not fixed.container_image:
        found.append(forms.Field("image", "Image", "search", _choices(images), drafted.image, optional=True))
    if cluster.queues and not fixed.queues:
        found.append(forms.Field("queue", "Queue", "search", _choices(cluster.queues), optional=True))
    return found


def _with(drafted: Draft) -> list[forms.Field]:
    found = []
    if drafted.profiles:
        listed = drafted.cluster.resource_profiles if drafted.cluster is not None else ()
        labels = {one.name: one.label for one in listed} | {types.CUSTOM_PROFILE: "My own limits"}
        choices = tuple(Choice(name, labels.get(name) or name) for name in drafted.profiles)
        found.append(forms.Field("profile", "Resources", "search", choices, drafted.profile, redraws=True))
    found += [_limit(field, limit) for field, limit in drafted.limits.items()]
    choices = constraint_choices(drafted.cluster)
    if choices and not drafted.fixed.placement_constraints:
        found.append(forms.Field("constraints", "Placement", "searches", choices, (), optional=True))
    for field, key in drafted.places.items():
        label = types.spoken(key)
        found.append(forms.Field(field, label, "text", optional=True, hint=ANYWHERE, max_length=MAX_TEXT))
    return found


def _limit(field: str, limit: ResourceLimit) -> forms.Field:
    label = limit.label or (_LIMITS[limit.name][1] if limit.name in _LIMITS else types.spoken(limit.name))
    if not limit.is_number:
        return forms.Field(field, label, "text", initial=limit.proposed, optional=True, max_length=MAX_TEXT)
    number = types.number_of(limit.proposed)
    return forms.Field(
        field,
        label,
        "number",
        initial="" if number is None else types.plain(number),
        optional=True,
        hint="" if limit.most is None else f"At most {types.plain(limit.most)}.",
        minimum=0,
        maximum=limit.most,
    )


def _rest(drafted: Draft) -> list[forms.Field]:
    found = []
    if not (drafted.session.working_directory or drafted.job.working_directory):
        found.append(
            forms.Field(
                "directory",
                "Working directory",
                "text",
                optional=True,
                hint="Defaults to your home directory.",
                max_length=MAX_TEXT,
            )
        )
    if drafted.opens_files and not drafted.session.open_file:
        found.append(forms.Field("file", "File to open", "text", optional=True, max_length=MAX_TEXT))
    found.append(
        forms.Field(
            "environment",
            "Environment variables",
            "long_text",
            optional=True,
            hint="One per line: NAME=value. They aren't encrypted, so don't put secrets here.",
            remembers=False,
        )
    )
    return found


def _profiles(cluster: ComputeEnv | None) -> list[str]:
    if cluster is None or not cluster.resource_profiles:
        return []
    listed = [one.name for one in cluster.resource_profiles]
    if cluster.resource_limits and types.CUSTOM_PROFILE not in listed:
        listed.append(types.CUSTOM_PROFILE)
    return listed


def _choices(names: Iterable[str]) -> tuple[Choice, ...]:
    return tuple(Choice(name, name) for name in names)


def _one_of(value: str, offered: Sequence[str], default: str) -> str:
    return value if value in offered else default


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_VARIABLES = 100


def spec_of(offer: Offer, drafted: Draft, values: Values) -> Spec:
    """Return the spec (see above); raise FormProblems with a sentence for each invalid field."""
    problems: dict[str, str] = {}
    name = _name(offer, drafted, values, problems)
    spec: dict[str, Value] = {}
    if drafted.template is not None:
        spec["template"] = drafted.template.name
    elif text_of(values, "template"):
        problems["template"] = NOT_OFFERED
    _choose(spec, drafted, values, problems)
    spec["limits"], spec["limit_types"] = _limits(drafted, values, problems)
    spec["constraints"] = _constraints(drafted, values, problems)
    for key in ("directory", "file") if drafted.opens_files else ("directory",):
        spec[key] = _line(values, key, MAX_TEXT, problems)
    spec["environment"] = _environment(values, problems)
    if problems:
        raise FormProblems(problems)
    return Spec(name, {key: value for key, value in spec.items() if value})


def _name(offer: Offer, drafted: Draft, values: Values, problems: dict[str, str]) -> str:
    name = clean(text_of(values, "name"), 10 * MAX_SESSION_NAME)
    if drafted.purpose == "job":
        name = name or proposed_name(offer, drafted)
        # A name derived from the command is cut; one that somebody chose is not.
        name = name or clean(text_of(values, "command").strip().partition("\n")[0], MAX_SESSION_NAME)
    taken = offer.names if drafted.purpose == "workspace" else ()
    if wrong := name_problem(name, MAX_SESSION_NAME, taken, "session"):
        problems["name"] = wrong
    return name


def _choose(spec: dict[str, Value], drafted: Draft, values: Values, problems: dict[str, str]) -> None:
    """Copy choices that are offered and that no template makes."""
    if drafted.purpose == "workspace" and not drafted.session.workbench:
        if not drafted.ide or text_of(values, "ide") not in {"", drafted.ide}:
            problems["ide"] = "That IDE isn't available here. Choose another one."
        spec["workbench"] = drafted.ide
    if drafted.asks_command:
        spec["command"] = _command(values, problems)
        if not spec["command"]:
            problems.setdefault("command", "Needs a command.")
    _choose_cluster(spec, drafted, values, problems)


def _choose_cluster(spec: dict[str, Value], drafted: Draft, values: Values, problems: dict[str, str]) -> None:
    cluster, fixed = drafted.cluster, drafted.fixed
    if fixed.cluster:
        if cluster is None:
            problems["template"] = "Its cluster isn't available right now. Ask your Usher admin."
    elif drafted.needs_cluster:
        if cluster is None or text_of(values, "cluster") not in {"", cluster.name}:
            problems["cluster"] = "That cluster isn't available here. Choose another one."
        else:
            spec["cluster"] = cluster.name
    if cluster is None:
        return
    chosen: list[tuple[str, str, Iterable[str]]] = [("profile", drafted.profile, drafted.profiles)]
    if not fixed.container_image:
        chosen.append(("image", drafted.image, types.images(cluster)))
    if not fixed.queues:
        chosen.append(("queue", text_of(values, "queue"), cluster.queues))
    for key, value, offered in chosen:
        # A choice for another cluster that has no field on this one was not intended.
        if text_of(values, key) and list(offered) and text_of(values, key) not in offered:
            problems[key] = f"This cluster has no such {key}. Choose another one."
        elif value in offered and not _is_own_word(key, value, cluster):
            spec[key] = value


def _is_own_word(key: str, value: str, cluster: ComputeEnv) -> bool:
    """Return whether it is the profile that this form adds for custom limits, unknown to the server."""
    listed = {one.name for one in cluster.resource_profiles}
    return key == "profile" and value == CUSTOM_PROFILE and value not in listed


def _limits(
    drafted: Draft, values: Values, problems: dict[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the limits, each as ``kind=value``, and the types of values that the server names for them."""
    limits, typed = [], []
    for field, limit in drafted.limits.items():
        text = _line(values, field, MAX_TEXT, problems)
        if problem := limit.problem(text):
            problems[field] = problem
        elif text:
            limits.append(f"{limit.name}={limit.written(text)}")
            typed += [f"{limit.name}={limit.value_type}"] if limit.value_type else []
    return tuple(limits), tuple(typed)


def _constraints(drafted: Draft, values: Values, problems: dict[str, str]) -> tuple[str, ...]:
    """Return the placement constraints, each as ``name=value``."""
    listed = {choice.value for choice in constraint_choices(drafted.cluster)}
    if drafted.fixed.placement_constraints:
        return ()
    chosen = several_of(values, "constraints")
    typed = {key: _line(values, field, MAX_TEXT, problems) for field, key in drafted.places.items()}
    every = (*chosen, *(f"{key}={text}" for key, text in typed.items() if text))
    names = [one.partition("=")[0] for one in every]
    if not set(chosen) <= listed:
        problems["constraints"] = "That placement isn't available on this cluster. Choose again."
    elif len(set(names)) < len(names):
        problems["constraints"] = "Choose one value for each kind of placement."
    return every


def _line(values: Values, name: str, limit: int, problems: dict[str, str]) -> str:
    text = text_of(values, name)
    if len(text) > limit:
        problems[name] = f"At most {limit} characters."
    elif any(not letter.isprintable() for letter in text):
        problems[name] = "Needs to be one line without invisible characters."
    return text


def _command(values: Values, problems: dict[str, str]) -> str:
    """Return what a shell is given: it may have several lines."""
    text = text_of(values, "command").replace("\r\n", "\n")
    if len(text) > MAX_COMMAND:
        problems["command"] = f"At most {MAX_COMMAND} characters."
    elif any(not letter.isprintable() and letter not in "\n\t" for letter in text):
        problems["command"] = "Needs to have no invisible characters."
    return text


def _environment(values: Values, problems: dict[str, str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for line in text_of(values, "environment").splitlines():
        name, equals, value = line.strip().partition("=")
        name = name.strip()
        if not name and not equals:
            continue
        if not equals or not _VARIABLE.fullmatch(name):
            problems["environment"] = (
                f"Put one variable on each line, as NAME=value. This isn't one: {clean(line, 40)}"
            )
        elif name in found:
            problems["environment"] = f"{name} is there twice."
        found[name] = value.strip()
    if len(found) > MAX_VARIABLES:
        problems["environment"] = f"At most {MAX_VARIABLES} variables."
    return tuple(f"{name}={value}" for name, value in found.items())
