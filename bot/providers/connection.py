"""The settings that connections of every kind have, including templates and allowed hosts."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bot.domain.forms import Choice, Values, choice_field, text_of
from bot.domain.forms import Field as FormField
from bot.domain.people import Principal
from bot.domain.prices import MAX_PRICE, Price
from bot.domain.user_groups import UserGroups
from bot.support.addresses import (
    DEFAULT_PORTS,
    MAX_URL_LENGTH,
    SAFE_CHARACTERS,
    Origin,
    is_ip_address,
    normalise_base_url,
    parse_origin,
    split_address,
)

_TEMPLATE_NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_SLACK_WORKSPACE_PATTERN = re.compile(r"[TE][A-Z0-9]{1,30}")
#: Text shown for a template that has no price, if other templates have one.
NO_PRICE = "no price"
#: How users link their accounts:
#: - ``token``: with their own token, which they paste or get by signing in.
#: - ``admin``: by asking an administrator to approve their username.
#: - ``none``: without an account of their own, because the connection's secret is used for everyone.
LinkMethod = Literal["token", "admin", "none"]


class SettingsPart(BaseModel):
    """A part of the connections file. Unknown keys are errors, and no error message shows a value.

    Validators are built on first use, because the models here are used only through their subclasses.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class PreparedTemplate(SettingsPart):
    """A template prepared by an operator.

    Attributes:
        name: The template's name.
        title: The text shown to users, by default the name.
        who: The people who may use it (``U…``, ``S…``, ``T…:U…``); everyone if omitted.
        price_per_hour: The price per hour, in the connection's ``currency``.
    """

    name: str
    title: str = ""
    who: tuple[str, ...] | None = None
    price_per_hour: Decimal | None = Field(default=None, ge=0, lt=MAX_PRICE, allow_inf_nan=False)
    _groups: UserGroups = PrivateAttr(default_factory=UserGroups)
    _currency: str = PrivateAttr(default="")

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not _TEMPLATE_NAME_PATTERN.fullmatch(value):
            raise ValueError("needs lower-case letters, digits, - and _, at most 41")
        return value

    @property
    def label(self) -> str:
        """Return the template's display name."""
        return self.title or self.name

    @property
    def price(self) -> Price | None:
        """Return the template's price, or None if the operator hasn't set one."""
        return None if self.price_per_hour is None else Price(self.price_per_hour, self._currency)

    @property
    def offer_label(self) -> str:
        """Return the display name with the price, or with "no price" if only other templates have one."""
        said = "" if not self._currency else NO_PRICE if self.price is None else self.price.label
        return " · ".join(filter(None, [self.label, said]))

    def set_currency(self, currency: str) -> None:
        """Set the currency of the price; "" if none of the connection's templates has a price."""
        self._currency = currency

    def set_groups(self, groups: UserGroups) -> None:
        """Set the user groups that ``who`` may refer to."""
        self._groups = groups

    def is_for(self, principal: Principal) -> bool:
        """Return whether the principal may use the template."""
        if self.who is None:
            return True
        return bool(
            {principal.user_id, f"{principal.team_id}:{principal.user_id}"} & self._groups.expand(self.who)
        )


P = TypeVar("P", bound=PreparedTemplate)


def _require_distinct_names(value: tuple[P, ...], info: ValidationInfo) -> tuple[P, ...]:
    if len({one.name for one in value}) < len(value):
        raise ValueError(f"two {info.field_name} have the same name")
    return value


#: A list of host patterns, each normalised by ``normalise_pattern``.
HostPatterns = Annotated[tuple[str, ...], AfterValidator(lambda value: tuple(map(normalise_pattern, value)))]
#: A list of templates with distinct names.
TemplateList = Annotated[tuple[P, ...], AfterValidator(_require_distinct_names)]


def find_by_name(prepared: Iterable[P], name: str) -> P | None:
    """Return the template with this name, or None if there is none."""
    return next((one for one in prepared if one.name == name), None)


def list_available(prepared: Iterable[P], principal: Principal) -> list[P]:
    """Return the templates that the principal may use, in the file's order."""
    return [one for one in prepared if one.is_for(principal)]


def select_available(offered: Sequence[P], values: Values) -> P | None:
    """Return the template with this name or label. If there is none but only one is offered, return that."""
    asked = text_of(values, "template").casefold()
    only = offered[0] if len(offered) == 1 else None
    return next((one for one in offered if asked in {one.name, one.label.casefold()}), only)


