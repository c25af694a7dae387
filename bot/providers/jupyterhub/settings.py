"""The settings of a connection to a JupyterHub, and the templates for its servers."""

import math
import re
from typing import Any

from pydantic import Field, SecretStr, field_validator

from bot.providers import connection
from bot.support.addresses import normalise_base_url

CLIENT_ID = "service-usher"


class ServerTemplate(connection.PreparedTemplate):
    """A template for servers, with the options with which they are started."""

    options: dict[str, Any] = Field(default_factory=dict)


class JupyterHubSettings(connection.ConnectionSettings):
    """A connection to a hub. ``base_url`` is the URL of the hub or of its API. Users open ``public_url``."""

    public_url: str | None = None
    #: Usher's id and secret as a service of the hub. Without the secret, users have to paste tokens.
    client_id: str = Field(default=CLIENT_ID, pattern=r"^service-[A-Za-z0-9._~-]{1,200}$")
    client_secret: SecretStr | None = None
    templates: connection.TemplateList[ServerTemplate] = ()
    #: The hub's own ``consecutive_failure_limit``: the number of failed starts in a row after which the hub
    #: shuts down; 0 for never.
    consecutive_failure_limit: int | None = Field(default=None, ge=0)

    @property
    def failures_allowed(self) -> float:
        """Return half the hub's limit, because failed starts of other users count towards it, too."""
        limit = self.consecutive_failure_limit
        return 0.0 if limit is None else limit // 2 if limit else math.inf

    @field_validator("base_url", "public_url")
    @classmethod
    def _roots(cls, value: str | None) -> str | None:
        return None if value is None else re.sub(r"/hub(/api|/home)?$", "", normalise_base_url(value))
