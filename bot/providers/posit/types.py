"""The parts of the Workbench API's responses that are used, and what they mean; pure.

Only a thing's name or id is required. Anything else that is missing, null or of another type than documented
keeps its default and is logged once; a list entry without a name is left out. States of sessions and jobs are
mapped to ours (``docs/providers/posit.md``, "States"). A server gives a session's location as a path from its
own root, which a proxy may have moved: the configured address with its own path is put in front, and another
host is never trusted.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticOmit

from bot.domain import reasons
from bot.domain.observed import Observed
from bot.domain.runs import ObservedRun, RunState
from bot.domain.stops import AtStake
from bot.domain.workspaces import DOWN, Action, State
from bot.providers.base import URL_NOT_ALLOWED, unknown_word
from bot.providers.connection import is_dots, path_below
from bot.providers.requests import MAX_MESSAGE, MAX_NAME, clean, moment, note
from bot.support.errors import BadAnswer, NotFound

#: A request joins ids by commas, so that an id may contain nothing but these.
SESSION_ID: Final = r"^[0-9A-Za-z_-]{1,100}$"
_JOB_ID = re.compile(r"[0-9A-Za-z_.:+/=@-]{1,200}")
#: A session's path ends with the project's id and the session's, 8 characters each.
_LINK = re.compile(r"/s/[0-9a-f]{5,}([0-9a-f]{8})(?:/.*)?")
_BARE = re.compile(r"[0-9a-f]{8}")


def session_url(address: str, base_url: str) -> str | None:
    """Return a session's address on the configured server, None if it isn't an address.

    An address on another host is returned as it is: the connection's own list of hosts decides about it.
    """
    if not address or "\\" in address:
        return None
    base = urlsplit(base_url)
    try:
        parts = urlsplit(f"{base.scheme}:{address}" if address.startswith("//") else address)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme and parts.scheme not in {"http", "https"}:
        return None
    if any(is_dots(part) for part in parts.path.split("/")):
        return None
    if parts.scheme and (host or "").rstrip(".") != (base.hostname or ""):
        return parts.geturl()
    if not parts.path.startswith("/"):
        return None
    rest = f"?{parts.query}" if parts.query else ""
    rest += f"#{parts.fragment}" if parts.fragment else ""
    prefix = base.path.rstrip("/")
    path = parts.path
    is_below = not prefix or path == prefix or path.startswith(f"{prefix}/")
    return f"{base.scheme}://{base.netloc}{path if is_below else prefix + path}{rest}"


def reference(text: str, base_url: str) -> str | None:
    """Return the session's id in a pasted address of this server, or the bare id; None for anything else."""
    text = text.strip()
    if _BARE.fullmatch(text):
        return text
    path = path_below(text, base_url)
    link = _LINK.fullmatch(path) if path is not None else None
    return link[1] if link is not None else None


def session_id(text: str) -> str:
    """Return a session's id; raise NotFound if it is malformed."""
    if not is_session_id(text):
        raise NotFound("there is no such session")
    return text


def job_id(text: str) -> str:
    """Return a job's id; raise NotFound if it is malformed."""
    if not _JOB_ID.fullmatch(text) or set(text) == {"."}:
        raise NotFound("there is no such job")
    return text


def is_session_id(text: str) -> bool:
    """Return whether a text may be a session's id."""
    return re.fullmatch(SESSION_ID, text) is not None


T = TypeVar("T")


