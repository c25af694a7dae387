"""Every setting with its default, and all problems reported at once, as sentences without values."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import unquote, urlsplit

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from rapidfuzz import fuzz, process

from bot.support.addresses import Proxy, is_loopback, is_safe_origin, public_origin
from bot.support.environment import command, key_file, referenced, resolve_secret, variables

_ADMINISTRATOR = re.compile(r"^(?:[TE][A-Z0-9]+:)?[SUW][A-Z0-9]+$")
_SLACK_WORKSPACE = re.compile(r"^[TE][A-Z0-9]+$")
#: In place of a list of Slack workspaces: all of them.
ANY_WORKSPACE: Final = "*"
SLACK_API_URL = "https://slack.com/api/"
#: How tokens look, and what is needed instead. Of the first: what can follow "Bearer" (RFC 6750), and is too
#: long to guess.
_TOKENS: Final = {
    "metrics_token": (r"[A-Za-z0-9._~+/-]{16,}=*", "16 or more letters, digits and -._~+/= without spaces"),
    "slack_bot_token": ("xoxb-.*", "the bot token of the app, which begins with xoxb-"),
    "slack_app_token": ("xapp-.*", "an app-level token with connections:write, which begins with xapp-"),
}
_COMMAND = re.compile(r"^/[a-z0-9_-]{1,31}$")


#: How similar (0–100) a variable is to a setting to be taken for it.
_ALIKE: Final = 88.0
#: Variables that begin like this are for Usher. Those of other programs begin with SLACK_, too: they aren't
#: taken for a setting that is set.
OURS: Final = "USHER_"
PREFIXES: Final = (OURS, "SLACK_")


#: What libpq reads as user and password.
_CREDENTIALS = re.compile(r"\w+://([^@/]*)@")


def is_postgres(url: str) -> bool:
    """Return whether a database URL names a PostgreSQL database."""
    return url.startswith(("postgresql://", "postgres://"))


def database_file(url: str) -> Path | None:
    """Return the SQLite file of a database URL; None for one in memory or on a server."""
    path = url.removeprefix("sqlite:///")
    return None if path == ":memory:" or is_postgres(url) else Path(path)


def wrong_database(url: str) -> str:
    """Return what is wrong with the form of a database URL, without its values; empty if nothing is."""
    if not is_postgres(url):
        is_file = url.startswith("sqlite:///") and len(url) > len("sqlite:///")
        form = "needs the form sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        return "" if is_file else form
    # libpq takes the rest of such a password for the host, and its messages name hosts.
    if "@" in _CREDENTIALS.sub("", url).partition("?")[0]:
        return "percent-encode the password (@ is %40, / is %2F)"
    return ""


def passwords_of(url: str) -> list[str]:
    """Return what a database URL gives away, as it is written and decoded."""
    if not is_postgres(url):
        return []
    credentials = _CREDENTIALS.match(url)
    password = credentials[1].partition(":")[2] if credentials else ""
    written = [password, *re.findall(r"[?&]password=([^&]*)", url)]
    return [form for password in written if password for form in (password, unquote(password))]


class SettingsError(Exception):
    """Hold every problem of the settings, one sentence each, without values; the exit status is 2."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """Hold every setting, checked; ``validation_alias`` names the variable of each."""

    # An empty variable counts as unset: many service managers write them like that.
    model_config = SettingsConfigDict(
        extra="ignore", hide_input_in_errors=True, frozen=True, env_ignore_empty=True
    )

    #: Without one, Usher is installed by OAuth, in any number of Slack workspaces.
    slack_bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN")
    slack_signing_secret: SecretStr | None = Field(None, validation_alias="SLACK_SIGNING_SECRET")
    slack_app_token: SecretStr | None = Field(None, validation_alias="SLACK_APP_TOKEN")
    slack_client_id: str | None = Field(None, validation_alias="SLACK_CLIENT_ID")
    slack_client_secret: SecretStr | None = Field(None, validation_alias="SLACK_CLIENT_SECRET")
    slack_api_url: str = Field(SLACK_API_URL, validation_alias="USHER_SLACK_API_URL")
    https_proxy: SecretStr | None = Field(None, validation_alias="HTTPS_PROXY")
    no_proxy: str = Field("", validation_alias="NO_PROXY")
    socket_connections: int = Field(2, ge=1, le=10, validation_alias="USHER_SOCKET_CONNECTIONS")
    port: int = Field(3000, ge=0, le=65535, validation_alias="PORT")
    host: str = Field("127.0.0.1", validation_alias="USHER_HOST")
    database_url: str = Field("sqlite:///usher.db", validation_alias="USHER_DATABASE_URL", repr=False)
    backups: Path | None = Field(None, validation_alias="USHER_BACKUPS")
    metrics_token: SecretStr | None = Field(None, validation_alias="USHER_METRICS_TOKEN")
    public_url: str | None = Field(None, validation_alias="USHER_PUBLIC_URL")
    page_url: str | None = Field(None, validation_alias="USHER_PAGE_URL")
    assistant: bool = Field(False, validation_alias="USHER_ASSISTANT")
    encryption_keys: SecretStr = Field(validation_alias="USHER_ENCRYPTION_KEYS")
    connections: Path = Field(validation_alias="USHER_CONNECTIONS")
    administrators: str = Field("", validation_alias="USHER_ADMINS")
    global_administrators: str = Field("", validation_alias="USHER_GLOBAL_ADMINS")
    slack_workspaces: str = Field("", validation_alias="USHER_SLACK_WORKSPACES")
    command: str = Field("/workspace", validation_alias="USHER_COMMAND")
    job_command: str = Field("/job", validation_alias="USHER_JOB_COMMAND")
    deadline_minutes: float = Field(30.0, gt=0, le=24 * 60, validation_alias="USHER_DEADLINE_MINUTES")
    warn_minutes: float = Field(5.0, gt=0, le=24 * 60, validation_alias="USHER_WARN_MINUTES")
    # What Slack doesn't take within a day is given up (``bot.slack.notifier.timing.Timing``).
    unwarned_hours: float = Field(12.0, gt=0, le=24, validation_alias="USHER_UNWARNED_HOURS")
    poll_margin: float = Field(0.5, ge=0.1, le=2.0, validation_alias="USHER_POLL_MARGIN_SECONDS")
    person_burst: int = Field(30, ge=1, le=1_000_000, validation_alias="USHER_PERSON_BURST")
    person_rate: float = Field(1.0, gt=0, le=100_000, validation_alias="USHER_PERSON_RATE")
    session_hours: float = Field(12.0, gt=0, le=24 * 7, validation_alias="USHER_SESSION_HOURS")
    session_idle_minutes: float = Field(
        120.0, gt=0, le=24 * 60, validation_alias="USHER_SESSION_IDLE_MINUTES"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias="USHER_LOG_LEVEL"
    )
    log_format: Literal["json", "text"] = Field("json", validation_alias="USHER_LOG_FORMAT")

    @field_validator(
        "slack_bot_token",
        "slack_signing_secret",
        "slack_app_token",
        "slack_client_secret",
        "encryption_keys",
        "metrics_token",
        "database_url",
        "https_proxy",
        mode="before",
    )
    @classmethod
    def _secret(cls, value: Any) -> Any:
        return resolve_secret(value) if isinstance(value, str) else value

    @field_validator("slack_signing_secret", "slack_app_token", "slack_client_secret", mode="after")
    @classmethod
    def _empty_is_absent(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value is not None and value.get_secret_value() else None

    @field_validator(*_TOKENS)
    @classmethod
    def _token(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        pattern, needed = _TOKENS[str(info.field_name)]
        if value is not None and not re.fullmatch(pattern, value.get_secret_value(), re.DOTALL):
            raise ValueError(f"needs {needed}")
        return value

    @field_validator("slack_client_id", "public_url", "page_url", mode="before")
    @classmethod
    def _blank_is_absent(cls, value: Any) -> Any:
        return value or None

    @field_validator("slack_api_url")
    @classmethod
    def _api_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if not is_safe_origin(parts.scheme, parts.hostname):
            raise ValueError("needs an https address (http only for this machine)")
        return value if value.endswith("/") else value + "/"

    @field_validator("public_url", "page_url")
    @classmethod
    def _public_url(cls, value: str | None) -> str | None:
        return None if value is None else public_origin(value)

    @field_validator("https_proxy")
    @classmethod
    def _https_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        written = value.get_secret_value()
        address = written if "://" in written else f"http://{written}"
        try:
            parts = urlsplit(address)
            is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_one = False
        if not is_one:
            raise ValueError("needs the address of an HTTP proxy, such as http://proxy.example.org:3128")
        return SecretStr(address)

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        if wrong := wrong_database(value):
            raise ValueError(wrong)
        return value

    @field_validator("encryption_keys")
    @classmethod
    def _keys(cls, value: SecretStr) -> SecretStr:
        keys = split_keys(value)
        if not keys:
            raise ValueError(f"needs at least one key: {command('keys new')} creates one")
        for key in keys:
            try:
                Fernet(key)
            except ValueError:
                raise ValueError(
                    f"contains something that isn't a Fernet key: {command('keys new')} creates one"
                ) from None
        return value

    @field_validator("administrators", "global_administrators")
    @classmethod
    def _administrators(cls, value: str) -> str:
        for name in split_names(value):
            if not _ADMINISTRATOR.match(name):
                raise ValueError(
                    "needs ids of Slack users or groups (U0123, S0123, T0123:U0123), with commas between"
                )
        return value

    @field_validator("slack_workspaces")
    @classmethod
    def _slack_workspaces(cls, value: str) -> str:
        names = split_names(value)
        if names != {ANY_WORKSPACE} and not all(map(_SLACK_WORKSPACE.match, names)):
            raise ValueError(
                "needs ids of Slack workspaces (T0123) or organisations (E0123), separated by commas, or *"
            )
        return value

    @field_validator("command", "job_command")
    @classmethod
    def _command(cls, value: str) -> str:
        if not _COMMAND.match(value):
            raise ValueError("needs a slash command such as /workspace, in lower case")
        return value

    def nightly_backups(self) -> tuple[Path, Path] | None:
        """Return the SQLite file and the folder that it is copied to every night; None without a file."""
        file = database_file(self.database_url)
        return None if file is None else (file, self.backups or file.with_name("backups"))

    def keys(self) -> list[str]:
        """Return the Fernet keys, newest first."""
        return split_keys(self.encryption_keys)

    def ports(self) -> range:
        """Return the ports to try in turn: several only where nobody is led to one of them."""
        public, is_named = urlsplit(self.public_url or ""), "port" in self.model_fields_set
        local = public.port if is_loopback(public.hostname or "") else None
        first = self.port if is_named else local or self.port
        is_free = not is_named and self.public_url is None and self.slack_app_token is not None
        return range(first, first + (10 if is_free else 1))

    def admin_ids(self) -> frozenset[str]:
        """Return the administrators as ``U…`` or ``T…:U…``."""
        return split_names(self.administrators)

    def global_admin_ids(self) -> frozenset[str]:
        """Return those of all Slack workspaces, as ``admin_ids`` does."""
        return split_names(self.global_administrators)

    def workspace_ids(self) -> frozenset[str]:
        """Return the Slack workspaces and organisations that are served, or ``ANY_WORKSPACE`` alone."""
        return split_names(self.slack_workspaces)

    def proxy(self) -> Proxy:
        """Return the proxy that requests go through."""
        return Proxy(self.https_proxy.get_secret_value() if self.https_proxy else "", self.no_proxy)

    def secrets(self) -> list[str]:
        """Return every secret value, for the redaction of logs."""
        secrets = (
            self.slack_bot_token,
            self.slack_signing_secret,
            self.slack_app_token,
            self.slack_client_secret,
            self.metrics_token,
        )
        given = [secret.get_secret_value() for secret in secrets if secret is not None]
        by_proxy = urlsplit(self.proxy().address).password
        return given + self.keys() + passwords_of(self.database_url) + ([by_proxy] if by_proxy else [])


#: Every setting by the name of its variable.
VARIABLES: Final = {str(field.validation_alias): field for field in Settings.model_fields.values()}


def split_names(value: str) -> frozenset[str]:
    """Split ids joined by commas."""
    return frozenset(filter(None, (part.strip() for part in value.split(","))))


def split_keys(value: SecretStr) -> list[str]:
    """Split keys joined by commas or white space."""
    return [key for key in re.split(r"[,\s]+", value.get_secret_value()) if key]


#: No arguments: every field comes from the environment (the type checker would ask for them).
_FROM_ENVIRONMENT: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold what the environment says, as far as it is valid.

    ``problems`` are sentences without values. ``wrong`` are the variables whose value in ``settings`` is
    only a stand-in. ``unknown`` are variables of ours that no setting reads.
    """

    settings: Settings
    problems: list[str]
    wrong: frozenset[str]
    unknown: list[str]


