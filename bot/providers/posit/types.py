"""The parts of the Workbench API's responses that Usher uses.

Only names and ids are required. Any other value that isn't of the documented type is logged and replaced by
its default. A list entry without a name is left out.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar

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

from bot.providers.answers import find_account_id, format_creation, log_oddity, parse_time
from bot.providers.posit.addresses import SESSION_ID_PATTERN
from bot.providers.words import MAX_MESSAGE_LENGTH, clean
from bot.support.errors import BadAnswer

T = TypeVar("T")


def _omit_unreadable(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    try:
        return read(value)
    except ValidationError as error:
        log_oddity(f"an entry is left out: {_describe_error(error)}")
        raise PydanticOmit from None


def _describe_error(error: ValidationError) -> str:
    """Describe the first invalid field, without its value."""
    first = error.errors(include_input=False, include_context=False, include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return clean(f"the answer's field {place or '(all)'} can't be read: {first['type']}", MAX_MESSAGE_LENGTH)


def _read_name(value: Any) -> Any:
    return value.get("name") if isinstance(value, Mapping) else value


def _to_mapping(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {}


#: A time in epoch seconds, or None if it's missing or can't be parsed.
Moment = Annotated[float | None, BeforeValidator(parse_time)]
#: An entry in a list or object. If it can't be parsed, it's left out.
Each = Annotated[T, WrapValidator(_omit_unreadable)]
Name = Annotated[str, Field(min_length=1)]
#: The name in ``name=value``. It can't contain an equals sign.
Key = Annotated[str, Field(pattern=r"^[^=\p{Cc}]+$")]
#: A list of strings. Any entry that is an object is replaced by its name.
Words = tuple[Each[Annotated[Name, BeforeValidator(_read_name)]], ...]


class _Answer(BaseModel):
    """The base class for the objects in a response. Null and empty values count as missing."""

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
        """Parse a JSON object; raise BadAnswer, naming the field, if a required value is missing."""
        try:
            return cls.model_validate(answer)
        except ValidationError as error:
            raise BadAnswer(_describe_error(error)) from None

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: entry for key, entry in value.items() if entry is not None and entry != ""}

    @field_validator("*", mode="wrap")
    @classmethod
    def _use_default(cls, value: Any, read: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        field = cls.model_fields[str(info.field_name)]
        try:
            return read(value)
        except ValidationError:
            if field.is_required():
                raise
        log_oddity(f"the answer's field {info.field_name} of a {cls.__name__} can't be read")
        return field.get_default(call_default_factory=True)


class PlacementConstraint(_Answer):
    """A placement option from the server's configuration. If it has no value, users type one in."""

    name: Key
    value: str = ""


class ResourceLimit(_Answer):
    """A resource limit: ``cpuCount`` in processors, or ``memory`` in MB. Values are strings.

    The reference calls the kind of a limit ``name``, but servers call it ``type``. A maximum of 0 means
    *unlimited* for some kinds and *none* for others, so only the server can enforce it.
    """

    name: Key = Field(validation_alias=AliasChoices("type", "name"))
    label: str = Field(default="", validation_alias=AliasChoices("displayName", "display_name"))
    value: str = ""
    value_type: str = Field(default="", validation_alias="valueType")
    maximum: float | None = Field(default=None, validation_alias=AliasChoices("maxValue", "max_value"))
    default: str = Field(default="", validation_alias=AliasChoices("defaultValue", "default_value"))

    @property
    def default_text(self) -> str:
        """Return the default as the server wrote it, or "" if there is none or it exceeds the maximum."""
        text = (self.default or self.value).strip()
        return "" if self.find_problem(text) else text

    @property
    def max_value(self) -> float | None:
        """Return the maximum, or None if there is none."""
        return self.maximum if self.maximum is not None and self.maximum > 0 else None

    @property
    def is_number(self) -> bool:
        """Return whether the limit is a number. This is assumed unless the server's value isn't a number."""
        text = self.default or self.value
        return not text or parse_number(text) is not None

    def find_problem(self, text: str) -> str:
        """Return the problem with a value, or "" if there is none."""
        if not text or not self.is_number:
            return ""
        number = parse_number(text)
        if number is None or number < 0:
            return "Needs a number, zero or more."
        if self.max_value is not None and number > self.max_value:
            return f"The most you can have here is {format_number(self.max_value)}."
        return ""

    def to_request(self, text: str) -> str:
        """Return the value to send. If it equals the server's default, use the server's spelling of it."""
        number = parse_number(text) if self.is_number else None
        if number is None:
            return text
        return self.default_text if number == parse_number(self.default_text) else format_number(number)

    def as_json(self) -> dict[str, str]:
        """Return the limit as JSON for a request, with its kind both as ``name`` and as ``type``."""
        typed = {"valueType": self.value_type} if self.value_type else {}
        return {"name": self.name, "type": self.name, "value": self.value, **typed}


class ResourceProfile(_Answer):
    """A named set of limits prepared by an administrator."""

    name: Name
    label: str = Field(default="", validation_alias=AliasChoices("label", "displayName", "display_name"))

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class LaunchParameters(_Answer):
    """Where a session runs and which resources it uses.

    The three lists must be present in requests, even if they are empty.
    """

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
        """Return the parameters as JSON for a request, without empty fields other than the lists."""
        entry = {
            **self.model_dump(),
            "resource_limits": [each.as_json() for each in self.resource_limits],
        }
        return {key: value for key, value in entry.items() if value != "" or key in {"name", "cluster"}}


