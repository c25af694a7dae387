"""The Workbench forms, what to ask for given what the server offers, and the launches made of them; pure.

``Draft`` holds the choices so far: values that are no longer offered are dropped, and a template's settings
aren't asked for. The form draws it, and ``spec_of`` checks it: it returns a spec, or a sentence for each
invalid field.

A spec contains, each only if it was filled in, ``template``, ``workbench``, ``cluster``, ``image``,
``queue``, ``profile``, ``directory``, ``file``, ``command``, and as ``name=value`` ``limits``,
``constraints`` and ``environment``. A template's settings are looked up at each launch, so that no row
stores them.

``[[connections.NAME.templates]] name, title, session = {…} | job = {…}, who``: launches that an operator
prepared, with settings no form asks for. Only templates set hooks, default images, cloud identities, tags and
apply_config_settings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from bot.domain import forms
from bot.domain.forms import (
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
    short,
    text_of,
)
from bot.domain.people import Principal
from bot.providers.connection import Prepared, Strict, named
from bot.providers.posit import types
from bot.providers.posit.types import CUSTOM_PROFILE, ComputeEnv, Offer, ResourceLimit
from bot.providers.requests import clean
from bot.support.errors import InvalidRequest


class NamedValue(Strict):
    """Hold a name and a value, of a variable, a constraint or a limit."""

    name: str = Field(min_length=1)
    value: str


def _pairs_of(value: Any) -> Any:
    """Return a table of variables as a list of names and values; a list is returned unchanged."""
    if isinstance(value, Mapping):
        return [{"name": name, "value": item} for name, item in value.items()]
    return value


#: Variables, as a table or as a list of names and values.
Environment = Annotated[tuple[NamedValue, ...], BeforeValidator(_pairs_of)]


class Hook(Strict):
    """Name a program for the server to run."""

    exe: str = Field(min_length=1)


class Resources(Strict):
    """Hold where something runs and with which resources; forms don't ask for what is set here."""

    cluster: str | None = None
    container_image: str | None = None
    resource_profile: str | None = None
    queues: tuple[str, ...] = ()
    placement_constraints: tuple[NamedValue, ...] = ()
    resource_limits: tuple[NamedValue, ...] = ()


class Parameters(Resources):
    """Hold a session's launch parameters."""

    default_image: str = ""
    aws_role_arn: str = ""
    databricks_instance: str = ""
    snowflake_account: str = ""
    snowflake_role: str = ""


_ONLY_SESSIONS = tuple(name for name in Parameters.model_fields if name not in Resources.model_fields)


class SessionTemplate(Strict):
    """Hold the settings for launch_session."""

    workbench: str | None = None
    name: str | None = None
    open_file: str | None = None
    working_directory: str | None = None
    launch_parameters: Parameters = Parameters()
    start_hooks: tuple[Hook, ...] = ()
    stop_hooks: tuple[Hook, ...] = ()
    environment: Environment = ()


class JobTemplate(Resources):
    """Hold the settings for launch_job."""

    name: str | None = None
    exe: str | None = None
    command: str | None = None
    args: tuple[str, ...] = ()
    working_directory: str | None = None
    environment: Environment = ()
    tags: tuple[str, ...] = ()
    apply_config_settings: bool | None = None

    @model_validator(mode="after")
    def _one_command(self) -> JobTemplate:
        if self.exe is not None and self.command is not None:
            raise ValueError("needs exe or command, not both")
        return self


class Template(Prepared):
    """Name a prepared launch."""

    title: str = Field(min_length=1, max_length=75)
    session: SessionTemplate | None = None
    job: JobTemplate | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Template:
        if (self.session is None) == (self.job is None):
            raise ValueError("needs session or job, one of them")
        return self

    @property
    def purpose(self) -> Purpose:
        """Return what it launches."""
        return "job" if self.session is None else "workspace"


def session_of(template: Template | None) -> SessionTemplate:
    """Return what a template sets for a session."""
    return (template.session if template is not None else None) or SessionTemplate()


