"""Usher's settings: Slack, the database, encryption keys, administrators, the web server and so on."""

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.support.addresses import (
    Proxy,
    is_loopback,
    normalise_base_url,
    normalise_host,
    public_origin,
)
from bot.support.cleaning import trim
from bot.support.environment import check_unquoted, command, find_connections_source, resolve_secret
from bot.support.settings.database import (
    explain_wrong_path,
    explain_wrong_url,
    find_database_file,
    list_passwords,
)
from bot.support.settings.field import AreRight, setting, split_keys, split_names

_SLACK_WORKSPACE_PATTERN: Final = re.compile(r"^[TE][A-Z0-9]+$")
#: Stands for all Slack workspaces in the list of those that may install Usher.
ANY_WORKSPACE: Final = "*"
#: Matches the start of a line such as ``NAME=value`` that was pasted whole from a settings file.
_ASSIGNMENT_PATTERN: Final = re.compile(r"(?:export )?[A-Z]+_[A-Z0-9_]+=.")
_ADMINISTRATOR_PATTERN = re.compile(r"^(?:[TE][A-Z0-9]+:)?[SUW][A-Z0-9]+$")
SLACK_API_URL = "https://slack.com/api/"
#: Matches Slack's signing secret and client secret, but not the tokens, keys, paths and placeholders that are
#: often pasted by mistake.
_SECRET_PATTERN: Final = r"(?!xox|xapp-)[A-Za-z0-9._~-]+"  # noqa: S105 - a pattern
#: Maps each setting to the pattern that its value must match, along with the message for values that don't
#: match. The metrics token has to be usable after "Bearer" (RFC 6750), and too long to guess.
_SHAPES: Final = {
    "metrics_token": (r"[A-Za-z0-9._~+/-]{16,}=*", "16 or more letters, digits and -._~+/= without spaces"),
    "slack_bot_token": (r"xoxb-[A-Za-z0-9._-]+", "the bot token of the app, which begins with xoxb-"),
    "slack_app_token": (
        r"xapp-[A-Za-z0-9._-]+",
        "an app-level token with connections:write, which begins with xapp-",
    ),
    "slack_signing_secret": (_SECRET_PATTERN, "the signing secret, which is letters and digits"),
    "slack_client_id": (r"[0-9]+\.[0-9]+", "the client id, which is two numbers with a point between"),
    "no_proxy": (r"[^\s;,]*(?:\s*,\s*[^\s;,]*)*", "hosts with commas between"),
    "slack_client_secret": (_SECRET_PATTERN, "the client secret, which is letters and digits"),
}
#: Matches a comment, a final semicolon, or a final line break written as ``\n`` or ``\r`` in a setting's
#: value. Some programs cut these off, and others treat them as part of the value.
_REMARK_PATTERN: Final = re.compile(r"\s#|;$|\\[nr]$")
#: Length of a Fernet key, in characters: 32 bytes encoded as Base64.
KEY_LENGTH: Final = 44
_COMMAND_PATTERN = re.compile(r"^/[a-z0-9_-]{1,31}$")
_APP_PAGE: Final = "your app's page at api.slack.com/apps"
_SIGN_IN: Final = "Sign in with Slack, on the link page and on workspace pages"
_COPY_BOTH: Final = f"Copy both from {_APP_PAGE}, Basic Information."
_COPY_IDS: Final = "Copy member ids from people's profiles in Slack, and join them with commas."


class _TrimmedEnvironment(EnvSettingsSource):
    """Reads the environment and trims its values. A blank value counts as unset.

    The names of proxy variables may also be in lower case. Other programs read these, and on many machines
    only these are set.
    """

    def _load_env_vars(self) -> Mapping[str, str | None]:
        given = super()._load_env_vars()
        found = {name: value for name, written in given.items() if (value := trim(written or ""))}
        return {name.upper(): found[name] for name in ("https_proxy", "no_proxy") if name in found} | found