def read_settings() -> Reading:
    """Read the environment, with every problem at once."""
    wrong: dict[str, str] = {}
    try:
        settings = Settings(**_FROM_ENVIRONMENT)
    except ValidationError as invalid:
        wrong = {str(error["loc"][0]): _sentence(error) for error in invalid.errors()}
        settings = Settings(**{name: _stand_in(name) for name in wrong})
    misspelt, unknown = strangers(variables(), VARIABLES, referenced())
    is_installed = settings.slack_client_id is not None and settings.slack_client_secret is not None
    if settings.slack_bot_token is None and not is_installed and "SLACK_BOT_TOKEN" not in wrong:
        wrong = {"SLACK_BOT_TOKEN": "SLACK_BOT_TOKEN: is not set", **wrong}
    problems = [
        *wrong.values(),
        *together(settings, wrong),
        *(_key_beside_database(settings) if "USHER_DATABASE_URL" not in wrong else ()),
        *(f"{name}: there is no such setting. Did you mean {near}?" for name, near in misspelt.items()),
    ]
    return Reading(settings, problems, frozenset(wrong), unknown)


def problem_with(name: str, value: str) -> str:
    """Return what is wrong with a setting's value, taken by itself; empty if nothing is."""
    try:
        Settings(**dict[str, Any]({name: value}))
    except ValidationError as invalid:
        return next((_sentence(error) for error in invalid.errors() if error["loc"] == (name,)), "")
    return ""