class WorkbenchSession(_Answer):
    """A session as the server reports it. Fields that weren't requested are empty or None."""

    id: str = Field(pattern=SESSION_ID_PATTERN)
    activity_state: str = ""
    name: str = ""
    url: str = ""
    launch_parameters: LaunchParameters | None = None
    created: Moment = None
    label: str = ""
    display_name: str = ""
    status_detail: str = ""
    workbench: str = ""
    executing: StrictBool = False
    save_prompt_required: StrictBool = False
    last_used: Moment = None
    last_state_updated: Moment = None
    #: Size, in bytes, of the memory that the server preserves while the session is suspended.
    suspend_size: float = 0.0
    #: The owner's name. Newer servers send it, although the reference doesn't mention it.
    username: str = ""

    @property
    def title(self) -> str:
        """Return the session's display name, or "" if the server gives none."""
        return self.display_name or self.label or self.name

    @property
    def since(self) -> float | None:
        """Return when the session entered its current state, in epoch seconds."""
        return self.last_state_updated or self.created


class WorkbenchJob(_Answer):
    """A job as the server reports it."""

    #: The job's id, called ``job_id`` in the reference's text but ``id`` in its example.
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
    submitted_at: Moment = Field(default=None, validation_alias="submissionTime")
    #: When the job's state last changed.
    updated_at: Moment = Field(default=None, validation_alias="lastUpdateTime")


class WorkbenchSupport(_Answer):
    """A cluster's support for one IDE. A field is None if the cluster doesn't specify it."""

    supports_interactive_sessions: StrictBool | None = None
    supports_adhoc_jobs: StrictBool | None = None


class WorkbenchLanguage(_Answer):
    """Whether an IDE's requirements are installed, which is assumed unless the server says otherwise."""

    available: StrictBool = True


class WorkbenchIDEInfo(_Answer):
    """The defaults of one IDE; ``default_cluster`` may name a cluster that isn't listed."""

    default_cluster: str = ""
    default_image: str = ""
    lang: WorkbenchLanguage = WorkbenchLanguage()


class ComputeEnv(_Answer):
    """A cluster, with the choices that it offers and what it supports for each IDE."""

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
    workbenches: dict[Each[Name], Annotated[WorkbenchSupport, BeforeValidator(_to_mapping)]] = {}


class ComputeEnvs(_Answer):
    """The response of get_compute_envs, with IDEs in the server's order.

    Only servers with a launcher have clusters.
    """

    clusters: tuple[Each[ComputeEnv], ...]
    workbenches: dict[Each[Name], Annotated[WorkbenchIDEInfo, BeforeValidator(_to_mapping)]]

    @model_validator(mode="wrap")
    @classmethod
    def _some_can_be_read(cls, value: Any, read: ValidatorFunctionWrapHandler) -> Any:
        envs = read(value)
        if isinstance(value, Mapping) and value.get("clusters") and not envs.clusters:
            # If no cluster can be read, that doesn't mean that there are none.
            raise ValueError("no cluster can be read")
        return envs


class Version(_Answer):
    """The parts of a server's version number, and the names of its enabled features."""

    major: str = ""
    minor: str = ""
    patch: str = ""
    build_number: str = ""
    release_name: str = ""
    features: Words = ()

    @classmethod
    def from_json(cls, answer: Any) -> Self:
        """Parse a version, splitting a plain string into its parts. Raise BadAnswer if there is none."""
        entry = answer.get("version") if isinstance(answer, Mapping) else None
        if isinstance(entry, str) and entry:
            entry = dict(zip(("major", "minor", "patch"), entry.split(".", 2), strict=False))
        if not isinstance(entry, Mapping) or not entry:
            raise BadAnswer("the answer's field version is not an object")
        return super().from_json({**entry, "features": answer.get("features")})

    @property
    def text(self) -> str:
        """Return the version as people write it, such as ``2024.09.1``, or "" if no part was given."""
        return ".".join(part for part in (self.major, self.minor, self.patch) if part)


class WorkbenchUser(_Answer):
    """A registered user; ``status`` is ``Active`` or ``Inactive``."""

    username: Name
    status: str = ""
    is_admin: StrictBool = Field(default=False, validation_alias="isAdmin")
    is_super_admin: StrictBool = Field(default=False, validation_alias="isSuperAdmin")
    uid: Any = None
    created: Any = None

    @property
    def account_id(self) -> str:
        """Return facts that distinguish this account from others of the same name; "" if there are none."""
        uid = find_account_id({"uid": self.uid}, "uid")
        return " ".join(filter(None, (f"uid={uid}" if uid else "", format_creation(self.created))))

    @property
    def is_active(self) -> bool:
        """Return whether this user may launch sessions."""
        return self.status.casefold() == "active"


#: Name of the only IDE whose sessions can be suspended and resumed.
SUSPENDS = "RStudio"


def parse_number(text: str) -> float | None:
    """Return a limit's value as a number, or None if it isn't a finite number."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def format_number(number: float) -> str:
    """Format a number the way people write it."""
    return str(int(number)) if number == int(number) else f"{number:.6f}".rstrip("0").rstrip(".")
