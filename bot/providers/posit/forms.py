"""The Workbench forms: what to ask for a session or a job, given what the server offers; pure.

``Draft`` holds the choices so far: values that are no longer offered are dropped, and a template's settings
aren't asked for. The form draws it, and ``spec_of`` checks it: it returns a spec, or a sentence for each
invalid field.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.forms import (
    Choice,
    Field,
    Form,
    FormProblems,
    Purpose,
    Spec,
    Value,
    Values,
    free_name,
    several_of,
    text_of,
)
from bot.domain.people import Principal
from bot.providers.posit import launches, types
from bot.providers.posit.types import CUSTOM_PROFILE, ComputeEnv, Offer, ResourceLimit
from bot.providers.prepared import NOT_OFFERED, name_field, name_problem, named
from bot.providers.requests import clean

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
    templates: Sequence[launches.Template]
    template: launches.Template | None
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
        if self.cluster is None or (self.profiles and self.profile != types.CUSTOM_PROFILE):
            return ()
        fixed = self.template.resources if self.template is not None else None
        if fixed is not None and (fixed.resource_limits or fixed.resource_profile):
            return ()
        return self.cluster.resource_limits

    @property
    def opens_files(self) -> bool:
        """Return whether the IDE can open a file at launch."""
        return self.purpose == "workspace" and self.ide in types.OPENS_FILES


def draft(
    offer: Offer, purpose: Purpose, values: Values, asker: Principal, prepared: Iterable[launches.Template]
) -> Draft:
    """Return the draft for these values."""
    offered = launches.offered(prepared, purpose, asker)
    template = named(offered, text_of(values, "template"))
    session = template.session if template is not None else None
    ides = types.offered_ides(offer.envs) if purpose == "workspace" else []
    ide = (session.workbench if session is not None else None) or _one_of(
        text_of(values, "ide"), ides, ides[0] if ides else ""
    )
    clusters = (
        types.session_clusters(offer.envs, ide) if purpose == "workspace" else types.job_clusters(offer.envs)
    )
    fixed = template.resources if template is not None else launches.Resources()
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
        profiles=profiles,
        profile=_one_of(text_of(values, "profile"), profiles, profiles[0] if profiles else ""),
        image=_one_of(text_of(values, "image"), images, default if images else ""),
    )


def form_of(offer: Offer, drafted: Draft) -> Form:
    """Return the form of a draft; without fields if nothing can be launched."""
    if not drafted.templates and (
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
    if drafted.templates:
        choices = tuple(Choice(template.name, template.title) for template in drafted.templates)
        hint = "Prepared settings. Leave it empty to choose everything yourself."
        chosen = drafted.template.name if drafted.template is not None else ""
        found.append(
            Field("template", "Template", "choice", choices, chosen, optional=True, hint=hint, redraws=True)
        )
    session = drafted.template.session if drafted.template is not None else None
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
    """Return a free name; for jobs only a template's suggestion, because they may share one."""
    template = drafted.template
    if drafted.purpose == "job":
        job = template.job if template is not None else None
        return (job.name or template.title) if template is not None and job is not None else ""
    session = template.session if template is not None else None
    stem = (session.name if session is not None else None) or drafted.ide or "Session"
    stem = stem[: MAX_SESSION_NAME - 5]
    return free_name(stem, offer.names, " ")


def _where(drafted: Draft) -> list[Field]:
    cluster = drafted.cluster
    fixed = drafted.template.resources if drafted.template is not None else launches.Resources()
    found = []
    if not fixed.cluster:
        names = _choices(one.name for one in drafted.clusters)
        initial = cluster.name if cluster is not None else ""
        found.append(Field("cluster", "Cluster", "search", names, initial, redraws=True))
    if cluster is None:
        return found
    images = types.images(cluster)
    if images and not fixed.container_image:
        found.append(Field("image", "Image", "search", _choices(images), drafted.image, optional=True))
    if cluster.queues and not fixed.queues:
        found.append(Field("queue", "Queue", "search", _choices(cluster.queues), optional=True))
    return found