def _stand_in(name: str) -> Any:
    """Return a value in place of a wrong one, so that the rest can be checked."""
    needed = {
        "USHER_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "USHER_CONNECTIONS": os.devnull,
    }
    return needed.get(name, VARIABLES[name].default)


def _key_beside_database(settings: Settings) -> list[str]:
    keys, database = key_file(), database_file(settings.database_url)
    if keys is None or database is None or keys.resolve().parent != database.resolve().parent:
        return []
    return [
        "USHER_ENCRYPTION_KEYS: the key file must not be in the database's folder: whoever gets one gets both"
    ]


def _sentence(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    message = "is not set" if error["type"] == "missing" else in_our_words(error)
    return f"{place}: {message}" if place else message


def in_our_words(error: Any) -> str:
    """Return a validation error's message as a sentence that goes on from the setting's name."""
    message = str(error["msg"]).removeprefix("Value error, ").partition(", unable to")[0]
    return message.replace("Input should be", "needs to be")


def together(settings: Settings, wrong: Mapping[str, str]) -> list[str]:
    """Return what is wrong with settings that depend on each other; one that is wrong by itself is enough."""

    def are_right(*names: str) -> bool:
        return not set(names) & wrong.keys()

    problems = []
    has_way_in = settings.slack_signing_secret is not None or settings.slack_app_token is not None
    if not has_way_in and are_right("SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"):
        problems.append(
            "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) is required, "
            "so that Slack can reach Usher"
        )
    is_half = (settings.slack_client_id is None) != (settings.slack_client_secret is None)
    if is_half and are_right("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        problems.append("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together: set both or neither")
    is_heard = settings.slack_signing_secret is not None and settings.public_url is not None
    if settings.assistant and not is_heard and are_right("SLACK_SIGNING_SECRET", "USHER_PUBLIC_URL"):
        problems.append("USHER_ASSISTANT needs SLACK_SIGNING_SECRET and USHER_PUBLIC_URL: Slack calls there")
    public, page = urlsplit(settings.public_url or ""), urlsplit(settings.page_url or "")
    is_apart = public.scheme == page.scheme and public.hostname != page.hostname
    if settings.page_url and not is_apart and are_right("USHER_PAGE_URL", "USHER_PUBLIC_URL"):
        problems.append("USHER_PAGE_URL needs the scheme of USHER_PUBLIC_URL, and another host name")
    problems += _for_several(settings, are_right)
    if settings.command == settings.job_command and are_right("USHER_COMMAND", "USHER_JOB_COMMAND"):
        problems.append("USHER_COMMAND and USHER_JOB_COMMAND are the same: each needs its own name")
    return problems


def _for_several(settings: Settings, are_right: Callable[..., bool]) -> list[str]:
    """Return what is missing where Usher is installed by OAuth, because there is no bot token."""
    if settings.slack_bot_token is not None or not are_right("SLACK_BOT_TOKEN"):
        return []
    problems = []
    if settings.public_url is None and are_right("USHER_PUBLIC_URL"):
        problems.append(
            "USHER_PUBLIC_URL is required without SLACK_BOT_TOKEN: Usher is installed at /slack/install there"
        )
    named = {"USHER_ADMINS": settings.admin_ids(), "USHER_GLOBAL_ADMINS": settings.global_admin_ids()}
    problems += [
        f"{variable}: without SLACK_BOT_TOKEN, each id needs its workspace (T0123:U0123ABCD) or its "
        "organisation (E0123:U0123ABCD), because the same id may be somebody else in another one"
        for variable, ids in named.items()
        if are_right(variable) and any(":" not in name for name in ids)
    ]
    if not settings.slack_workspaces and are_right("USHER_SLACK_WORKSPACES"):
        problems.append(
            "USHER_SLACK_WORKSPACES is required without SLACK_BOT_TOKEN: "
            "the Slack workspaces that may install and use Usher, or * for any"
        )
    return problems


def strangers(
    given: Iterable[str], known: Collection[str], referenced: Collection[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """Return the misspelt variables with the settings they look like, and the others that do nothing.

    ``known`` are the settings, ``referenced`` the variables that a secret is read from (``env:NAME``).
    """
    names = {name.upper(): name for name in given if name.upper().startswith(PREFIXES)}
    unset = [name for name in known if name not in names]
    misspelt: dict[str, str] = {}
    unknown: list[str] = []
    for upper, name in sorted(names.items()):
        if upper in known or name in referenced:
            continue
        candidates = list(known) if upper.startswith(OURS) else unset
        near = process.extractOne(upper, candidates, scorer=fuzz.ratio, score_cutoff=_ALIKE)
        if near is not None:
            misspelt[name] = near[0]
        elif upper.startswith(OURS):
            unknown.append(name)
    return misspelt, unknown