def _or_omit(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError as error:
        note(f"an entry is left out: {_problem(error)}")
        raise PydanticOmit from None


def _problem(error: ValidationError) -> str:
    """Return which field is wrong and why, without its value."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return clean(f"the answer's field {place or '(all)'} can't be read: {first['type']}", MAX_MESSAGE)


def _named(value: Any) -> Any:
    return value.get("name") if isinstance(value, Mapping) else value


def _object(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {}


#: A list entry, or an object's value, that is left out if it can't be read.
Each = Annotated[T, WrapValidator(_or_omit)]
Name = Annotated[str, Field(min_length=1)]
#: What is chosen as ``name=value``: a name with an equals sign could not be told from its value.
Key = Annotated[str, Field(pattern=r"^[^=\p{Cc}]+$")]
#: Texts; an object is replaced by its name.
Words = tuple[Each[Annotated[Name, BeforeValidator(_named)]], ...]


class _Answer(BaseModel):
    """Read one object of a response; null or empty values count as missing."""

    model_config = ConfigDict(
        frozen=True,
        validate_by_name=True,
        validate_by_alias=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    @classmethod
    def from_json(cls, answer: Any) -> Self:
        """Read it; raise BadAnswer naming what is missing: all errors of these types are handled here."""
        try:
            return cls.model_validate(answer)
        except ValidationError as error:
            raise BadAnswer(_problem(error)) from None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: entry for key, entry in value.items() if entry is not None and entry != ""}

    @field_validator("*", mode="wrap")
    @classmethod
    def _or_default(cls, value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        field = cls.model_fields[str(info.field_name)]
        try:
            return read(value)
        except ValidationError:
            if field.is_required():
                raise
        note(f"the answer's field {info.field_name} of a {cls.__name__} can't be read")
        return field.get_default(call_default_factory=True)


class PlacementConstraint(_Answer):
    """Choose one of the options that the server's configuration names; without a value, people name it."""

    name: Key
    value: str = ""

    def as_json(self) -> dict[str, str]:
        """Return its JSON for a request."""
        return {"name": self.name, "value": self.value}


class ResourceLimit(_Answer):
    """Hold one limit: ``cpuCount`` in processors, ``memory`` in MB; values are strings.

    The reference names the kind ``name``, servers call it ``type``. A maximum of 0 bounds nothing here: it
    means *unlimited* for some kinds and *none* for others, so the server is left to refuse what is too much.
    """

    name: Key = Field(validation_alias=AliasChoices("type", "name"))
    label: str = Field(default="", validation_alias=AliasChoices("displayName", "display_name"))
    value: str = ""
    value_type: str = Field(default="", validation_alias="valueType")
    maximum: float | None = Field(default=None, validation_alias=AliasChoices("maxValue", "max_value"))
    default: str = Field(default="", validation_alias=AliasChoices("defaultValue", "default_value"))

    @property
    def proposed(self) -> str:
        """Return what the server proposes, as it wrote it; "" for nothing, or more than it allows."""
        text = (self.default or self.value).strip()
        return "" if self.problem(text) else text

    @property
    def most(self) -> float | None:
        """Return the maximum, None where there is none."""
        return self.maximum if self.maximum is not None and self.maximum > 0 else None

    @property
    def is_number(self) -> bool:
        """Return whether it is a number: it is, unless what the server proposes isn't one."""
        text = self.default or self.value
        return not text or number_of(text) is not None

    def problem(self, text: str) -> str:
        """Return what is wrong with a value, "" if nothing is."""
        if not text or not self.is_number:
            return ""
        number = number_of(text)
        if number is None or number < 0:
            return "Needs a number, zero or more."
        if self.most is not None and number > self.most:
            return f"The most you can have here is {plain(self.most)}."
        return ""

    def written(self, text: str) -> str:
        """Return a value as it is sent: as the server wrote it if it is what the server proposes."""
        number = number_of(text) if self.is_number else None
        if number is None:
            return text
        return self.proposed if number == number_of(self.proposed) else plain(number)

    def as_json(self) -> dict[str, str]:
        """Return its JSON for a request, in both spellings."""
        typed = {"valueType": self.value_type} if self.value_type else {}
        return {"name": self.name, "type": self.name, "value": self.value, **typed}


class ResourceProfile(_Answer):
    """Name a set of limits that an administrator prepared."""

    name: Name
    label: str = Field(default="", validation_alias=AliasChoices("label", "displayName", "display_name"))

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class LaunchParameters(_Answer):
    """Say where and with what a session runs; requests contain the three lists even if empty."""

    name: str = ""
    cluster: str = ""
    placement_constraints: tuple[Each[PlacementConstraint], ...] = ()
    resource_limits: tuple[Each[ResourceLimit], ...] = ()
    queues: Words = ()
    container_image: str = ""
    default_image: str = ""
    resource_profile: str = ""
    aws_role_arn: str = ""
    databricks_instance: str = ""
    snowflake_account: str = ""
    snowflake_role: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return their JSON for a request; anything else that is empty is left out."""
        entry = {
            **self.model_dump(),
            "placement_constraints": [each.as_json() for each in self.placement_constraints],
            "resource_limits": [each.as_json() for each in self.resource_limits],
            "queues": list(self.queues),
        }
        return {key: value for key, value in entry.items() if value != "" or key in {"name", "cluster"}}


class Launched(_Answer):
    """Identify a launched session."""

    id: str = Field(pattern=SESSION_ID)


class WorkbenchSession(_Answer):
    """Hold what the server reports about a session; times are epoch milliseconds.

    ``id`` and ``activity_state`` are always requested; what was not requested is empty or None.
    """

    id: str = Field(pattern=SESSION_ID)
    activity_state: str = ""
    name: str = ""
    url: str = ""
    launch_parameters: LaunchParameters | None = None
    created: float | None = None
    label: str = ""
    display_name: str = ""
    status_detail: str = ""
    workbench: str = ""
    executing: StrictBool = False
    save_prompt_required: StrictBool = False
    last_used: float | None = None
    last_state_updated: float | None = None
    #: The bytes of its memory that are kept while it is suspended.
    suspend_size: float = 0.0
    #: Not in the reference; newer servers send it.
    username: str = ""

    @property
    def title(self) -> str:
        """Return its display name; "" if the server gives none."""
        return self.display_name or self.label or self.name

    @property
    def since(self) -> float | None:
        """Return since when it has been in its state, in epoch seconds."""
        return moment(self.last_state_updated) or moment(self.created)


class WorkbenchJob(_Answer):
    """Hold what the server reports about a job; times are ISO 8601 strings, ``""`` if missing."""

    #: ``job_id`` is in the reference's text, ``id`` in its example.
    id: Name = Field(validation_alias=AliasChoices("job_id", "id"))
    status: str = ""
    name: str = ""
    user: str = ""
    tags: Words = ()
    status_message: str = Field(default="", validation_alias="statusMessage")
    status_code: str = Field(default="", validation_alias="statusCode")
    cluster: str = ""
    host: str = ""
    exit_code: int | None = Field(default=None, validation_alias="exitCode")
    submission_time: str = Field(default="", validation_alias="submissionTime")
    last_update_time: str = Field(default="", validation_alias="lastUpdateTime")

    @property
    def submitted_at(self) -> float | None:
        """Return when it was submitted, in epoch seconds."""
        return moment(self.submission_time)

    @property
    def updated_at(self) -> float | None:
        """Return when its state last changed, in epoch seconds."""
        return moment(self.last_update_time)


class WorkbenchSupport(_Answer):
    """Say what a cluster supports for one IDE; None if it doesn't say."""

    supports_interactive_sessions: StrictBool | None = None
    supports_adhoc_jobs: StrictBool | None = None


class WorkbenchLanguage(_Answer):
    """Say whether an IDE's requirements are installed: they are, unless the server says otherwise."""

    available: StrictBool = True


class WorkbenchIDEInfo(_Answer):
    """Hold the defaults of one IDE; ``default_cluster`` may name a cluster that isn't listed."""

    default_cluster: str = ""
    default_image: str = ""
    lang: WorkbenchLanguage = WorkbenchLanguage()


class ComputeEnv(_Answer):
    """Describe a cluster: the choices there, and what it supports for each IDE."""

    name: Name
    supports_containers: StrictBool = Field(default=False, validation_alias="supportsContainers")
    images: Words = ()
    default_image: str = Field(default="", validation_alias="defaultImage")
    queues: Words = ()
    resource_limits: tuple[Each[ResourceLimit], ...] = Field(default=(), validation_alias="resourceLimits")
    resource_profiles: tuple[Each[ResourceProfile], ...] = Field(
        default=(), validation_alias="resourceProfiles"
    )
    placement_constraints: tuple[Each[PlacementConstraint], ...] = Field(
        default=(), validation_alias="placementConstraints"
    )
    workbenches: dict[Each[Name], Annotated[WorkbenchSupport, BeforeValidator(_object)]] = {}


class ComputeEnvs(_Answer):
    """Hold the response of get_compute_envs; IDEs keep the server's order. No launcher, no clusters."""

    clusters: tuple[Each[ComputeEnv], ...]
    workbenches: dict[Each[Name], Annotated[WorkbenchIDEInfo, BeforeValidator(_object)]]

    @model_validator(mode="wrap")
    @classmethod
    def _some_can_be_read(cls, value: Any, read: ValidatorFunctionWrapHandler) -> Any:
        envs = read(value)
        if isinstance(value, Mapping) and value.get("clusters") and not envs.clusters:
            # None of them could be identified, which isn't the same as there being none.
            raise ValueError("no cluster can be read")
        return envs


class Version(_Answer):
    """Hold the parts of the server's version, and the names of its enabled features."""

    major: str = ""
    minor: str = ""
    patch: str = ""
    build_number: str = ""
    release_name: str = ""
    features: Words = ()

    @classmethod
    def from_json(cls, answer: Any) -> Self:
        """Read it; raise BadAnswer if there is no version. A plain string is split into its parts."""
        entry = answer.get("version") if isinstance(answer, Mapping) else None
        if isinstance(entry, str) and entry:
            entry = dict(zip(("major", "minor", "patch"), entry.split(".", 2), strict=False))
        if not isinstance(entry, Mapping) or not entry:
            raise BadAnswer("the answer's field version is not an object")
        return super().from_json({**entry, "features": answer.get("features")})

    @property
    def text(self) -> str:
        """Return it as people write it, such as ``2024.09.1``; "" if no part was given."""
        return ".".join(part for part in (self.major, self.minor, self.patch) if part)


class WorkbenchUser(_Answer):
    """Hold one registered user; ``status`` is ``Active`` or ``Inactive``."""

    username: Name
    status: str = ""
    is_admin: StrictBool = Field(default=False, validation_alias="isAdmin")
    is_super_admin: StrictBool = Field(default=False, validation_alias="isSuperAdmin")

    @property
    def is_active(self) -> bool:
        """Return whether sessions may be launched for this user."""
        return self.status.casefold() == "active"


_STATES = {
    "launching": State.STARTING,
    "resuming": State.STARTING,
    "pending": State.STARTING,
    "starting": State.STARTING,
    "running": State.RUNNING,
    "suspending": State.STOPPING,
    "suspended": State.SUSPENDED,
    "failed": State.FAILED,
    # A session that has ended can't be started again; it is gone once the server forgets it.
    "finished": State.GONE,
    "killed": State.GONE,
}
_JOBS = {
    "pending": RunState.QUEUED,
    "running": RunState.RUNNING,
    "suspended": RunState.RUNNING,
    "finished": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "canceled": RunState.CANCELLED,
    "cancelled": RunState.CANCELLED,
    "killed": RunState.CANCELLED,
}
_UP: frozenset[Action] = frozenset({"stop", "force"})
_ACTIONS: Mapping[State, frozenset[Action]] = {
    State.STARTING: _UP,
    State.STOPPING: frozenset({"force"}),
    State.SUSPENDED: frozenset({"start", "stop", "force"}),
    State.FAILED: frozenset(),
    State.GONE: frozenset(),
}
NO_URL = "The server gives no link for it."
HELD = "Suspended by the cluster."
ON_CLUSTER, ON_HOST = "On {cluster}.", "On {cluster}, host {host}."


def observed(session: WorkbenchSession, address: Callable[[str], str | None]) -> Observed:
    """Return what is known of a session; ``address`` checks the URL that the server gives."""
    state = _STATES.get(session.activity_state.casefold())
    label = clean(session.title, MAX_NAME) or None
    if state is None:
        strange = unknown_word(clean(session.activity_state))
        return Observed(State.UNKNOWN, detail=strange, name=label, actions=_UP)
    used = moment(session.last_used) if state in {State.RUNNING, State.SUSPENDED} else None
    if state is not State.RUNNING:
        said = session.status_detail if state in {State.STARTING, State.FAILED} else ""
        detail, reason = reasons.split(state, clean(said, reasons.LIMIT))
        kept: frozenset[AtStake] = frozenset({"memory"} if session.suspend_size else ())
        return Observed(
            state,
            detail=detail,
            reason=reason,
            name=label,
            actions=_ACTIONS[state],
            at_stake=kept if state is State.SUSPENDED else None,
            last_used_at=used,
            down_at=moment(session.last_state_updated) if state in DOWN else None,
        )
    url = address(session.url)
    may: set[Action] = {"suspend"} if session.workbench == SUSPENDS else set()
    at_stake: set[AtStake] = {"busy"} if session.executing else set()
    if session.save_prompt_required:
        at_stake.add("unsaved")
    missing = None
    if url is None:
        missing = URL_NOT_ALLOWED if session.url else NO_URL
    else:
        may.add("open")
    return Observed(
        state,
        url=url,
        detail=missing,
        name=label,
        actions=_UP | may,
        at_stake=frozenset(at_stake),
        last_used_at=used,
        started_at=session.since,
    )


def suspends(state: State, actions: frozenset[Action] | None, ide: str) -> bool | None:
    """Return whether a session can be suspended: only RStudio can; None while its IDE is unknown.

    ``ide`` is what it was launched as, if known; while it runs, its allowed actions reveal it.
    """
    if ide:
        return ide == SUSPENDS
    if state in {State.SUSPENDED, State.STOPPING}:
        return True
    return "suspend" in actions if state is State.RUNNING and actions is not None else None


def is_over(session: WorkbenchSession) -> bool:
    """Return whether a session has ended and merely remains in the server's list."""
    return _STATES.get(session.activity_state.casefold()) in {State.GONE, State.FAILED}


def is_up(session: WorkbenchSession) -> bool:
    """Return whether a session is running or about to."""
    return _STATES.get(session.activity_state.casefold()) in {State.RUNNING, State.STARTING}


def observed_job(job: WorkbenchJob) -> ObservedRun:
    """Return what is known of a job; a finished one has failed if its exit code says so."""
    word = job.status.casefold()
    state = _JOBS.get(word, RunState.UNKNOWN)
    if state is RunState.SUCCEEDED and job.exit_code not in {0, None}:
        state = RunState.FAILED
    # The code is a word for what the message says in full.
    detail = clean(job.status_message or job.status_code) or None
    if state is RunState.UNKNOWN:
        detail = unknown_word(clean(job.status))
    elif word == "suspended":
        detail = detail or HELD
    elif state is RunState.RUNNING and not detail and job.cluster:
        where = ON_HOST if job.host else ON_CLUSTER
        detail = where.format(cluster=clean(job.cluster, MAX_NAME), host=clean(job.host, MAX_NAME))
    return ObservedRun(
        state,
        exit_code=job.exit_code if state.is_over else None,
        detail=detail,
        name=clean(job.name, MAX_NAME) or None,
        started_at=job.submitted_at,
        ended_at=job.updated_at if state.is_over else None,
    )


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
    """Return the IDEs that are installed and, if there are clusters, supported by one; as they are listed."""
    return [
        name
        for name, info in envs.workbenches.items()
        if info.lang.available and (session_clusters(envs, name) or not envs.clusters)
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
    """Return a limit's value as a number; None if it isn't a finite one."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def plain(number: float) -> str:
    """Return a number as people write it."""
    return str(int(number)) if number == int(number) else f"{number:.6f}".rstrip("0").rstrip(".")


_WORD = re.compile(r"[A-Za-z][0-9A-Za-z]*([-_][0-9A-Za-z]+)*")
_INITIALS = re.compile(r"\b(cpu|gpu|ram|id)(s?)\b", re.IGNORECASE)


def spoken(key: str) -> str:
    """Return a server's key as words: "node-type" as "Node type", "gpuCount" as "GPU count"."""
    if not _WORD.fullmatch(key) or key.isupper():
        return key
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-_]", " ", key).split(" ")
    text = " ".join(word if word.isupper() else word.lower() for word in words)
    text = _INITIALS.sub(lambda found: found[1].upper() + found[2].lower(), text)
    return text[:1].upper() + text[1:]


def _runs_sessions(cluster: ComputeEnv, workbench: str) -> bool:
    support = cluster.workbenches.get(workbench)
    return support is None or support.supports_interactive_sessions is not False