def template_field(offered: Sequence[PreparedTemplate], chosen: PreparedTemplate | None) -> FormField:
    """Return the form field for choosing a template."""
    choices = tuple(Choice(one.name, one.offer_label) for one in offered)
    return choice_field(
        "template", "Template", choices, chosen.name if chosen is not None else "", has_dependents=True
    )


class ConnectionSettings(SettingsPart):
    """The settings that every connection has; providers add their own by subclassing.

    Attributes:
        link_methods: The link methods that the provider supports, each with the key of the secret that it
            requires ("" if none). Any other method is rejected at start-up.
        name: The connection's name, which users type.
        provider: The ``kind`` of the connection's provider.
        source: The distribution that contains the provider; "" for Usher's own.
        title: The name shown to users.
        base_url: The API's URL, normalised, without a trailing slash.
        linking: How users link their accounts to this connection.
        ide_hosts: Hosts allowed in IDE URLs, besides those that the provider derives from the base URL.
        workspaces: The Slack workspaces (``T…``) and organisations (``E…``) whose members may use the
            connection; if omitted, everyone may.
        starts_per_second: Maximum number of start requests per second, if limited.
        currency: The currency of prices, if the operator sets one.
        asks_after_hours: The number of hours that a workspace may run before Usher asks its user, once a day,
            whether they still need it. With 0, Usher asks only users who chose to be asked.
        stops_unanswered: Whether Usher stops a workspace in the evening if its owner didn't answer, unless
            stopping would end it irreversibly.
    """

    link_methods: ClassVar[Mapping[LinkMethod, str]] = {"token": ""}

    name: str
    provider: str
    source: str = Field(default="", alias="from")
    title: str
    base_url: str
    linking: tuple[LinkMethod, ...] = ("token",)
    ide_hosts: HostPatterns = ()
    workspaces: tuple[str, ...] | None = None
    starts_per_second: float | None = Field(default=None, gt=0)
    currency: str | None = Field(default=None, pattern=r"^[^\W\d_]{1,12}$|^[€$£¥₹]$")
    asks_after_hours: float | None = Field(default=None, ge=0)
    stops_unanswered: bool = False

    @field_validator("linking", mode="before")
    @classmethod
    def _linking(cls, value: Any) -> Any:
        chosen = value if isinstance(value, (list, tuple)) else ()
        if not chosen or not all(isinstance(way, str) and way in cls.link_methods for way in chosen):
            known = " or ".join(f'"{way}"' for way in cls.link_methods)
            raise ValueError(f"needs a list of {known}: this provider has no other way of linking")
        return value

    @model_validator(mode="after")
    def _secrets_of_linking(self) -> Self:
        for way in self.linking:
            key = self.link_methods[way]
            if key and getattr(self, key) is None:
                raise ValueError(f'{key}: is required if linking has "{way}"')
        return self

    @model_validator(mode="after")
    def _currency_of_templates(self) -> Self:
        priced = [one for one in self.prepared if one.price_per_hour is not None]
        if priced and self.currency is None:
            raise ValueError("currency: is required if a template has price_per_hour")
        for one in self.prepared:
            one.set_currency((self.currency or "") if priced else "")
        return self

    @field_validator("workspaces")
    @classmethod
    def _workspaces(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and not (value and all(map(_SLACK_WORKSPACE_PATTERN.fullmatch, value))):
            raise ValueError("needs ids of Slack workspaces or organisations, such as T0123ABCD or E0123ABCD")
        return value

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, value: str) -> str:
        return normalise_base_url(value)

    @property
    def idle_seconds(self) -> float | None:
        """Return how many seconds a workspace may be idle before it is stopped, or None if that isn't set."""
        return None

    @property
    def failures_allowed(self) -> float:
        """Return the number of consecutive failed starts after which retries stop; 0 if unknown."""
        return math.inf

    @property
    def abilities(self) -> frozenset[str]:
        """Return the connection's abilities: ``waiting`` if failed starts may be retried."""
        return frozenset({"waiting"} if self.failures_allowed > 1 else ())

    @property
    def prepared(self) -> tuple[PreparedTemplate, ...]:
        """Return the templates that operators prepared, or none if the provider doesn't use templates."""
        found: tuple[PreparedTemplate, ...] = getattr(self, "templates", ())
        return found

    @property
    def own_secret(self) -> SecretStr | None:
        """Return the connection's own secret, or None if it has none."""
        found: SecretStr | None = next(
            (getattr(self, key) for key in self.link_methods.values() if key), None
        )
        return found

    def secrets(self) -> tuple[str, ...]:
        """Return every secret in the connection's settings."""
        return tuple(
            value.get_secret_value() for value in vars(self).values() if isinstance(value, SecretStr)
        )