def job_of(template: Template | None) -> JobTemplate:
    """Return what a template sets for a job."""
    return (template.job if template is not None else None) or JobTemplate()


def templates_for(templates: Iterable[Template], purpose: Purpose, asker: Principal) -> list[Template]:
    """Return the templates that a person may use, in the file's order."""
    return [template for template in templates if template.purpose == purpose and template.is_for(asker)]


#: With its mark, a name must stay within what the schedulers behind the launcher accept.
_MARK_LENGTH = 63
_MARK = re.compile(r".* \[[0-9a-z]{8}\]", re.DOTALL)


def template_named(templates: Iterable[Template], spec: Spec) -> Template | None:
    """Return the template of a spec; raise InvalidRequest if it no longer exists."""
    name = spec.word("template")
    if not name:
        return None
    found = named(templates, name)
    if found is None:
        raise InvalidRequest(f"The template {name} is no longer set up. Choose another one.")
    return found


def mark_of(spec: Spec, key: str) -> str:
    """Return the name of a session's launch parameters, which tells launches with the same name apart."""
    mark = f" [{short(key)}]"
    return spec.name[: _MARK_LENGTH - len(mark)] + mark


def is_mark(name: str) -> bool:
    """Return whether a launch parameters' name is the mark of one of our launches."""
    return _MARK.fullmatch(name) is not None


def tag_of(key: str) -> str:
    """Return the tag by which a job is found again."""
    return f"usher-{short(key)}"


def session_launch(spec: Spec, template: Template | None, key: str) -> dict[str, Any]:
    """Return what launch_session gets, except whose session it is; None is left out.

    ``open_file`` is for RStudio and Jupyter Notebook only.
    """
    set_up = session_of(template)
    more = set_up.launch_parameters
    parameters = {
        "container_image": more.container_image or spec.word("image"),
        "resource_profile": more.resource_profile or spec.word("profile"),
        **{name: getattr(more, name) for name in _ONLY_SESSIONS},
    }
    return {
        "workbench": workbench_of(spec, template),
        "name": spec.name or None,
        "open_file": set_up.open_file or spec.word("file") or None,
        "working_directory": set_up.working_directory or spec.word("directory") or None,
        "launch_parameters": {
            "name": mark_of(spec, key),
            "cluster": more.cluster or spec.word("cluster"),
            # Servers want these lists even if they are empty.
            "placement_constraints": _launch_constraints(spec, more),
            "resource_limits": _launch_limits(spec, more),
            "queues": list(more.queues or spec.several("queue")),
            **{name: value for name, value in parameters.items() if value},
        },
        "start_hooks": [hook.model_dump() for hook in set_up.start_hooks] or None,
        "stop_hooks": [hook.model_dump() for hook in set_up.stop_hooks] or None,
        "environment": _launch_environment(spec, template) or None,
    }


def workbench_of(spec: Spec, template: Template | None) -> str:
    """Return the IDE that a spec launches; "" if it doesn't say."""
    return session_of(template).workbench or spec.word("workbench")


def job_launch(spec: Spec, template: Template | None, key: str) -> dict[str, Any]:
    """Return what launch_job gets, except whose job it is; None is left out.

    A job is ``exe`` with ``args``, or ``command`` for a shell. Servers read camelCase, the reference lists
    snake_case: field names of several words are sent in both spellings. Without
    ``apply_config_settings`` the server decides whether its usual settings apply.
    """
    set_up = job_of(template)
    has_command = set_up.exe is not None or set_up.command is not None
    directory = set_up.working_directory or spec.word("directory")
    image = set_up.container_image or spec.word("image")
    limits, constraints = _launch_limits(spec, set_up), _launch_constraints(spec, set_up)
    profile = set_up.resource_profile or spec.word("profile")
    job: dict[str, Any] = {
        "name": spec.name,
        "cluster": set_up.cluster or spec.word("cluster"),
        "exe": set_up.exe,
        "command": set_up.command if has_command else spec.word("command") or None,
        "args": list(set_up.args) or None,
        "working_directory": directory or None,
        "workingDirectory": directory or None,
        "environment": _launch_environment(spec, template) or None,
        "tags": [*set_up.tags, tag_of(key)],
        "container_image": image or None,
        # The launcher behind the API expects an object here.
        "container": {"image": image} if image else None,
        "resource_limits": limits or None,
        "resourceLimits": limits or None,
        "queues": list(set_up.queues or spec.several("queue")) or None,
        "placement_constraints": constraints or None,
        "placementConstraints": constraints or None,
        "resource_profile": profile or None,
        "resourceProfile": profile or None,
    }
    return {"job": job, "apply_config_settings": set_up.apply_config_settings}