def _with(drafted: Draft) -> list[Field]:
    found = []
    if drafted.profiles:
        choices = tuple(
            Choice(name, "My own limits" if name == types.CUSTOM_PROFILE else name)
            for name in drafted.profiles
        )
        found.append(Field("profile", "Resources", "search", choices, drafted.profile, redraws=True))
    found += [_limit(limit) for limit in drafted.limits]
    fixed = drafted.template.resources if drafted.template is not None else None
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
    template = drafted.template
    session = template.session if template is not None else None
    job = template.job if template is not None else None
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
    job = drafted.template.job if drafted.template is not None else None
    return job is None or (job.exe is None and job.command is None)


def _profiles(cluster: ComputeEnv | None) -> list[str]:
    if cluster is None or not cluster.resource_profiles:
        return []
    listed = list(cluster.resource_profiles)
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
    """Return the spec (see ``launches``); raise FormProblems with a sentence for each invalid field."""
    problems: dict[str, str] = {}
    name = _name(offer, drafted, values, problems)
    spec: dict[str, Value] = {}
    if drafted.template is not None:
        spec["template"] = drafted.template.name
    elif text_of(values, "template"):
        problems["template"] = NOT_OFFERED
    _choose(spec, drafted, values, problems)
    spec["limits"] = _limits(drafted, values, problems)
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
    template = drafted.template
    session, job = (template.session, template.job) if template is not None else (None, None)
    if drafted.purpose == "workspace" and not (session is not None and session.workbench):
        if not drafted.ide or text_of(values, "ide") not in {"", drafted.ide}:
            problems["ide"] = "That IDE isn't available here. Choose another one."
        spec["workbench"] = drafted.ide
    if drafted.purpose == "job" and not (job is not None and (job.exe or job.command)):
        spec["command"] = _command(values, problems)
        if not spec["command"]:
            problems.setdefault("command", "Needs a command.")
    _choose_cluster(spec, drafted, values, problems)


def _choose_cluster(spec: dict[str, Value], drafted: Draft, values: Values, problems: dict[str, str]) -> None:
    cluster, template = drafted.cluster, drafted.template
    fixed = template.resources if template is not None else launches.Resources()
    if fixed.cluster:
        if cluster is None:
            problems["template"] = "Its cluster isn't available right now. Ask your Usher admin."
    elif cluster is None or text_of(values, "cluster") not in {"", cluster.name}:
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
    return key == "profile" and value == CUSTOM_PROFILE and value not in cluster.resource_profiles


def _limits(drafted: Draft, values: Values, problems: dict[str, str]) -> tuple[str, ...]:
    """Return the limits, each as ``kind=value``."""
    limits = []
    for limit in drafted.limits:
        text = text_of(values, limit_field(limit))
        problem = _too_much(limit, text) if text else ""
        if problem:
            problems[limit_field(limit)] = problem
        elif text:
            limits.append(f"{limit.name}={plain(types.number_of(text))}")
    return tuple(limits)


def _too_much(limit: ResourceLimit, text: str) -> str:
    number = types.number_of(text)
    if number is None:
        return "Needs a number above zero."
    if limit.maximum is not None and number > limit.maximum:
        return f"The most you can have here is {plain(limit.maximum)}."
    return ""


def _constraints(drafted: Draft, values: Values, problems: dict[str, str]) -> tuple[str, ...]:
    """Return the placement constraints, each as ``name=value``."""
    listed = {choice.value for choice in constraint_choices(drafted.cluster)}
    template = drafted.template
    if template is not None and template.resources.placement_constraints:
        return ()
    chosen = several_of(values, "constraints")
    names = [one.partition("=")[0] for one in chosen]
    if not set(chosen) <= listed:
        problems["constraints"] = "That placement isn't available on this cluster. Choose again."
    elif len(set(names)) < len(names):
        problems["constraints"] = "Choose one value for each kind of placement."
    return chosen


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