def path_below(url: str, base_url: str) -> str | None:
    """Return the path of a URL below a base URL, or None if the URL isn't below it.

    The path begins with a slash and is still percent-encoded; query and fragment are left out.
    """
    try:
        origin, parts = split_address(url)
        base, base_parts = split_address(base_url)
    except ValueError:
        return None
    prefix = base_parts.path.rstrip("/")
    if origin != base or not (parts.path == prefix or parts.path.startswith(prefix + "/")):
        return None
    return parts.path[len(prefix) :] or "/"


def is_address_within(url: str, root: str) -> bool:
    """Return whether a URL is ``root`` or below it.

    In URLs like ``/@owner/name``, a dot after the name also begins a part below the root.
    """
    rest = path_below(url, root.partition("?")[0].partition("#")[0].rstrip("/"))
    if rest is not None:
        return True
    dotted = re.match(r"(.*?/@[^/]+/[^/?#]+)/?$", root)
    return dotted is not None and url.startswith(f"{dotted[1]}.")


def match_subdomain(url: str, base_url: str) -> str | None:
    """Return the base URL with the host of ``url`` if that is a direct subdomain of the base URL's host."""
    try:
        origin, _ = split_address(url)
        base, parts = split_address(base_url)
    except ValueError:
        return None
    label, dot, above = origin.host.partition(".")
    if not label or not dot or origin != Origin(base.scheme, f"{label}.{base.host}", base.port):
        return None
    return f"{origin.scheme}://{origin.netloc}{parts.path.rstrip('/')}" if above == base.host else None


def normalise_pattern(text: str) -> str:
    """Normalise a host pattern (``host`` or ``*.host``, with an optional ``:port``), or raise ValueError."""
    star = "*." if text.startswith("*.") else ""
    origin, parts = split_address(f"https://{text.removeprefix('*.')}")
    if parts.path or parts.query or parts.fragment or "*" in parts.netloc:
        raise ValueError("a host is needed, such as ide.example.org or *.example.org")
    if star and (is_ip_address(origin.host) or (origin.host.count(".") < 1 and origin.host != "localhost")):
        raise ValueError("*. needs a name of two parts at least, such as *.example.org")
    port = f":{origin.port}" if parts.port is not None else ""
    return f"{star}{origin.shown_host}{port}"


def to_allowed_ide_url(url: str | None, base_url: str, patterns: Iterable[str]) -> str | None:
    """Return a safe form of an IDE's URL if it may be sent to the workspace's owner, otherwise None.

    The URL must use https, unless it and the base URL are both on loopback. It must have the base URL's host
    and port, or match a pattern. A pattern without a port allows the default port and the base URL's port.
    """
    if url is None:
        return None
    try:
        origin, parts = split_address(url)
        base = parse_origin(base_url)
    except ValueError:
        return None
    if origin.scheme == "http" and not (base.scheme == "http" and base.is_loopback and origin.is_loopback):
        return None
    is_base = (origin.host, origin.port) == (base.host, base.port)
    if not is_base and not any(_is_match(origin, base, pattern) for pattern in patterns):
        return None
    rest = parts.path or "/"
    rest += f"?{parts.query}" if parts.query else ""
    rest += f"#{parts.fragment}" if parts.fragment else ""
    safe = f"{origin.scheme}://{origin.netloc}{quote(rest, safe=SAFE_CHARACTERS)}"
    return safe if len(safe) <= MAX_URL_LENGTH else None


def _is_match(origin: Origin, base: Origin, pattern: str) -> bool:
    try:
        normal = normalise_pattern(pattern)
        wanted, parts = split_address(f"https://{normal.removeprefix('*.')}")
    except ValueError:
        return False
    ports = {DEFAULT_PORTS[origin.scheme], base.port} if parts.port is None else {parts.port}
    if origin.port not in ports:
        return False
    if not normal.startswith("*."):
        return origin.host == wanted.host
    labels, tail = origin.host.split("."), wanted.host.split(".")
    return len(labels) > len(tail) and labels[-len(tail) :] == tail
