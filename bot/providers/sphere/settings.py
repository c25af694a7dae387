"""The settings of a Sphere connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from bot.providers.base import ConnectionSettings, Linking
from bot.providers.hosts import normalise_pattern, origin_of

#: The token is part of every call's address, so it has to be valid there.
_TOKEN = re.compile(r"[!-~]{1,1000}")
#: Ids of projects: 32 hex characters.
_PROJECT = re.compile(r"[0-9a-f]{32}")
_API = "/api/v1"
#: A year: nobody wants more minutes than that.
_MOST_MINUTES = 525_600


class SphereSettings(ConnectionSettings):
    """Hold a Sphere connection; times are minutes.

    The token opens everything in the account, so use an account that nobody else makes workspaces
    with. ``projects``: the ones from which people may make something.
    """

    # The account has one token and no users.
    ways: ClassVar[Mapping[Linking, str]] = {"none": ""}

    linking: tuple[Linking, ...] = ("none",)
    access_token: SecretStr
    #: The host that the SDK is loaded from; the base URL's own by default.
    sdk_base: str = ""
    projects: tuple[str, ...] | Literal["all"] = "all"
    webhook_secret: SecretStr | None = None
    #: How long a stopped workspace is kept; without it, stopping would remove it.
    retention_minutes: int = Field(1_440, gt=0, le=_MOST_MINUTES)
    #: A workspace is stopped after this long without use; by default, the project's own time.
    inactivity_minutes: int | None = Field(None, gt=0, le=_MOST_MINUTES)
    #: Whether opening a stopped workspace starts it. A page left open would start what was stopped.
    auto_resume: bool = False

    @field_validator("base_url")
    @classmethod
    def _root(cls, value: str) -> str:
        """Take the API's own path away, which the vendor's documents show as part of the address."""
        return value.removesuffix(_API)

    @field_validator("access_token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("needs an access token of Sphere Engine, without spaces")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        # Anybody can sign with an empty secret.
        if value is not None and not value.get_secret_value():
            raise ValueError("needs the secret of the webhook, or to be left out")
        return value

    @field_validator("sdk_base", mode="before")
    @classmethod
    def _sdk_base(cls, value: Any) -> Any:
        if not isinstance(value, str) or not value:
            return value
        host = value.removeprefix("https://").rstrip("/")
        if host.startswith("*"):
            raise ValueError("needs one host, such as acme.containers.sphere-engine.com")
        return normalise_pattern(host)

    @field_validator("projects")
    @classmethod
    def _projects(cls, value: tuple[str, ...] | Literal["all"]) -> tuple[str, ...] | Literal["all"]:
        if value == "all":
            return value
        if not value or not all(_PROJECT.fullmatch(project) for project in value):
            raise ValueError('needs "all", or a list of project ids (32 characters of 0-9 and a-f each)')
        return value

    @property
    def sdk_host(self) -> str:
        """Return the host that the SDK is loaded from, with its port if it is unusual."""
        return self.sdk_base or origin_of(self.base_url).netloc

    @property
    def sdk_is_https(self) -> bool:
        """Return whether the SDK is loaded over https: always, unless it and the API are on this machine."""
        is_local = origin_of(self.base_url).scheme == "http"
        return not (is_local and origin_of(f"https://{self.sdk_host}").is_loopback)