def _pairs(spec: Spec, key: str) -> list[dict[str, str]]:
    """Return the entries that are written as ``name=value``."""
    return [
        {"name": name, "value": value} for name, _, value in (one.partition("=") for one in spec.several(key))
    ]


def _launch_limits(spec: Spec, more: Resources) -> list[dict[str, str]]:
    """Return the limits; the reference names the kind ``name``, servers call it ``type``."""
    own = [] if more.resource_profile else _pairs(spec, "limits")
    return [{**one, "type": one["name"]} for one in _dumped(more.resource_limits) or own]


def _launch_constraints(spec: Spec, more: Resources) -> list[dict[str, str]]:
    return _dumped(more.placement_constraints) or _pairs(spec, "constraints")


def _launch_environment(spec: Spec, template: Template | None) -> list[dict[str, str]]:
    """Return the variables; those that a template sets can't be overridden."""
    set_up = session_of(template).environment or job_of(template).environment
    names = {variable.name for variable in set_up}
    return [*_dumped(set_up), *(one for one in _pairs(spec, "environment") if one["name"] not in names)]


def _dumped(pairs: Iterable[NamedValue]) -> list[dict[str, str]]:
    return [one.model_dump() for one in pairs]


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
    templates: Sequence[Template]
    template: Template | None
    ides: Sequence[str]
    ide: str
    clusters: Sequence[ComputeEnv]
    cluster: ComputeEnv | None
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
    def limits(self) -> Sequence[ResourceLimit]:
        """Return the limits that may be chosen: none if a profile sets them all."""
        if self.cluster is None or (self.profiles and self.profile != types.CUSTOM_PROFILE):
            return ()
        is_fixed = self.fixed.resource_limits or self.fixed.resource_profile
        return () if is_fixed else self.cluster.resource_limits

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
    if not fixed.cluster:
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
        choices = tuple(
            Choice(name, "My own limits" if name == types.CUSTOM_PROFILE else name)
            for name in drafted.profiles
        )
        found.append(forms.Field("profile", "Resources", "search", choices, drafted.profile, redraws=True))
    found += [_limit(limit) for limit in drafted.limits]
    choices = constraint_choices(drafted.cluster)
    if choices and not drafted.fixed.placement_constraints:
        found.append(forms.Field("constraints", "Placement", "searches", choices, (), optional=True))
    return found


def _limit(limit: ResourceLimit) -> forms.Field:
    label = _LIMIT_LABELS.get(limit.name, limit.name)
    hint = f"At most {plain(limit.maximum)}." if limit.maximum is not None else ""
    return forms.Field(
        limit_field(limit),
        label,
        "number",
        initial=limit.default or limit.value,
        optional=True,
        hint=hint,
        minimum=0,
        maximum=limit.maximum,
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


def plain(number: float | None) -> str:
    """Return a number as people write it."""
    if number is None:
        return ""
    return str(int(number)) if number == int(number) else f"{number:.6f}".rstrip("0")


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
    """Return the spec (see above); raise FormProblems with a sentence for each invalid field."""
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
    if drafted.fixed.placement_constraints:
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