class Settings(BaseSettings):
    """All settings, validated. The ``validation_alias`` of each is its environment variable."""

    model_config = SettingsConfigDict(
        extra="ignore", hide_input_in_errors=True, frozen=True, case_sensitive=True
    )

    #: The bot token. Without it, Usher is installed through OAuth, in one or more Slack workspaces.
    slack_bot_token: SecretStr | None = setting(
        "SLACK_BOT_TOKEN",
        None,
        (
            "the bot token, `xoxb-…`; without it, people install it: "
            "`usher docs slack-app#several-slack-workspaces`"
        ),
        advice=f"Copy the Bot User OAuth Token from {_APP_PAGE}, OAuth & Permissions.",
    )
    slack_signing_secret: SecretStr | None = setting(
        "SLACK_SIGNING_SECRET",
        None,
        "for HTTP",
        "this, or the next one",
        advice=f"Copy the Signing Secret from {_APP_PAGE}, Basic Information.",
    )
    slack_app_token: SecretStr | None = setting(
        "SLACK_APP_TOKEN",
        None,
        "for Socket Mode, `xapp-…`",
        advice=f"Create an app-level token with connections:write on {_APP_PAGE}, Basic Information.",
    )
    slack_client_id: str | None = setting("SLACK_CLIENT_ID", None, _SIGN_IN, advice=_COPY_BOTH)
    slack_client_secret: SecretStr | None = setting(
        "SLACK_CLIENT_SECRET", None, "the secret of that client id", advice=_COPY_BOTH
    )
    encryption_keys: SecretStr = setting(
        "USHER_ENCRYPTION_KEYS",
        ...,
        "Fernet keys, newest first, separated by commas",
        advice=f"{command('keys new')} creates a key. Keep your old keys too: stored data needs them.",
    )
    connections: Path = setting(
        "USHER_CONNECTIONS",
        ...,
        "path of the connections file, or its text",
        advice=f"{command('up')} writes one. Set it to the path of yours: `usher docs connections`.",
    )
    public_url: str | None = setting(
        "USHER_PUBLIC_URL",
        None,
        "the https address that people's browsers use",
        "none: no links",
        advice="Set it to the address that people's browsers use, such as https://usher.example.org.",
    )
    page_url: str | None = setting(
        "USHER_PAGE_URL",
        None,
        "a second host name of this Usher, where providers' scripts run in the pages of workspaces",
    )
    database_url: str = setting(
        "USHER_DATABASE_URL",
        "sqlite:///usher.db",
        "`sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`",
        advice="Set it to a file, such as sqlite:////var/lib/usher/usher.db, or to a PostgreSQL database.",
        repr=False,
    )
    administrators: str = setting(
        "USHER_ADMINS",
        "",
        "Usher admins: people and user groups (`U…`, `S…`, `T…:U…`), separated by commas",
        advice=_COPY_IDS,
    )
    names_usage: bool = setting(
        "USHER_USAGE_NAMES", False, "`true`: Usher admins see each person's hours in `usage team`", "`false`"
    )
    command: str = setting("USHER_COMMAND", "/workspace", "the slash command of workspaces")
    job_command: str = setting("USHER_JOB_COMMAND", "/job", "the slash command of jobs")
    host: str = setting(
        "USHER_HOST", "127.0.0.1", "address to listen on: `0.0.0.0` for all of IPv4, `::` for all of both"
    )
    port: int = setting("PORT", 3000, "port to listen on", ge=0, le=65535)
    metrics_token: SecretStr | None = setting(
        "USHER_METRICS_TOKEN",
        None,
        "the bearer token for `/metrics`, at least 16 characters",
        "none: open",
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "USHER_LOG_LEVEL", "info", "`debug`, `info`, `warning` or `error`"
    )
    https_proxy: SecretStr | None = setting(
        "HTTPS_PROXY", None, "the HTTP proxy: `usher docs install#through-an-http-proxy`"
    )
    no_proxy: str = setting("NO_PROXY", "", "hosts reached without it")
    slack_api_url: str = setting("USHER_SLACK_API_URL", SLACK_API_URL, "base address of Slack's API")
    backups: Path | None = setting(
        "USHER_BACKUPS",
        None,
        "the folder for nightly backups of a file: `usher docs operate#backups`",
        "none: `backups` beside it",
    )
    assistant: bool = setting(
        "USHER_ASSISTANT",
        False,
        "`true`: Slack's assistant may call Usher; `usher docs slack-app#slacks-assistant`",
        "`false`",
        advice="Set both, or leave it out: `usher docs slack-app#slacks-assistant` says what it needs.",
    )
    slack_workspaces: str = setting(
        "USHER_SLACK_WORKSPACES",
        "",
        "without a bot token: who may install Usher, `T…` or `E…`, or `*` for any",
        advice="Name the Slack workspaces that you serve, such as T0123ABCD,E0123ABCD: "
        "a browser shows a workspace's id in the address of app.slack.com.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library calls it so
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of the settings: the call's arguments, then the environment."""
        return init_settings, _TrimmedEnvironment(settings_cls)

    # This runs after the other "before" validators, so a secret from a reference is checked, too.
    @field_validator("*", mode="before")
    @classmethod
    def _unquoted(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        value = trim(value)
        if re.search("[\ud800-\udfff]", value):  # This is how Python represents bytes that it can't decode.
            raise ValueError("has characters that aren't UTF-8")
        check_unquoted(value)
        # The text of a connections file may contain comments.
        if _REMARK_PATTERN.search(value) and value != find_connections_source():
            raise ValueError("ends in a remark or a sign, which would be a part of it: remove that")
        if _ASSIGNMENT_PATTERN.match(value):
            raise ValueError("begins with the name of a setting: leave that out, and write the value alone")
        return value

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

    @field_validator(*_SHAPES)
    @classmethod
    def _shape(cls, value: SecretStr | str | None, info: ValidationInfo) -> SecretStr | str | None:
        pattern, needed = _SHAPES[str(info.field_name)]
        written = value.get_secret_value() if isinstance(value, SecretStr) else value
        if written is not None and not re.fullmatch(pattern, written):
            raise ValueError(f"needs {needed}")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _api_url(cls, value: str) -> str:
        return f"{normalise_base_url(value)}/"

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
            is_one = parts.scheme in {"http", "https"} and parts.port != 0
            normalise_host(parts.hostname or "")
        except ValueError:
            is_one = False
        if not is_one:
            raise ValueError("needs the address of an HTTP proxy, such as http://proxy.example.org:3128")
        return SecretStr(address)

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        try:
            if "%" not in value:  # The name of the interface may follow a link-local address.
                normalise_host(value)
        except ValueError:
            raise ValueError("needs an address or a name of this machine, without a port") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        if wrong := explain_wrong_url(value):
            raise ValueError(wrong)
        return value

    @field_validator("backups")
    @classmethod
    def _backups(cls, value: Path | None) -> Path | None:
        if value is not None and (wrong := explain_wrong_path(str(value))):
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
                if len(key) != KEY_LENGTH:  # Base64 silently ignores everything after the padding.
                    raise ValueError("another length")
                Fernet(key)
            except ValueError:
                raise ValueError(
                    f"contains something that isn't a Fernet key: {command('keys new')} creates one"
                ) from None
        return value

    @field_validator("administrators")
    @classmethod
    def _administrators(cls, value: str) -> str:
        if not all(map(_ADMINISTRATOR_PATTERN.match, split_names(value))):
            raise ValueError(
                "needs ids of Slack users or groups (U0123, S0123, T0123:U0123), with commas between"
            )
        return value

    @field_validator("slack_workspaces")
    @classmethod
    def _slack_workspaces(cls, value: str) -> str:
        names = split_names(value)
        if not all(map(_SLACK_WORKSPACE_PATTERN.match, names - {ANY_WORKSPACE})):
            raise ValueError(
                "needs ids of Slack workspaces (T0123) or organisations (E0123), separated by commas, or *"
            )
        return value

    @field_validator("command", "job_command")
    @classmethod
    def _command(cls, value: str) -> str:
        if not _COMMAND_PATTERN.match(value):
            raise ValueError("needs a slash command such as /workspace, in lower case")
        return value

    def keys(self) -> list[str]:
        """Return the Fernet keys, newest first."""
        return split_keys(self.encryption_keys)

    def ports(self) -> range:
        """Return the ports to try, in order.

        There are several only in Socket Mode, and if neither the port nor a public URL is set.
        """
        public, is_named = urlsplit(self.public_url or ""), "port" in self.model_fields_set
        local = public.port if is_loopback(public.hostname or "") else None
        first = self.port if is_named else local or self.port
        is_free = not is_named and self.public_url is None and self.slack_app_token is not None
        return range(first, first + (10 if is_free else 1))

    def admin_ids(self) -> frozenset[str]:
        """Return the administrators of single Slack workspaces.

        With a bot token, these are all administrators.
        """
        return split_names(self.administrators) - self._list_ids_alone()

    def global_admin_ids(self) -> frozenset[str]:
        """Return the administrators of all Slack workspaces, as ``T…:U…``. With a bot token, there are none.

        These are the administrators listed without a workspace. Because the same id may belong to someone
        else in another workspace, each of them is taken to be from the first workspace in the list of
        workspaces.
        """
        return frozenset(f"{self._first_workspace}:{name}" for name in self._list_ids_alone())

    def _list_ids_alone(self) -> frozenset[str]:
        alone = frozenset(name for name in split_names(self.administrators) if ":" not in name)
        return alone if self.slack_bot_token is None and self.slack_workspaces else frozenset()

    @property
    def _first_workspace(self) -> str:
        return self.slack_workspaces.partition(",")[0].strip()

    def workspace_ids(self) -> frozenset[str]:
        """Return the Slack workspaces and organisations to serve. ``ANY_WORKSPACE`` stands for all."""
        return split_names(self.slack_workspaces)

    def nightly_backups(self) -> tuple[Path, Path] | None:
        """Return the SQLite file and the folder for its nightly backups, or None if SQLite isn't used."""
        file = find_database_file(self.database_url)
        return None if file is None else (file, self.backups or file.with_name("backups"))

    def proxy(self) -> Proxy:
        """Return the proxy for outgoing requests, with the hosts that are reached directly."""
        return Proxy(self.https_proxy.get_secret_value() if self.https_proxy else "", self.no_proxy)

    def secrets(self) -> list[str]:
        """Return all secret values in the settings, for removal from logs."""
        by_proxy = urlsplit(self.proxy().address).password
        passwords = list_passwords(self.database_url) + ([by_proxy] if by_proxy else [])
        return [secret for _, secret in self._list_named_secrets()] + passwords

    def _list_named_secrets(self) -> list[tuple[str, str]]:
        given = (
            ("SLACK_BOT_TOKEN", self.slack_bot_token),
            ("SLACK_SIGNING_SECRET", self.slack_signing_secret),
            ("SLACK_APP_TOKEN", self.slack_app_token),
            ("SLACK_CLIENT_SECRET", self.slack_client_secret),
            ("USHER_METRICS_TOKEN", self.metrics_token),
        )
        named = [(name, secret.get_secret_value()) for name, secret in given if secret is not None]
        return named + [("USHER_ENCRYPTION_KEYS", key) for key in self.keys()]

    def clashes(self, are_right: AreRight) -> Iterator[str]:
        """Yield a problem for each combination of settings that are valid on their own but not together."""
        has_way_in = self.slack_signing_secret is not None or self.slack_app_token is not None
        if not has_way_in and are_right("SLACK_SIGNING_SECRET", "SLACK_APP_TOKEN"):
            yield (
                "SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP) is required, "
                "so that Slack can reach Usher"
            )
        is_half = (self.slack_client_id is None) != (self.slack_client_secret is None)
        if is_half and are_right("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
            yield "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together: set both or neither"
        for (name, secret), (other, same) in combinations(self._list_named_secrets(), 2):
            if secret == same and name != other and are_right(name, other):
                yield f"{name} and {other} are the same: each has its own value"
        public, page = urlsplit(self.public_url or ""), urlsplit(self.page_url or "")
        is_apart = public.scheme == page.scheme and public.hostname != page.hostname
        if self.page_url and not is_apart and are_right("USHER_PAGE_URL", "USHER_PUBLIC_URL"):
            yield "USHER_PAGE_URL needs the scheme of USHER_PUBLIC_URL, and another host name"
        if self.command == self.job_command and are_right("USHER_COMMAND", "USHER_JOB_COMMAND"):
            yield "USHER_COMMAND and USHER_JOB_COMMAND are the same: each needs its own name"
        is_heard = self.slack_signing_secret is not None and self.public_url is not None
        if self.assistant and not is_heard and are_right("SLACK_SIGNING_SECRET", "USHER_PUBLIC_URL"):
            yield "USHER_ASSISTANT needs SLACK_SIGNING_SECRET and USHER_PUBLIC_URL: Slack calls there"
        if self.slack_bot_token is None and are_right("SLACK_BOT_TOKEN"):
            yield from self._list_clashes_without_token(are_right)

    def _list_clashes_without_token(self, are_right: AreRight) -> Iterator[str]:
        if self.public_url is None and are_right("USHER_PUBLIC_URL"):
            yield (
                "USHER_PUBLIC_URL is required without SLACK_BOT_TOKEN: "
                "Usher is installed at /slack/install there"
            )
        is_clear = _SLACK_WORKSPACE_PATTERN.match(self._first_workspace)
        is_known = are_right("USHER_ADMINS", "USHER_SLACK_WORKSPACES")
        if is_known and not is_clear and self._list_ids_alone():
            yield (
                "USHER_ADMINS: an id alone belongs to the first workspace of USHER_SLACK_WORKSPACES, "
                "and that isn't named: write T0123ABCD:U0123ABCD, or put yours before the *"
            )
        if not self.slack_workspaces and are_right("USHER_SLACK_WORKSPACES"):
            yield (
                "USHER_SLACK_WORKSPACES is required without SLACK_BOT_TOKEN: "
                "the Slack workspaces that may install and use Usher, or * for any"
            )
